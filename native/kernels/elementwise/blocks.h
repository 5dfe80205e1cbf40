// Runs an elementwise function over operands of any layout and storage: what is not side by side in memory, or is
// stored in 16 bits, passes through a block in the first-level cache. So a function is compiled once for its arithmetic
// type, as one loop over arrays.
#pragma once

#include <cstdint>
#include <type_traits>

#include "../../runtime/dtype.h"
#include "../../runtime/plan.h"
#include "../../runtime/simd.h"
#include "../../runtime/slice.h"

namespace nodegrad::NODEGRAD_LEVEL {

// How elements are stored, and what a function sees of them.
enum class Stored : uint8_t {
  Plain,     // as they are
  BFloat16,  // as float: widened, and rounded once when stored
  Float16,
};

struct Operand {
  void* data;
  int64_t size;  // in elements
  int bytes;     // of a stored element
  Stored stored;
};

template <class T>
struct StoredAs {
  static constexpr Stored value = Stored::Plain;
};
template <>
struct StoredAs<BFloat16> {
  static constexpr Stored value = Stored::BFloat16;
};
template <>
struct StoredAs<Float16> {
  static constexpr Stored value = Stored::Float16;
};

template <class T>
Operand operand(Slice<T> slice) {
  using U = std::remove_const_t<T>;
  return {const_cast<U*>(slice.data), slice.size, static_cast<int>(sizeof(T)), StoredAs<U>::value};
}
// The same without a look at the values: 16-bit floats are moved as they are.
template <class T>
Operand raw_operand(Slice<T> slice) {
  Operand result = operand(slice);
  result.stored = Stored::Plain;
  return result;
}

constexpr int kMaxOperands = 4;

// `count` rows of n elements that lie side by side; operand k's are `step[k]` bytes apart, the output's `step[0]`. Of
// operand `one` (0 where there is none) a row is a single element, which stands for all.
struct Rows {
  int64_t n, count;
  int64_t step[kMaxOperands];
  int one = 0;
};
// out[i] = function(in[0][i], in[1][i]...) for the elements of all rows; `out` may be one of `in`.
using Run = void (*)(const void* function, void* out, const void* const* in, const Rows& rows);

template <class T>
inline T* moved(T* pointer, int64_t bytes) {
  using Byte = std::conditional_t<std::is_const_v<T>, const char, char>;
  return reinterpret_cast<T*>(reinterpret_cast<Byte*>(pointer) + bytes);
}

// How many elements are worth the part of a thread that is awake: of a plain loop, and of one with calls of a
// mathematical function.
constexpr int64_t kLightGrain = 16384;
constexpr int64_t kHeavyGrain = 8192;

// Runs over a plan [out, in...] in parallel; `operands` likewise. Checks that every operand stays inside its memory. A
// function that `takes_one` is given rows with an operand of one element; others see it repeated.
void run_blocks(Run run, const void* function, const Plan& plan, const Operand* operands, int count,
                int64_t grain = kLightGrain, bool takes_one = false);

}  // namespace nodegrad::NODEGRAD_LEVEL
