// The gradient of a convolution's weight with input channels in the vectors, for stride 1. The input's pixels are
// transposed once a tile, with their zero padding, so that every tap reads the same memory at an offset of its own; the
// gradient is read where it stands.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "../../runtime/parallel.h"
#include "../../runtime/scratch.h"
#include "../products/pack_rows.h"
#include "gather.h"

namespace nodegrad::NODEGRAD_LEVEL {

// Output pixels of a tile: images, planes, rows, columns first[d]..last[d]. Where a dimension is cut, those before it
// hold one index.
struct PixelBox {
  int64_t first[4], last[4];
  int64_t size(int d) const { return last[d] - first[d]; }
  int64_t image_pixels() const { return size(1) * size(2) * size(3); }
};

// All output pixels cut into boxes of about `pixels`.
struct PixelBoxes {
  int64_t total[4], part[4];

  PixelBoxes(const ConvGeometry& g, int64_t pixels) : total{g.n, g.out[0], g.out[1], g.out[2]} {
    for (int d = 3; d >= 0; d--) {
      part[d] = std::clamp<int64_t>(pixels, 1, total[d]);
      pixels = part[d] < total[d] ? 1 : pixels / total[d];
    }
  }
  int64_t parts(int d) const { return ceil_div(total[d], part[d]); }
  int64_t count() const { return parts(0) * parts(1) * parts(2) * parts(3); }
  PixelBox box(int64_t index) const {
    PixelBox box;
    for (int d = 3; d >= 0; d--) {
      box.first[d] = index % parts(d) * part[d];
      box.last[d] = std::min(total[d], box.first[d] + part[d]);
      index /= parts(d);
    }
    return box;
  }
};

// The source indices that neighbouring outputs read along one dimension, from the first to the last.
struct LaidAxis {
  int64_t from, count;
  int64_t per_tap;  // places from a tap's to the next one's

  LaidAxis(const ConvGeometry& g, int d, int64_t begin, int64_t end)
      : from(begin - g.pad[d]), count(end - begin + (g.kernel[d] - 1) * g.dilation[d]), per_tap(g.dilation[d]) {}
};

template <class T>
struct InputsMemory {
  std::vector<typename Multiply<T>::Unit> panels;
  std::vector<T> gradient;
  std::vector<typename Multiply<T>::Sum> sums, sum_line;
  std::vector<int32_t> offsets;
};

// One box with the source pixels it reads as panels: [vector of channels][image][plane][row][column][lane].
template <class T>
struct LaidBox {
  using Unit = typename Multiply<T>::Unit;
  static constexpr int64_t kElements = Multiply<T>::kElements;
  static constexpr int64_t kLanes = kCols<T> / kVectors;

  PixelBox box;
  LaidAxis axis[3];

  LaidBox(const ConvGeometry& g, const PixelBox& pixels)
      : box(pixels),
        axis{LaidAxis(g, 0, box.first[1], box.last[1]), LaidAxis(g, 1, box.first[2], box.last[2]),
             LaidAxis(g, 2, box.first[3], box.last[3])} {}

  int64_t image_places() const { return axis[0].count * axis[1].count * axis[2].count; }
  int64_t panel_units() const { return box.size(0) * image_places() * kLanes; }
  int64_t depth() const { return box.size(0) * box.size(1) * box.size(2) * ceil_div(box.size(3), kElements); }

  int64_t place(int64_t image, int64_t d, int64_t h, int64_t w) const {
    return image * image_places() + (d * axis[1].count + h) * axis[2].count + w;
  }
  // Where a tap reads, from a pixel's place on.
  int64_t tap_offset(const ConvGeometry& g, int64_t tap) const {
    const int64_t d = tap / (g.kernel[1] * g.kernel[2]), h = tap / g.kernel[2] % g.kernel[1], w = tap % g.kernel[2];
    return place(0, d * axis[0].per_tap, h * axis[1].per_tap, w * axis[2].per_tap) * kLanes;
  }
  // The places of all units of depth for the first tap.
  void find_offsets(std::vector<int32_t>& offsets) const {
    offsets.clear();
    for (int64_t image = 0; image < box.size(0); image++)
      for (int64_t d = 0; d < box.size(1); d++)
        for (int64_t h = 0; h < box.size(2); h++)
          for (int64_t w = 0; w < box.size(3); w += kElements)
            offsets.push_back(static_cast<int32_t>(place(image, d, h, w) * kLanes));
  }

