// Tiles of Winograd's minimal filtering F(2x2, 3x3) in registers: 2 x 2 pixels of the result, which read 4 x 4 of the source. With the filter w
// and the source pixels d,
//
//     y = A^T ((G w G^T) * (B^T d B)) A,
//
//     B^T = [1 0 -1 0; 0 1 1 0; 0 -1 1 0; 0 1 0 -1],  G = [1 0 0; 1/2 1/2 1/2; 1/2 -1/2 1/2; 0 0 1],  A^T = [1 1 1 0; 0 1 -1 -1].
//
// Summed over channels before A is applied, the products of each of the 16 places in a tile are a matrix product. Source: Lavin and Gray,
// "Fast Algorithms for Convolutional Neural Networks" (2015).
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "conv_gather.h"

namespace nodegrad::NODEGRAD_LEVEL {

// Where it was measured to win.
constexpr bool kWinograd = NODEGRAD_VECTOR_BYTES >= 32;

struct WinogradTiles {
  static constexpr int64_t kPlaces = 16, kWidth = kCols<float>;
  static constexpr int kLanes = static_cast<int>(kWidth) / kVectors;
  // Elements of a row of even (or odd) source pixels of a run of tiles: one more than tiles, and what a vector reads behind them.
  static constexpr int64_t kPitch = kWidth + 2 * kLanes;
  // Elements of the rows of a panel's runs: of each run four rows, even and odd pixels.
  static constexpr int64_t kRowsOfRun = 8 * kPitch, kRowsOfPanel = kWidth * kRowsOfRun;

  // Neighbouring tiles of one row of tiles of one image: lanes `lane`... of a panel.
  struct Run {
    int64_t image, row, first, count, lane;
  };
  // One channel of one image among all of them, which end at `end`.
  struct Plane {
    const float *begin, *end, *pixels;
    int64_t height, width;
  };

  int64_t across, down, count;  // tiles in a row, rows of them in an image, and tiles of all images

  template <class T>
  explicit WinogradTiles(const Gather<T>& g) : across(ceil_div(g.dest_size[2], 2)), down(ceil_div(g.dest_size[1], 2)), count(g.n * across * down) {}

  // Tiles as their transforms' time counts them: half of it goes by tiles, half by vectors, which a short row of tiles does not fill.
  double transforms() const { return 0.5 * static_cast<double>(count) + 0.5 * static_cast<double>(count / across * round_up(across, kLanes)); }

  // Whether a Gather's taps are 3 x 3 at distance one.
  template <class T>
  static bool serves(const Gather<T>& g) {
    if (g.phases.size() != 1 || g.source_size[0] != 1 || g.dest_size[0] != 1) return false;
    const GatherAxis* axis = g.phases[0].axis;
    if (axis[0].offsets.size() != 1 || axis[0].offsets[0] != 0) return false;
    for (int d = 1; d < 3; d++) {
      if (axis[d].stride != 1 || axis[d].step != 1 || axis[d].start != 0 || g.grid[d] != g.dest_size[d]) return false;
    }
    return (consecutive(axis[1], 1) && consecutive(axis[2], 1)) || (consecutive(axis[1], -1) && consecutive(axis[2], -1));
  }

  // Tiles begin..end as runs.
  void find_runs(int64_t begin, int64_t end, std::vector<Run>& runs) const {
    runs.clear();
    for (int64_t at = begin; at < end;) {
      const int64_t first = at % across, length = std::min(across - first, end - at);
      runs.push_back({at / across / down, at / across % down, first, length, at - begin});
      at += length;
    }
  }

  // Four rows of `needed` pixels of a plane from (top, left) on, even and odd ones apart, zero outside.
  static void lay_rows(const Plane& plane, int64_t top, int64_t left, int64_t needed, float* to) {
    const int64_t pixels = round_up(needed, 2 * kLanes);
    for (int64_t y = top; y < top + 4; y++, to += 2 * kPitch) {
      float *even = to, *odd = to + kPitch;
      if (y < 0 || y >= plane.height) {
        for (int64_t i = 0; i < pixels / 2; i += kLanes) {
          store_vector(even + i, FloatVector{});
          store_vector(odd + i, FloatVector{});
        }
        continue;
      }
      const auto pixel = [&](int64_t i) -> float& { return to[(i & 1) * kPitch + (i >> 1)]; };
      const float* row = plane.pixels + y * plane.width + left;
      const int64_t lo = std::clamp<int64_t>(-left, 0, needed), hi = std::clamp<int64_t>(plane.width - left, lo, needed);
      if (row - plane.begin >= 0 && plane.end - row >= pixels) {
        // What this reads of other rows is cleared.
        for (int64_t i = 0; i < pixels; i += 2 * kLanes) deinterleave(row + i, even + i / 2, odd + i / 2, std::make_integer_sequence<int, kLanes>{});
      } else {
        for (int64_t i = lo; i < hi; i++) pixel(i) = row[i];
      }
      for (int64_t i = 0; i < lo; i++) pixel(i) = 0.0f;
      for (int64_t i = hi; i < needed; i++) pixel(i) = 0.0f;
    }
  }

