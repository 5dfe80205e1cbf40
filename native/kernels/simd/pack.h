// A pack: as many floating elements as one register of the SIMD level holds, as a GCC vector. Arithmetic, comparison
// and `?:` work on packs as on numbers, lane by lane and without branches, so one functor text serves packs of float
// and of double. A scalar constant beside a pack must be of its element type: `x * T(0.5)` with `using T = Element<V>`.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "../../runtime/simd.h"

namespace nodegrad::NODEGRAD_LEVEL {

#if defined(__AVX512F__)
constexpr int kPackBytes = 64;
#elif defined(__AVX2__)
constexpr int kPackBytes = 32;
#else
constexpr int kPackBytes = 16;  // SSE2, NEON
#endif

typedef float Floats __attribute__((vector_size(kPackBytes)));
typedef double Doubles __attribute__((vector_size(kPackBytes)));
typedef int32_t FloatBits __attribute__((vector_size(kPackBytes)));
// Unsigned, where arithmetic on the bits of a NaN may overflow.
typedef uint32_t FloatWords __attribute__((vector_size(kPackBytes)));
typedef int64_t DoubleBits __attribute__((vector_size(kPackBytes)));

template <class V>
struct PackTraits;
template <>
struct PackTraits<float> {
  using Pack = Floats;
};
template <>
struct PackTraits<double> {
  using Pack = Doubles;
};
template <>
struct PackTraits<Floats> {
  using Element = float;
  using Bits = FloatBits;
  static constexpr int32_t sign = INT32_MIN;
};
template <>
struct PackTraits<Doubles> {
  using Element = double;
  using Bits = DoubleBits;
  static constexpr int64_t sign = INT64_MIN;
};

template <class T>
using Pack = typename PackTraits<T>::Pack;
template <class V>
using Element = typename PackTraits<V>::Element;
template <class T>
constexpr int kLanes = kPackBytes / static_cast<int>(sizeof(T));

template <class T>
inline Pack<T> load(const T* from) {
  Pack<T> v;
  std::memcpy(&v, from, sizeof(v));
  return v;
}
template <class T, class V>
inline void store(T* to, V v) {
  static_assert(sizeof(V) == kPackBytes);
  std::memcpy(to, &v, sizeof(v));
}
// The first n lanes, 0 < n < kLanes; the rest are copies of the first, so that they meet no value that the data do not
// hold.
template <class T>
inline Pack<T> load_part(const T* from, int64_t n) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4)
    return (Pack<T>)_mm512_mask_loadu_ps(_mm512_set1_ps(*from), static_cast<__mmask16>((1u << n) - 1u), from);
  if constexpr (sizeof(T) == 8)
    return (Pack<T>)_mm512_mask_loadu_pd(_mm512_set1_pd(*from), static_cast<__mmask8>((1u << n) - 1u), from);
#endif
  T lanes[kLanes<T>];
  for (int k = 0; k < kLanes<T>; k++) lanes[k] = from[k < n ? k : 0];
  return load<T>(lanes);
}
// Lanes lo..hi-1 of what stands from `from` on, 0 elsewhere. No other lane is read.
template <class T>
inline Pack<T> load_between(const T* from, int64_t lo, int64_t hi) {
#if defined(__AVX512F__)
  const uint32_t lanes_below = (1u << hi) - (1u << lo);
  if constexpr (sizeof(T) == 4) return (Pack<T>)_mm512_maskz_loadu_ps(static_cast<__mmask16>(lanes_below), from);
  if constexpr (sizeof(T) == 8) return (Pack<T>)_mm512_maskz_loadu_pd(static_cast<__mmask8>(lanes_below), from);
#elif defined(__AVX2__)
  if constexpr (sizeof(T) == 4) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const __m256i from_lo = _mm256_cmpgt_epi32(lane, _mm256_set1_epi32(static_cast<int>(lo) - 1));
    return (Pack<T>)_mm256_maskload_ps(
        from, _mm256_and_si256(from_lo, _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(hi)), lane)));
  }
#endif
  T lanes[kLanes<T>] = {};
  for (int64_t k = lo; k < hi; k++) lanes[k] = from[k];
  return load<T>(lanes);
}
template <class T, class V>
inline void store_part(T* to, V v, int64_t n) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) return _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1u << n) - 1u), (__m512)v);
  if constexpr (sizeof(T) == 8) return _mm512_mask_storeu_pd(to, static_cast<__mmask8>((1u << n) - 1u), (__m512d)v);
#endif
  T lanes[kLanes<T>];
  store(lanes, v);
  for (int64_t k = 0; k < n; k++) to[k] = lanes[k];
}
// to[2 i] = from[i] for i in [0, n); what stands between is left as it is.
template <class T>
inline void store_apart(T* to, const T* from, int64_t n) {
  int64_t i = 0;
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) {
    for (; i < n; i += 8) {
      const int64_t count = std::min<int64_t>(8, n - i);
      const Pack<T> values = load_between(from + i, 0, count);
      const auto doubled = __builtin_shufflevector(values, values, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
      _mm512_mask_storeu_ps(to + 2 * i, static_cast<__mmask16>(0x5555u & ((1u << 2 * count) - 1u)), (__m512)doubled);
    }
  }
#elif defined(__AVX2__)
  if constexpr (sizeof(T) == 4) {
    const __m256i even = _mm256_setr_epi32(-1, 0, -1, 0, -1, 0, -1, 0);
    for (; i + 4 <= n; i += 4) {
      const __m256i values = _mm256_cvtepu32_epi64(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i)));
      _mm256_maskstore_ps(to + 2 * i, even, _mm256_castsi256_ps(values));
    }
  }
