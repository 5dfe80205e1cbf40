// Transposed convolution as a matrix product and a sum: each source pixel's products with all taps are made once, and
// added where the taps write. Where the destination is larger than the source (no padding, or kernels as large as the
// image), a gather would multiply mostly by what lies outside; and where it has few channels, it would fill few rows of
// its products.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "../../runtime/scratch.h"
#include "../products/gemm.h"
#include "../simd/pack.h"
#include "gather.h"
#include "geometry.h"

namespace nodegrad::NODEGRAD_LEVEL {

// The taps of dimension d that write at `at`, with the windows that they do so from: calls tap(tap, window).
template <class F>
inline void each_writer(const ConvGeometry& g, int d, int64_t at, const F& tap) {
  for (int64_t t = 0; t < g.kernel[d]; t++) {
    const int64_t distance = at + g.pad[d] - t * g.dilation[d];
    if (distance >= 0 && distance % g.stride[d] == 0 && distance / g.stride[d] < g.out[d])
      tap(t, distance / g.stride[d]);
  }
}

// Places begin..end of a dimension.
struct Interval {
  int64_t begin, end;
};
// Those of dimension d that windows first..last may read.
inline Interval places_of(const ConvGeometry& g, int d, int64_t first, int64_t last) {
  const int64_t begin = std::max<int64_t>(0, first * g.stride[d] - g.pad[d]);
  return {begin, std::min(g.in[d], last * g.stride[d] - g.pad[d] + (g.kernel[d] - 1) * g.dilation[d] + 1)};
}

// A pack of a row of the destination, from place j on: += a row of windows for each tap along the row, which stand
// `step` apart.
template <class T>
inline Pack<T> row_of_windows(const ConvGeometry& g, const T* windows, int64_t step, int64_t j, Pack<T> sums) {
  for (int64_t tap = 0; tap < g.kernel[2]; tap++, windows += step) {
    const int64_t first = j - (tap * g.dilation[2] - g.pad[2]);
    const int64_t lo = std::clamp<int64_t>(-first, 0, kLanes<T>),
                  hi = std::clamp<int64_t>(g.out[2] - first, lo, kLanes<T>);
    if (lo < hi) sums += load_between(windows + first, lo, hi);
  }
  return sums;
}

// x += the values of the windows of rows begin..end of the output where their taps read: one plane, `columns` those
// rows for each tap.
template <class T>
void add_windows(const ConvGeometry& g, const T* columns, int64_t begin, int64_t end, T* x) {
  const int64_t pixels = (end - begin) * g.out[2];
  if (g.stride[2] == 1) {
    // What writes into one row of x: for each tap down the column, the row of windows of its first tap along the row.
    std::vector<const T*> writers;
    const int64_t e0 = begin / g.out[1], e1 = (end - 1) / g.out[1];
    const Interval depths = places_of(g, 0, e0, e1);
    const Interval heights = e0 == e1 ? places_of(g, 1, begin % g.out[1], (end - 1) % g.out[1]) : Interval{0, g.in[1]};
    for (int64_t d = depths.begin; d < depths.end; d++) {
      for (int64_t h = heights.begin; h < heights.end; h++) {
        writers.clear();
        each_writer(g, 0, d, [&](int64_t t, int64_t e) {
          each_writer(g, 1, h, [&](int64_t r, int64_t p) {
            const int64_t from = e * g.out[1] + p;
            if (from < begin || from >= end) return;
            writers.push_back(columns + (t * g.kernel[1] + r) * g.kernel[2] * pixels + (from - begin) * g.out[2]);
          });
        });
        T* to = x + (d * g.in[1] + h) * g.in[2];
        each_pack<T>(g.in[2], [&](int64_t j, const auto& at) {
          Pack<T> sums = at.load(to + j);
          for (const T* windows : writers) sums = row_of_windows(g, windows, pixels, j, sums);
          at.store(to + j, sums);
        });
      }
    }
    return;
  }
  for (int64_t tap = 0; tap < g.taps(); tap++, columns += pixels) {
    const int64_t offset_d = tap / (g.kernel[2] * g.kernel[1]) * g.dilation[0] - g.pad[0];
    const int64_t offset_h = tap / g.kernel[2] % g.kernel[1] * g.dilation[1] - g.pad[1];
    const int64_t offset_w = tap % g.kernel[2] * g.dilation[2] - g.pad[2];
    int64_t lo, hi;
    valid_range(0, g.out[2], g.stride[2], offset_w, g.in[2], lo, hi);
    for (int64_t row = begin; row < end; row++) {
      const int64_t d = row / g.out[1] * g.stride[0] + offset_d, h = row % g.out[1] * g.stride[1] + offset_h;
      if (d < 0 || d >= g.in[0] || h < 0 || h >= g.in[1]) continue;
      const T* from = columns + (row - begin) * g.out[2];
      T* to = x + (d * g.in[1] + h) * g.in[2] + offset_w;
      for (int64_t q = lo; q < hi; q++) to[q * g.stride[2]] += from[q];
    }
  }
}

// Products that stay in a second-level cache, and of how many channels at the most they are.
constexpr int64_t kProducts = 65536;
inline int64_t channels_together(const ConvGeometry& g, int64_t channels) {
  return std::clamp<int64_t>(kProducts / (g.taps() * g.output_pixels()), 1, channels);
}

// Whether the gather would make so many products more, or fill its own so little, that sums in memory cost less.
// Measured.
template <class T>
bool scatters(const ConvGeometry& g, const Gather<T>& gather) {
  constexpr double kLeastRatio = 1.4;
  constexpr int64_t kLeastDepth = 16;
  if (gather.source_channels < kLeastDepth) return false;
  // At a stride the gather has a product for each place between windows, of few taps each.
  const int64_t few = g.stride[2] == 1 ? 3 : gather.source_channels < 64 ? 4 : 8;
  if (gather.dest_channels <= few) {
    // One channel of a large image has too few taps for its products as well, unless it is one of two, and its sums
    // come beside them where windows overlap.
    bool overlap = false;
    for (int d = 0; d < 3; d++) overlap = overlap || g.stride[d] <= (g.kernel[d] - 1) * g.dilation[d];
    if (gather.dest_channels <= 2 || channels_together(g, gather.dest_channels) > 1 || !overlap) return true;
  }
  int64_t taps = 0;
  for (const GatherPhase& phase : gather.phases) taps += phase.taps();
  return static_cast<double>(taps * gather.grid_pixels()) >=
         kLeastRatio * static_cast<double>(g.taps() * g.output_pixels());
}

// The Gather of convBackwardInput.
inline void scatter_products(const ConvGeometry& g, const Gather<float>& gather) {
  const int64_t channels = gather.dest_channels, depth = gather.source_channels, pixels = g.output_pixels(),
                taps = g.taps();
  const auto begin_plane = [&](int64_t group, int64_t channel, float* plane) {
    std::fill_n(plane, g.input_pixels(), gather.bias == nullptr ? 0.0f : gather.bias[group * channels + channel]);
  };
  if (pixels == 1) {
    // All images are rows of one product.
    const int64_t width = channels * taps;
    const Scratch<float> columns(g.n * width);
    for (int64_t group = 0; group < g.groups; group++) {
      gemm(false, false, g.n, width, depth, 1.0f, gather.source + group * depth, g.groups * depth,
           gather.group_weight(group), gather.source_step, 0.0f, columns.get(), width);
      parallel_for(g.n * channels, grain_of(16384, g.input_pixels()), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
          float* plane = gather.dest + ((i / channels * g.groups + group) * channels + i % channels) * g.input_pixels();
          begin_plane(group, i % channels, plane);
          add_windows(g, columns.get() + i * taps, 0, 1, plane);
        }
      });
    }
    return;
  }
  // Some channels together, or one by bands of its rows.
  const int64_t rows = g.out[0] * g.out[1];
  const int64_t share = equal_part(channels, channels_together(g, channels), 1), shares = ceil_div(channels, share);
  const int64_t band = equal_part(rows, std::clamp<int64_t>(kProducts / (share * taps * g.out[2]), 1, rows), 1);
  parallel_for(g.n * g.groups * shares, 1, [&](int64_t first, int64_t last) {
    const Scratch<float> columns(share * taps * band * g.out[2]);
    for (int64_t item = first; item < last; item++) {
      const int64_t index = item / shares, group = index % g.groups, c0 = item % shares * share,
                    count = std::min(share, channels - c0);
      float* const planes = gather.dest + (index * channels + c0) * g.input_pixels();
      for (int64_t c = 0; c < count; c++) begin_plane(group, c0 + c, planes + c * g.input_pixels());
      for (int64_t begin = 0; begin < rows; begin += band) {
        const int64_t end = std::min(rows, begin + band), width = (end - begin) * g.out[2];
        gemm(true, false, count * taps, width, depth, 1.0f, gather.group_weight(group) + c0 * taps, gather.source_step,
             gather.source + index * depth * pixels + begin * g.out[2], pixels, 0.0f, columns.get(), width, false);
        for (int64_t c = 0; c < count; c++)
          add_windows(g, columns.get() + c * taps * width, begin, end, planes + c * g.input_pixels());
      }
    }
  });
}

}  // namespace nodegrad::NODEGRAD_LEVEL
