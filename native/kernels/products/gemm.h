// Matrix products as plain C++ functions, for the kernels of every family. Row major; op(X) is X or its transpose. Work
// is cut into tiles by shape alone, so a result does not depend on the number of threads. Callers guarantee that the
// memory is there.
#pragma once

#include <cstdint>

#include "../../runtime/simd.h"

namespace nodegrad::NODEGRAD_LEVEL {

// C (m x n, row stride ldc) = alpha op(A) op(B) + beta C. With beta = 0, C is not read; with k = 0 the product is zero.
// `alone`: no other product runs beside it, on the threads that tiles of its own would have.
void gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, float alpha, const float* a, int64_t lda,
          const float* b, int64_t ldb, float beta, float* c, int64_t ldc, bool alone = true);
void gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, double alpha, const double* a,
          int64_t lda, const double* b, int64_t ldb, double beta, double* c, int64_t ldc, bool alone = true);

// C = alpha op(A) op(B) + bias, one bias element a column.
void gemm_bias(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, float alpha, const float* a,
               int64_t lda, const float* b, int64_t ldb, const float* bias, float* c, int64_t ldc, bool alone = true);
void gemm_bias(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, double alpha, const double* a,
               int64_t lda, const double* b, int64_t ldb, const double* bias, double* c, int64_t ldc,
               bool alone = true);

// True where `gemm` cuts a product of this size into tiles of its own: a loop over such products should not be parallel
// itself.
bool gemm_is_cut(int64_t m, int64_t n, int64_t k);

}  // namespace nodegrad::NODEGRAD_LEVEL
