// The gradient of a convolution's weight with output channels in the vectors, for few input channels. The gradient is
// transposed once a tile, and the taps read along rows: of the input's window, or of columns.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "../../runtime/parallel.h"
#include "../../runtime/scratch.h"
#include "../products/pack_rows.h"
#include "window.h"

namespace nodegrad::NODEGRAD_LEVEL {

// Units of pixels in a tile.
constexpr int64_t kRun = 256;

// How the output's pixels are cut into tiles: whole rows of an image or parts of one where the taps read a window, else
// wherever a tile is full.
struct WeightCut {
  RowTiles row_tiles;
  Window window;
  bool windowed;
  int64_t tile, pixels, tiles;

  template <class T>
  explicit WeightCut(const Gather<T>& gather)
      : row_tiles(gather.grid, kRun * Multiply<T>::kElements),
        tile(kRun * Multiply<T>::kElements),
        pixels(gather.n * gather.grid_pixels()) {
    constexpr int64_t kElements = Multiply<T>::kElements;
    // Pairs of pixels are of one row; and short runs of depth do not pay for the sums they are added to.
    windowed = gather.phases[0].taps() > 1 && gather.grid[2] % kElements == 0 &&
               row_tiles.width * row_tiles.height >= 64 * kElements &&
               window.fit(gather.phases[0], row_tiles.height, row_tiles.width);
    tiles = windowed ? row_tiles.count(gather.n, gather.grid) : ceil_div(pixels, tile);
  }

  // The pixels of tile t among those of all images.
  void range(const int64_t* grid, int64_t t, int64_t& begin, int64_t& end) const {
    if (windowed) {
      row_tiles.range(grid, t, begin, end);
    } else {
      begin = t * tile;
      end = std::min(pixels, begin + tile);
    }
  }
};

template <class T>
struct WeightMemory {
  std::vector<Segment> segments;
  Moves moves;
  std::vector<T> columns, rows;
  std::vector<typename Multiply<T>::Unit> gradient;
  std::vector<typename Multiply<T>::Sum> sums;
};

// What the tiles of gradWeight need to know. Sums stand as [c, tap][output channel, padded].
template <class T>
struct WeightProduct {
  using Unit = typename Multiply<T>::Unit;
  using Sum = typename Multiply<T>::Sum;
  const ConvGeometry& g;
  const Gather<T>& gather;  // the forward gather of x
  const T* grad_output;
  int64_t outputs, channels, taps, padded;  // output channels of a group, and those rounded up to panels

  // The gradient of `length` pixels from `begin` on, as rows that lie `step` apart, where the tile is part of one
  // image.
  const T* gradient_rows(int64_t group, int64_t begin, int64_t length, WeightMemory<T>& memory, int64_t& step) const {
    const int64_t pixels = g.output_pixels();
    const int64_t image = begin / pixels;
    if ((begin + length - 1) / pixels == image && length % Multiply<T>::kElements == 0) {
      step = pixels;
      return grad_output + (image * g.k + group * outputs) * pixels + begin % pixels;
    }
    step = kRun * Multiply<T>::kElements;
    T* rows = at_least(memory.rows, outputs * step);
    for (int64_t k = 0; k < outputs; k++) {
      T* to = rows + k * step;
      for (int64_t at = begin; at < begin + length;) {
        const int64_t run = std::min(pixels - at % pixels, begin + length - at);
        copy_run(to, grad_output + (at / pixels * g.k + group * outputs + k) * pixels + at % pixels, run);
        to += run;
        at += run;
      }
      if (length % Multiply<T>::kElements != 0) *to = T{};
    }
    return rows;
  }

