// The core of forward convolution, backward-to-input and transposed convolution: every destination pixel gathers a fixed pattern of
// source pixels. A strided backward is several such patterns (phases), one for each residue of the destination index, so that no
// multiplication with an inserted zero is made.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "../runtime/blas.h"
#include "../runtime/parallel.h"
#include "../runtime/scratch.h"
#include "conv_geometry.h"

namespace nodegrad::NODEGRAD_LEVEL {

// One dimension of a phase: destination start + i * step gathers source i * stride + offset for each offset (a tap).
struct GatherAxis {
  int64_t stride = 1;
  int64_t start = 0;
  int64_t step = 1;
  std::vector<int64_t> offsets;
};

template <class T>
struct GatherPhase {
  GatherAxis axis[3];
  const T* weight = nullptr;  // [groups][destination channels][source channels][taps]
  int64_t taps() const {
    return static_cast<int64_t>(axis[0].offsets.size()) * static_cast<int64_t>(axis[1].offsets.size()) * static_cast<int64_t>(axis[2].offsets.size());
  }
};

// source [n, groups * source_channels, source_size...] -> dest [n, groups * dest_channels, dest_size...]. The phases cover every
// destination pixel once; `grid` holds the index range that serves all of them.
template <class T>
struct Gather {
  int64_t n, groups, source_channels, dest_channels;
  int64_t source_size[3], dest_size[3], grid[3];
  const T* source;
  const T* bias;  // [groups * dest_channels], or null
  T* dest;
  std::vector<GatherPhase<T>> phases;

  int64_t source_pixels() const { return source_size[0] * source_size[1] * source_size[2]; }
  int64_t dest_pixels() const { return dest_size[0] * dest_size[1] * dest_size[2]; }
};

// A run of grid pixels in one row of one image: columns `column`... of a tile.
struct Segment {
  int64_t image, e, p, q, length, column;
};

// The rows that the pixels begin..end of all images consist of.
inline void cut_segments(const int64_t* grid, int64_t begin, int64_t end, std::vector<Segment>& segments) {
  segments.clear();
  for (int64_t at = begin; at < end;) {
    const int64_t q = at % grid[2];
    const int64_t row = at / grid[2];
    const int64_t length = std::min(grid[2] - q, end - at);
    segments.push_back({row / (grid[1] * grid[0]), row / grid[1] % grid[0], row % grid[1], q, length, at - begin});
    at += length;
  }
}

template <class T>
inline void copy_run(T* to, const T* from, int64_t n) {
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) {
    T block[16];
    std::memcpy(block, from + i, sizeof block);
    std::memcpy(to + i, block, sizeof block);
  }
  for (; i + 4 <= n; i += 4) {
    T block[4];
    std::memcpy(block, from + i, sizeof block);
    std::memcpy(to + i, block, sizeof block);
  }
  for (; i < n; i++) to[i] = from[i];
}
template <class T>
inline void zero_run(T* to, int64_t n) {
  for (int64_t i = 0; i < n; i++) to[i] = 0;
}

// The indices i in [begin, end) for which 0 <= i * stride + offset < size, as [lo, hi); empty ranges have lo == hi.
inline void valid_range(int64_t begin, int64_t end, int64_t stride, int64_t offset, int64_t size, int64_t& lo, int64_t& hi) {
  lo = offset >= 0 ? begin : std::max(begin, ceil_div(-offset, stride));
  hi = size - offset <= 0 ? begin : std::min(end, ceil_div(size - offset, stride));
  if (lo >= hi) lo = hi = begin;
}

