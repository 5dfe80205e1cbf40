// Scans of contiguous data along n of (outer, n, inner): sums, products, extrema and first-order recurrences, in either
// direction. Parallel over outer and over blocks of columns; along n they are sequential, float32 accumulates in double
// as in PyTorch.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "../../runtime/divide.h"
#include "../../runtime/parallel.h"
#include "../../runtime/registry.h"

namespace nodegrad {
namespace {

constexpr int64_t kTile = 64;
constexpr int64_t kGrain = 16384;

template <class T>
using Wide = std::conditional_t<std::is_same_v<T, float>, double, T>;
// What arithmetic runs in: integers wrap around as unsigned ones, since a signed overflow is undefined.
template <class T>
using Unsigned = std::conditional_t<std::is_same_v<T, int64_t>, uint64_t, Wide<T>>;

// Calls columns(offset, width) for every block of columns; offset is that of its element at k = 0.
template <class Columns>
void for_columns(int64_t outer, int64_t n, int64_t inner, const Columns& columns) {
  require(outer >= 0 && n >= 0 && inner >= 0, "a scan has a negative size");
  if (outer * n * inner == 0) return;
  const int64_t tile = std::min(inner, kTile);
  const int64_t tiles = ceil_div(inner, tile);
  parallel_for(outer * tiles, grain_of(kGrain, n * tile), [&](int64_t begin, int64_t end) {
    for (int64_t unit = begin; unit < end; unit++) {
      const int64_t at = unit % tiles * tile;
      columns(unit / tiles * n * inner + at, std::min(tile, inner - at));
    }
  });
}

// out[k] = state after step(state, x[k]), for k in order or in reverse; the state of a column begins at `first`.
template <class T, class State, class Step>
void scan(Slice<const T> input, Slice<T> out, int64_t outer, int64_t n, int64_t inner, bool reverse, State first,
          const Step& step) {
  const T* x = input.at_least(outer * n * inner);
  T* y = out.at_least(outer * n * inner);
  for_columns(outer, n, inner, [&](int64_t offset, int64_t width) {
    if (inner == 1) {
      const T* from = x + offset + (reverse ? n - 1 : 0);
      T* to = y + offset + (reverse ? n - 1 : 0);
      const int64_t direction = reverse ? -1 : 1;
      State state = first;
      for (int64_t k = 0; k < n; k++) {
        state = step(state, from[k * direction]);
        to[k * direction] = static_cast<T>(state);
      }
      return;
    }
    State state[kTile];
    for (int64_t i = 0; i < width; i++) state[i] = first;
    for (int64_t k = 0; k < n; k++) {
      const int64_t row = offset + (reverse ? n - 1 - k : k) * inner;
      for (int64_t i = 0; i < width; i++) {
        state[i] = step(state[i], x[row + i]);
        y[row + i] = static_cast<T>(state[i]);
      }
    }
  });
}

template <class T>
void cumsum(Slice<const T> input, Slice<T> out, int64_t outer, int64_t n, int64_t inner, bool reverse) {
  scan(input, out, outer, n, inner, reverse, Wide<T>{0},
       [](Wide<T> a, T x) { return static_cast<Wide<T>>(static_cast<Unsigned<T>>(a) + static_cast<Unsigned<T>>(x)); });
}
template <class T>
void cumprod(Slice<const T> input, Slice<T> out, int64_t outer, int64_t n, int64_t inner) {
  scan(input, out, outer, n, inner, false, Wide<T>{1},
       [](Wide<T> a, T x) { return static_cast<Wide<T>>(static_cast<Unsigned<T>>(a) * static_cast<Unsigned<T>>(x)); });
}

// log(e^a + e^x) without overflow; equal infinities stay as they are.
template <class T>
void logcumsumexp(Slice<const T> input, Slice<T> out, int64_t outer, int64_t n, int64_t inner) {
  scan(input, out, outer, n, inner, false, -std::numeric_limits<double>::infinity(), [](double a, T element) {
    const auto x = static_cast<double>(element);
    if (std::isnan(a) || std::isnan(x)) return a + x;
    const double high = std::max(a, x);
    const double low = std::min(a, x);
    return std::isinf(high) ? high : high + std::log1p(std::exp(low - high));
  });
}

// The running extremum and where it stands: the last of equal ones; NaN, once met, stays, at its last place.
template <class T, class Better>
void running_extremum(Slice<const T> input, Slice<T> values, Slice<int64_t> indices, int64_t outer, int64_t n,
                      int64_t inner, const Better& better) {
  const T* x = input.at_least(outer * n * inner);
  T* y = values.at_least(outer * n * inner);
  int64_t* at = indices.at_least(outer * n * inner);
  for_columns(outer, n, inner, [&](int64_t offset, int64_t width) {
    for (int64_t i = offset; i < offset + width; i++) {
      T top = x[i];
      int64_t place = 0;
      for (int64_t k = 0; k < n; k++) {
        const T element = x[i + k * inner];
        if (element != element || (top == top && better(element, top))) {
          top = element;
          place = k;
        }
        y[i + k * inner] = top;
        at[i + k * inner] = place;
      }
    }
  });
}
template <class T>
void cummax(Slice<const T> input, Slice<T> values, Slice<int64_t> indices, int64_t outer, int64_t n, int64_t inner) {
  running_extremum(input, values, indices, outer, n, inner, [](T a, T b) { return a >= b; });
}
template <class T>
void cummin(Slice<const T> input, Slice<T> values, Slice<int64_t> indices, int64_t outer, int64_t n, int64_t inner) {
  running_extremum(input, values, indices, outer, n, inner, [](T a, T b) { return a <= b; });
}

// h[k] = b[k] + a h[before k], where a is a[k], or a[before k] where `lagged`; nothing stands before the first.
template <class T>
void recurrence(Slice<const T> factors, Slice<const T> addends, Slice<T> out, int64_t outer, int64_t n, int64_t inner,
                bool reverse, bool lagged) {
  const T* a = factors.at_least(outer * n * inner);
  const T* b = addends.at_least(outer * n * inner);
  T* h = out.at_least(outer * n * inner);
  const int64_t step = reverse ? -inner : inner;
  for_columns(outer, n, inner, [&](int64_t offset, int64_t width) {
    int64_t row = offset + (reverse ? (n - 1) * inner : 0);
    for (int64_t i = 0; i < width; i++) h[row + i] = b[row + i];
    for (int64_t k = 1; k < n; k++) {
      const int64_t before = row;
      row += step;
      const T* factor = a + (lagged ? before : row);
      for (int64_t i = 0; i < width; i++) h[row + i] = b[row + i] + factor[i] * h[before + i];
    }
  });
}

}  // namespace

void add_scan(Registry& registry) {
  NODEGRAD_ADD(registry, cumsum, float, double, int64_t);
  NODEGRAD_ADD(registry, cumprod, float, double, int64_t);
  NODEGRAD_ADD(registry, logcumsumexp, float, double);
  NODEGRAD_ADD(registry, cummax, float, double, int64_t, int32_t);
  NODEGRAD_ADD(registry, cummin, float, double, int64_t, int32_t);
  NODEGRAD_ADD(registry, recurrence, float, double);
}

}  // namespace nodegrad