  // What the taps of channels c0..c1 read, laid into `to`: a window, or columns kRun units apart.
  void lay(const WeightCut& cut, int64_t group, int64_t c0, int64_t c1, int64_t begin, int64_t end,
           WeightMemory<T>& memory, T* to) const {
    constexpr int64_t kStep = kRun * Multiply<T>::kElements;
    const int64_t pixels = gather.source_pixels();
    if (cut.windowed) {
      const int64_t* grid = gather.grid;
      const int64_t row = begin / grid[2];
      const int64_t p = row % grid[1], q = begin % grid[2], width = cut.row_tiles.width;
      const T* source = gather.source + ((row / grid[1] / grid[0] * g.groups + group) * channels + c0) * pixels;
      for (int64_t c = c0; c < c1; c++, source += pixels, to += cut.window.unit) {
        cut.window.lay(gather, gather.phases[0], source, static_cast<const T*>(nullptr), row / grid[1] % grid[0], p,
                       p + ceil_div(end - begin, width), q, q + std::min(width, end - begin), to);
      }
      return;
    }
    cut_segments(gather.grid, begin, end, kStep, memory.segments);
    memory.moves.find(gather, gather.phases[0], memory.segments, kStep, kStep, 0);
    for (int64_t c = c0; c < c1; c++, to += taps * kStep) {
      lay_channel(memory.moves, gather.source + (group * channels + c) * pixels, to);
      if ((end - begin) % Multiply<T>::kElements != 0)
        for (int64_t tap = 0; tap < taps; tap++) to[tap * kStep + end - begin] = T{};
    }
  }

  // Adds (or, at first, writes) the product of one tile for channels c0..c1 to their sums.
  void add_tile(const WeightCut& cut, int64_t group, int64_t c0, int64_t c1, int64_t begin, int64_t end, bool first,
                WeightMemory<T>& memory, Sum* out) const {
    constexpr int64_t kElements = Multiply<T>::kElements;
    constexpr int64_t kStep = kRun * kElements;
    constexpr int64_t kWidth = kCols<T>;
    const int64_t rows = (c1 - c0) * taps;
    int64_t gradient_step;
    const T* gradient = gradient_rows(group, begin, end - begin, memory, gradient_step);
    T* columns = at_least(memory.columns, (c1 - c0) * (cut.windowed ? cut.window.unit : taps * kStep));
    lay(cut, group, c0, c1, begin, end, memory, columns);
    Depth depth{ceil_div(end - begin, kElements)};
    if (cut.windowed)
      depth = {std::min(cut.row_tiles.width, end - begin) / kElements, ceil_div(end - begin, cut.row_tiles.width),
               cut.window.pitch};
    Unit* turned = at_least(memory.gradient, kRun * kWidth);
    for (int64_t k = 0; k < outputs; k += kWidth) {
      const int64_t count = std::min(kWidth, outputs - k);
      transpose_rows(gradient + k * gradient_step, gradient_step, count, depth.length * depth.runs, turned, kWidth);
      for (int64_t row = 0; row < rows; row += kRows) {
        const int64_t valid = std::min<int64_t>(kRows, rows - row);
        RowPlaces<T> left;
        for (int64_t i = 0; i < kRows; i++) {
          // Rows past the end repeat the last one: computed and dropped.
          const int64_t r = row + std::min(i, valid - 1);
          left.base[i] =
              columns +
              (cut.windowed ? r / taps * cut.window.unit + cut.window.taps[static_cast<size_t>(r % taps)] : r * kStep);
        }
        Sum* to = out + row * padded + k;
        if (count <= kWidth / kVectors) {
          partial_tile<T, 1>(depth, left, Panel<T>{turned}, to, padded, valid, kWidth / kVectors,
                             kept(!first, to, padded));
        } else {
          partial_tile<T, kVectors>(depth, left, Panel<T>{turned}, to, padded, valid, kWidth, kept(!first, to, padded));
        }
      }
    }
  }

  // gradWeight[k][c, tap] = the sums of channels c0..c1.
  void put(const Sum* sums, int64_t group, int64_t c0, int64_t c1, T* grad_weight) const {
    constexpr int64_t kBlock = 32;  // output channels: as many pages are written at a time
    const int64_t all = channels * taps, rows = (c1 - c0) * taps;
    for (int64_t k = 0; k < outputs; k += kBlock) {
      const int64_t count = std::min(kBlock, outputs - k);
      T* to = grad_weight + (group * outputs + k) * all + c0 * taps;
      if constexpr (std::is_same_v<T, Sum>) {
        transpose_rows(sums + k, padded, rows, count, to, all);
      } else {
        for (int64_t row = 0; row < rows; row++)
          for (int64_t i = 0; i < count; i++) to[i * all + row] = static_cast<T>(sums[row * padded + k + i]);
      }
    }
  }

