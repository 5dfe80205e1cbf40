// The mathematical functions of packs (pack.h): the one place that names SLEEF, a row a function. Each is within 4 units in the last
// place for every argument, infinities, NaN and subnormal numbers included. Include inside no namespace.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "pack.h"

// The letters of SLEEF's names for a pack of this level: Sleef_expf16_u10avx512f is exp of 16 floats within 1.0 unit. They are declared
// here, since sleef.h includes every intrinsic of the processor, which costs half a second a file.
#if defined(__AVX512F__)
#define NODEGRAD_SLEEF_LEVEL f16_, d8_, avx512f
#elif defined(__AVX2__)
#define NODEGRAD_SLEEF_LEVEL f8_, d4_, avx2
#elif defined(__x86_64__)
#define NODEGRAD_SLEEF_LEVEL f4_, d2_, sse2
#elif defined(__aarch64__)
#define NODEGRAD_SLEEF_LEVEL f4_, d2_, advsimd
#endif

namespace nodegrad::NODEGRAD_LEVEL::vec {

#if defined(NODEGRAD_SLEEF_LEVEL)
#define NODEGRAD_SLEEF_1_EXPANDED(name, base, float_bound, double_bound, floats, doubles, isa)          \
  extern "C" Floats Sleef_##base##floats##float_bound##isa(Floats) __attribute__((const, nothrow));     \
  extern "C" Doubles Sleef_##base##doubles##double_bound##isa(Doubles) __attribute__((const, nothrow)); \
  inline Floats name(Floats x) { return Sleef_##base##floats##float_bound##isa(x); }                    \
  inline Doubles name(Doubles x) { return Sleef_##base##doubles##double_bound##isa(x); }
#define NODEGRAD_SLEEF_2_EXPANDED(name, base, bound, floats, doubles, isa)                                \
  extern "C" Floats Sleef_##base##floats##bound##isa(Floats, Floats) __attribute__((const, nothrow));     \
  extern "C" Doubles Sleef_##base##doubles##bound##isa(Doubles, Doubles) __attribute__((const, nothrow)); \
  inline Floats name(Floats x, Floats y) { return Sleef_##base##floats##bound##isa(x, y); }               \
  inline Doubles name(Doubles x, Doubles y) { return Sleef_##base##doubles##bound##isa(x, y); }
#define NODEGRAD_EXPAND(macro, ...) macro(__VA_ARGS__)
#define NODEGRAD_SLEEF_1(name, base, float_bound, double_bound) \
  NODEGRAD_EXPAND(NODEGRAD_SLEEF_1_EXPANDED, name, base, float_bound, double_bound, NODEGRAD_SLEEF_LEVEL)
#define NODEGRAD_SLEEF_2(name, base, bound) NODEGRAD_EXPAND(NODEGRAD_SLEEF_2_EXPANDED, name, base, bound, NODEGRAD_SLEEF_LEVEL)
#else
// A processor without a set of SLEEF's functions: the C library, lane by lane.
#define NODEGRAD_SLEEF_1(name, base, float_bound, double_bound)          \
  template <class V>                                                     \
  inline V name(V x) {                                                   \
    for (int k = 0; k < kLanes<Element<V>>; k++) x[k] = std::base(x[k]); \
    return x;                                                            \
  }
#define NODEGRAD_SLEEF_2(name, base, bound)                                    \
  template <class V>                                                           \
  inline V name(V x, V y) {                                                    \
    for (int k = 0; k < kLanes<Element<V>>; k++) x[k] = std::base(x[k], y[k]); \
    return x;                                                                  \
  }
#endif

// Bounds are in tenths of a unit in the last place. 3.5 units for float where 1.0 takes three times as long.
NODEGRAD_SLEEF_1(exp, exp, u10, u10)
NODEGRAD_SLEEF_1(exp2, exp2, u10, u10)
NODEGRAD_SLEEF_1(expm1_in_full, expm1, u10, u10)
NODEGRAD_SLEEF_1(log, log, u10, u10)
NODEGRAD_SLEEF_1(log2, log2, u10, u10)
NODEGRAD_SLEEF_1(log10, log10, u10, u10)
NODEGRAD_SLEEF_1(log1p_below_1e37, log1p, u10, u10)
NODEGRAD_SLEEF_1(sin, sin, u10, u10)
NODEGRAD_SLEEF_1(cos, cos, u10, u10)
NODEGRAD_SLEEF_1(tan, tan, u10, u10)
NODEGRAD_SLEEF_1(asin, asin, u10, u10)
NODEGRAD_SLEEF_1(acos, acos, u10, u10)
NODEGRAD_SLEEF_1(atan, atan, u10, u10)
NODEGRAD_SLEEF_1(sinh_below_80, sinh, u35, u10)
NODEGRAD_SLEEF_1(cosh_below_80, cosh, u35, u10)
NODEGRAD_SLEEF_1(tanh, tanh, u35, u10)
NODEGRAD_SLEEF_1(asinh_below_1e18, asinh, u10, u10)
NODEGRAD_SLEEF_1(acosh_below_1e18, acosh, u10, u10)
NODEGRAD_SLEEF_1(atanh, atanh, u10, u10)
NODEGRAD_SLEEF_1(erf_in_full, erf, u10, u10)
NODEGRAD_SLEEF_1(erfc, erfc, u15, u15)
NODEGRAD_SLEEF_2(pow, pow, u10)
NODEGRAD_SLEEF_2(atan2, atan2, u10)
NODEGRAD_SLEEF_2(hypot, hypot, u05)
NODEGRAD_SLEEF_1(floor, floor, , )
NODEGRAD_SLEEF_2(fmod_of_finite_ratio, fmod, )
#undef NODEGRAD_SLEEF_1
#undef NODEGRAD_SLEEF_2

// SLEEF ends some functions early, where an intermediate result of theirs overflows; the rest of the range is an identity.

// log(2^k (1 + x / 2^k)), for x so large that the 1 is lost
template <class V>
inline V log1p(V x) {
  using T = Element<V>;
  const auto huge = x > T(1e37);
  return log1p_below_1e37(huge ? x * T(0x1p-40) : x) + (huge ? V{} + T(40 * 0.69314718055994530942) : V{});
}
// e^x / 2 as (e^(x/2) / 2) e^(x/2)
template <class V>
inline V sinh(V x) {
  using T = Element<V>;
  const V half = exp(abs(x) * T(0.5));
  return abs(x) > T(80) ? with_sign(half * T(0.5) * half, x) : sinh_below_80(x);
}
template <class V>
inline V cosh(V x) {
  using T = Element<V>;
  const V half = exp(abs(x) * T(0.5));
  return abs(x) > T(80) ? half * T(0.5) * half : cosh_below_80(x);
}
// log(2 x)
template <class V>
inline V asinh(V x) {
  using T = Element<V>;
  return abs(x) > T(1e18) ? with_sign(log(abs(x)) + T(0.69314718055994530942), x) : asinh_below_1e18(x);
}
template <class V>
inline V acosh(V x) {
  using T = Element<V>;
  return x > T(1e18) ? log(x) + T(0.69314718055994530942) : acosh_below_1e18(x);
}

// The rest of x / y with the sign of x, exact; a quotient that overflows goes to the C library.
template <class V>
inline V fmod(V x, V y) {
  using T = Element<V>;
  V rest = fmod_of_finite_ratio(x, y);
  if (any_lane(abs(x / y) > std::numeric_limits<T>::max() / 16)) {
    for (int k = 0; k < kLanes<T>; k++) rest[k] = std::fmod(x[k], y[k]);
  }
  return rest;
}

// e^x - 1 of floats at a third of SLEEF's time: x + x^2 P(x), the minimax polynomial of error 0.05 units, where the 1 would cancel digits.
inline Floats expm1(Floats x) {
  Floats p = x * 1.98501775e-4f + 1.39961964e-3f;
  p = p * x + 8.33357771e-3f;
  p = p * x + 4.16653579e-2f;
  p = p * x + 1.6666664e-1f;
  p = p * x + 5.00000039e-1f;
  return abs(x) < 0.5f ? x + x * x * p : exp(x) - 1.0f;
}
inline Doubles expm1(Doubles x) { return expm1_in_full(x); }

// SLEEF's erf of floats takes four times as long as memory does on two cores. This is x + x A(x^2) below 0.9 and 1 - 2^-B(|x|) above, the power as
// 2^-n 2^r; all three are minimax polynomials, of error 0.005, 0.03 and 0.3 units. From 3.92 on erf rounds to 1.
inline Floats erf(Floats x) {
  const Floats t = x * x;
  Floats a = t * 8.51308065e-5f - 8.17563356e-4f;
  a = a * t + 5.20385863e-3f;
  a = a * t - 2.68605082e-2f;
  a = a * t + 1.1283715e-1f;
  a = a * t - 3.7612635e-1f;
  a = a * t + 1.28379167e-1f;
  const Floats size = abs(x);
  const Floats z = size > 3.95f ? splat<Floats>(3.95f) : size;
  Floats b = z * -2.85984544e-4f + 4.42269478e-3f;
  b = b * z - 3.21945151e-2f;
  b = b * z + 1.50205184e-1f;
  b = b * z + 9.18961294e-1f;
  b = b * z + 1.62706801f;
  b = b * z + 2.40017577e-4f;
  const Floats shifted = 12582912.0f - b;  // the fraction is pushed out of the significand
  const Floats r = (12582912.0f - shifted) - b;
  Floats p = r * 1.32763799e-3f + 9.6755406e-3f;
  p = p * r + 5.55071356e-2f;
  p = p * r + 2.40221197e-1f;
  p = p * r + 6.93146967e-1f;
  p = p * r + 1.0f;
  // A NaN gives any exponent, and is not chosen below.
  const Floats power = reinterpret_cast<Floats>(reinterpret_cast<FloatWords>(p) + (reinterpret_cast<FloatWords>(shifted) << 23));
  return size >= 0.9f ? with_sign(1.0f - power, x) : x + x * a;
}
inline Doubles erf(Doubles x) { return erf_in_full(x); }

// 1 / (1 + e^-x), as e^x / (1 + e^x) below 0, where e^-x may overflow
template <class V>
inline V sigmoid(V x) {
  using T = Element<V>;
  const V e = exp(-abs(x));
  return (x < T(0) ? e : V{} + T(1)) / (T(1) + e);
}

}  // namespace nodegrad::NODEGRAD_LEVEL::vec
