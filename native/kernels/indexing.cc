// Gather, scatter, index and concatenate: data movement by index.
#include <cstdint>

#include "elementwise.h"
#include "kernels.h"

namespace nodegrad {
namespace {

// out += input by plan [out, input], where elements of the output may coincide: in the order of the walk, on one thread.
template <class T>
void accumulate(Slice<const T> input, Slice<T> out, Plan plan) {
  plan.check(out, input);
  if (plan.contiguous()) {
    for (int64_t i = 0; i < plan.count; i++) out.data[i] += input.data[i];
    return;
  }
  int64_t index[64] = {};
  int64_t o = 0;
  int64_t a = 0;
  const int ndim = plan.ndim();
  require(ndim <= 64, "a plan has more than 64 dimensions");
  for (int64_t left = plan.elements(); left > 0; left--) {
    out.data[o] += input.data[a];
    for (int d = ndim - 1; d >= 0; d--) {
      o += plan.stride(0, d);
      a += plan.stride(1, d);
      if (++index[d] < plan.size(d)) break;
      o -= plan.stride(0, d) * plan.size(d);
      a -= plan.stride(1, d) * plan.size(d);
      index[d] = 0;
    }
  }
}

}  // namespace

void add_indexing(Registry& registry) { NODEGRAD_ADD(registry, accumulate, NODEGRAD_FLOATING); }

}  // namespace nodegrad
