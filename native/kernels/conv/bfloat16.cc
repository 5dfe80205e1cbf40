// Products of bfloat16: convolutions and matrix products that read and write 16 bits and sum in float32. Compiled once
// more for processors with AVX512_BF16.
#include "../../runtime/registry.h"
#include "../products/matmul.h"
#include "../products/packed_product.h"
#include "conv.h"

namespace nodegrad::NODEGRAD_LEVEL {
namespace {

// out[i] = alpha op(a[i]) op(b[i]) + beta out[i], or + bias where it has elements.
template <class T>
void matmul(Slice<const T> a, Slice<const T> b, Slice<const T> bias, Slice<T> out, Plan plan, int64_t m, int64_t n,
            int64_t k, bool ta, int64_t lda, bool tb, int64_t ldb, double alpha, double beta) {
  const bool cut = static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k) >= 4e6;
  batched_product<T>({a, b, bias, out, plan, m, n, k, ta, lda, tb, ldb}, cut,
                     [&](const T* left, const T* right, const T* row, T* to, bool alone) {
                       packed_product(ta, tb, m, n, k, alpha, left, lda, right, ldb, beta, row, to, n, alone);
                     });
}

}  // namespace

void add_bfloat16(Registry& registry) {
  NODEGRAD_ADD(registry, conv, BFloat16);
  NODEGRAD_ADD(registry, convBackwardInput, BFloat16);
  NODEGRAD_ADD(registry, convBackwardWeight, BFloat16);
  NODEGRAD_ADD(registry, matmul, BFloat16);
}

}  // namespace nodegrad::NODEGRAD_LEVEL
