// The tiles of Winograd's minimal filtering F(m x m, 3 x 3): m x m pixels of the result, which read (m + 2) x (m + 2)
// of the source. With the filter w and the source pixels d, and the matrices of winograd_lines.h,
//
//     y = A^T ((G w G^T) * (B^T d B)) A.
//
// Summed over channels before A is applied, the products of each place in a tile are a matrix product. All of it is
// computed in float32.
//
// Of float32, m is 2: its rounding errors are those of direct sums and less. Of bfloat16, m is 4: its errors, 1e-6 to
// 3e-6 of the result's deviation, are a thousandth of what the rounding of the result itself takes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "gather.h"
#include "winograd_lines.h"

namespace nodegrad::NODEGRAD_LEVEL {

// The types that it was measured to win for, and the levels.
template <class T>
constexpr bool kWinograd = !std::is_same_v<T, double> && NODEGRAD_VECTOR_BYTES >= 32;

// Neighbouring tiles of one row of tiles of one image: lanes `lane`... of a panel.
struct TileRun {
  int64_t image, row, first, count, lane;
};

template <class T>
struct WinogradTiles {
  static constexpr int kSide = std::is_same_v<T, BFloat16> ? 4 : 2, kPoints = kSide + 2, kPlaces = kPoints * kPoints;
  static constexpr int64_t kWidth = kCols<float>;
  static constexpr int kLanes = static_cast<int>(kWidth) / kVectors;
  using Line = WinogradLine<kSide>;
  // What a multiply-add of direct sums takes, in multiply-adds of float32. Measured.
#if defined(__AVX512BF16__)
  static constexpr double kDirect = std::is_same_v<T, BFloat16> ? 0.68 : 1;
#else
  static constexpr double kDirect = 1;
#endif

  int64_t across, down, count;  // tiles in a row, rows of them in an image, and tiles of all images

  explicit WinogradTiles(const Gather<T>& g)
      : across(ceil_div(g.dest_size[2], kSide)), down(ceil_div(g.dest_size[1], kSide)), count(g.n * across * down) {}

  // Whether a Gather's taps are 3 x 3 at distance one.
  static bool serves(const Gather<T>& g) {
    if (g.phases.size() != 1 || g.source_size[0] != 1 || g.dest_size[0] != 1) return false;
    const GatherAxis* axis = g.phases[0].axis;
    if (axis[0].offsets.size() != 1 || axis[0].offsets[0] != 0) return false;
    for (int d = 1; d < 3; d++) {
      if (axis[d].stride != 1 || axis[d].step != 1 || axis[d].start != 0 || g.grid[d] != g.dest_size[d]) return false;
    }
    return (consecutive(axis[1], 1) && consecutive(axis[2], 1)) ||
           (consecutive(axis[1], -1) && consecutive(axis[2], -1));
  }

  // Tiles begin..end as runs.
  void find_runs(int64_t begin, int64_t end, std::vector<TileRun>& runs) const {
    runs.clear();
    for (int64_t at = begin; at < end;) {
      const int64_t first = at % across, length = std::min(across - first, end - at);
      runs.push_back({at / across / down, at / across % down, first, length, at - begin});
      at += length;
    }
  }

 private:
  static bool consecutive(const GatherAxis& axis, int64_t by) {
    return axis.offsets.size() == 3 && axis.offsets[1] == axis.offsets[0] + by &&
           axis.offsets[2] == axis.offsets[1] + by;
  }
};

}  // namespace nodegrad::NODEGRAD_LEVEL
