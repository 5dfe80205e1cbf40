// exp, sigmoid and tanh as branch-free inline functions of float and double, so that plain loops over them are vectorised (calls of
// libm are not). Within 3 units in the last place; infinities and NaN as in libm. Include inside no namespace.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "../runtime/simd.h"

namespace nodegrad::NODEGRAD_LEVEL::vec {

template <class To, class From>
inline To bits_as(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof(To));
  return to;
}

// e^x = 2^n e^r with |r| <= ln(2) / 2: n by adding a constant that pushes the fraction out of the significand, e^r by its Taylor
// polynomial, 2^n in two factors so that results below the smallest normal number come out rounded. Unsigned shifts: NaN gives any n.
inline float exp(float x) {
  x = x > 89.0f ? 89.0f : x;
  x = x < -104.0f ? -104.0f : x;
  const float shifted = x * 1.44269504088896341f + 12582912.0f;
  const float n = shifted - 12582912.0f;
  const float r = (x - n * 0.693145751953125f) - n * 1.42860677e-6f;
  float p = 1.0f / 5040;
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  const int32_t k = bits_as<int32_t>(shifted) - 0x4b400000;
  const int32_t half = k >> 1;
  return p * bits_as<float>(static_cast<uint32_t>(half + 127) << 23) * bits_as<float>(static_cast<uint32_t>(k - half + 127) << 23);
}
inline double exp(double x) {
  x = x > 710.0 ? 710.0 : x;
  x = x < -746.0 ? -746.0 : x;
  const double shifted = x * 1.4426950408889634074 + 6755399441055744.0;
  const double n = shifted - 6755399441055744.0;
  const double r = (x - n * 6.93147180369123816490e-01) - n * 1.90821492927058770002e-10;
  double p = 1.0 / 6227020800.0;
  p = p * r + 1.0 / 479001600.0;
  p = p * r + 1.0 / 39916800.0;
  p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  p = p * r + 1.0;
  p = p * r + 1.0;
  const int64_t k = bits_as<int64_t>(shifted) - 0x4338000000000000;
  const int64_t half = k >> 1;
  return p * bits_as<double>(static_cast<uint64_t>(half + 1023) << 52) * bits_as<double>(static_cast<uint64_t>(k - half + 1023) << 52);
}

// 1 / (1 + e^-x)
template <class T>
inline T sigmoid(T x) {
  return T(1) / (T(1) + exp(-x));
}

// e^y - 1 for 0 <= y <= 50: 2^n (e^r - 1) + (2^n - 1), which keeps all digits of a small y.
inline float expm1_of_positive(float y) {
  const float shifted = y * 1.44269504088896341f + 12582912.0f;
  const float n = shifted - 12582912.0f;
  const float r = (y - n * 0.693145751953125f) - n * 1.42860677e-6f;
  float p = 1.0f / 5040;
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  const float q = r + r * r * p;
  const float scale = bits_as<float>(static_cast<uint32_t>(bits_as<int32_t>(shifted) - 0x4b400000 + 127) << 23);
  return scale * q + (scale - 1.0f);
}
inline double expm1_of_positive(double y) {
  const double shifted = y * 1.4426950408889634074 + 6755399441055744.0;
  const double n = shifted - 6755399441055744.0;
  const double r = (y - n * 6.93147180369123816490e-01) - n * 1.90821492927058770002e-10;
  double p = 1.0 / 6227020800.0;
  p = p * r + 1.0 / 479001600.0;
  p = p * r + 1.0 / 39916800.0;
  p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  const double q = r + r * r * p;
  const double scale = bits_as<double>(static_cast<uint64_t>(bits_as<int64_t>(shifted) - 0x4338000000000000 + 1023) << 52);
  return scale * q + (scale - 1.0);
}

// t / (t + 2) with t = e^2|x| - 1, with the sign of x.
template <class T>
inline T tanh(T x) {
  const T size = x < 0 ? -x : x;
  const T t = expm1_of_positive((size > T(22) ? T(22) : size) * T(2));
  return std::copysign(t / (t + T(2)), x);
}

}  // namespace nodegrad::NODEGRAD_LEVEL::vec