// columns[(c * taps + tap) * ld + column] for channels c0..c1 of a group: the pixels that each tap reads, zero outside of the image.
template <class T>
void gather_columns(const Gather<T>& gather, const GatherPhase<T>& phase, int64_t group, int64_t c0, int64_t c1, const std::vector<Segment>& segments,
                    T* columns, int64_t ld) {
  const int64_t* size = gather.source_size;
  const int64_t pixels = gather.source_pixels();
  const int64_t channels = gather.groups * gather.source_channels;
  const auto& along = phase.axis[2].offsets;
  const int64_t width_taps = static_cast<int64_t>(along.size());
  const int64_t step = phase.axis[2].stride;
  T* row = columns;
  for (int64_t c = c0; c < c1; c++) {
    for (const int64_t offset_d : phase.axis[0].offsets) {
      for (const int64_t offset_h : phase.axis[1].offsets) {
        for (const Segment& segment : segments) {
          const int64_t d = segment.e * phase.axis[0].stride + offset_d;
          const int64_t h = segment.p * phase.axis[1].stride + offset_h;
          T* to = row + segment.column;
          if (d < 0 || d >= size[0] || h < 0 || h >= size[1]) {
            for (int64_t s = 0; s < width_taps; s++) zero_run(to + s * ld, segment.length);
            continue;
          }
          const T* from = gather.source + (segment.image * channels + group * gather.source_channels + c) * pixels + (d * size[1] + h) * size[2];
          for (int64_t s = 0; s < width_taps; s++, to += ld) {
            int64_t lo, hi;
            valid_range(segment.q, segment.q + segment.length, step, along[static_cast<size_t>(s)], size[2], lo, hi);
            zero_run(to, lo - segment.q);
            const T* x = from + lo * step + along[static_cast<size_t>(s)];
            T* y = to + (lo - segment.q);
            if (step == 1) {
              copy_run(y, x, hi - lo);
            } else {
              for (int64_t i = 0; i < hi - lo; i++) y[i] = x[i * step];
            }
            zero_run(to + (hi - segment.q), segment.q + segment.length - hi);
          }
        }
        row += width_taps * ld;
      }
    }
  }
}

// Gives back what a thread keeps for its next tile, where an unusual shape made that large.
template <class T>
inline void trim(std::vector<T>& kept) {
  constexpr size_t kKept = size_t{1} << 20;
  if (kept.size() > kKept) std::vector<T>().swap(kept);
}

// Writes rows k0..k1 of a tile, computed into `tile` (row length ld), to where the phase puts its pixels.
template <class T>
void scatter_tile(const Gather<T>& gather, const GatherPhase<T>& phase, int64_t group, int64_t k0, int64_t k1, const std::vector<Segment>& segments,
                  const T* tile, int64_t ld) {
  const int64_t* size = gather.dest_size;
  const GatherAxis* axis = phase.axis;
  for (int64_t k = k0; k < k1; k++) {
    for (const Segment& segment : segments) {
      const int64_t d = axis[0].start + segment.e * axis[0].step;
      const int64_t h = axis[1].start + segment.p * axis[1].step;
      const int64_t w = axis[2].start + segment.q * axis[2].step;
      if (d >= size[0] || h >= size[1] || w >= size[2]) continue;
      const int64_t step = axis[2].step;
      const int64_t length = std::min(segment.length, ceil_div(size[2] - w, step));
      T* to =
          gather.dest + (((segment.image * gather.groups + group) * gather.dest_channels + k) * size[0] + d) * size[1] * size[2] + h * size[2] + w;
      const T* from = tile + (k - k0) * ld + segment.column;
      if (step == 1) {
        copy_run(to, from, length);
      } else {
        for (int64_t i = 0; i < length; i++) to[i * step] = from[i];
      }
    }
  }
}

// Whether the phase's pixels are the grid's own, one to one, on that side.
template <class T>
bool plain_source(const Gather<T>& gather, const GatherPhase<T>& phase) {
  for (int d = 0; d < 3; d++) {
    const GatherAxis& axis = phase.axis[d];
    if (axis.offsets.size() != 1 || axis.offsets[0] != 0 || axis.stride != 1 || gather.source_size[d] != gather.grid[d]) return false;
  }
  return true;
}
template <class T>
bool plain_dest(const Gather<T>& gather, const GatherPhase<T>& phase) {
  for (int d = 0; d < 3; d++)
    if (phase.axis[d].start != 0 || phase.axis[d].step != 1 || gather.dest_size[d] != gather.grid[d]) return false;
  return true;
}

