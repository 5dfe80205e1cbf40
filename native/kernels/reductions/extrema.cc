// What goes with an extremum of contiguous data seen as (outer, n, inner): where it stands first, and how ties share a
// gradient.
#include <algorithm>
#include <cstdint>

#include "../../runtime/divide.h"
#include "../../runtime/parallel.h"
#include "../../runtime/registry.h"
#include "../../runtime/scratch.h"
#include "../../runtime/simd.h"

namespace nodegrad::NODEGRAD_LEVEL {
namespace {

constexpr int64_t kGrain = 32768;
constexpr int64_t kTile = 256;

// An element stands for the extremum where it equals it; where the extremum is NaN, where it is NaN itself.
template <class T>
bool matches(T x, T extremum) {
  return (x == extremum) | (x != x);
}

// The first match of a run, or n.
template <class T>
int64_t first_match(const T* x, int64_t n, T extremum) {
  int64_t i = 0;
  for (; i + 64 <= n; i += 64) {
    int found = 0;
    for (int64_t k = 0; k < 64; k++) found |= matches(x[i + k], extremum) ? 1 : 0;
    if (found != 0) break;
  }
  for (; i < n; i++) {
    if (matches(x[i], extremum)) return i;
  }
  return n;
}

// indices[o, i] = the smallest k with x[o, k, i] = extremum[o, i]; 0 where there is none. One long run is searched in
// parallel pieces.
template <class T>
void firstIndex(Slice<const T> input, Slice<const T> extremum, Slice<int64_t> indices, int64_t outer, int64_t n,
                int64_t inner) {
  require(outer >= 0 && n >= 0 && inner >= 0, "a reduction has a negative size");
  const T* x = input.at_least(outer * n * inner);
  const T* e = extremum.at_least(outer * inner);
  int64_t* y = indices.at_least(outer * inner);
  if (outer * inner == 0) return;
  if (inner == 1) {
    const int64_t pieces = std::max<int64_t>(1, ceil_div(n, kGrain));
    if (pieces == 1) {
      parallel_for(outer, grain_of(kGrain, n), [&](int64_t begin, int64_t end) {
        for (int64_t o = begin; o < end; o++) {
          const int64_t at = first_match(x + o * n, n, e[o]);
          y[o] = at < n ? at : 0;
        }
      });
      return;
    }
    const Scratch<int64_t> found(outer * pieces);
    parallel_for(outer * pieces, 1, [&](int64_t begin, int64_t end) {
      for (int64_t task = begin; task < end; task++) {
        const int64_t o = task / pieces;
        const int64_t first = task % pieces * kGrain;
        const int64_t size = std::min(kGrain, n - first);
        const int64_t at = first_match(x + o * n + first, size, e[o]);
        found[task] = at < size ? first + at : n;
      }
    });
    for (int64_t o = 0; o < outer; o++) {
      const int64_t at = *std::min_element(found.get() + o * pieces, found.get() + (o + 1) * pieces);
      y[o] = at < n ? at : 0;
    }
    return;
  }
  const int64_t tiles = ceil_div(inner, kTile);
  parallel_for(outer * tiles, grain_of(kGrain, n * std::min(inner, kTile)), [&](int64_t begin, int64_t end) {
    for (int64_t unit = begin; unit < end; unit++) {
      const int64_t at = unit / tiles * inner + unit % tiles * kTile;
      const int64_t width = std::min(kTile, inner - unit % tiles * kTile);
      const T* from = x + unit / tiles * n * inner + unit % tiles * kTile;
      for (int64_t i = 0; i < width; i++) y[at + i] = 0;
      for (int64_t k = n - 1; k >= 0; k--) {
        const T* row = from + k * inner;
        NODEGRAD_SIMD
        for (int64_t i = 0; i < width; i++) y[at + i] = matches(row[i], e[at + i]) ? k : y[at + i];
      }
    }
  });
}

template <class T>
bool ties(T x, T extremum, bool nan) {
  return (x == extremum) | (nan & (x != x));
}

// out[o, k, i] = 1 / (number of elements equal to the extremum) where x[o, k, i] is one of them, else 0; NaN throughout
// where none is. Where `nan` is set, NaN equals NaN.
template <class T>
void tieWeights(Slice<const T> input, Slice<const T> extremum, Slice<T> out, int64_t outer, int64_t n, int64_t inner,
                bool nan) {
  require(outer >= 0 && n >= 0 && inner >= 0, "a reduction has a negative size");
  const T* x = input.at_least(outer * n * inner);
  const T* e = extremum.at_least(outer * inner);
  T* y = out.at_least(outer * n * inner);
  if (inner == 1) {
    parallel_for(outer, grain_of(kGrain, n), [&](int64_t begin, int64_t end) {
      for (int64_t o = begin; o < end; o++) {
        const T* row = x + o * n;
        const T top = e[o];
        int64_t count = 0;
        for (int64_t k = 0; k < n; k++) count += ties(row[k], top, nan) ? 1 : 0;
        const T share = T{1} / static_cast<T>(count);
        const T rest = T{0} / static_cast<T>(count);
        NODEGRAD_SIMD
        for (int64_t k = 0; k < n; k++) y[o * n + k] = ties(row[k], top, nan) ? share : rest;
      }
    });
    return;
  }
  const int64_t tiles = ceil_div(inner, kTile);
  parallel_for(outer * tiles, grain_of(kGrain, n * std::min(inner, kTile)), [&](int64_t begin, int64_t end) {
    T count[kTile];
    for (int64_t unit = begin; unit < end; unit++) {
      const int64_t width = std::min(kTile, inner - unit % tiles * kTile);
      const int64_t at = unit / tiles * n * inner + unit % tiles * kTile;
      const T* top = e + unit / tiles * inner + unit % tiles * kTile;
      for (int64_t i = 0; i < width; i++) count[i] = 0;
      for (int64_t k = 0; k < n; k++) {
        const T* row = x + at + k * inner;
        NODEGRAD_SIMD
        for (int64_t i = 0; i < width; i++) count[i] += ties(row[i], top[i], nan) ? T{1} : T{0};
      }
      for (int64_t k = 0; k < n; k++) {
        const T* row = x + at + k * inner;
        T* to = y + at + k * inner;
        NODEGRAD_SIMD
        for (int64_t i = 0; i < width; i++) to[i] = (ties(row[i], top[i], nan) ? T{1} : T{0}) / count[i];
      }
    }
  });
}

}  // namespace

void add_extrema(Registry& registry) {
  NODEGRAD_ADD(registry, firstIndex, float, double, int64_t, int32_t);
  NODEGRAD_ADD(registry, tieWeights, float, double);
}

}  // namespace nodegrad::NODEGRAD_LEVEL
