// A strided walk over several operands, as lib/shape/plan.ts writes it: either a count of contiguous elements, or
// [ndim, sizes..., strides of operand 0..., strides of operand 1..., ...] with sizes of at least 1. A walk over no
// elements is the count 0, so that a kernel may divide by the sizes of a strided plan.
#pragma once

#include <cstdint>

#include "slice.h"

namespace nodegrad {

struct Plan {
  int64_t count;  // contiguous elements, where `words` is null
  const int32_t* words;
  int64_t length;

  bool contiguous() const { return words == nullptr; }
  int ndim() const { return words[0]; }
  int64_t size(int d) const { return words[1 + d]; }
  int64_t stride(int operand, int d) const { return words[1 + (operand + 1) * ndim() + d]; }

  int64_t elements() const {
    if (contiguous()) return count;
    int64_t n = 1;
    for (int d = 0; d < ndim(); d++) n *= size(d);
    return n;
  }

  // Checks the plan's own length and that every operand's farthest element lies inside its slice.
  template <class... T>
  void check(const Slice<T>&... slices) const {
    const int64_t sizes[] = {slices.size...};
    check_sizes(sizes, sizeof...(T));
  }
  void check_sizes(const int64_t* sizes, int operands) const {
    if (contiguous()) {
      for (int k = 0; k < operands; k++) require_reach(count, sizes[k]);
      return;
    }
    require(length > 0 && ndim() > 0 && length >= 1 + static_cast<int64_t>(ndim()) * (1 + operands),
            "a plan is shorter than its dimensions");
    for (int d = 0; d < ndim(); d++) require(size(d) >= 1, "a strided plan has a size below 1");
    for (int k = 0; k < operands; k++) check_operand(k, sizes[k]);
  }

 private:
  void check_operand(int operand, int64_t available) const {
    int64_t last = 0;
    for (int d = 0; d < ndim(); d++) {
      require(stride(operand, d) >= 0, "a plan has a negative stride");
      last += (size(d) - 1) * stride(operand, d);
    }
    if (last >= available) throw std::out_of_range("a plan reaches past the end of a buffer");
  }
  static void require_reach(int64_t elements, int64_t available) {
    if (elements < 0 || elements > available) throw std::out_of_range("a buffer is shorter than the kernel needs");
  }
};

}  // namespace nodegrad
