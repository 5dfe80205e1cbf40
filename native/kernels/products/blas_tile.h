// One tile of a product by BLAS, on the calling thread. OpenBLAS's AVX-512 types multiply small products without
// packing them; a tile that is thin, or not much larger, is cut into calls that are small enough, which takes as little
// as a fifth of one call's time.
#pragma once

#include <algorithm>
#include <cstdint>

#include "../../runtime/blas.h"
#include "../../runtime/divide.h"
#include "../../runtime/simd.h"

namespace nodegrad::NODEGRAD_LEVEL {

// Sizes of a tile: rows and columns of C, and the part of k that one call sums over.
struct Cut {
  int64_t rows, cols, depth;
};

// What OpenBLAS takes as small: multiply-adds of a call; and where B is transposed, elements of C and the depth.
constexpr int64_t kSmallWork = 1000000, kSmallResult = 1200, kSmallDepth = 32;
// Multiply-adds of a whole product from which packing pays, and rows and columns up to which it never does. Measured.
constexpr int64_t kPackedWork = int64_t{1} << 22, kPackedWorkOfColumns = int64_t{1} << 24;
constexpr int64_t kThin = 8, kThinTransposed = 32;

// The part of a tile that one call multiplies; `work` are the multiply-adds of the product that the tile is of.
inline Cut small_part(bool transpose_a, bool transpose_b, const Cut& tile, double work) {
  const auto [m, n, k] = tile;
  if (!blas::has_small_kernels() || (transpose_a && transpose_b)) return tile;
  if (transpose_b) {
    const bool thinnest = m <= 2 * kThin || n <= kThin, thin = m <= kThinTransposed || n <= 2 * kThin;
    if (k < (thinnest ? kSmallDepth : thin ? 2 * kSmallDepth : 4 * kSmallDepth)) return tile;
    if (!thin && work >= static_cast<double>(kPackedWork)) return tile;
    const int64_t rows = equal_part(m, kThinTransposed, 8);
    const int64_t cols = n * rows <= kSmallResult ? n : equal_part(n, kSmallResult / rows / 16 * 16, 16);
    return {rows, cols, std::min(k, kSmallWork / (rows * cols))};
  }
  if (m * n * k <= kSmallWork) return tile;
  if (std::min(m, n) > kThin && k > 2 * kThin &&
      work >= static_cast<double>(transpose_a ? kPackedWorkOfColumns : kPackedWork))
    return tile;
  const int64_t depth = equal_part(k, 256, 16), rows = equal_part(m, n <= 2 * kThin ? 256 : 32, 8);
  return {rows, std::min(n, equal_part(n, std::max<int64_t>(16, kSmallWork / (rows * depth) / 16 * 16), 16)), depth};
}

// C (m x n, row stride ldc) = alpha op(A) op(B) + beta C.
template <class T>
void blas_tile(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, double work, T alpha, const T* a,
               int64_t lda, const T* b, int64_t ldb, T beta, T* c, int64_t ldc) {
  const Cut part = small_part(transpose_a, transpose_b, {m, n, k}, work);
  for (int64_t i = 0; i < m; i += part.rows) {
    for (int64_t j = 0; j < n; j += part.cols) {
      for (int64_t p = 0; p < k; p += part.depth) {
        blas::gemm(transpose_a, transpose_b, std::min(part.rows, m - i), std::min(part.cols, n - j),
                   std::min(part.depth, k - p), alpha, a + (transpose_a ? p * lda + i : i * lda + p), lda,
                   b + (transpose_b ? j * ldb + p : p * ldb + j), ldb, p == 0 ? beta : T{1}, c + i * ldc + j, ldc);
      }
    }
  }
}

}  // namespace nodegrad::NODEGRAD_LEVEL