  // gradWeight[k][c, tap] = the sum over partial[part][group][c, tap][k], in order.
  void finish(const Sum* partial, int64_t parts, T* grad_weight) const {
    constexpr int64_t kBlock = 16;
    const int64_t rows = channels * taps;
    const int64_t across = ceil_div(outputs, kBlock);
    parallel_for(g.groups * across, grain_of(16384, rows * kBlock), [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; item++) {
        const int64_t group = item / across;
        const int64_t k0 = item % across * kBlock;
        const int64_t count = std::min(kBlock, outputs - k0);
        T* to = grad_weight + (group * outputs + k0) * rows;
        for (int64_t row = 0; row < rows; row++) {
          Sum total[kBlock];
          for (int64_t part = 0; part < parts; part++) {
            const Sum* from = partial + ((part * g.groups + group) * rows + row) * padded + k0;
            for (int64_t k = 0; k < count; k++) total[k] = part == 0 ? from[k] : total[k] + from[k];
          }
          for (int64_t k = 0; k < count; k++) to[k * rows + row] = static_cast<T>(total[k]);
        }
      }
    });
  }
};

// Channels are cut into blocks, and tiles into parts where blocks are few; each part sums into memory of its own.
template <class T>
void weight_by_outputs(const ConvGeometry& g, const Gather<T>& gather, const T* grad_output, T* grad_weight) {
  using Sum = typename Multiply<T>::Sum;
  const int64_t elements = g.weight_elements();
  const int64_t channels = g.c / g.groups, outputs = g.k / g.groups, taps = g.taps();
  const WeightCut cut(gather);
  const int64_t tiles = cut.tiles;
  const int64_t padded = round_up(outputs, kCols<T>);
  // A block's sums and columns stay in a second-level cache; blocks alone are work enough for the threads where each is
  // large.
  const int64_t most = std::max<int64_t>(1, std::min<int64_t>(512, (int64_t{1} << 18) / padded) / taps);
  const int64_t blocks =
      std::max(ceil_div(channels, most), channels * taps >= 8 * 256 ? std::min<int64_t>(8, channels) : 1);
  const int64_t block = ceil_div(channels, blocks);
  const int64_t wanted = elements <= 65536 ? 16 : 8;
  const int64_t tiles_a_part = ceil_div(tiles, std::min(tiles, ceil_div(wanted, g.groups * blocks)));
  const int64_t parts = ceil_div(tiles, tiles_a_part);
  const Scratch<Sum> partial(parts > 1 ? parts * g.groups * channels * taps * padded : 0);
  const WeightProduct<T> product{g, gather, grad_output, outputs, channels, taps, padded};
  parallel_for(g.groups * blocks * parts, 1, [&](int64_t first, int64_t last) {
    thread_local WeightMemory<T> memory;
    for (int64_t item = first; item < last; item++) {
      const int64_t part = item / (g.groups * blocks);
      const int64_t group = item / blocks % g.groups;
      const int64_t c0 = item % blocks * block;
      const int64_t c1 = std::min(channels, c0 + block);
      if (c0 >= c1) continue;
      Sum* sums = parts > 1 ? partial.get() + ((part * g.groups + group) * channels + c0) * taps * padded
                            : at_least(memory.sums, (c1 - c0) * taps * padded);
      const int64_t stop = std::min(tiles, (part + 1) * tiles_a_part);
      for (int64_t t = part * tiles_a_part; t < stop; t++) {
        int64_t begin, end;
        cut.range(gather.grid, t, begin, end);
        product.add_tile(cut, group, c0, c1, begin, end, t == part * tiles_a_part, memory, sums);
      }
      if (parts == 1) product.put(sums, group, c0, c1, grad_weight);
    }
    trim(memory.columns);
    trim(memory.rows);
    trim(memory.sums);
  });
  if (parts > 1) product.finish(partial.get(), parts, grad_weight);
}

}  // namespace nodegrad::NODEGRAD_LEVEL
