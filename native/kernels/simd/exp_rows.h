// Rows of exponentials for softmax and cross entropy. Long rows go a pack of elements at a time; short ones a row a
// lane, as many at a time as a pack has lanes: they are transposed in registers, so that no lanes of one pack need to
// be combined. Included by vectorised families only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "moments.h"
#include "pack.h"
#include "vector_math.h"

namespace nodegrad::NODEGRAD_LEVEL {

// Rows of at most so many elements go a row a lane.
constexpr int64_t kShortRow = 32;

// e^x for x <= 0 (or hardly above, or NaN), within 2 units in the last place, 0 where it is below the smallest normal
// number: vec::exp without its end, which a mask's minus infinity would take.
inline Floats exp_below(Floats x) {
#if defined(__AVX512F__)
  return vec::exp(x);
#else
  const vec::SplitExp e(x);
  return x < -87.3f ? Floats{} : e.near_one * vec::power_of_shifted(e.shifted);
#endif
}
inline Doubles exp_below(Doubles x) { return vec::exp(x); }

// e^x for x <= 0 (or NaN) within 2e-7 of 1 rather than of itself, in two thirds of the steps: a term of a sum whose
// greatest term is 1.
inline Floats exp_term(Floats x) {
#if defined(__AVX512F__)
  constexpr __mmask16 kAll = 0xffff;
  const Floats t = _mm512_maskz_max_ps(kAll, splat<Floats>(-150.0f), x * 1.44269504088896341f);
  const Floats n = _mm512_maskz_roundscale_ps(kAll, t, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  return _mm512_maskz_scalef_ps(kAll, vec::power_of_fraction(t - n), n);
#else
  const Floats shifted = x * 1.44269504088896341f + 12582912.0f;
  const Floats y = vec::power_of_fraction(x * 1.44269504088896341f - (shifted - 12582912.0f));
  return x < -87.3f ? Floats{} : y * vec::power_of_shifted(shifted);
#endif
}
inline Doubles exp_term(Doubles x) { return vec::exp(x); }

namespace detail {
template <int Width, class V, int... I>
inline V rotated(V v, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(v, v, ((I + Width) % static_cast<int>(sizeof...(I)))...);
}
}  // namespace detail
// The lanes combined into one, halves first.
template <int Width, class V, class F>
inline Element<V> combine_lanes(V v, const F& f) {
  const V both = f(v, detail::rotated<Width>(v, std::make_integer_sequence<int, kLanes<Element<V>>>{}));
  if constexpr (Width == 1) {
    return both[0];
  } else {
    return combine_lanes<Width / 2>(both, f);
  }
}

// The greatest element of a row, n >= 1. A NaN may be passed over: it makes a NaN of the row's sum of exponentials.
template <class T>
T row_top(const T* x, int64_t n) {
  constexpr int lanes = kLanes<T>;
  if (n >= lanes) {
    Pack<T> tops[4];
    for (Pack<T>& top : tops) top = load(x);
    int64_t i = lanes;
    for (; i + 4 * lanes <= n; i += 4 * lanes) {
#pragma GCC unroll 4
      for (int k = 0; k < 4; k++) tops[k] = larger(load(x + i + k * lanes), tops[k]);
    }
    // The last pack may overlap those before it.
    for (; i < n; i += lanes) tops[0] = larger(load(x + std::min(i, n - lanes)), tops[0]);
    return max_lanes(larger(larger(tops[0], tops[1]), larger(tops[2], tops[3])));
  }
  T top = x[0];
  for (int64_t i = 1; i < n; i++) top = x[i] > top ? x[i] : top;
  return top;
}

// From element n on: a pack whose last n lanes are 1, the others 0.
template <class T>
struct LastLanes {
  T values[2 * kLanes<T>];
  constexpr LastLanes() : values() {
    for (int k = kLanes<T>; k < 2 * kLanes<T>; k++) values[k] = T(1);
  }
  constexpr const T& operator[](int64_t n) const { return values[n]; }
};
template <class T>
constexpr LastLanes<T> last_lanes{};

// The sum of e^(x - top) over a row; with Keep, y = e^(x - top), where y may be x. The row that follows it in memory is
// asked for, so that it comes while this one is computed.
template <bool Keep, class T>
T row_exps(const T* x, T* y, int64_t n, T top) {
  constexpr int lanes = kLanes<T>;
  const auto exps = [top](Pack<T> v) { return Keep ? exp_below(v - top) : exp_term(v - top); };
  double total = 0;
  int64_t i = 0;
  while (i + lanes <= n) {
    Pack<T> a{};
    const int64_t stop = std::min(n, i + kRun);
    for (; i + lanes <= stop; i += lanes) {
      __builtin_prefetch(x + n + i);
      const Pack<T> e = exps(load(x + i));
      if (Keep) store(y + i, e);
      a += e;
    }
    total += static_cast<double>(combine_lanes<lanes / 2>(a, [](Pack<T> u, Pack<T> v) { return u + v; }));
  }
  if (i < n && n >= lanes && !(Keep && x == y)) {
    // The last pack overlaps the one before it; lanes that were counted count for nothing.
    const Pack<T> e = exps(load(x + n - lanes));
    if (Keep) store(y + n - lanes, e);
    total += static_cast<double>(
        combine_lanes<lanes / 2>(e * load(&last_lanes<T>[n - i]), [](Pack<T> u, Pack<T> v) { return u + v; }));
  } else if (i < n) {
    T rest[lanes];
    store(rest, exps(load_part(x + i, n - i)));
    for (int64_t k = 0; k < n - i; k++) {
      if (Keep) y[i + k] = rest[k];
      total += static_cast<double>(rest[k]);
    }
  }
  return static_cast<T>(total);
}

namespace detail {
template <class V, int... I>
inline V interleave_low(V a, V b, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(a, b, (I / 2 + I % 2 * static_cast<int>(sizeof...(I)))...);
}
template <class V, int... I>
inline V interleave_high(V a, V b, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(
      a, b, (static_cast<int>(sizeof...(I)) / 2 + I / 2 + I % 2 * static_cast<int>(sizeof...(I)))...);
}
}  // namespace detail

// Transposes as many packs as one has lanes: each round interleaves the two halves of them.
template <class T>
inline void transpose(Pack<T>* packs) {
  constexpr int lanes = kLanes<T>;
  constexpr auto all = std::make_integer_sequence<int, lanes>{};
  Pack<T> next[lanes];
#pragma GCC unroll 8
  for (int round = lanes; round > 1; round /= 2) {
#pragma GCC unroll 16
    for (int k = 0; k < lanes / 2; k++) {
      next[2 * k] = detail::interleave_low(packs[k], packs[k + lanes / 2], all);
      next[2 * k + 1] = detail::interleave_high(packs[k], packs[k + lanes / 2], all);
    }
#pragma GCC unroll 16
    for (int k = 0; k < lanes; k++) packs[k] = next[k];
  }
}

// to[c] = element c of each of `rows` <= kLanes rows of n elements; lanes without a row hold the first.
template <class T>
void rows_to_lanes(const T* x, int64_t n, int64_t rows, Pack<T>* to) {
  constexpr int lanes = kLanes<T>;
  for (int64_t at = 0; at < n; at += lanes) {
    const int64_t first = std::max<int64_t>(0, std::min(at, n - lanes));
    Pack<T> block[lanes];
    for (int64_t k = 0; k < lanes; k++) {
      const int64_t offset = (k < rows ? k : 0) * n + first;
      block[k] = offset + lanes <= rows * n ? load(x + offset) : load_part(x + offset, n - first);
    }
    transpose<T>(block);
    for (int64_t k = 0; k < std::min<int64_t>(lanes, n); k++) to[first + k] = block[k];
  }
}
// The way back. Nothing outside of the rows is written.
template <class T>
void lanes_to_rows(const Pack<T>* from, int64_t n, int64_t rows, T* y) {
  constexpr int lanes = kLanes<T>;
  for (int64_t at = 0; at < n; at += lanes) {
    const int64_t first = std::max<int64_t>(0, std::min(at, n - lanes));
    Pack<T> block[lanes];
    for (int64_t k = 0; k < lanes; k++) block[k] = from[std::min(first + k, n - 1)];
    transpose<T>(block);
    // Where rows are shorter than a pack, what a row writes too much is written again by the next.
    for (int64_t k = 0; k < rows; k++) {
      const int64_t offset = k * n + first;
      if (offset + lanes <= rows * n) {
        store(y + offset, block[k]);
      } else {
        store_part(y + offset, block[k], n - first);
      }
    }
  }
}

// Of n packs: the greatest lane by lane.
template <class V>
inline V lanes_top(const V* x, int64_t n) {
  V top = x[0];
  for (int64_t c = 1; c < n; c++) top = larger_or_nan(x[c], top);
  return top;
}
// x = e^(x - top); their sum.
template <class V>
inline V lanes_exps(V* x, int64_t n, V top) {
  V total{};
  for (int64_t c = 0; c < n; c++) {
    x[c] = exp_below(x[c] - top);
    total += x[c];
  }
  return total;
}

}  // namespace nodegrad::NODEGRAD_LEVEL
