// Matrix products over batches, whatever multiplies one pair of matrices: checks that memory is there and walks the
// batch.
#pragma once

#include <algorithm>
#include <cstdint>

#include "../../runtime/parallel.h"
#include "../../runtime/plan.h"
#include "../../runtime/slice.h"

namespace nodegrad {

// Elements from the first of a rows x cols matrix to one past its last, with row stride ld.
inline int64_t extent(int64_t rows, int64_t cols, int64_t ld) {
  return rows == 0 || cols == 0 ? 0 : (rows - 1) * ld + cols;
}

// out[i] (m x n, contiguous) = a product of a[i] and b[i]. The plan [out, a, b] walks the batch; ta and tb say that a
// matrix is stored transposed, lda and ldb are row strides of the stored matrices; bias has a row's elements, or none.
template <class T>
struct BatchedProduct {
  Slice<const T> a, b, bias;
  Slice<T> out;
  Plan plan;
  int64_t m, n, k;
  bool ta;
  int64_t lda;
  bool tb;
  int64_t ldb;
};

// Calls one(index, alone) for each product of a batch of m x n x k: in parallel, none of them `alone`, unless they are
// few and each is `cut` into parallel parts itself.
template <class One>
void each_product(int64_t batch, int64_t m, int64_t n, int64_t k, bool cut, const One& one) {
  constexpr int64_t kMany = 8;
  if (batch == 1 || (cut && batch < kMany)) {
    for (int64_t i = 0; i < batch; i++) one(i, true);
    return;
  }
  // Small products by the handful, as much as a second thread's wake-up costs.
  const int64_t grain = grain_of(int64_t{1} << 18, m * n * k + 2000);
  parallel_for(batch, grain, [&one](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) one(i, false);
  });
}

// Calls product(a, b, bias or null, out, alone) for each pair, as each_product does.
template <class T, class Product>
void batched_product(const BatchedProduct<T>& p, bool cut, const Product& product) {
  const auto& [a, b, bias, out, plan, m, n, k, ta, lda, tb, ldb] = p;
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

  each_product(batch, m, n, k, cut, [&p, &product, to, from_a, from_b, row](int64_t index, bool alone) {
    int64_t at[3] = {index, index, index};
    if (!p.plan.contiguous()) {
      std::fill(at, at + 3, 0);
      for (int d = p.plan.ndim() - 1; d >= 0; d--) {
        const int64_t i = index % p.plan.size(d);
        index /= p.plan.size(d);
        for (int operand = 0; operand < 3; operand++) at[operand] += i * p.plan.stride(operand, d);
      }
    }
    product(from_a + at[1], from_b + at[2], row, to + at[0], alone);
  });
}

}  // namespace nodegrad
