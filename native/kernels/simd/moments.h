// Sums over dense runs for the normalisations, a few packs side by side: short runs in the element type, runs added up
// in double, so that a float32 mean over millions of elements keeps its digits. Squares that leave the range of the
// element type are summed again in double. Included by vectorised families only.
#pragma once

#include <cmath>
#include <cstdint>

#include "pack.h"

namespace nodegrad::NODEGRAD_LEVEL {

// Elements of a run that is summed in the element type.
constexpr int64_t kRun = 1024;

// Four packs, which a loop will read soon.
template <class T>
inline void ask_for(const T* from) {
  for (int k = 0; k < 4 * kPackBytes; k += 64) __builtin_prefetch(reinterpret_cast<const char*>(from) + k);
}

// The sum of f(v[i]...) over a run; f takes packs and numbers alike. The run that follows in memory is asked for, so
// that it comes while this one is worked on: the processor by itself begins anew at each page.
template <class T, class F, class... In>
inline double sum_run(int64_t n, const F& f, const In*... in) {
  constexpr int lanes = kLanes<T>;
  Pack<T> a{}, b{}, c{}, d{};
  int64_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    (ask_for(in + i + n), ...);
    a += f(load(in + i)...);
    b += f(load(in + i + lanes)...);
    c += f(load(in + i + 2 * lanes)...);
    d += f(load(in + i + 3 * lanes)...);
  }
  for (; i + lanes <= n; i += lanes) a += f(load(in + i)...);
  T total = sum_lanes((a + b) + (c + d));
  for (; i < n; i++) total += f(in[i]...);
  return static_cast<double>(total);
}

template <class V>
struct Two {
  V first, second;
};
// The sums of both results of f(i, v[i]...) over a run; f takes packs, i being the first lane's index, and numbers
// alike.
template <class T, class F, class... In>
inline void add_two_sums(int64_t n, double& first, double& second, const F& f, const In*... in) {
  constexpr int lanes = kLanes<T>;
  Two<Pack<T>> a{}, b{};
  const auto add = [&](int64_t at, Two<Pack<T>>& sums) {
    const Two<Pack<T>> v = f(at, load(in + at)...);
    sums.first += v.first;
    sums.second += v.second;
  };
  int64_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    (__builtin_prefetch(in + i + n), ...);
    (__builtin_prefetch(in + i + n + lanes), ...);
    add(i, a);
    add(i + lanes, b);
  }
  for (; i + lanes <= n; i += lanes) add(i, a);
  Two<T> rest{sum_lanes(a.first + b.first), sum_lanes(a.second + b.second)};
  for (; i < n; i++) {
    const Two<T> v = f(i, in[i]...);
    rest.first += v.first;
    rest.second += v.second;
  }
  first += static_cast<double>(rest.first);
  second += static_cast<double>(rest.second);
}

// *to += v, for a pack or a number.
template <class T>
inline void add_to(T* to, T v) {
  *to += v;
}
template <class T>
inline void add_to(T* to, Pack<T> v) {
  store(to, load(to) + v);
}

// Count, mean and sum of squared deviations of what was added so far; runs are added in a fixed order.
struct Moments {
  double count = 0, mean = 0, squares = 0;

  void add(double n, double other_mean, double other_squares) {
    if (n == 0) return;
    // Without a difference from nothing, whose square may overflow.
    if (count == 0) {
      *this = Moments{n, other_mean, other_squares};
      return;
    }
    const double all = count + n;
    const double delta = other_mean - mean;
    mean += delta * (n / all);
    squares += other_squares + delta * delta * (count * n / all);
    count = all;
  }
  // The elements of one run: their mean first, then what they deviate from it.
  template <class T>
  void add_run(const T* v, int64_t n) {
    const double sum = sum_run<T>(n, [](auto x) { return x; }, v);
    const double own = sum / static_cast<double>(n);
    const T centre = static_cast<T>(own);
    const double around = sum_run<T>(
        n,
        [centre](auto x) {
          const auto d = x - centre;
          return d * d;
        },
        v);
    const double shift = own - static_cast<double>(centre);
    add(static_cast<double>(n), own, around - shift * shift * static_cast<double>(n));
  }
  // The same with every sum in double.
  template <class T>
  void add_run_wide(const T* v, int64_t n) {
    double sum = 0, around = 0;
    for (int64_t i = 0; i < n; i++) sum += static_cast<double>(v[i]);
    const double own = sum / static_cast<double>(n);
    for (int64_t i = 0; i < n; i++) around += (static_cast<double>(v[i]) - own) * (static_cast<double>(v[i]) - own);
    add(static_cast<double>(n), own, around);
  }
  // Whether the squares may have left the range of float where their mean plus eps is to be divided by.
  bool out_of_range(double n, double eps) const { return !std::isfinite(squares) || squares / n + eps < 1e-30; }
};

}  // namespace nodegrad::NODEGRAD_LEVEL
