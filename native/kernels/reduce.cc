// Reductions of contiguous data seen as (outer, n, inner): out[o, i] = reduction over n of input[o, n, i].
#include <cstdint>

#include "../runtime/parallel.h"
#include "../runtime/simd.h"
#include "kernels.h"

namespace nodegrad::NODEGRAD_LEVEL {
namespace {

template <class T>
T sum_run(const T* x, int64_t n) {
  if (n <= 128) {
    T lanes[16] = {};
    int64_t i = 0;
    for (; i + 16 <= n; i += 16) {
      for (int k = 0; k < 16; k++) lanes[k] += x[i + k];
    }
    T total = 0;
    for (int k = 0; k < 16; k++) total += lanes[k];
    for (; i < n; i++) total += x[i];
    return total;
  }
  const int64_t half = (n / 2 + 127) / 128 * 128;
  return sum_run(x, half) + sum_run(x + half, n - half);
}

template <class T>
void sum(Slice<const T> input, Slice<T> out, int64_t outer, int64_t n, int64_t inner) {
  const T* x = input.at_least(outer * n * inner);
  T* y = out.at_least(outer * inner);
  if (inner == 1) {
    parallel_for(outer, n > 0 ? 1 + 16384 / n : outer, [&](int64_t begin, int64_t end) {
      for (int64_t o = begin; o < end; o++) y[o] = sum_run(x + o * n, n);
    });
    return;
  }
  parallel_for(outer, n * inner > 0 ? 1 + 16384 / (n * inner) : outer, [&](int64_t begin, int64_t end) {
    for (int64_t o = begin; o < end; o++) {
      T* row = y + o * inner;
      for (int64_t i = 0; i < inner; i++) row[i] = 0;
      for (int64_t k = 0; k < n; k++) {
        const T* from = x + (o * n + k) * inner;
        for (int64_t i = 0; i < inner; i++) row[i] += from[i];
      }
    }
  });
}

}  // namespace

void add_reduce(Registry& registry) { NODEGRAD_ADD(registry, sum, float, double, int64_t); }

}  // namespace nodegrad::NODEGRAD_LEVEL
