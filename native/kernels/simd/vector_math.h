// The mathematical functions of packs (pack.h): the one place that names SLEEF, a row a function. Each is within 4
// units in the last place for every argument, infinities, NaN and subnormal numbers included. Include inside no
// namespace.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

#include "pack.h"

// The letters of SLEEF's names for a pack of this level: Sleef_expf16_u10avx512f is exp of 16 floats within 1.0 unit.
// They are declared here, since sleef.h includes every intrinsic of the processor, which costs half a second a file.
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
#define NODEGRAD_SLEEF_2(name, base, bound) \
  NODEGRAD_EXPAND(NODEGRAD_SLEEF_2_EXPANDED, name, base, bound, NODEGRAD_SLEEF_LEVEL)
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
NODEGRAD_SLEEF_1(exp_in_full, exp, u10, u10)
NODEGRAD_SLEEF_1(exp2, exp2, u10, u10)
NODEGRAD_SLEEF_1(expm1_in_full, expm1, u10, u10)
NODEGRAD_SLEEF_1(log_in_full, log, u10, u10)
NODEGRAD_SLEEF_1(log2, log2, u10, u10)
NODEGRAD_SLEEF_1(log10, log10, u10, u10)
NODEGRAD_SLEEF_1(log1p_below_1e37, log1p, u10, u10)
NODEGRAD_SLEEF_1(sin_in_full, sin, u10, u10)
NODEGRAD_SLEEF_1(cos_in_full, cos, u10, u10)
NODEGRAD_SLEEF_1(tan, tan, u10, u10)
NODEGRAD_SLEEF_1(asin, asin, u10, u10)
NODEGRAD_SLEEF_1(acos, acos, u10, u10)
NODEGRAD_SLEEF_1(atan, atan, u10, u10)
NODEGRAD_SLEEF_1(sinh_below_80, sinh, u35, u10)
NODEGRAD_SLEEF_1(cosh_below_80, cosh, u35, u10)
NODEGRAD_SLEEF_1(tanh_in_full, tanh, u35, u10)
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

// c[0] + c[1] x + c[2] x^2 ..., halves side by side (Estrin's scheme): one product after the other would keep the
// processor waiting for each.
template <int COUNT, class V>
inline V halves(const V* powers, const float* c) {
  if constexpr (COUNT == 1) {
    return splat<V>(c[0]);
  } else if constexpr (COUNT == 2) {
    return powers[0] * c[1] + c[0];
  } else {
    constexpr int kBit = COUNT > 8 ? 3 : COUNT > 4 ? 2 : 1, kLow = 1 << kBit;
    return halves<COUNT - kLow>(powers, c + kLow) * powers[kBit] + halves<kLow>(powers, c);
  }
}
template <class V, int COUNT>
inline V polynomial(V x, const float (&c)[COUNT]) {
  const V square = x * x, fourth = square * square;
  const V powers[] = {x, square, fourth, fourth * fourth};
  return halves<COUNT>(powers, c);
}

// 2^n where n was added to 1.5 * 2^23, which pushes its fraction out of the significand.
inline Floats power_of_shifted(Floats shifted) {
  return reinterpret_cast<Floats>((reinterpret_cast<FloatWords>(shifted) << 23) + 0x3f800000u);
}

// (e^r - 1 - r) / r^2 for |r| <= ln(2) / 2: the minimax polynomial, of error 0.03 units of e^r.
inline Floats exp_rest(Floats r) {
  return polynomial(r, {4.99999934e-1f, 1.66665201e-1f, 4.16683942e-2f, 8.36878041e-3f, 1.38144679e-3f});
}

