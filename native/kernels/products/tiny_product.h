// Products so small that a library's preparation of a call costs more than they do: both sides are read where they
// stand, a transposed right one is turned first.
#pragma once

#include <cstdint>

#include "../simd/pack.h"

namespace nodegrad::NODEGRAD_LEVEL {

// Depth and multiply-adds up to which these products beat BLAS's, and elements of the laid right side. Measured.
constexpr int64_t kTinyDepth = 16, kTinyWork = 8192, kTinyRight = 2048;

// A right side that must be turned is worth it where four rows read it.
inline bool is_tiny(bool transpose_b, int64_t m, int64_t n, int64_t k) {
  return k <= kTinyDepth && m * n * k <= kTinyWork && (!transpose_b || (m >= 4 && n * k <= kTinyRight));
}

// ROWS rows of C in one pack of columns. `at` loads and stores it, or the part of it that is there.
template <int ROWS, class T, class At>
inline void tiny_rows(int64_t k, T alpha, const T* a, int64_t row_a, int64_t step_a, const T* right, int64_t pitch,
                      T beta, T* c, int64_t ldc, const At& at) {
  Pack<T> sums[ROWS] = {};
  for (int64_t p = 0; p < k; p++) {
    const Pack<T> b = at.load(right + p * pitch);
#pragma GCC unroll 4
    for (int r = 0; r < ROWS; r++) sums[r] += a[r * row_a + p * step_a] * b;
  }
#pragma GCC unroll 4
  for (int r = 0; r < ROWS; r++) {
    T* to = c + r * ldc;
    at.store(to, beta == 0 ? alpha * sums[r] : alpha * sums[r] + beta * at.load(to));
  }
}

// C (m x n, row stride ldc) = alpha op(A) op(B) + beta C.
template <class T>
void tiny_product(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, T alpha, const T* a, int64_t lda,
                  const T* b, int64_t ldb, T beta, T* c, int64_t ldc) {
  T laid[kTinyRight];
  if (transpose_b) {
    for (int64_t j = 0; j < n; j++) {
      for (int64_t p = 0; p < k; p++) laid[p * n + j] = b[j * ldb + p];
    }
    b = laid;
    ldb = n;
  }
  const int64_t row_a = transpose_a ? 1 : lda, step_a = transpose_a ? lda : 1;
  each_pack<T>(n, [&](int64_t j, const auto& at) {
    int64_t i = 0;
    for (; i + 4 <= m; i += 4)
      tiny_rows<4>(k, alpha, a + i * row_a, row_a, step_a, b + j, ldb, beta, c + i * ldc + j, ldc, at);
    for (; i < m; i++) tiny_rows<1>(k, alpha, a + i * row_a, row_a, step_a, b + j, ldb, beta, c + i * ldc + j, ldc, at);
  });
}

}  // namespace nodegrad::NODEGRAD_LEVEL
