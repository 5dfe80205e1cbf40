// Arithmetic, selection and comparison of floating tensors; integers and bools are in integer.cc. The 16-bit types have instances
// of what mixed precision runs most: computed in float, rounded once.
#include "arithmetic.h"

#include "elementwise.h"
#include "kernels.h"

namespace nodegrad::NODEGRAD_LEVEL {
namespace {

// out = condition ? a : b, by plan [out, a, b, condition].
template <class T>
void where(Slice<const T> a, Slice<const T> b, Slice<const Bool> condition, Slice<T> out, Plan plan) {
  map_ternary([](T x, T y, Bool c) { return c ? x : y; }, a, b, condition, out, plan);
}

// x to the power of one number; the usual ones without a call of pow.
template <class T>
void pow_scalar(Slice<const T> a, Slice<T> out, Plan plan, double exponent) {
  const auto run = [&](auto f) { map_unary(f, a, out, plan); };
  if (exponent == 2) return run([](T x) { return x * x; });
  if (exponent == 3) return run([](T x) { return x * x * x; });
  if (exponent == 1) return run([](T x) { return x; });
  if (exponent == 0.5) return run([](T x) { return std::sqrt(x); });
  if (exponent == -0.5) return run([](T x) { return T(1) / std::sqrt(x); });
  if (exponent == -1) return run([](T x) { return T(1) / x; });
  if (exponent == -2) return run([](T x) { return T(1) / (x * x); });
  const T p = static_cast<T>(exponent);
  run([p](T x) { return std::pow(x, p); });
}

}  // namespace

void add_arithmetic(Registry& registry) {
  add_binary<Add, NODEGRAD_FLOATING, NODEGRAD_HALVES>(registry, "add");
  add_binary<Sub, NODEGRAD_FLOATING, NODEGRAD_HALVES>(registry, "sub");
  add_binary<Mul, NODEGRAD_FLOATING, NODEGRAD_HALVES>(registry, "mul");
  add_binary<Div, NODEGRAD_FLOATING, NODEGRAD_HALVES>(registry, "div");
  add_binary<ScaledMul, NODEGRAD_FLOATING>(registry, "scaledMul");
  add_binary<AddScaled, NODEGRAD_FLOATING, NODEGRAD_HALVES>(registry, "addScaled");
  add_binary<TruncDivide, NODEGRAD_FLOATING>(registry, "truncDivide");
  add_binary<FloorDivide, NODEGRAD_FLOATING>(registry, "floorDivide");
  add_binary<Remainder, NODEGRAD_FLOATING>(registry, "remainder");
  add_binary<Fmod, NODEGRAD_FLOATING>(registry, "fmod");
  add_binary<Pow, NODEGRAD_FLOATING>(registry, "pow");
  NODEGRAD_ADD_NAMED(registry, "powScalar", pow_scalar, NODEGRAD_FLOATING);
  add_unary<Neg, NODEGRAD_FLOATING, NODEGRAD_HALVES>(registry, "neg");
  add_unary<Abs, NODEGRAD_FLOATING>(registry, "abs");
  add_unary<Sign, NODEGRAD_FLOATING>(registry, "sign");
  add_unary<Square, NODEGRAD_FLOATING>(registry, "square");

  add_binary<Maximum, NODEGRAD_FLOATING>(registry, "maximum");
  add_binary<Minimum, NODEGRAD_FLOATING>(registry, "minimum");
  add_binary<Fmax, NODEGRAD_FLOATING>(registry, "fmax");
  add_binary<Fmin, NODEGRAD_FLOATING>(registry, "fmin");
  add_ternary<Clamp, NODEGRAD_FLOATING>(registry, "clamp");
  add_unary<ClampScalar, NODEGRAD_FLOATING>(registry, "clampScalar");
  add_binary<ClampBackward, NODEGRAD_FLOATING>(registry, "clampBackward");
  add_ternary<MaximumBackward, NODEGRAD_FLOATING>(registry, "maximumBackward");
  add_ternary<MinimumBackward, NODEGRAD_FLOATING>(registry, "minimumBackward");
  add_binary_predicate<FmaxFirst, NODEGRAD_FLOATING>(registry, "fmaxFirst");
  add_binary_predicate<FminFirst, NODEGRAD_FLOATING>(registry, "fminFirst");
  add_ternary<Lerp, NODEGRAD_FLOATING>(registry, "lerp");
  add_ternary<Addcmul, NODEGRAD_FLOATING>(registry, "addcmul");
  add_ternary<Addcdiv, NODEGRAD_FLOATING>(registry, "addcdiv");
  NODEGRAD_ADD(registry, where, NODEGRAD_FLOATING);

  add_binary_predicate<Eq, NODEGRAD_FLOATING>(registry, "eq");
  add_binary_predicate<Ne, NODEGRAD_FLOATING>(registry, "ne");
  add_binary_predicate<Lt, NODEGRAD_FLOATING>(registry, "lt");
  add_binary_predicate<Le, NODEGRAD_FLOATING>(registry, "le");
  add_binary_predicate<Gt, NODEGRAD_FLOATING>(registry, "gt");
  add_binary_predicate<Ge, NODEGRAD_FLOATING>(registry, "ge");
}

}  // namespace nodegrad::NODEGRAD_LEVEL
