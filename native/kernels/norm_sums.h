// Sums over runs of contiguous elements for the normalisations: sixteen lanes in the element type over a short block, blocks in
// double, so that a float32 mean over millions of elements keeps its digits. Included by vectorised families only.
#pragma once

#include <algorithm>
#include <cstdint>

#include "../runtime/simd.h"

namespace nodegrad::NODEGRAD_LEVEL {

constexpr int64_t kSumBlock = 512;
constexpr int kSumLanes = 16;

// The sum of f(i) for i in 0..n-1.
template <class T, class F>
inline double sum_terms(int64_t n, const F& f) {
  double total = 0;
  int64_t i = 0;
  while (i + kSumLanes <= n) {
    T lanes[kSumLanes] = {};
    const int64_t stop = std::min(n, i + kSumBlock);
    for (; i + kSumLanes <= stop; i += kSumLanes)
      for (int j = 0; j < kSumLanes; j++) lanes[j] += f(i + j);
    for (int j = 0; j < kSumLanes; j++) total += static_cast<double>(lanes[j]);
  }
  for (; i < n; i++) total += static_cast<double>(f(i));
  return total;
}

// The sums of two terms in one pass.
template <class T, class F>
inline void sum_pairs(int64_t n, const F& f, double& first, double& second) {
  int64_t i = 0;
  while (i + kSumLanes <= n) {
    T a[kSumLanes] = {}, b[kSumLanes] = {};
    const int64_t stop = std::min(n, i + kSumBlock);
    for (; i + kSumLanes <= stop; i += kSumLanes) {
      for (int j = 0; j < kSumLanes; j++) {
        T u, v;
        f(i + j, u, v);
        a[j] += u;
        b[j] += v;
      }
    }
    for (int j = 0; j < kSumLanes; j++) {
      first += static_cast<double>(a[j]);
      second += static_cast<double>(b[j]);
    }
  }
  for (; i < n; i++) {
    T u, v;
    f(i, u, v);
    first += static_cast<double>(u);
    second += static_cast<double>(v);
  }
}

}  // namespace nodegrad::NODEGRAD_LEVEL
