// Reductions in float whose sums may have left its range on the way to a result that lies within: those results are
// found by their values, and folded again in double. Included by vectorised families only, inside their SIMD level's
// namespace.
#pragma once

#include <algorithm>
#include <cstdint>

#include "../../runtime/parallel.h"
#include "../../runtime/simd.h"
#include "../../runtime/slice.h"

namespace nodegrad::NODEGRAD_LEVEL {

// Results that one thread looks through: as cheap as reading them.
constexpr int64_t kSuspectGrain = 65536;

// out[o, i] = fold(first element, n, inner) for the results of (outer, n, inner) of which suspect(out[o, i]) is true.
template <class In, class Suspect, class Fold>
void fold_again(Slice<const In> input, Slice<float> out, int64_t outer, int64_t n, int64_t inner,
                const Suspect& suspect, const Fold& fold) {
  if (n == 0) return;
  const In* x = input.data;
  float* y = out.data;
  parallel_for(outer * inner, kSuspectGrain, [&](int64_t begin, int64_t end) {
    constexpr int64_t kStretch = 256;
    for (int64_t first = begin; first < end; first += kStretch) {
      const int64_t last = std::min(end, first + kStretch);
      int found = 0;
      NODEGRAD_SIMD
      for (int64_t at = first; at < last; at++) found |= suspect(y[at]) ? 1 : 0;
      if (found == 0) continue;
      for (int64_t at = first; at < last; at++) {
        if (suspect(y[at])) y[at] = static_cast<float>(fold(x + at / inner * n * inner + at % inner, n, inner));
      }
    }
  });
}

// Whether a number is infinite or NaN.
inline bool is_beyond(float x) { return !(x - x == 0.0F); }

}  // namespace nodegrad::NODEGRAD_LEVEL
