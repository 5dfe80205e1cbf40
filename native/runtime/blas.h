// The only file that names cblas. OpenBLAS runs on the calling thread alone: whoever wants more threads cuts the work
// into tiles and gives each a call, so that one pool owns every thread and results do not depend on their number.
#pragma once

#include <cblas.h>

#include <cstdint>
#include <string_view>

namespace nodegrad::blas {

// Called once when the addon loads.
inline void use_one_thread() { openblas_set_num_threads(1); }

// True where the kernels that OpenBLAS has chosen multiply small products without packing them.
inline bool has_small_kernels() {
  static const bool has = [] {
    const std::string_view name = openblas_get_corename();
    return name == "SkylakeX" || name == "Cooperlake" || name == "SapphireRapids";
  }();
  return has;
}

// C (m x n, row stride ldc) = alpha * op(A) op(B) + beta * C, row major; op transposes where asked.
inline void gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, float alpha, const float* a,
                 int64_t lda, const float* b, int64_t ldb, float beta, float* c, int64_t ldc) {
  cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans,
              static_cast<blasint>(m), static_cast<blasint>(n), static_cast<blasint>(k), alpha, a,
              static_cast<blasint>(lda), b, static_cast<blasint>(ldb), beta, c, static_cast<blasint>(ldc));
}
inline void gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, double alpha, const double* a,
                 int64_t lda, const double* b, int64_t ldb, double beta, double* c, int64_t ldc) {
  cblas_dgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans,
              static_cast<blasint>(m), static_cast<blasint>(n), static_cast<blasint>(k), alpha, a,
              static_cast<blasint>(lda), b, static_cast<blasint>(ldb), beta, c, static_cast<blasint>(ldc));
}

// y = alpha * op(A) x + beta * y; A is stored as rows x cols with row stride lda.
inline void gemv(bool transpose, int64_t rows, int64_t cols, float alpha, const float* a, int64_t lda, const float* x,
                 int64_t step_x, float beta, float* y, int64_t step_y) {
  cblas_sgemv(CblasRowMajor, transpose ? CblasTrans : CblasNoTrans, static_cast<blasint>(rows),
              static_cast<blasint>(cols), alpha, a, static_cast<blasint>(lda), x, static_cast<blasint>(step_x), beta, y,
              static_cast<blasint>(step_y));
}
inline void gemv(bool transpose, int64_t rows, int64_t cols, double alpha, const double* a, int64_t lda,
                 const double* x, int64_t step_x, double beta, double* y, int64_t step_y) {
  cblas_dgemv(CblasRowMajor, transpose ? CblasTrans : CblasNoTrans, static_cast<blasint>(rows),
              static_cast<blasint>(cols), alpha, a, static_cast<blasint>(lda), x, static_cast<blasint>(step_x), beta, y,
              static_cast<blasint>(step_y));
}

// The sum of x[i * step_x] * y[i * step_y].
inline float dot(int64_t n, const float* x, int64_t step_x, const float* y, int64_t step_y) {
  return cblas_sdot(static_cast<blasint>(n), x, static_cast<blasint>(step_x), y, static_cast<blasint>(step_y));
}
inline double dot(int64_t n, const double* x, int64_t step_x, const double* y, int64_t step_y) {
  return cblas_ddot(static_cast<blasint>(n), x, static_cast<blasint>(step_x), y, static_cast<blasint>(step_y));
}

}  // namespace nodegrad::blas