  // B^T d B of the source channels of one group, tiles begin..end, which are a panel at the most: place p of a channel goes to
  // to[channel * kWidth + p * step]. `rows` holds two panels: the rows of one channel are laid while those of the channel before are on their way
  // to the cache. `runs` is used again.
  void lay_source(const Gather<float>& g, int64_t group, int64_t begin, int64_t end, float* rows, std::vector<Run>& runs, float* to,
                  int64_t step) const {
    const int64_t size = g.source_pixels(), channels = g.source_channels;
    const float* const last = g.source + g.n * g.groups * channels * size;
    const GatherAxis* axis = g.phases[0].axis;
    const int64_t above = std::min(axis[1].offsets[0], axis[1].offsets[2]), before = std::min(axis[2].offsets[0], axis[2].offsets[2]);
    find_runs(begin, end, runs);
    const auto lay = [&](int64_t c) {
      float* into = rows + c % 2 * kRowsOfPanel;
      for (const Run& run : runs) {
        const float* pixels = g.source + ((run.image * g.groups + group) * channels + c) * size;
        lay_rows({g.source, last, pixels, g.source_size[1], g.source_size[2]}, 2 * run.row + above, 2 * run.first + before, 2 * run.count + 2, into);
        into += kRowsOfRun;
      }
    };
    lay(0);
    for (int64_t c = 0; c < channels; c++, to += kWidth) {
      if (c + 1 < channels) lay(c + 1);
      const float* from = rows + c % 2 * kRowsOfPanel;
      for (const Run& run : runs) {
        for (int64_t t = 0; t < run.count; t += kLanes) {
          const auto pixel = [&](int i, int j) { return load_vector<FloatVector>(from + (2 * i + j % 2) * kPitch + j / 2 + t); };
          transform_source(pixel, [&](int place, FloatVector v) { store_vector(to + run.lane + place * step + t, v); });
        }
        from += kRowsOfRun;
      }
    }
  }

  // B^T d B of the 4 x 4 vectors `pixel(i, j)`: calls store(place, vector).
  template <class Pixel, class Store>
  static void transform_source(const Pixel& pixel, const Store& store) {
    FloatVector d[4][4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
      const FloatVector a = pixel(0, j), b = pixel(1, j), c = pixel(2, j), e = pixel(3, j);
      d[0][j] = a - c;
      d[1][j] = b + c;
      d[2][j] = c - b;
      d[3][j] = b - e;
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
      store(4 * i, d[i][0] - d[i][2]);
      store(4 * i + 1, d[i][1] + d[i][2]);
      store(4 * i + 2, d[i][2] - d[i][1]);
      store(4 * i + 3, d[i][1] - d[i][3]);
    }
  }
  // A y A^T of the 2 x 2 vectors `pixel(i, j)` of a gradient of the result.
  template <class Pixel, class Store>
  static void transform_gradient(const Pixel& pixel, const Store& store) {
    FloatVector d[4][2];
#pragma GCC unroll 2
    for (int j = 0; j < 2; j++) {
      const FloatVector a = pixel(0, j), b = pixel(1, j);
      d[0][j] = a;
      d[1][j] = a + b;
      d[2][j] = a - b;
      d[3][j] = -b;
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
      store(4 * i, d[i][0]);
      store(4 * i + 1, d[i][0] + d[i][1]);
      store(4 * i + 2, d[i][0] - d[i][1]);
      store(4 * i + 3, -d[i][1]);
    }
  }

 private:
  static bool consecutive(const GatherAxis& axis, int64_t by) {
    return axis.offsets.size() == 3 && axis.offsets[1] == axis.offsets[0] + by && axis.offsets[2] == axis.offsets[1] + by;
  }
  template <int... LANE>
  static void deinterleave(const float* from, float* even, float* odd, std::integer_sequence<int, LANE...>) {
    const auto a = load_vector<FloatVector>(from), b = load_vector<FloatVector>(from + kLanes);
    store_vector(even, __builtin_shufflevector(a, b, 2 * LANE...));
    store_vector(odd, __builtin_shufflevector(a, b, (2 * LANE + 1)...));
  }
};

}  // namespace nodegrad::NODEGRAD_LEVEL
