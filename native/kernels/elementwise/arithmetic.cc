// Arithmetic, selection and comparison of floating tensors; integers and bools are in integer.cc.
#include "arithmetic.h"

#include "../../runtime/registry.h"
#include "../simd/vector_math.h"
#include "elementwise.h"

namespace nodegrad::NODEGRAD_LEVEL {
namespace {

struct Pow {
  using Packs = void;
  template <class V>
  V operator()(V a, V b) const {
    return vec::pow(a, b);
  }
};
struct PowScalar {
  using Packs = void;
  double exponent;
  template <class V>
  V operator()(V x) const {
    return vec::pow(x, splat<V>(static_cast<Element<V>>(exponent)));
  }
};

// The rest with the dividend's sign, exact.
struct FmodPacks {
  using Packs = void;
  template <class V>
  V operator()(V a, V b) const {
    return vec::fmod(a, b);
  }
};
// Whether the rest has to move over to the divisor's sign.
template <class V>
auto wrong_side(V rest, V b) {
  using T = Element<V>;
  return (rest != T(0)) & ((b < T(0)) ^ (rest < T(0)));
}
// The rest with the divisor's sign.
struct RemainderPacks {
  using Packs = void;
  template <class V>
  V operator()(V a, V b) const {
    const V rest = vec::fmod(a, b);
    return wrong_side(rest, b) ? rest + b : rest;
  }
};
// The quotient rounded down, exact where a - fmod(a, b) is: Python's rule, as PyTorch has it.
struct FloorDividePacks {
  using Packs = void;
  template <class V>
  V operator()(V a, V b) const {
    using T = Element<V>;
    const V rest = vec::fmod(a, b), plain = a / b;
    V quotient = (a - rest) / b;
    quotient = wrong_side(rest, b) ? quotient - T(1) : quotient;
    V floored = vec::floor(quotient);
    floored = quotient - floored > T(0.5) ? floored + T(1) : floored;
    return b == T(0) ? plain : quotient == T(0) ? with_sign(V{}, plain) : floored;
  }
};

// min(max(x, low), high); a NaN in x or in a bound stays.
struct ClampPacks {
  using Packs = void;
  template <class V>
  V operator()(V x, V low, V high) const {
    const V raised = (x > low) | (x != x) ? x : low;
    return (raised < high) | (raised != raised) ? raised : high;
  }
};

// x to the power of one number; the usual ones without a call of pow.
template <class T>
void pow_scalar(Slice<const T> a, Slice<T> out, Plan plan, double exponent) {
  using W = Arithmetic<T>;
  const auto run = [&](auto f) { map(f, out, plan, a); };
  if (exponent == 2) return run([](W x) { return x * x; });
  if (exponent == 3) return run([](W x) { return x * x * x; });
  if (exponent == 1) return run([](W x) { return x; });
  if (exponent == 0.5) return run([](W x) { return std::sqrt(x); });
  if (exponent == -0.5) return run([](W x) { return W(1) / std::sqrt(x); });
  if (exponent == -1) return run([](W x) { return W(1) / x; });
  if (exponent == -2) return run([](W x) { return W(1) / (x * x); });
  run(PowScalar{exponent});
}

}  // namespace

void add_arithmetic(Registry& registry) {
  add_binary<Add, NODEGRAD_FLOATS>(registry, "add");
  add_binary<Sub, NODEGRAD_FLOATS>(registry, "sub");
  add_binary<Mul, NODEGRAD_FLOATS>(registry, "mul");
  add_binary<Div, NODEGRAD_FLOATS>(registry, "div");
  add_binary<ScaledMul, NODEGRAD_FLOATS>(registry, "scaledMul");
  add_binary<AddScaled, NODEGRAD_FLOATS>(registry, "addScaled");
  add_binary<TruncDivide, NODEGRAD_FLOATS>(registry, "truncDivide");
  add_binary<FloorDividePacks, NODEGRAD_FLOATS>(registry, "floorDivide");
  add_binary<RemainderPacks, NODEGRAD_FLOATS>(registry, "remainder");
  add_binary<FmodPacks, NODEGRAD_FLOATS>(registry, "fmod");
  add_binary<Pow, NODEGRAD_FLOATS>(registry, "pow");
  add_mixed<Add>(registry, "add");
  add_mixed<Sub>(registry, "sub");
  add_mixed<Mul>(registry, "mul");
  add_mixed<Div>(registry, "div");
  add_mixed<AddScaled>(registry, "addScaled");
  add_mixed<Eq, Bool>(registry, "eq");
  add_mixed<Ne, Bool>(registry, "ne");
  add_mixed<Lt, Bool>(registry, "lt");
  add_mixed<Le, Bool>(registry, "le");
  add_mixed<Gt, Bool>(registry, "gt");
  add_mixed<Ge, Bool>(registry, "ge");
  NODEGRAD_ADD_NAMED(registry, "powScalar", pow_scalar, NODEGRAD_FLOATS);
  add_unary<Neg, NODEGRAD_FLOATS>(registry, "neg");
  add_unary<Abs, NODEGRAD_FLOATS>(registry, "abs");
  add_unary<Sign, NODEGRAD_FLOATS>(registry, "sign");
  add_unary<Square, NODEGRAD_FLOATS>(registry, "square");

  add_binary<Maximum, NODEGRAD_FLOATS>(registry, "maximum");
  add_binary<Minimum, NODEGRAD_FLOATS>(registry, "minimum");
  add_binary<Fmax, NODEGRAD_FLOATS>(registry, "fmax");
  add_binary<Fmin, NODEGRAD_FLOATS>(registry, "fmin");
  add_ternary<ClampPacks, NODEGRAD_FLOATS>(registry, "clamp");
  add_unary<ClampScalar, NODEGRAD_FLOATS>(registry, "clampScalar");
  add_binary<ClampBackward, NODEGRAD_FLOATS>(registry, "clampBackward");
  add_ternary<MaximumBackward, NODEGRAD_FLOATS>(registry, "maximumBackward");
  add_ternary<MinimumBackward, NODEGRAD_FLOATS>(registry, "minimumBackward");
  add_binary_predicate<FmaxFirst, NODEGRAD_FLOATS>(registry, "fmaxFirst");
  add_binary_predicate<FminFirst, NODEGRAD_FLOATS>(registry, "fminFirst");
  add_ternary<Lerp, NODEGRAD_FLOATS>(registry, "lerp");
  add_ternary<Addcmul, NODEGRAD_FLOATS>(registry, "addcmul");
  add_ternary<Addcdiv, NODEGRAD_FLOATS>(registry, "addcdiv");

  add_binary_predicate<Eq, NODEGRAD_FLOATS>(registry, "eq");
  add_binary_predicate<Ne, NODEGRAD_FLOATS>(registry, "ne");
  add_binary_predicate<Lt, NODEGRAD_FLOATS>(registry, "lt");
  add_binary_predicate<Le, NODEGRAD_FLOATS>(registry, "le");
  add_binary_predicate<Gt, NODEGRAD_FLOATS>(registry, "gt");
  add_binary_predicate<Ge, NODEGRAD_FLOATS>(registry, "ge");
}

}  // namespace nodegrad::NODEGRAD_LEVEL