#endif
  for (; i < n; i++) to[2 * i] = from[i];
}
template <class V>
inline V splat(Element<V> x) {
  return x - V{};
}

// out[i] = f(in[i]...) for i in [0, n), a pack at a time: the loop that most kernels need. Elements are independent,
// `out` may be an input.
template <class F, class Out, class... In>
inline void map_packs(int64_t n, const F& f, Out* out, const In*... in) {
  constexpr int lanes = kLanes<Out>;
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) store(out + i, f(load(in + i)...));
  if (i < n) store_part(out + i, f(load_part(in + i, n - i)...), n - i);
}

// Where a loop over packs of T stands: `load` and `store` at pointers into its arrays, the last time of fewer lanes.
template <class T>
struct WholePack {
  Pack<T> load(const T* from) const { return NODEGRAD_LEVEL::load(from); }
  void store(T* to, Pack<T> v) const { NODEGRAD_LEVEL::store(to, v); }
};
template <class T>
struct PartOfPack {
  int64_t lanes;
  Pack<T> load(const T* from) const { return load_part(from, lanes); }
  void store(T* to, Pack<T> v) const { store_part(to, v, lanes); }
};
// Calls body(i, at) for i = 0, kLanes<T>... up to n, for loops of several outputs: at.store(y + i, at.load(x + i)).
template <class T, class Body>
inline void each_pack(int64_t n, const Body& body) {
  int64_t i = 0;
  for (; i + kLanes<T> <= n; i += kLanes<T>) body(i, WholePack<T>{});
  if (i < n) body(i, PartOfPack<T>{n - i});
}

template <class V>
inline V abs(V x) {
  using Bits = typename PackTraits<V>::Bits;
  return reinterpret_cast<V>(reinterpret_cast<Bits>(x) & ~PackTraits<V>::sign);
}
// The size of x with the sign of y.
template <class V>
inline V with_sign(V x, V y) {
  using Bits = typename PackTraits<V>::Bits;
  return reinterpret_cast<V>((reinterpret_cast<Bits>(x) & ~PackTraits<V>::sign) |
                             (reinterpret_cast<Bits>(y) & PackTraits<V>::sign));
}
// Sum of the lanes, from the halves to the whole: the same order on every level of one width.
template <class V>
inline Element<V> sum_lanes(V v) {
  using T = Element<V>;
  T lanes[kLanes<T>];
  store(lanes, v);
  for (int width = kLanes<T> / 2; width > 0; width /= 2) {
    for (int k = 0; k < width; k++) lanes[k] += lanes[k + width];
  }
  return lanes[0];
}
// Whether a comparison holds in any lane.
template <class Bits>
inline bool any_lane(Bits condition) {
#if defined(__AVX512F__)
  return _mm512_test_epi64_mask((__m512i)condition, (__m512i)condition) != 0;
#elif defined(__AVX2__)
  return _mm256_testz_si256((__m256i)condition, (__m256i)condition) == 0;
#else
  int64_t words[kPackBytes / 8];
  std::memcpy(words, &condition, sizeof(condition));
  return (words[0] | words[1]) != 0;
#endif
}
// The largest lane; a NaN in any lane may be lost.
template <class V>
inline Element<V> max_lanes(V v) {
  using T = Element<V>;
  T lanes[kLanes<T>];
  store(lanes, v);
  for (int width = kLanes<T> / 2; width > 0; width /= 2) {
    for (int k = 0; k < width; k++) lanes[k] = lanes[k] > lanes[k + width] ? lanes[k] : lanes[k + width];
  }
  return lanes[0];
}
template <class V>
inline V larger(V a, V b) {
  return a > b ? a : b;
}
template <class V>
inline V smaller(V a, V b) {
  return a < b ? a : b;
}
// What of a and b was `chosen`, or a where that is NaN. Two selects, where a condition of two parts would be a branch;
// and of packs the compiler must not make one of them, which would take the comparison that a maximum does without.
template <class V>
inline V chosen_or_nan(V a, V chosen) {
#if defined(__x86_64__)
  if constexpr (!std::is_arithmetic_v<V>) __asm__("" : "+v"(chosen));
#endif
  return a != a ? a : chosen;
}
// The larger, or smaller, of two packs or numbers, or NaN where either is.
template <class V>
inline V larger_or_nan(V a, V b) {
  return chosen_or_nan(a, larger(a, b));
}
template <class V>
inline V smaller_or_nan(V a, V b) {
  return chosen_or_nan(a, smaller(a, b));
}

}  // namespace nodegrad::NODEGRAD_LEVEL