#if !defined(__AVX512F__)
// e^x as 2^n times a number near 1: n where it was added to 1.5 * 2^23. The first product is exact, with or without
// fused multiply-add.
struct SplitExp {
  Floats shifted, near_one;
  explicit SplitExp(Floats x) : shifted(x * 1.44269504088896341f + 12582912.0f) {
    const Floats n = shifted - 12582912.0f;
    const Floats r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    near_one = (exp_rest(r) * r + 1.0f) * r + 1.0f;
  }
};
// exp where the power of two is no normal number, as two factors.
[[gnu::noinline]] inline Floats exp_at_the_ends(Floats x) {
  const Floats low = x < -104.5f ? splat<Floats>(-104.5f) : x;
  const SplitExp e(low > 89.0f ? splat<Floats>(89.0f) : low);
  const FloatBits whole = reinterpret_cast<FloatBits>(e.shifted) - 0x4b400000, half = whole >> 1;
  const auto power = [](FloatBits k) {
    return reinterpret_cast<Floats>((reinterpret_cast<FloatWords>(k) + 127u) << 23);
  };
  return e.near_one * power(half) * power(whole - half);
}
#endif

// e^x = 2^n e^r, within 1 unit. SLEEF's takes 1.6 times as long; AVX-512 has an instruction for either end of it.
inline Floats exp(Floats x) {
#if defined(__AVX512F__)
  // All lanes by the forms with a mask: of those without, GCC warns of what they leave undefined.
  constexpr __mmask16 kAll = 0xffff;
  // Infinities would make a NaN of r. The second operand is what comes of a NaN.
  const Floats bounded =
      _mm512_maskz_min_ps(kAll, splat<Floats>(89.0f), _mm512_maskz_max_ps(kAll, splat<Floats>(-104.5f), x));
  const Floats n =
      _mm512_maskz_roundscale_ps(kAll, bounded * 1.44269504088896341f, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const Floats r = (bounded - n * 0.693147182464599609375f) + n * 1.90465421e-9f;
  const Floats rest = exp_rest(r) * r + 1.0f;
  return _mm512_maskz_scalef_ps(kAll, rest * r + 1.0f, n);
#else
  // Both ways give the same bits wherever both hold, so a lane's neighbours do not matter.
  if (any_lane(abs(x) > 87.3f)) [[unlikely]]
    return exp_at_the_ends(x);
  const SplitExp e(x);
  return e.near_one * power_of_shifted(e.shifted);
#endif
}
inline Doubles exp(Doubles x) { return exp_in_full(x); }

// tanh |x| = m / (m + 2) with m = e^(2 |x|) - 1 = 2^n (e^r - 1) + (2^n - 1), within 3 units; from 9.1 on it rounds
// to 1. SLEEF's within 3.5 takes twice as long, which is more than memory does on two cores.
inline Floats tanh(Floats x) {
  const Floats size = abs(x);
  const Floats z = size > 9.1f ? splat<Floats>(9.1f) : size;
  const Floats shifted = z * 2.88539008f + 12582912.0f;  // the fraction is pushed out of the significand
  const Floats r = (z + z) - (shifted - 12582912.0f) * 0.693147182f;
  const Floats power = power_of_shifted(shifted);
  const Floats m = (r + r * r * exp_rest(r)) * power + (power - 1.0f);
  return with_sign(m / (m + 2.0f), x);
}
inline Doubles tanh(Doubles x) { return tanh_in_full(x); }

// log x of floats within 2 units at two fifths of SLEEF's time. With x = 2^e (1 + f), |f| <= 1/3, it is e log 2 + f -
// f^2 / 2 + f^3 P(f): the minimax polynomial, of error 0.08 units. Zero, subnormal and negative numbers, infinity and
// NaN are SLEEF's.
inline Floats log(Floats x) {
  const FloatWords bits = reinterpret_cast<FloatWords>(x);
  // The exponent of 3 x / 2: one below that of x where 1 + f would be above 4/3.
  const FloatWords above = bits - 0x3f2aaaabu;
  const Floats e = __builtin_convertvector(reinterpret_cast<FloatBits>(above) >> 23, Floats);
  const Floats f = reinterpret_cast<Floats>(bits - (above & 0xff800000u)) - 1.0f;
  const Floats rest = polynomial(f, {3.3333216e-1f, -2.49997977e-1f, 2.00104059e-1f, -1.66804874e-1f, 1.40058689e-1f,
                                     -1.21842608e-1f, 1.39844371e-1f, -1.28916865e-1f}) *
                          f -
                      0.5f;
  const Floats value = e * 0.693359375f + (f + (rest * (f * f) - e * 2.12194440e-4f));
  // Normal positive numbers are the lowest, counted from the least of them on.
  const auto special = reinterpret_cast<FloatBits>(bits + 0x7f800000u) >= static_cast<int32_t>(0xff000000u);
  if (any_lane(special)) [[unlikely]]
    return special ? log_in_full(x) : value;
  return value;
}
inline Doubles log(Doubles x) { return log_in_full(x); }

// sin of x + quarters pi / 2 for |x| <= 125, within 2.1 units: of the rest r of x by pi / 2, whose first three parts
// times a number of quarters are exact, r + r^3 S(r^2) or 1 - r^2 / 2 + r^4 C(r^2), minimax polynomials of error 0.06
// units.
inline Floats sin_of_moderate(Floats x, uint32_t quarters) {
  const Floats shifted = x * 0.636619772f + 12582912.0f;
  const Floats n = shifted - 12582912.0f;
  const Floats r =
      (((x - n * 1.5703125f) - n * 4.837512969970703125e-4f) - n * 7.549533620476723e-8f) - n * 2.5633440e-12f;
  const Floats s = r * r;
  const Floats sine = r * (1.0f + s * polynomial(s, {-1.66666546e-1f, 8.33215959e-3f, -1.95151204e-4f}));
  const Floats cosine = (1.0f - 0.5f * s) + (s * s) * polynomial(s, {4.16666457e-2f, -1.38873147e-3f, 2.44329711e-5f});
  const FloatWords q = reinterpret_cast<FloatWords>(shifted) + quarters;
  const Floats either = (q & 1u) != 0u ? cosine : sine;
  return reinterpret_cast<Floats>(reinterpret_cast<FloatWords>(either) ^ ((q & 2u) << 30));
}

// The same for any argument, in half of SLEEF's time, which keeps what is beyond 125, infinity and NaN.
template <class InFull>
inline Floats sin_or(Floats x, uint32_t quarters, const InFull& in_full) {
  const auto far = !(abs(x) <= 125.0f);
  const Floats value = sin_of_moderate(x, quarters);
  if (any_lane(far)) [[unlikely]]
    return far ? in_full(x) : value;
  return value;
}
inline Floats sin(Floats x) {
  return sin_or(x, 0, [](Floats v) { return sin_in_full(v); });
}
inline Floats cos(Floats x) {
  return sin_or(x, 1, [](Floats v) { return cos_in_full(v); });
}
inline Doubles sin(Doubles x) { return sin_in_full(x); }
inline Doubles cos(Doubles x) { return cos_in_full(x); }

// SLEEF ends some functions early, where an intermediate result of theirs overflows; the rest of the range is an
// identity.

// log(2^k (1 + x / 2^k)), for x so large that the 1 is lost
template <class V>
inline V log1p(V x) {
  using T = Element<V>;
  const auto huge = x > T(1e37);
  return log1p_below_1e37(huge ? x * T(0x1p-40) : x) + (huge ? V{} + T(40 * 0.69314718055994530942) : V{});
}
// log(1 + e^x) for x <= 0, within 2 units. With u = e^x it is 2 atanh(u / (2 + u)) = d + d t P(t) for d = 2 u / (2 + u)
// and t = d^2 / 4 <= 1 / 9: the minimax polynomial, of error 0.08 units. SLEEF's log1p of an exponential takes three
// times as long.
inline Floats log1p_of_exp(Floats x) {
  const Floats u = exp(x);
  const Floats d = (u + u) / (u + 2.0f);
  const Floats t = 0.25f * d * d;
  return d + d * t * polynomial(t, {3.33332062e-1f, 2.00108498e-1f, 1.39995694e-1f, 1.40122324e-1f});
}
inline Doubles log1p_of_exp(Doubles x) { return log1p(exp(x)); }
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

// e^x - 1 of floats at a third of SLEEF's time: x + x^2 P(x), the minimax polynomial of error 0.05 units, where the 1
// would cancel digits.
inline Floats expm1(Floats x) {
  const Floats p =
      polynomial(x, {5.00000039e-1f, 1.6666664e-1f, 4.16653579e-2f, 8.33357771e-3f, 1.39961964e-3f, 1.98501775e-4f});
  return abs(x) < 0.5f ? x + x * x * p : exp(x) - 1.0f;
}
inline Doubles expm1(Doubles x) { return expm1_in_full(x); }

// 2^r for |r| <= 1/2: a minimax polynomial of error 0.3 units.
inline Floats power_of_fraction(Floats r) {
  return polynomial(r, {1.0f, 6.93146967e-1f, 2.40221197e-1f, 5.55071356e-2f, 9.6755406e-3f, 1.32763799e-3f});
}

// 2^-b for 0 <= b < 126 as 2^-n 2^r. A NaN gives any number.
inline Floats negative_power(Floats b) {
  const Floats shifted = 12582912.0f - b;  // the fraction is pushed out of the significand
  const Floats r = (12582912.0f - shifted) - b;
  return reinterpret_cast<Floats>(reinterpret_cast<FloatWords>(power_of_fraction(r)) +
                                  (reinterpret_cast<FloatWords>(shifted) << 23));
}

// SLEEF's erf of floats takes four times as long as memory does on two cores. This is x + x A(x^2) below 0.9 and 1 -
// 2^-B(|x|) above, the power as 2^-n 2^r; all three are minimax polynomials, of error 0.005, 0.03 and 0.3 units.
// From 3.92 on erf rounds to 1.
inline Floats erf(Floats x) {
  const Floats t = x * x;
  const Floats a = polynomial(t, {1.28379167e-1f, -3.7612635e-1f, 1.1283715e-1f, -2.68605082e-2f, 5.20385863e-3f,
                                  -8.17563356e-4f, 8.51308065e-5f});
  const Floats size = abs(x);
  const Floats z = size > 3.95f ? splat<Floats>(3.95f) : size;
  const Floats b = polynomial(z, {2.40017577e-4f, 1.62706801f, 9.18961294e-1f, 1.50205184e-1f, -3.21945151e-2f,
                                  4.42269478e-3f, -2.85984544e-4f});
  const Floats power = negative_power(b);
  return size >= 0.9f ? with_sign(1.0f - power, x) : x + x * a;
}
inline Doubles erf(Doubles x) { return erf_in_full(x); }

// The normal distribution function (1 + erf(x / sqrt(2))) / 2, within 1.6e-7: 2^-B(|x| / sqrt(2)) / 2, or 1 less that.
// It needs no second polynomial near 0, as erf does, and keeps digits where 1 + erf cancels them; below -5.58 it is 0.
// A NaN gives any number.
inline Floats normal_below(Floats x) {
  const Floats size = abs(x) * 0.707106781f;
  const Floats z = size > 3.95f ? splat<Floats>(3.95f) : size;
  const Floats b = polynomial(z, {1.62791218f, 9.18356518e-1f, 1.48802067e-1f, -2.90258202e-2f, 1.72183475e-3f,
                                  8.80454152e-4f, -2.51769555e-4f, 2.15145071e-5f});
  const Floats half = negative_power(b * z + 1.0f);
  return x < 0.0f ? (size > 3.95f ? Floats{} : half) : 1.0f - half;
}
inline Doubles normal_below(Doubles x) { return 0.5 * (1.0 + erf_in_full(x * 0.70710678118654752440)); }

// 1 / (1 + e^-x), as e^x / (1 + e^x) below 0, where e^-x may overflow
template <class V>
inline V sigmoid(V x) {
  using T = Element<V>;
  const V e = exp(-abs(x));
  return (x < T(0) ? e : V{} + T(1)) / (T(1) + e);
}

}  // namespace nodegrad::NODEGRAD_LEVEL::vec