// One tile of one group: columns of a few channels at a time, so that they stay in L2, and one BLAS call for each.
template <class T>
void gather_tile(const Gather<T>& gather, int64_t group, int64_t k0, int64_t k1, int64_t begin, int64_t end, std::vector<Segment>& segments,
                 std::vector<T>& columns, std::vector<T>& product) {
  constexpr int64_t kColumnElements = 160 * 1024;
  const int64_t length = end - begin;
  const int64_t pixels = gather.grid[0] * gather.grid[1] * gather.grid[2];
  const int64_t image = begin / pixels;
  const bool one_image = (end - 1) / pixels == image;
  const int64_t channels = gather.source_channels;
  cut_segments(gather.grid, begin, end, segments);
  for (const GatherPhase<T>& phase : gather.phases) {
    const int64_t taps = phase.taps();
    const bool in_place = one_image && plain_dest(gather, phase);
    if (!in_place && static_cast<int64_t>(product.size()) < (k1 - k0) * length) product.resize(static_cast<size_t>((k1 - k0) * length));
    T* y = in_place ? gather.dest + ((image * gather.groups + group) * gather.dest_channels + k0) * pixels + begin % pixels : product.data();
    const int64_t ldy = in_place ? pixels : length;
    const bool filled = gather.bias != nullptr || taps == 0 || channels == 0;
    if (filled) {
      for (int64_t k = k0; k < k1; k++) {
        const T value = gather.bias != nullptr ? gather.bias[group * gather.dest_channels + k] : T{0};
        std::fill_n(y + (k - k0) * ldy, length, value);
      }
    }
    if (taps > 0 && channels > 0) {
      const T* weight = phase.weight + (group * gather.dest_channels + k0) * channels * taps;
      if (one_image && plain_source(gather, phase)) {
        const T* x = gather.source + (image * gather.groups + group) * channels * pixels + begin % pixels;
        blas::gemm(false, false, k1 - k0, length, channels, T{1}, weight, channels, x, pixels, filled ? T{1} : T{0}, y, ldy);
      } else {
        const int64_t most = std::max<int64_t>(1, kColumnElements / (taps * length));
        const int64_t step = ceil_div(channels, ceil_div(channels, most));
        if (static_cast<int64_t>(columns.size()) < step * taps * length) columns.resize(static_cast<size_t>(step * taps * length));
        for (int64_t c = 0; c < channels; c += step) {
          const int64_t next = std::min(channels, c + step);
          gather_columns(gather, phase, group, c, next, segments, columns.data(), length);
          blas::gemm(false, false, k1 - k0, length, (next - c) * taps, T{1}, weight + c * taps, channels * taps, columns.data(), length,
                     filled || c > 0 ? T{1} : T{0}, y, ldy);
        }
      }
    }
    if (!in_place) scatter_tile(gather, phase, group, k0, k1, segments, y, ldy);
  }
}

// All tiles of all groups in parallel. Where there are few tiles the output channels are cut as well.
template <class T>
void gather_all(const Gather<T>& gather) {
  const Tiling tiling(gather.n, gather.grid);
  const int64_t tiles = tiling.count();
  if (tiles == 0 || gather.dest_channels == 0) return;
  const int64_t blocks = std::max<int64_t>(1, std::min(gather.dest_channels / 64, ceil_div(4, tiles * gather.groups)));
  const int64_t block = ceil_div(gather.dest_channels, blocks);
  parallel_for(tiles * gather.groups * blocks, 1, [&](int64_t first, int64_t last) {
    thread_local std::vector<Segment> segments;
    thread_local std::vector<T> columns, product;
    for (int64_t item = first; item < last; item++) {
      const int64_t k0 = item % blocks * block;
      const int64_t k1 = std::min(gather.dest_channels, k0 + block);
      int64_t begin, end;
      tiling.range(item / blocks / gather.groups, begin, end);
      if (k0 < k1) gather_tile(gather, item / blocks % gather.groups, k0, k1, begin, end, segments, columns, product);
    }
    trim(columns);
    trim(product);
  });
}

}  // namespace nodegrad::NODEGRAD_LEVEL
