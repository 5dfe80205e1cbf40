// Elementwise operators of integers and bools: the functors of arithmetic.h, and what only integers have; `where` of
// every type. Integer division by zero is the caller's to find (`containsZero`) before it calls a quotient.
#include <cstdint>

#include "../../runtime/registry.h"
#include "arithmetic.h"
#include "elementwise.h"

namespace nodegrad::NODEGRAD_LEVEL {
namespace {

struct BitAnd {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(a & b);
  }
};
struct BitOr {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(a | b);
  }
};
struct BitXor {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(a ^ b);
  }
};
struct BitNot {
  template <class T>
  T operator()(T x) const {
    if constexpr (std::is_same_v<T, Bool>) {
      return Bool(!x);
    } else {
      return static_cast<T>(~x);
    }
  }
};
// A shift by more bits than there are gives what is left: 0, or the sign.
struct ShiftLeft {
  template <class T>
  T operator()(T a, T b) const {
    constexpr int bits = static_cast<int>(sizeof(T)) * 8;
    if (b < T(0) || static_cast<int64_t>(b) >= bits) return 0;
    return static_cast<T>(static_cast<std::make_unsigned_t<T>>(a) << b);
  }
};
struct ShiftRight {
  template <class T>
  T operator()(T a, T b) const {
    constexpr int bits = static_cast<int>(sizeof(T)) * 8;
    const int most = bits - (std::is_signed_v<T> ? 1 : 0);
    if (b < T(0) || static_cast<int64_t>(b) >= most)
      return std::is_signed_v<T> ? static_cast<T>(a >> (bits - 1)) : T(0);
    return static_cast<T>(a >> b);
  }
};

// Integer powers by squaring; a negative exponent gives 0, or 1 or -1 of a base of that size.
struct Pow {
  template <class T>
  T operator()(T a, T b) const {
    if (b < 0) return a == 1 ? T(1) : a == T(-1) ? (b % 2 != 0 ? a : T(1)) : T(0);
    T result = 1;
    for (T factor = a; b != 0; b = static_cast<T>(b / 2)) {
      if (b % 2 != 0) result = Mul{}(result, factor);
      factor = Mul{}(factor, factor);
    }
    return result;
  }
};
struct PowScalar {
  double exponent;
  template <class T>
  T operator()(T x) const {
    T result = 1;
    T factor = x;
    for (int64_t rest = static_cast<int64_t>(exponent); rest > 0; rest /= 2) {
      if (rest % 2 != 0) result = Mul{}(result, factor);
      factor = Mul{}(factor, factor);
    }
    return result;
  }
};

// out = condition ? a : b, by plan [out, a, b, condition]: moves bits, so one loop an element size serves every type.
struct Where {
  template <class T>
  T operator()(T a, T b, Bool condition) const {
    return condition ? a : b;
  }
};
template <size_t Bytes>
using BitsOf =
    std::conditional_t<Bytes == 8, uint64_t,
                       std::conditional_t<Bytes == 4, uint32_t, std::conditional_t<Bytes == 2, uint16_t, uint8_t>>>;
template <class T>
void where(Slice<const T> a, Slice<const T> b, Slice<const Bool> condition, Slice<T> out, Plan plan) {
  using Bits = BitsOf<sizeof(T)>;
  const Where f;
  const Operand operands[] = {raw_operand(out), raw_operand(a), raw_operand(b), operand(condition)};
  run_blocks(&Dense<Where, Bits, Bits, Bits, Bool>::run, &f, plan, operands, 4);
}

// Integers are clipped at zero as floats are.
struct ReluOfIntegers {
  template <class T>
  T operator()(T x) const {
    return x < T(0) ? T(0) : x;
  }
};

// Whether any of the first n elements is zero.
template <class T>
int64_t contains_zero(Slice<const T> x, int64_t n) {
  const T* from = x.at_least(n);
  for (int64_t i = 0; i < n; i++) {
    if (from[i] == 0) return 1;
  }
  return 0;
}

}  // namespace

void add_integer(Registry& registry) {
  add_binary<Add, NODEGRAD_INTEGERS, Bool>(registry, "add");
  add_binary<Sub, NODEGRAD_INTEGERS>(registry, "sub");
  add_binary<Mul, NODEGRAD_INTEGERS, Bool>(registry, "mul");
  add_binary<TruncDivide, NODEGRAD_INTEGERS>(registry, "truncDivide");
  add_binary<FloorDivide, NODEGRAD_INTEGERS>(registry, "floorDivide");
  add_binary<Remainder, NODEGRAD_INTEGERS>(registry, "remainder");
  add_binary<Fmod, NODEGRAD_INTEGERS>(registry, "fmod");
  add_binary<Pow, NODEGRAD_INTEGERS>(registry, "pow");
  add_unary<PowScalar, NODEGRAD_INTEGERS>(registry, "powScalar");
  NODEGRAD_ADD_NAMED(registry, "containsZero", contains_zero, NODEGRAD_INTEGERS, Bool);
  add_unary<Neg, NODEGRAD_INTEGERS>(registry, "neg");
  add_unary<Abs, NODEGRAD_INTEGERS>(registry, "abs");
  add_unary<Sign, NODEGRAD_INTEGERS, Bool>(registry, "sign");
  add_unary<Square, NODEGRAD_INTEGERS>(registry, "square");

  add_unary<ReluOfIntegers, NODEGRAD_INTEGERS>(registry, "relu");

  add_binary<Maximum, NODEGRAD_INTEGERS, Bool>(registry, "maximum");
  add_binary<Minimum, NODEGRAD_INTEGERS, Bool>(registry, "minimum");
  add_binary<Fmax, NODEGRAD_INTEGERS, Bool>(registry, "fmax");
  add_binary<Fmin, NODEGRAD_INTEGERS, Bool>(registry, "fmin");
  add_ternary<Clamp, NODEGRAD_INTEGERS>(registry, "clamp");
  add_ternary<Addcmul, NODEGRAD_INTEGERS>(registry, "addcmul");
  NODEGRAD_ADD(registry, where, NODEGRAD_ALL);

  add_binary_predicate<Eq, NODEGRAD_INTEGERS, Bool>(registry, "eq");
  add_binary_predicate<Ne, NODEGRAD_INTEGERS, Bool>(registry, "ne");
  add_binary_predicate<Lt, NODEGRAD_INTEGERS, Bool>(registry, "lt");
  add_binary_predicate<Le, NODEGRAD_INTEGERS, Bool>(registry, "le");
  add_binary_predicate<Gt, NODEGRAD_INTEGERS, Bool>(registry, "gt");
  add_binary_predicate<Ge, NODEGRAD_INTEGERS, Bool>(registry, "ge");

  add_binary<BitAnd, NODEGRAD_INTEGERS, Bool>(registry, "bitwiseAnd");
  add_binary<BitOr, NODEGRAD_INTEGERS, Bool>(registry, "bitwiseOr");
  add_binary<BitXor, NODEGRAD_INTEGERS, Bool>(registry, "bitwiseXor");
  add_unary<BitNot, NODEGRAD_INTEGERS, Bool>(registry, "bitwiseNot");
  add_binary<ShiftLeft, NODEGRAD_INTEGERS>(registry, "bitwiseLeftShift");
  add_binary<ShiftRight, NODEGRAD_INTEGERS>(registry, "bitwiseRightShift");
}

}  // namespace nodegrad::NODEGRAD_LEVEL
