// Softmax, log-softmax and logsumexp of contiguous data along n of (outer, n, inner). Rows (inner is 1) by exp_rows.h;
// else one parallel pass over blocks of columns, each of which stays in the second-level cache while it is read for the
// maximum, the sum and the result.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "../../runtime/divide.h"
#include "../../runtime/registry.h"
#include "../../runtime/scratch.h"
#include "../../runtime/simd.h"
#include "../simd/exp_rows.h"
#include "../simd/halves.h"
#include "../simd/vector_math.h"
#include "../simd/wide.h"
#include "reduce.h"

namespace nodegrad::NODEGRAD_LEVEL {
namespace {

constexpr int64_t kBlock = 65536;

// Calls block(offset, width) for every block of columns of every outer index; offset is that of its first element.
template <class Block>
void for_columns(int64_t outer, int64_t n, int64_t inner, const Block& block) {
  require(outer >= 0 && n >= 0 && inner >= 0, "a softmax has a negative size");
  if (outer * n * inner == 0) return;
  const int64_t tile = std::min(inner, std::clamp<int64_t>(kBlock / n, 16, kFoldWidth));
  const int64_t tiles = ceil_div(inner, tile);
  parallel_for(outer * tiles, grain_of(kFoldGrain, n * tile), wake_for(outer * n * inner, kFoldGrain),
               [&](int64_t begin, int64_t end) {
                 for (int64_t unit = begin; unit < end; unit++) {
                   const int64_t at = unit % tiles * tile;
                   block(unit / tiles * n * inner + at, std::min(tile, inner - at));
                 }
               });
}

// A block of columns in the type of the computation: where it is, or its widened copy.
template <class T>
const Wide<T>* columns(const T* from, const Wide<T>* buffer) {
  if constexpr (is_half<T>) {
    (void)from;
    return buffer;
  } else {
    (void)buffer;
    return from;
  }
}

// Calls block(first row, rows, packs, buffer): rows a lane each, with packs for `inputs` times n elements, or one long
// row without packs. The buffer holds so many rows of every input, and of the result, where elements are widened.
template <class T, class Block>
void for_rows(int64_t outer, int64_t n, int inputs, const Block& block) {
  using W = Wide<T>;
  const int64_t size = n <= kShortRow ? kLanes<W> : 1;
  const int64_t grain = grain_of(kFoldGrain, n * size) * size;
  parallel_for(outer, grain, wake_for(outer * n, kFoldGrain), [&](int64_t begin, int64_t end) {
    const Scratch<Pack<W>> lanes(size == 1 ? 0 : inputs * n);
    const Scratch<W> buffer(is_half<T> ? (inputs + 1) * size * n : 0);
    for (int64_t row = begin; row < end; row += size)
      block(row, std::min(size, end - row), size == 1 ? nullptr : lanes.get(), buffer.get());
  });
}

template <bool logarithm, class T>
void forward_rows(const T* from, T* to, int64_t outer, int64_t n) {
  using W = Wide<T>;
  for_rows<T>(outer, n, 1, [&](int64_t row, int64_t rows, Pack<W>* lanes, W* buffer) {
    const int64_t at = row * n, size = rows * n;
    const W* x = widened(from + at, size, buffer);
    W* y = target(to + at, buffer + size);
    if (lanes != nullptr) {
      rows_to_lanes(x, n, rows, lanes);
      const Pack<W> top = lanes_top(lanes, n);
      if constexpr (logarithm) {
        Pack<W> total{};
        for (int64_t c = 0; c < n; c++) total += exp_below(lanes[c] - top);
        const Pack<W> log_total = vec::log(total);
        for (int64_t c = 0; c < n; c++) lanes[c] = lanes[c] - top - log_total;
      } else {
        const Pack<W> share = W(1) / lanes_exps(lanes, n, top);
        for (int64_t c = 0; c < n; c++) lanes[c] *= share;
      }
      lanes_to_rows(lanes, n, rows, y);
    } else {
      const W top = row_top(x, n);
      if constexpr (logarithm) {
        const W log_total = std::log(row_exps<false>(x, y, n, top));
        map_packs(n, [=](auto v) { return v - top - log_total; }, y, x);
      } else {
        const W share = W(1) / row_exps<true>(x, y, n, top);
        map_packs(n, [=](auto e) { return e * share; }, y, static_cast<const W*>(y));
      }
    }
    narrowed(y, to + at, size);
  });
}

template <bool logarithm, class T>
void backward_rows(const T* gradient, const T* output, T* to, int64_t outer, int64_t n) {
  using W = Wide<T>;
  for_rows<T>(outer, n, 2, [&](int64_t row, int64_t rows, Pack<W>* lanes, W* buffer) {
    const int64_t at = row * n, size = rows * n;
    const W* g = widened(gradient + at, size, buffer);
    const W* y = widened(output + at, size, buffer + size);
    W* dx = target(to + at, buffer + 2 * size);
    if (lanes != nullptr) {
      Pack<W>* own = lanes + n;
      rows_to_lanes(g, n, rows, lanes);
      rows_to_lanes(y, n, rows, own);
      Pack<W> total{};
      for (int64_t c = 0; c < n; c++) total += logarithm ? lanes[c] : lanes[c] * own[c];
      for (int64_t c = 0; c < n; c++)
        lanes[c] = logarithm ? lanes[c] - exp_below(own[c]) * total : own[c] * (lanes[c] - total);
      lanes_to_rows(lanes, n, rows, dx);
    } else {
      double sum = 0;
      for (int64_t k = 0; k < n; k += kRun) {
        const int64_t run = std::min(kRun, n - k);
        sum += logarithm ? sum_run<W>(
                               run, [](auto u) { return u; }, g + k)
                         : sum_run<W>(run, [](auto u, auto v) { return u * v; }, g + k, y + k);
      }
      const W total = static_cast<W>(sum);
      if constexpr (logarithm) {
        map_packs(n, [=](auto u, auto v) { return u - exp_below(v) * total; }, dx, g, y);
      } else {
        map_packs(n, [=](auto u, auto v) { return v * (u - total); }, dx, g, y);
      }
    }
    narrowed(dx, to + at, size);
  });
}

// y = exp(x - max) / sum exp(x - max), or its logarithm x - max - log(sum).
template <bool logarithm, class T>
void forward(Slice<const T> input, Slice<T> out, int64_t outer, int64_t n, int64_t inner) {
  const T* from = input.at_least(outer * n * inner);
  T* to = out.at_least(outer * n * inner);
  if (inner == 1 && n > 0) return forward_rows<logarithm>(from, to, outer, n);
  using W = Wide<T>;
  for_columns(outer, n, inner, [&](int64_t offset, int64_t width) {
    // 16-bit columns are worked on in a dense copy.
    const int64_t step = is_half<T> ? width : inner;
    const Scratch<W> buffer(is_half<T> ? n * width : 0);
    if constexpr (is_half<T>) {
      for (int64_t k = 0; k < n; k++) widen(from + offset + k * inner, buffer.get() + k * width, width);
    }
    const W* x = columns(from + offset, buffer.get());
    W* y = target(to + offset, buffer.get());
    W top[kFoldWidth];
    W total[kFoldWidth];
    fold_piece(Largest<W>{}, x, n, step, width, static_cast<W*>(top));
    if constexpr (logarithm) {
      std::fill_n(total, width, W{0});
      for (int64_t k = 0; k < n; k++) {
        map_packs(
            width, [](auto v, auto m, auto sum) { return sum + exp_below(v - m); }, total, x + k * step,
            static_cast<const W*>(top), static_cast<const W*>(total));
      }
      for (int64_t i = 0; i < width; i++) total[i] = std::log(total[i]);
      for (int64_t k = 0; k < n; k++) {
        map_packs(
            width, [](auto v, auto m, auto sum) { return v - m - sum; }, y + k * step, x + k * step,
            static_cast<const W*>(top), static_cast<const W*>(total));
      }
    } else {
      for (int64_t k = 0; k < n; k++)
        map_packs(
            width, [](auto v, auto m) { return exp_below(v - m); }, y + k * step, x + k * step,
            static_cast<const W*>(top));
      fold_piece(Total<W>{}, static_cast<const W*>(y), n, step, width, static_cast<W*>(total));
      for (int64_t i = 0; i < width; i++) total[i] = W(1) / total[i];
      for (int64_t k = 0; k < n; k++)
        map_packs(
            width, [](auto e, auto share) { return e * share; }, y + k * step, static_cast<const W*>(y + k * step),
            static_cast<const W*>(total));
    }
    if constexpr (is_half<T>) {
      for (int64_t k = 0; k < n; k++) narrow(y + k * width, to + offset + k * inner, width);
    }
  });
}

// Softmax: dx = y (g - sum g y). Log-softmax: dx = g - exp(y) sum g.
template <bool logarithm, class T>
void backward(Slice<const T> gradient, Slice<const T> output, Slice<T> out, int64_t outer, int64_t n, int64_t inner) {
  const T* g0 = gradient.at_least(outer * n * inner);
  const T* y0 = output.at_least(outer * n * inner);
  T* to = out.at_least(outer * n * inner);
  if (inner == 1 && n > 0) return backward_rows<logarithm>(g0, y0, to, outer, n);
  using W = Wide<T>;
  for_columns(outer, n, inner, [&](int64_t offset, int64_t width) {
    const int64_t step = is_half<T> ? width : inner;
    const Scratch<W> buffer(is_half<T> ? 2 * n * width : 0);
    if constexpr (is_half<T>) {
      for (int64_t k = 0; k < n; k++) {
        widen(g0 + offset + k * inner, buffer.get() + k * width, width);
        widen(y0 + offset + k * inner, buffer.get() + (n + k) * width, width);
      }
    }
    const W* g = columns(g0 + offset, buffer.get());
    const W* y = columns(y0 + offset, buffer.get() + n * width);
    W* dx = target(to + offset, buffer.get());
    W total[kFoldWidth];
    std::fill_n(total, width, W{0});
    for (int64_t k = 0; k < n; k++) {
      map_packs(
          width, [](auto sum, auto u, auto v) { return logarithm ? sum + u : sum + u * v; }, total,
          static_cast<const W*>(total), g + k * step, y + k * step);
    }
    for (int64_t k = 0; k < n; k++) {
      map_packs(
          width,
          [](auto u, auto v, auto sum) {
            if constexpr (logarithm) {
              return u - exp_below(v) * sum;
            } else {
              return v * (u - sum);
            }
          },
          dx + k * step, g + k * step, y + k * step, static_cast<const W*>(total));
    }
    if constexpr (is_half<T>) {
      for (int64_t k = 0; k < n; k++) narrow(dx + k * width, to + offset + k * inner, width);
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
  const int64_t tiles = ceil_div(inner, tile);
  const int64_t rows = std::max<int64_t>(2, kBlock / tile);
  const int64_t pieces = n <= 2 * rows ? 1 : ceil_div(n, rows);
  const Scratch<T> partial(pieces == 1 ? 0 : outer * pieces * inner);
  T* results = pieces == 1 ? to : partial.get();
  const int64_t grain = grain_of(kFoldGrain, std::min(n, rows) * tile);
  parallel_for(outer * pieces * tiles, grain, wake_for(outer * n * inner, kFoldGrain), [&](int64_t begin, int64_t end) {
    const Scratch<T> powers(std::min(n, 2 * rows) * tile);
    T top[kFoldWidth];
    T total[kFoldWidth];
    T above[kFoldWidth];
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
      // An infinite maximum is not subtracted: the sum is then 0, or the result infinite.
      constexpr T kInfinity = std::numeric_limits<T>::infinity();
      for (int64_t i = 0; i < width; i++) {
        above[i] = top[i] == kInfinity ? kInfinity : -kInfinity;
        top[i] = std::isinf(top[i]) ? T{0} : top[i];
      }
      T* e = powers.get();
      if (inner == 1) {
        y[0] = above[0] > 0 ? kInfinity : std::log(row_exps<false>(x, e, size, top[0])) + top[0];
        continue;
      }
      for (int64_t k = 0; k < size; k++)
        map_packs(
            width, [](auto v, auto m) { return exp_below(v - m); }, e + k * width, x + k * inner,
            static_cast<const T*>(top));
      fold_piece(Total<T>{}, static_cast<const T*>(e), size, width, width, static_cast<T*>(total));
      for (int64_t i = 0; i < width; i++) y[i] = above[i] > 0 ? kInfinity : std::log(total[i]) + top[i];
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
void softmaxBackward(Slice<const T> gradient, Slice<const T> output, Slice<T> out, int64_t outer, int64_t n,
                     int64_t inner) {
  backward<false>(gradient, output, out, outer, n, inner);
}
template <class T>
void logSoftmaxBackward(Slice<const T> gradient, Slice<const T> output, Slice<T> out, int64_t outer, int64_t n,
                        int64_t inner) {
  backward<true>(gradient, output, out, outer, n, inner);
}

}  // namespace

void add_softmax(Registry& registry) {
  NODEGRAD_ADD(registry, softmax, NODEGRAD_FLOATING, NODEGRAD_HALVES);
  NODEGRAD_ADD(registry, logSoftmax, NODEGRAD_FLOATING, NODEGRAD_HALVES);
  NODEGRAD_ADD(registry, logsumexp, float, double);
  NODEGRAD_ADD(registry, softmaxBackward, NODEGRAD_FLOATING, NODEGRAD_HALVES);
  NODEGRAD_ADD(registry, logSoftmaxBackward, NODEGRAD_FLOATING, NODEGRAD_HALVES);
}

}  // namespace nodegrad::NODEGRAD_LEVEL