  // Lays `count` channels, the first of which has its planes at `source` (of the box's first image), into one panel.
  void lay(const ConvGeometry& g, const T* source, int64_t count, Unit* to) const {
    const LaidAxis& along = axis[2];
    const int64_t lo = std::clamp<int64_t>(-along.from, 0, along.count);
    const int64_t hi = std::clamp<int64_t>(g.in[2] - along.from, lo, along.count);
    for (int64_t image = 0; image < box.size(0); image++, source += g.c * g.input_pixels()) {
      for (int64_t i = 0; i < axis[0].count; i++) {
        const int64_t d = axis[0].from + i;
        for (int64_t j = 0; j < axis[1].count; j++, to += along.count * kLanes) {
          const int64_t h = axis[1].from + j;
          if (d < 0 || d >= g.in[0] || h < 0 || h >= g.in[1]) {
            std::fill_n(to, along.count * kLanes, Unit{});
            continue;
          }
          const T* row = source + (d * g.in[1] + h) * g.in[2];
          if constexpr (kElements == 1) {
            std::fill(to, to + lo * kLanes, Unit{});
            std::fill(to + hi * kLanes, to + along.count * kLanes, Unit{});
            transpose_rows(row + along.from + lo, g.input_pixels(), count, hi - lo, to + lo * kLanes, kLanes);
          } else {
            lay_pairs(g, row, lo, hi, count, to);
          }
        }
      }
    }
  }

  // The kRows rows of the gradient from `row` on (`valid` of them exist, the rest are computed and dropped), as the
  // depth runs through them. They are copied where the box has several images, since those of many channels push each
  // other out of the cache; where rows of an odd length must end in a pair that is half empty; and where rows are
  // missing.
  EvenRows<T> gradient_rows(const ConvGeometry& g, const T* row, int64_t valid, InputsMemory<T>& memory) const {
    const int64_t pixels = g.output_pixels();
    const bool odd = box.size(3) % kElements != 0;
    if (!odd && box.size(0) == 1 && valid == kRows) return EvenRows<T>(row, pixels);
    const int64_t width = odd ? box.size(3) : box.image_pixels(), lines = box.image_pixels() / width;
    const int64_t length = round_up(width, kElements);
    const int64_t step = box.size(0) * lines * length;
    T* rows = at_least(memory.gradient, kRows * step);
    T* to = rows;
    for (int64_t i = 0; i < valid; i++, row += pixels) {
      for (int64_t image = 0; image < box.size(0); image++) {
        for (int64_t line = 0; line < lines; line++, to += length) {
          if (odd) to[width] = T{};
          copy_run(to, row + image * g.k * pixels + line * width, width);
        }
      }
    }
    return EvenRows<T>(rows, step);
  }

 private:
  // A row of every channel as units that hold a pixel and its neighbour; places lo..hi of it exist, the others are
  // zero. Units at even and at odd places are transposed apart, since neighbours share their pixels.
  void lay_pairs(const ConvGeometry& g, const T* row, int64_t lo, int64_t hi, int64_t count, Unit* to) const {
    const LaidAxis& along = axis[2];
    const int64_t step = g.input_pixels();
    if (lo >= hi) {
      std::fill_n(to, along.count * kLanes, Unit{});
      return;
    }
    const T* first = row + along.from + lo;
    const int64_t whole = hi - lo - 1;  // pairs of which both exist
    std::fill(to, to + lo * kLanes, Unit{});
    std::fill(to + (hi - 1) * kLanes, to + along.count * kLanes, Unit{});
    transpose_rows(first, step, count, (whole + 1) / 2, to + lo * kLanes, 2 * kLanes);
    transpose_rows(first + 1, step, count, whole / 2, to + (lo + 1) * kLanes, 2 * kLanes);
    for (int64_t c = 0; c < count; c++) {
      if (lo > 0) to[(lo - 1) * kLanes + c] = static_cast<Unit>(first[c * step].bits) << 16;
      to[(hi - 1) * kLanes + c] = first[c * step + whole].bits;
    }
  }
};

// The sums of a block of channels stand as [pair of vectors][row][kCols], vectors being [tap][vector of the block].
// Rows are output channels: all of them, or kRows where one box holds all pixels, so that sums are put while the
// first-level cache has them.
template <class T>
struct InputsProduct {
  using Unit = typename Multiply<T>::Unit;
  using Sum = typename Multiply<T>::Sum;
  static constexpr int64_t kLanes = kCols<T> / kVectors;
  const ConvGeometry& g;
  const T* grad_output;
  const T* x;
  int64_t channels, outputs, taps;  // of a group
  int64_t rows;                     // of the sums

