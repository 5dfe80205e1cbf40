// The list of kernel families, and which SIMD level serves. A family has one function that adds its kernels to a
// registry.
#pragma once

#include "../runtime/registry.h"
#include "../runtime/simd.h"

// Families that are compiled once.
#define NODEGRAD_FAMILIES(X) X(sort) X(search) X(svd) X(scan) X(random)
// Families that are compiled once per SIMD level.
// clang-format off
#define NODEGRAD_LEVEL_FAMILIES(X) \
  X(matmul) \
  X(copy) \
  X(indexing) \
  X(arithmetic) \
  X(integer) \
  X(elementwise) \
  X(reduce) \
  X(extrema) \
  X(variance) \
  X(activation) \
  X(softmax) \
  X(difference_loss) \
  X(cross_entropy) \
  X(batch_norm) \
  X(row_norm) \
  X(conv) \
  X(bfloat16) \
  X(max_pool) \
  X(avg_pool) \
  X(pad) \
  X(interpolate) \
  X(optim) \
  X(recurrent) \
  X(attention)
// clang-format on

namespace nodegrad {

#define NODEGRAD_DECLARE(family) void add_##family(Registry& registry);
NODEGRAD_FAMILIES(NODEGRAD_DECLARE)
namespace scalar {
NODEGRAD_LEVEL_FAMILIES(NODEGRAD_DECLARE)
}
namespace avx2 {
NODEGRAD_LEVEL_FAMILIES(NODEGRAD_DECLARE)
}
namespace avx512 {
NODEGRAD_LEVEL_FAMILIES(NODEGRAD_DECLARE)
}
// AVX-512 with AVX512_BF16 has products of its own.
namespace avx512bf16 {
void add_bfloat16(Registry& registry);
}
#undef NODEGRAD_DECLARE

// All kernels of the level in use. Made once for the process.
const Registry& registry();

// 'avx512', 'avx2' or 'scalar' (SSE2; on ARM64 it is 'neon'): the best that the processor has, or what NODEGRAD_SIMD
// asks for below that.
const char* simd_level();

}  // namespace nodegrad
