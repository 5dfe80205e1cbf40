// Matrix products over batches: BLAS for floating types (gemm.cc), plain loops for integers.
#include <algorithm>
#include <type_traits>

#include "../runtime/parallel.h"
#include "../runtime/registry.h"
#include "../runtime/simd.h"
#include "gemm.h"

namespace nodegrad {
namespace {

// Elements from the first of a rows x cols matrix to one past its last, with row stride ld.
int64_t extent(int64_t rows, int64_t cols, int64_t ld) { return rows == 0 || cols == 0 ? 0 : (rows - 1) * ld + cols; }

// C = alpha op(A) op(B) + beta C (or + bias), rows in parallel; sums wrap as unsigned integers do.
template <class T>
void integer_product(bool ta, bool tb, int64_t m, int64_t n, int64_t k, T alpha, const T* a, int64_t lda, const T* b, int64_t ldb, T beta,
                     const T* bias, T* c, int64_t ldc) {
  using U = std::conditional_t<sizeof(T) < 4, uint32_t, std::make_unsigned_t<T>>;
  const int64_t row_a = ta ? 1 : lda, step_a = ta ? lda : 1;
  parallel_for(m, std::max<int64_t>(1, 65536 / std::max<int64_t>(1, n * k)), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      T* row = c + i * ldc;
      for (int64_t j = 0; j < n; j++)
        row[j] = bias != nullptr ? bias[j] : beta == 0 ? T{0} : static_cast<T>(static_cast<U>(beta) * static_cast<U>(row[j]));
      for (int64_t p = 0; p < k; p++) {
        const U x = static_cast<U>(static_cast<U>(alpha) * static_cast<U>(a[i * row_a + p * step_a]));
        if (tb) {
          for (int64_t j = 0; j < n; j++) row[j] = static_cast<T>(static_cast<U>(row[j]) + static_cast<U>(x * static_cast<U>(b[j * ldb + p])));
        } else {
          for (int64_t j = 0; j < n; j++) row[j] = static_cast<T>(static_cast<U>(row[j]) + static_cast<U>(x * static_cast<U>(b[p * ldb + j])));
        }
      }
    }
  });
}

// out[i] (m x n, contiguous) = alpha op(a[i]) op(b[i]) + beta out[i], or + bias where it has elements. The plan [out, a, b] walks the
// batch; ta and tb say that a matrix is stored transposed, lda and ldb are row strides of the stored matrices.
template <class T>
void matmul(Slice<const T> a, Slice<const T> b, Slice<const T> bias, Slice<T> out, Plan plan, int64_t m, int64_t n, int64_t k, bool ta, int64_t lda,
            bool tb, int64_t ldb, double alpha, double beta) {
  require(m >= 0 && n >= 0 && k >= 0 && lda >= 0 && ldb >= 0, "a matrix has a negative size");
  require(lda >= (ta ? m : k) && ldb >= (tb ? k : n), "rows of a matrix overlap");
  const int64_t batch = plan.elements();
  if (batch == 0 || m == 0 || n == 0) return;
  // The farthest element of each operand: that of its last matrix.
  int64_t last[3] = {0, 0, 0};
  if (plan.contiguous()) {
    std::fill(last, last + 3, plan.count - 1);
  } else {
    require(plan.length >= 1 + 4 * static_cast<int64_t>(plan.ndim()), "a plan is shorter than its dimensions");
    for (int d = 0; d < plan.ndim(); d++) {
      for (int operand = 0; operand < 3; operand++) {
        require(plan.stride(operand, d) >= 0, "a plan has a negative stride");
        last[operand] += (plan.size(d) - 1) * plan.stride(operand, d);
      }
    }
  }
  T* to = out.at_least(last[0] + m * n);
  const T* from_a = a.at_least(k == 0 ? 0 : last[1] + (ta ? extent(k, m, lda) : extent(m, k, lda)));
  const T* from_b = b.at_least(k == 0 ? 0 : last[2] + (tb ? extent(n, k, ldb) : extent(k, n, ldb)));
  const T* row = bias.size > 0 ? bias.at_least(n) : nullptr;

  const auto product = [&](int64_t index) {
    int64_t at[3] = {index, index, index};
    if (!plan.contiguous()) {
      std::fill(at, at + 3, 0);
      for (int d = plan.ndim() - 1; d >= 0; d--) {
        const int64_t i = index % plan.size(d);
        index /= plan.size(d);
        for (int operand = 0; operand < 3; operand++) at[operand] += i * plan.stride(operand, d);
      }
    }
    const T scale = static_cast<T>(alpha), keep = static_cast<T>(beta);
    if constexpr (std::is_integral_v<T>) {
      integer_product(ta, tb, m, n, k, scale, from_a + at[1], lda, from_b + at[2], ldb, keep, row, to + at[0], n);
    } else if (row != nullptr) {
      gemm_bias(ta, tb, m, n, k, scale, from_a + at[1], lda, from_b + at[2], ldb, row, to + at[0], n);
    } else {
      gemm(ta, tb, m, n, k, scale, from_a + at[1], lda, from_b + at[2], ldb, keep, to + at[0], n);
    }
  };
  if (batch == 1 || gemm_is_cut(m, n, k)) {
    for (int64_t i = 0; i < batch; i++) product(i);
    return;
  }
  // Small products by the handful, as much as a second thread's wake-up costs.
  const int64_t grain = std::max<int64_t>(1, (int64_t{1} << 18) / (m * n * k + 2000));
  parallel_for(batch, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) product(i);
  });
}

}  // namespace

void add_matmul(Registry& registry) { NODEGRAD_ADD(registry, matmul, NODEGRAD_NUMBERS); }

}  // namespace nodegrad