  int64_t vectors_from(int64_t c0) const { return ceil_div(std::min<int64_t>(kCols<T>, channels - c0), kLanes); }
  int64_t pairs_from(int64_t c0) const { return ceil_div(taps * vectors_from(c0), kVectors); }

  // Adds (or, at first, writes) one box's products for the block of channels from c0 on; `done` is told each strip of
  // output channels.
  template <class Done>
  void add_box(const LaidBox<T>& laid, int64_t group, int64_t c0, bool first, InputsMemory<T>& memory, Sum* sums,
               const Done& done) const {
    const int64_t vectors = vectors_from(c0);
    Unit* panels = at_least(memory.panels, vectors * laid.panel_units());
    const T* source = x + ((laid.box.first[0] * g.groups + group) * channels + c0) * g.input_pixels();
    for (int64_t v = 0; v < vectors; v++)
      laid.lay(g, source + v * kLanes * g.input_pixels(), std::min(kLanes, channels - c0 - v * kLanes),
               panels + v * laid.panel_units());
    laid.find_offsets(memory.offsets);
    std::vector<const Unit*> places;
    for (int64_t tap = 0; tap < taps; tap++)
      for (int64_t v = 0; v < vectors; v++) places.push_back(panels + v * laid.panel_units() + laid.tap_offset(g, tap));
    const Depth depth{laid.depth()};
    const PixelBox& box = laid.box;
    const int64_t pixel = (box.first[1] * g.out[1] + box.first[2]) * g.out[2] + box.first[3];
    const T* gradient = grad_output + (box.first[0] * g.k + group * outputs) * g.output_pixels() + pixel;
    for (int64_t k = 0; k < outputs; k += kRows) {
      const int64_t valid = std::min<int64_t>(kRows, outputs - k);
      const EvenRows<T> left = laid.gradient_rows(g, gradient + k * g.output_pixels(), valid, memory);
      for (size_t at = 0; at < places.size(); at += kVectors) {
        Sum* to = sums + (static_cast<int64_t>(at) / kVectors * rows + k % rows) * kCols<T>;
        if (at + 1 < places.size()) {
          const Places<T, 1> right{{places[at], places[at + 1]}, memory.offsets.data()};
          partial_tile<T, kVectors>(depth, left, right, to, kCols<T>, valid, kCols<T>, kept(!first, to, kCols<T>));
        } else {
          const Places<T, 1> right{{places[at], nullptr}, memory.offsets.data()};
          partial_tile<T, 1>(depth, left, right, to, kCols<T>, valid, kLanes, kept(!first, to, kCols<T>));
        }
      }
      done(k, k + valid);
    }
  }

