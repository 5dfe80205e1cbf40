// The right operand of several products that differ in the left one, laid into panels once: a recurrent layer's weight,
// by which every step multiplies.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "../../runtime/divide.h"
#include "../../runtime/parallel.h"
#include "../../runtime/scratch.h"
#include "gemm.h"
#include "panels.h"

namespace nodegrad::NODEGRAD_LEVEL {

// op(B) of k x n elements; where laying it does not pay, or this level multiplies by BLAS, products go to `gemm`.
template <class T>
class PackedRight {
  static constexpr int64_t kWidth = kCols<T>;
  // Multiply-adds of a product, and products, from which laying pays; multiply-adds that a thread takes at a time.
  // Measured.
  static constexpr int64_t kLeastWork = int64_t{1} << 20, kLeastProducts = 4, kGrain = int64_t{1} << 19;

  const bool transposed_;
  const int64_t n_, k_, ldb_;
  const T* const b_;
  const bool laid_;
  const Scratch<T> panels_;

  T* panel(int64_t j) const { return panels_.get() + j * k_; }
  static bool pays(int64_t m, int64_t n, int64_t k, int64_t products) {
    return std::is_same_v<T, float> && NODEGRAD_VECTOR_BYTES >= 32 && products >= kLeastProducts && m >= 2 * kRows &&
           m * n * k >= kLeastWork;
  }

 public:
  // For `products` products with a left operand of m rows.
  PackedRight(bool transposed, int64_t m, int64_t n, int64_t k, const T* b, int64_t ldb, int64_t products)
      : transposed_(transposed),
        n_(n),
        k_(k),
        ldb_(ldb),
        b_(b),
        laid_(pays(m, n, k, products)),
        panels_(laid_ ? round_up(n, kWidth) * k : 0) {
    if (!laid_) return;
    parallel_for(ceil_div(n, kWidth), grain_of(16384, k * kWidth), [&](int64_t first, int64_t last) {
      const int64_t j = first * kWidth, count = std::min(n_, last * kWidth) - j;
      pack_panels<kWidth>(transposed_ ? b_ + j * ldb_ : b_ + j, ldb_, transposed_, count, k_, panel(j));
    });
  }

  // C (m x n, row stride ldc) = A B + beta C.
  void multiply(int64_t m, const T* a, int64_t lda, T beta, T* c, int64_t ldc) const {
    if (!laid_) {
      gemm(false, transposed_, m, n_, k_, T{1}, a, lda, b_, ldb_, beta, c, ldc);
      return;
    }
    parallel_for(ceil_div(n_, kWidth), grain_of(kGrain, m * k_ * kWidth), [&](int64_t first, int64_t last) {
      const int64_t j = first * kWidth, count = std::min(n_, last * kWidth) - j;
      for (int64_t p = 0; p < k_; p += kBlockDepth) {
        const Panels<T> block{panel(j) + p * kWidth, std::min(kBlockDepth, k_ - p), k_};
        rows_by_panels(a + p, lda, m, block, count, c + j, ldc, kept(p > 0 || beta != 0, c + j, ldc));
      }
    });
  }
};

}  // namespace nodegrad::NODEGRAD_LEVEL
