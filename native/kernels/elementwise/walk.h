// Walks a strided plan run by run, in parallel. Included by vectorised families, inside their SIMD level's namespace.
#pragma once

#include <algorithm>
#include <cstdint>

#include "../../runtime/parallel.h"
#include "../../runtime/plan.h"
#include "../../runtime/simd.h"

namespace nodegrad::NODEGRAD_LEVEL {

constexpr int64_t kElementGrain = 32768;

// Where each operand stands in the outer dimensions (all but the innermost) of a strided plan; steps from one run to
// the next, or over several.
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
  // How many runs follow each other from here on in the last of the outer dimensions, with the same step from one to
  // the next.
  int64_t in_line() const { return plan_.ndim() < 2 ? 1 : plan_.size(plan_.ndim() - 2) - index_[plan_.ndim() - 2]; }
  // Steps over `count` runs of a line.
  void skip(int64_t count) {
    const int d = plan_.ndim() - 2;
    if (d < 0) return;
    for (int k = 0; k < operands_; k++) offsets[k] += (count - 1) * plan_.stride(k, d);
    index_[d] += count - 1;
    next();
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

// Calls rows(offsets, n, count) for `count` innermost runs of n elements each; offsets[k] is operand k's first element,
// and from run to run it moves by its stride in the dimension before (row_step). Long runs are cut, short ones are
// grouped, by size alone; `grain` elements are worth a thread.
template <int Operands, class Rows>
void walk_rows(const Plan& plan, const Rows& rows, int64_t grain = kElementGrain) {
  const int last = plan.ndim() - 1;
  const int64_t inner = plan.size(last);
  int64_t outer = 1;
  for (int d = 0; d < last; d++) outer *= plan.size(d);
  if (outer == 1) {
    parallel_for(inner, grain, [&](int64_t begin, int64_t end) {
      int64_t offsets[Operands];
      for (int k = 0; k < Operands; k++) offsets[k] = begin * plan.stride(k, last);
      rows(offsets, end - begin, int64_t{1});
    });
    return;
  }
  parallel_for(outer, grain_of(grain, inner), [&](int64_t begin, int64_t end) {
    Odometer<Operands> at(plan, begin);
    while (begin < end) {
      const int64_t count = std::min(end - begin, at.in_line());
      rows(at.offsets, inner, count);
      at.skip(count);
      begin += count;
    }
  });
}
inline int64_t row_step(const Plan& plan, int operand) {
  return plan.ndim() < 2 ? 0 : plan.stride(operand, plan.ndim() - 2);
}

// Calls row(offsets, n) for every innermost run of a strided plan.
template <int Operands, class Row>
void walk(const Plan& plan, const Row& row, int64_t grain = kElementGrain) {
  int64_t steps[Operands];
  for (int k = 0; k < Operands; k++) steps[k] = row_step(plan, k);
  walk_rows<Operands>(
      plan,
      [&](const int64_t* first, int64_t n, int64_t count) {
        int64_t offsets[Operands];
        for (int k = 0; k < Operands; k++) offsets[k] = first[k];
        for (int64_t i = 0; i < count; i++) {
          row(offsets, n);
          for (int k = 0; k < Operands; k++) offsets[k] += steps[k];
        }
      },
      grain);
}

}  // namespace nodegrad::NODEGRAD_LEVEL
