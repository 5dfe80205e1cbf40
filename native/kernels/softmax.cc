// Softmax, log-softmax and logsumexp of contiguous data along n of (outer, n, inner): one parallel pass over blocks of columns, each of
// which stays in the second-level cache while it is read for the maximum, the sum and the result.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "../runtime/registry.h"
#include "../runtime/simd.h"
#include "reduce.h"
#include "vector_math.h"

namespace nodegrad::NODEGRAD_LEVEL {
namespace {

constexpr int64_t kBlock = 65536;

template <class T>
struct Largest {
  T load(T x) const { return x; }
  T combine(T a, T b) const {
    const T larger = a > b ? a : b;
    return a != a ? a : larger;
  }
};
template <class T>
struct Total {
  T load(T x) const { return x; }
  T combine(T a, T b) const { return a + b; }
};

// Calls block(offset, width) for every block of columns of every outer index; offset is that of its first element.
template <class Block>
void for_columns(int64_t outer, int64_t n, int64_t inner, const Block& block) {
  require(outer >= 0 && n >= 0 && inner >= 0, "a softmax has a negative size");
  if (outer * n * inner == 0) return;
  const int64_t tile = std::min(inner, std::clamp<int64_t>(kBlock / n, 16, kFoldWidth));
  const int64_t tiles = (inner + tile - 1) / tile;
  parallel_for(outer * tiles, std::max<int64_t>(1, kFoldGrain / 2 / (n * tile)), [&](int64_t begin, int64_t end) {
    for (int64_t unit = begin; unit < end; unit++) {
      const int64_t at = unit % tiles * tile;
      block(unit / tiles * n * inner + at, std::min(tile, inner - at));
    }
  });
}

// to[k, i] = f(k * inner + i, i) for a block of columns; with one column the inner loop runs over k instead.
template <class F>
void each(int64_t n, int64_t inner, int64_t width, const F& f) {
  if (inner == 1) {
    NODEGRAD_SIMD
    for (int64_t k = 0; k < n; k++) f(k, int64_t{0});
    return;
  }
  for (int64_t k = 0; k < n; k++) {
    const int64_t row = k * inner;
    NODEGRAD_SIMD
    for (int64_t i = 0; i < width; i++) f(row + i, i);
  }
}

// y = exp(x - max) / sum exp(x - max), or its logarithm x - max - log(sum).
template <bool logarithm, class T>
void forward(Slice<const T> input, Slice<T> out, int64_t outer, int64_t n, int64_t inner) {
  const T* from = input.at_least(outer * n * inner);
  T* to = out.at_least(outer * n * inner);
  for_columns(outer, n, inner, [&](int64_t offset, int64_t width) {
    const T* x = from + offset;
    T* y = to + offset;
    T top[kFoldWidth];
    T total[kFoldWidth];
    fold_piece(Largest<T>{}, x, n, inner, width, static_cast<T*>(top));
    if (inner == 1) {
      const T m = top[0];
      NODEGRAD_SIMD
      for (int64_t k = 0; k < n; k++) y[k] = vec::exp(x[k] - m);
      fold_piece(Total<T>{}, static_cast<const T*>(y), n, inner, width, static_cast<T*>(total));
      if constexpr (logarithm) {
        const T log_total = std::log(total[0]);
        NODEGRAD_SIMD
        for (int64_t k = 0; k < n; k++) y[k] = x[k] - m - log_total;
      } else {
        const T s = total[0];
        NODEGRAD_SIMD
        for (int64_t k = 0; k < n; k++) y[k] /= s;
      }
      return;
    }
    each(n, inner, width, [&](int64_t at, int64_t i) { y[at] = vec::exp(x[at] - top[i]); });
    fold_piece(Total<T>{}, static_cast<const T*>(y), n, inner, width, static_cast<T*>(total));
    if constexpr (logarithm) {
      for (int64_t i = 0; i < width; i++) total[i] = std::log(total[i]);
      each(n, inner, width, [&](int64_t at, int64_t i) { y[at] = x[at] - top[i] - total[i]; });
    } else {
      each(n, inner, width, [&](int64_t at, int64_t i) { y[at] /= total[i]; });
    }
  });
}

// Softmax: dx = y (g - sum g y). Log-softmax: dx = g - exp(y) sum g.
template <bool logarithm, class T>
void backward(Slice<const T> gradient, Slice<const T> output, Slice<T> out, int64_t outer, int64_t n, int64_t inner) {
  const T* g0 = gradient.at_least(outer * n * inner);
  const T* y0 = output.at_least(outer * n * inner);
  T* to = out.at_least(outer * n * inner);
  for_columns(outer, n, inner, [&](int64_t offset, int64_t width) {
    const T* g = g0 + offset;
    const T* y = y0 + offset;
    T* dx = to + offset;
    T total[kFoldWidth];
    if constexpr (logarithm) {
      fold_piece(Total<T>{}, g, n, inner, width, static_cast<T*>(total));
      each(n, inner, width, [&](int64_t at, int64_t i) { dx[at] = g[at] - vec::exp(y[at]) * total[i]; });
    } else {
      each(n, inner, width, [&](int64_t at, int64_t) { dx[at] = g[at] * y[at]; });
      fold_piece(Total<T>{}, static_cast<const T*>(dx), n, inner, width, static_cast<T*>(total));
      each(n, inner, width, [&](int64_t at, int64_t i) { dx[at] = y[at] * (g[at] - total[i]); });
    }
  });
}

// out[o, i] = log sum over n of e^x. A long run is cut into pieces, whose results are reduced again in the same way.
template <class T>
void logsumexp(Slice<const T> input, Slice<T> out, int64_t outer, int64_t n, int64_t inner) {
  require(outer >= 0 && n >= 0 && inner >= 0, "a logsumexp has a negative size");
  const T* from = input.at_least(outer * n * inner);
  T* to = out.at_least(outer * inner);
  if (n == 0) std::fill(to, to + outer * inner, -std::numeric_limits<T>::infinity());
  if (outer * n * inner == 0) return;
  const int64_t tile = std::min(inner, std::clamp<int64_t>(kBlock / n, 16, kFoldWidth));
  const int64_t tiles = (inner + tile - 1) / tile;
  const int64_t rows = std::max<int64_t>(2, kBlock / tile);
  const int64_t pieces = n <= 2 * rows ? 1 : (n + rows - 1) / rows;
  const Scratch<T> partial(pieces == 1 ? 0 : outer * pieces * inner);
  T* results = pieces == 1 ? to : partial.get();
  const int64_t grain = std::max<int64_t>(1, kFoldGrain / 2 / (std::min(n, rows) * tile));
  parallel_for(outer * pieces * tiles, grain, [&](int64_t begin, int64_t end) {
    const Scratch<T> powers(std::min(n, 2 * rows) * tile);
    T top[kFoldWidth];
    T total[kFoldWidth];
    for (int64_t unit = begin; unit < end; unit++) {
      const int64_t piece = unit / tiles % pieces;
      const int64_t o = unit / tiles / pieces;
      const int64_t at = unit % tiles * tile;
      const int64_t width = std::min(tile, inner - at);
      const int64_t first = piece * rows;
      const int64_t size = pieces == 1 ? n : std::min(rows, n - first);
      const T* x = from + (o * n + first) * inner + at;
      T* y = results + (o * pieces + piece) * inner + at;
      fold_piece(Largest<T>{}, x, size, inner, width, static_cast<T*>(top));
      // An infinite maximum is not subtracted: the sum is then 0, infinite or NaN by itself.
      for (int64_t i = 0; i < width; i++) top[i] = std::isinf(top[i]) ? T{0} : top[i];
      T* e = powers.get();
      if (inner == 1) {
        const T m = top[0];
        NODEGRAD_SIMD
        for (int64_t k = 0; k < size; k++) e[k] = vec::exp(x[k] - m);
      } else {
        for (int64_t k = 0; k < size; k++) {
          NODEGRAD_SIMD
          for (int64_t i = 0; i < width; i++) e[k * width + i] = vec::exp(x[k * inner + i] - top[i]);
        }
      }
      fold_piece(Total<T>{}, static_cast<const T*>(e), size, width, width, static_cast<T*>(total));
      for (int64_t i = 0; i < width; i++) y[i] = std::log(total[i]) + top[i];
    }
  });
  if (pieces > 1) logsumexp(Slice<const T>{partial.get(), outer * pieces * inner}, out, outer, pieces, inner);
}

template <class T>
void softmax(Slice<const T> input, Slice<T> out, int64_t outer, int64_t n, int64_t inner) {
  forward<false>(input, out, outer, n, inner);
}
template <class T>
void logSoftmax(Slice<const T> input, Slice<T> out, int64_t outer, int64_t n, int64_t inner) {
  forward<true>(input, out, outer, n, inner);
}
template <class T>
void softmaxBackward(Slice<const T> gradient, Slice<const T> output, Slice<T> out, int64_t outer, int64_t n, int64_t inner) {
  backward<false>(gradient, output, out, outer, n, inner);
}
template <class T>
void logSoftmaxBackward(Slice<const T> gradient, Slice<const T> output, Slice<T> out, int64_t outer, int64_t n, int64_t inner) {
  backward<true>(gradient, output, out, outer, n, inner);
}

}  // namespace

void add_softmax(Registry& registry) {
  NODEGRAD_ADD(registry, softmax, float, double);
  NODEGRAD_ADD(registry, logSoftmax, float, double);
  NODEGRAD_ADD(registry, logsumexp, float, double);
  NODEGRAD_ADD(registry, softmaxBackward, float, double);
  NODEGRAD_ADD(registry, logSoftmaxBackward, float, double);
}

}  // namespace nodegrad::NODEGRAD_LEVEL
