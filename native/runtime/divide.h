// Whole numbers cut into parts: how many there are, and the size that they fill.
#pragma once

#include <cstdint>

namespace nodegrad {

// The number of parts of size `unit` that hold `size`; size >= 0, unit >= 1.
constexpr int64_t ceil_div(int64_t size, int64_t unit) { return (size + unit - 1) / unit; }
// The smallest multiple of `unit` that is not below `size`.
constexpr int64_t round_up(int64_t size, int64_t unit) { return ceil_div(size, unit) * unit; }
// A multiple of `unit` that cuts `size` into as few parts as `most` would, of equal size.
constexpr int64_t equal_part(int64_t size, int64_t most, int64_t unit) {
  return round_up(ceil_div(size, ceil_div(size, most)), unit);
}

}  // namespace nodegrad
