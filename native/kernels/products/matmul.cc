// Matrix products over batches: gemm.cc for floating types, plain loops for integers.
#include "matmul.h"

#include <algorithm>
#include <type_traits>

#include "../../runtime/parallel.h"
#include "../../runtime/registry.h"
#include "../../runtime/simd.h"
#include "gemm.h"

namespace nodegrad::NODEGRAD_LEVEL {
namespace {

// C = alpha op(A) op(B) + beta C (or + bias), rows in parallel; sums wrap as unsigned integers do.
template <class T>
void integer_product(bool ta, bool tb, int64_t m, int64_t n, int64_t k, T alpha, const T* a, int64_t lda, const T* b,
                     int64_t ldb, T beta, const T* bias, T* c, int64_t ldc) {
  using U = std::conditional_t<sizeof(T) < 4, uint32_t, std::make_unsigned_t<T>>;
  const int64_t row_a = ta ? 1 : lda, step_a = ta ? lda : 1;
  parallel_for(m, grain_of(65536, n * k), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      T* row = c + i * ldc;
      for (int64_t j = 0; j < n; j++)
        row[j] = bias != nullptr ? bias[j]
                 : beta == 0     ? T{0}
                                 : static_cast<T>(static_cast<U>(beta) * static_cast<U>(row[j]));
      for (int64_t p = 0; p < k; p++) {
        const U x = static_cast<U>(static_cast<U>(alpha) * static_cast<U>(a[i * row_a + p * step_a]));
        if (tb) {
          for (int64_t j = 0; j < n; j++)
            row[j] = static_cast<T>(static_cast<U>(row[j]) + static_cast<U>(x * static_cast<U>(b[j * ldb + p])));
        } else {
          for (int64_t j = 0; j < n; j++)
            row[j] = static_cast<T>(static_cast<U>(row[j]) + static_cast<U>(x * static_cast<U>(b[p * ldb + j])));
        }
      }
    }
  });
}

template <class T>
void matmul(Slice<const T> a, Slice<const T> b, Slice<const T> bias, Slice<T> out, Plan plan, int64_t m, int64_t n,
            int64_t k, bool ta, int64_t lda, bool tb, int64_t ldb, double alpha, double beta) {
  const T scale = static_cast<T>(alpha), keep = static_cast<T>(beta);
  batched_product<T>({a, b, bias, out, plan, m, n, k, ta, lda, tb, ldb}, gemm_is_cut(m, n, k),
                     [&](const T* left, const T* right, const T* row, T* to, [[maybe_unused]] bool alone) {
                       if constexpr (std::is_integral_v<T>) {
                         integer_product(ta, tb, m, n, k, scale, left, lda, right, ldb, keep, row, to, n);
                       } else if (row != nullptr) {
                         gemm_bias(ta, tb, m, n, k, scale, left, lda, right, ldb, row, to, n, alone);
                       } else {
                         gemm(ta, tb, m, n, k, scale, left, lda, right, ldb, keep, to, n, alone);
                       }
                     });
}

}  // namespace

void add_matmul(Registry& registry) { NODEGRAD_ADD(registry, matmul, NODEGRAD_NUMBERS); }

}  // namespace nodegrad::NODEGRAD_LEVEL
