// Transposes a square of elements that stands in vectors, a row each.
#pragma once

#include <utility>

#include "../../runtime/simd.h"

namespace nodegrad::NODEGRAD_LEVEL {

// Of two rows whose blocks of D lanes are numbered 0, 1, ...: the even blocks of both, and the odd ones.
template <int D, class Row, int... LANE>
void swap_blocks(Row& first, Row& second, std::integer_sequence<int, LANE...>) {
  constexpr int kLanes = sizeof...(LANE);
  const Row even = __builtin_shufflevector(first, second, ((LANE & D) == 0 ? LANE : LANE - D + kLanes)...);
  second = __builtin_shufflevector(first, second, ((LANE & D) == 0 ? LANE + D : LANE + kLanes)...);
  first = even;
}
template <int D, int LANES, class Row>
__attribute__((always_inline)) inline void transpose_square(Row* rows) {
  if constexpr (D > 0) {
#pragma GCC unroll 16
    for (int i = 0; i < LANES; i++)
      if ((i & D) == 0) swap_blocks<D>(rows[i], rows[i + D], std::make_integer_sequence<int, LANES>{});
    transpose_square<D / 2, LANES>(rows);
  }
}

}  // namespace nodegrad::NODEGRAD_LEVEL
