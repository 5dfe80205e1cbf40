// C = alpha op(A) op(B) + beta C (or + bias) by micro-kernels: both matrices are packed once, then tiles of C in parallel. Sums are kept
// in the type that products are summed in and converted once.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "../runtime/parallel.h"
#include "../runtime/scratch.h"
#include "pack_rows.h"

namespace nodegrad::NODEGRAD_LEVEL {

// Row major; `a` is m x k (k x m where ta) with row stride lda, `b` k x n (n x k where tb) with row stride ldb.
template <class T>
void packed_product(bool ta, bool tb, int64_t m, int64_t n, int64_t k, double alpha, const T* a, int64_t lda, const T* b, int64_t ldb, double beta,
                    const T* bias, T* c, int64_t ldc) {
  using Unit = typename Multiply<T>::Unit;
  using Sum = typename Multiply<T>::Sum;
  constexpr int64_t kWidth = kCols<T>;
  constexpr int64_t kTileRows = 8 * kRows;  // of a tile of C
  constexpr int64_t kTileCols = 4 * kWidth;
  const auto cut = [](int64_t size, int64_t part) { return (size + part - 1) / part; };
  const int64_t units = cut(k, Multiply<T>::kElements);
  const int64_t row_panels = cut(m, kRows), col_panels = cut(n, kWidth);
  const Scratch<Unit> left(row_panels * units * kRows), right(col_panels * units * kWidth);
  const auto pack = [&](const T* from, int64_t ld, bool along_depth, int64_t at, int64_t size, int64_t width, Unit* to) {
    const int64_t count = std::min(width, size - at);
    if (count < width) std::fill_n(to, units * width, Unit{});
    if (along_depth) {
      transpose_panel(from + at * ld, ld, count, k, to, width);
    } else {
      interleave_panel(from + at, ld, count, k, to, width);
    }
  };
  parallel_for(col_panels, std::max<int64_t>(1, 16384 / (units * kWidth + 1)), [&](int64_t begin, int64_t end) {
    for (int64_t j = begin; j < end; j++) pack(b, ldb, tb, j * kWidth, n, kWidth, right.get() + j * units * kWidth);
  });
  parallel_for(row_panels, std::max<int64_t>(1, 16384 / (units * kRows + 1)), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) pack(a, lda, !ta, i * kRows, m, kRows, left.get() + i * units * kRows);
  });
  const int64_t down = cut(m, kTileRows), across = cut(n, kTileCols);
  const int64_t work = std::min(m, kTileRows) * std::min(n, kTileCols) * (k + 1);
  parallel_for(down * across, std::max<int64_t>(1, (int64_t{1} << 18) / work), [&](int64_t begin, int64_t end) {
    const Scratch<Sum> sums(kTileRows * kTileCols);
    for (int64_t tile = begin; tile < end; tile++) {
      const int64_t i0 = tile / across * kTileRows, i1 = std::min(m, i0 + kTileRows);
      const int64_t j0 = tile % across * kTileCols, j1 = std::min(n, j0 + kTileCols);
      int64_t unit = 0;
      do {
        const int64_t depth = std::min(kDepth, units - unit);
        for (int64_t j = j0; j < j1; j += kWidth) {
          for (int64_t i = i0; i < i1; i += kRows) {
            micro_kernel<T, kVectors>({depth}, PackedRows<T>{left.get() + (i * units + unit * kRows)},
                                      Panel<T>{right.get() + (j * units + unit * kWidth)}, sums.get() + (i - i0) * kTileCols + (j - j0), kTileCols,
                                      nullptr, unit > 0);
          }
        }
        unit += kDepth;
      } while (unit < units);
      const auto scale = static_cast<Sum>(alpha), keep = static_cast<Sum>(beta);
      for (int64_t i = i0; i < i1; i++) {
        const Sum* from = sums.get() + (i - i0) * kTileCols;
        T* to = c + i * ldc + j0;
        const int64_t cols = j1 - j0;
        if (bias != nullptr) {
          NODEGRAD_SIMD
          for (int64_t j = 0; j < cols; j++) to[j] = static_cast<T>(scale * from[j] + static_cast<Sum>(bias[j0 + j]));
        } else if (keep != 0) {
          NODEGRAD_SIMD
          for (int64_t j = 0; j < cols; j++) to[j] = static_cast<T>(scale * from[j] + keep * static_cast<Sum>(to[j]));
        } else {
          NODEGRAD_SIMD
          for (int64_t j = 0; j < cols; j++) to[j] = static_cast<T>(scale * from[j]);
        }
      }
    }
  });
}

}  // namespace nodegrad::NODEGRAD_LEVEL