  // gradWeight[k][c, tap] for the block of channels from c0 on: the sums of all parts, which lie part_step apart, in
  // order.
  void put(const Sum* sums, int64_t parts, int64_t part_step, int64_t group, int64_t c0, int64_t k, T* grad_weight,
           std::vector<Sum>& line) const {
    const int64_t vectors = vectors_from(c0);
    Sum* total = at_least(line, 2 * taps * kLanes);
    Sum* turned = total + taps * kLanes;
    for (int64_t v = 0; v < vectors; v++) {
      const int64_t count = std::min(kLanes, channels - c0 - v * kLanes);
      T* to = grad_weight + ((group * outputs + k) * channels + c0 + v * kLanes) * taps;
      const Sum* from = sums + k % rows * kCols<T> + v * kLanes;
      int64_t step = rows * kCols<T>;
      if (parts > 1 || vectors < kVectors) {
        for (int64_t tap = 0; tap < taps; tap++) {
          const int64_t vector = tap * vectors + v;
          const Sum* at = sums + (vector / kVectors * rows + k % rows) * kCols<T> + vector % kVectors * kLanes;
          auto sum = load_vector<typename Multiply<T>::Sums>(at);
          for (int64_t part = 1; part < parts; part++)
            sum += load_vector<typename Multiply<T>::Sums>(at + part * part_step);
          store_vector(total + tap * kLanes, sum);
        }
        from = total;
        step = kLanes;
      }
      if constexpr (std::is_same_v<T, Sum>) {
        transpose_rows(from, step, taps, count, to, taps);
      } else {
        transpose_rows(from, step, taps, count, turned, taps);
        for (int64_t i = 0; i < count * taps; i++) to[i] = static_cast<T>(turned[i]);
      }
    }
  }
};

// Blocks of channels, in all groups.
template <class T>
int64_t inputs_blocks(const ConvGeometry& g) {
  return g.groups * ceil_div(g.c / g.groups, int64_t{kCols<T>});
}

// A box holds what is added up in registers between two looks at the sums.
template <class T>
PixelBoxes inputs_boxes(const ConvGeometry& g) {
  int64_t pixels = 512;
  while (pixels > 64 && ceil_div(g.n * g.output_pixels(), pixels) * inputs_blocks<T>(g) < 8) pixels /= 2;
  return PixelBoxes(g, pixels);
}

// Channels are cut into blocks of kVectors vectors, and boxes into parts where blocks are few; each part sums into
// memory of its own.
template <class T>
void weight_by_inputs(const ConvGeometry& g, const T* grad_output, const T* x, T* grad_weight) {
  using Sum = typename Multiply<T>::Sum;
  const int64_t channels = g.c / g.groups, outputs = g.k / g.groups;
  const int64_t blocks = inputs_blocks<T>(g), across = blocks / g.groups;
  const PixelBoxes boxes = inputs_boxes<T>(g);
  const int64_t wanted = g.weight_elements() <= 65536 ? 16 : 8;
  const int64_t boxes_a_part = ceil_div(boxes.count(), std::min(boxes.count(), ceil_div(wanted, blocks)));
  const int64_t parts = ceil_div(boxes.count(), boxes_a_part);
  const InputsProduct<T> product{
      g, grad_output, x, channels, outputs, g.taps(), boxes.count() == 1 ? int64_t{kRows} : outputs};
  const int64_t block_sums = product.pairs_from(0) * product.rows * kCols<T>;
  const Scratch<Sum> partial(parts > 1 ? parts * blocks * block_sums : 0);
  parallel_for(blocks * parts, 1, [&](int64_t first, int64_t last) {
    thread_local InputsMemory<T> memory;
    for (int64_t item = first; item < last; item++) {
      const int64_t part = item / blocks, group = item % blocks / across, c0 = item % across * kCols<T>;
      Sum* sums = parts > 1 ? partial.get() + item * block_sums : at_least(memory.sums, block_sums);
      const int64_t begin = part * boxes_a_part, end = std::min(boxes.count(), begin + boxes_a_part);
      for (int64_t b = begin; b < end; b++) {
        product.add_box(LaidBox<T>(g, boxes.box(b)), group, c0, b == begin, memory, sums, [&](int64_t k0, int64_t k1) {
          if (parts > 1 || b + 1 < end) return;
          for (int64_t k = k0; k < k1; k++) product.put(sums, 1, 0, group, c0, k, grad_weight, memory.sum_line);
        });
      }
    }
    trim(memory.panels);
    trim(memory.gradient);
    trim(memory.sums);
  });
  if (parts == 1) return;
  parallel_for(blocks * outputs, grain_of(16384, block_sums / outputs * parts), [&](int64_t first, int64_t last) {
    std::vector<Sum> line;
    for (int64_t item = first; item < last; item++) {
      const int64_t at = item / outputs;
      product.put(partial.get() + at * block_sums, parts, blocks * block_sums, at / across, at % across * kCols<T>,
                  item % outputs, grad_weight, line);
    }
  });
}

}  // namespace nodegrad::NODEGRAD_LEVEL
