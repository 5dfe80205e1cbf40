// Walks a strided plan run by run, in parallel. Included by vectorised families, inside their SIMD level's namespace.
#pragma once

#include <algorithm>
#include <cstdint>

#include "../runtime/parallel.h"
#include "../runtime/plan.h"
#include "../runtime/simd.h"

namespace nodegrad::NODEGRAD_LEVEL {

constexpr int64_t kElementGrain = 32768;

// Where each operand stands in the outer dimensions (all but the innermost) of a strided plan; steps from one run to the next.
template <int Operands>
class Odometer {
 public:
  Odometer(const Plan& plan, int64_t run, int operands = Operands) : plan_(plan), operands_(operands) {
    for (int k = 0; k < operands_; k++) offsets[k] = 0;
    for (int d = plan.ndim() - 2; d >= 0; d--) {
      index_[d] = run % plan.size(d);
      run /= plan.size(d);
      for (int k = 0; k < operands_; k++) offsets[k] += index_[d] * plan.stride(k, d);
    }
  }
  void next() {
    for (int d = plan_.ndim() - 2; d >= 0; d--) {
      for (int k = 0; k < operands_; k++) offsets[k] += plan_.stride(k, d);
      if (++index_[d] < plan_.size(d)) return;
      for (int k = 0; k < operands_; k++) offsets[k] -= plan_.stride(k, d) * plan_.size(d);
      index_[d] = 0;
    }
  }
  int64_t offsets[Operands];

 private:
  const Plan& plan_;
  int operands_;
  int64_t index_[64];
};

// Calls row(offsets, n) for every innermost run of a strided plan; offsets[k] is operand k's first element.
// Long inner runs are cut, short ones are grouped, by size alone; `grain` elements are worth a thread.
template <int Operands, class Row>
void walk(const Plan& plan, const Row& row, int64_t grain = kElementGrain) {
  const int last = plan.ndim() - 1;
  const int64_t inner = plan.size(last);
  int64_t outer = 1;
  for (int d = 0; d < last; d++) outer *= plan.size(d);
  if (inner == 0 || outer == 0) return;
  if (outer == 1) {
    parallel_for(inner, grain, [&](int64_t begin, int64_t end) {
      int64_t offsets[Operands];
      for (int k = 0; k < Operands; k++) offsets[k] = begin * plan.stride(k, last);
      row(offsets, end - begin);
    });
    return;
  }
  parallel_for(outer, std::max<int64_t>(1, grain / inner), [&](int64_t begin, int64_t end) {
    Odometer<Operands> at(plan, begin);
    for (int64_t i = begin; i < end; i++, at.next()) row(at.offsets, inner);
  });
}

}  // namespace nodegrad::NODEGRAD_LEVEL
