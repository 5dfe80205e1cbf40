// The mechanism of all reductions over contiguous data seen as (outer, n, inner): out[o, i] = fold over n of input[o,
// n, i]. An operator says how to load, combine and finish; this file owns loop order, blocking and threads. Included by
// vectorised families only, inside their SIMD level's namespace.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "../../runtime/divide.h"
#include "../../runtime/parallel.h"
#include "../../runtime/scratch.h"
#include "../../runtime/simd.h"
#include "../../runtime/slice.h"
#include "../simd/fold_packs.h"
#include "../simd/pack.h"

namespace nodegrad::NODEGRAD_LEVEL {

// Columns that are folded side by side: their accumulators stay in the first-level cache.
constexpr int64_t kFoldWidth = 512;
// Elements of a piece. A longer reduction is cut into pieces of this size, whatever the number of threads.
constexpr int64_t kFoldPiece = 65536;
constexpr int64_t kFoldGrain = 16384;
// Reductions of at most this many elements run one after the other without blocking: many of them overlap in the
// processor.
constexpr int64_t kFoldShort = 32;
// Elements of such a row from which squares of rows are transposed. Measured.
constexpr int64_t kLeastSquare = 4;
// Elements of a row that are folded side by side: half as many in a row of fewer than so many elements, whose
// accumulators are registers.
constexpr int64_t kRowLanes = 32;
constexpr int64_t kLongRow = 1024;

// acc[i] = fold over rows of x[row * stride + i], i < width, for 1 <= rows <= kFoldRows.
template <class Op, class In, class Acc>
inline void fold_few_rows(const Op& op, const In* x, int64_t rows, int64_t stride, int64_t width, Acc* acc) {
  // acc[i] = fold(what loads the element, or pack, of a row's column i; what tells acc[i]) for all columns.
  const auto columns = [&](const auto& fold) {
    int64_t i = 0;
    if constexpr (kOfPacks<Op, In>) {
      for (; i + kLanes<In> <= width; i += kLanes<In>) {
        store(acc + i, fold([&](const In* row) { return op.load(load(row + i)); }, [&] { return load(acc + i); }));
      }
    }
    NODEGRAD_SIMD
    for (int64_t k = i; k < width; k++) {
      acc[k] = fold([&](const In* row) { return op.load(row[k]); }, [&] { return acc[k]; });
    }
  };
  columns([&](const auto& at, const auto&) { return at(x); });
  int64_t row = 1;
  for (; row + 4 <= rows; row += 4) {
    const In* a = x + row * stride;
    const In* b = a + stride;
    const In* c = b + stride;
    const In* d = c + stride;
    columns([&](const auto& at, const auto& so_far) {
      return op.combine(so_far(), op.combine(op.combine(at(a), at(b)), op.combine(at(c), at(d))));
    });
  }
  for (; row < rows; row++)
    columns([&](const auto& at, const auto& so_far) { return op.combine(so_far(), at(x + row * stride)); });
}

// The same for any number of rows, with width <= kFoldWidth. A width that is known as the kernel is compiled is given
// as WIDTH too: its accumulators are in registers then.
template <int64_t WIDTH = 0, class Op, class In, class Acc>
void fold_columns(const Op& op, const In* x, int64_t rows, int64_t stride, int64_t some_width, Acc* acc) {
  const int64_t width = WIDTH > 0 ? WIDTH : some_width;
  if (rows > kFoldRows) {
    const int64_t half = round_up(rows / 2, kFoldRows);
    Acc other[WIDTH > 0 ? WIDTH : kFoldWidth];
    fold_columns<WIDTH>(op, x, half, stride, width, acc);
    fold_columns<WIDTH>(op, x + half * stride, rows - half, stride, width, static_cast<Acc*>(other));
    NODEGRAD_SIMD
    for (int64_t i = 0; i < width; i++) acc[i] = op.combine(acc[i], other[i]);
  } else if constexpr (WIDTH > 0) {
    Acc own[WIDTH];
    fold_few_rows(op, x, rows, stride, width, static_cast<Acc*>(own));
    std::copy_n(own, WIDTH, acc);
  } else {
    fold_few_rows(op, x, rows, stride, width, acc);
  }
}

// One row of n >= LANES elements, folded along itself as columns that lie side by side. What is left of it joins the
// halves that it fills while they are folded: element by element it would be stored right before vectors read it, which
// stalls.
template <int64_t LANES, class Op, class In, class Acc>
Acc fold_row(const Op& op, const In* x, int64_t n) {
  if constexpr (kOfPacks<Op, In>) return fold_row_of_packs<LANES>(op, x, n);
  Acc acc[LANES];
  const int64_t rows = n / LANES;
  fold_columns<LANES>(op, x, rows, LANES, LANES, static_cast<Acc*>(acc));
  x += rows * LANES;
  const int64_t left = n - rows * LANES;
#pragma GCC unroll 8
  for (int64_t half = LANES / 2; half >= 1; half /= 2) {
    for (int64_t i = 0; i < half; i++) acc[i] = op.combine(acc[i], acc[i + half]);
    if ((left & half) == 0) continue;
    for (int64_t i = 0; i < half; i++) acc[i] = op.combine(acc[i], op.load(x[i]));
    x += half;
  }
  return acc[0];
}

// The same for any length above kFoldShort.
template <class Op, class In, class Acc = typename Op::Acc>
inline Acc fold_some_row(const Op& op, const In* x, int64_t n) {
  return n < kLongRow ? fold_row<kRowLanes / 2, Op, In, Acc>(op, x, n) : fold_row<kRowLanes, Op, In, Acc>(op, x, n);
}

// The same for an inner size below a vector's worth: several rows lie side by side as lanes, which are combined at the
// end.
template <class Op, class In, class Acc>
void fold_piece(const Op& op, const In* x, int64_t n, int64_t inner, int64_t width, Acc* acc) {
  if (inner == 1 && n > kFoldShort) {
    acc[0] = fold_some_row<Op, In, Acc>(op, x, n);
    return;
  }
  if (inner == 1) {
    Acc total = op.load(*x);
    for (int64_t k = 1; k < n; k++) total = op.combine(total, op.load(x[k]));
    acc[0] = total;
    return;
  }
  const int64_t wanted = n * inner >= 1024 ? 64 : 8;
  int64_t lanes = 1;
  if (width == inner) {
    while (lanes * 2 * inner <= wanted && lanes * 2 <= n) lanes *= 2;
  }
  if (lanes == 1) {
    fold_columns(op, x, n, inner, width, acc);
    return;
  }
  const int64_t rows = n / lanes;
  fold_columns(op, x, rows, inner * lanes, inner * lanes, acc);
  for (int64_t half = lanes / 2; half >= 1; half /= 2) {
    for (int64_t i = 0; i < half * inner; i++) acc[i] = op.combine(acc[i], acc[i + half * inner]);
  }
  for (int64_t k = rows * lanes; k < n; k++) {
    for (int64_t i = 0; i < inner; i++) acc[i] = op.combine(acc[i], op.load(x[k * inner + i]));
  }
}

// An operator that folds elements as they are.
template <class T>
struct AsTheyAre {
  using Acc = T;
  static constexpr bool kTakesPacks = true;
  template <class V>
  V load(V x) const {
    return x;
  }
};
template <class T>
struct Total : AsTheyAre<T> {
  template <class V>
  V combine(V a, V b) const {
    return a + b;
  }
};
// NaN wins over everything.
template <class T>
struct Largest : AsTheyAre<T> {
  template <class V>
  V combine(V a, V b) const {
    return larger_or_nan(a, b);
  }
};
template <class T>
struct Smallest : AsTheyAre<T> {
  template <class V>
  V combine(V a, V b) const {
    return smaller_or_nan(a, b);
  }
};

// Combines what pieces left behind.
template <class Op, class Acc>
struct Combining {
  const Op& op;
  Acc load(Acc a) const { return a; }
  Acc combine(Acc a, Acc b) const { return op.combine(a, b); }
};

// out[o, i] = op.finish(fold over n of op.load(input[o, n, i])); the identity where n is 0.
// Parallel over outer and over column tiles, and over pieces of n where it is long; pieces are combined in a fixed
// order.
template <class Op, class In, class Out>
void reduce(const Op& op, Slice<const In> input, Slice<Out> out, int64_t outer, int64_t n, int64_t inner) {
  using Acc = typename Op::Acc;
  require(outer >= 0 && n >= 0 && inner >= 0, "a reduction has a negative size");
  const In* x = input.at_least(outer * n * inner);
  Out* y = out.at_least(outer * inner);
  if (outer * inner == 0) return;
  if (n == 0) {
    for (int64_t i = 0; i < outer * inner; i++) y[i] = op.finish(op.identity());
    return;
  }
  const Wake wake = wake_for(outer * n * inner, kFoldGrain);
  if (n * inner <= kFoldShort && inner <= 8) {
    parallel_for(outer, grain_of(kFoldGrain, n * inner), wake, [&](int64_t begin, int64_t end) {
      int64_t o = begin;
      if constexpr (kOfPacks<Op, In>) {
        constexpr int64_t lanes = kLanes<In>;
        // All that squares read lies inside of the input.
        for (; inner == 1 && n >= kLeastSquare && o + lanes <= end &&
               (o + lanes - 1) * n + round_up(n, lanes) <= outer * n;
             o += lanes) {
          In folded[lanes];
          store(folded, fold_short_rows(op, x + o * n, n));
          for (int64_t i = 0; i < lanes; i++) y[o + i] = op.finish(folded[i]);
        }
      }
      for (; o < end; o++) {
        for (int64_t i = 0; i < inner; i++) {
          const In* from = x + o * n * inner + i;
          Acc acc = op.load(*from);
          for (int64_t k = 1; k < n; k++) acc = op.combine(acc, op.load(from[k * inner]));
          y[o * inner + i] = op.finish(acc);
        }
      }
    });
    return;
  }
  // Without the general case's divisions and its accumulators in memory, which cost as much as to fold a short row.
  // Measured.
  if (inner == 1 && n < 2 * kFoldPiece) {
    parallel_for(outer, grain_of(kFoldGrain, n), wake, [&](int64_t begin, int64_t end) {
      for (int64_t o = begin; o < end; o++) y[o] = op.finish(fold_some_row(op, x + o * n, n));
    });
    return;
  }
  const int64_t tile = std::min(inner, kFoldWidth);
  const int64_t tiles = ceil_div(inner, tile);
  const int64_t units = outer * tiles;
  const auto width_of = [&](int64_t unit) { return std::min(tile, inner - unit % tiles * tile); };

  if (n * tile < 2 * kFoldPiece) {
    parallel_for(units, grain_of(kFoldGrain, n * tile), wake, [&](int64_t begin, int64_t end) {
      Acc acc[kFoldWidth];
      for (int64_t unit = begin; unit < end; unit++) {
        const int64_t o = unit / tiles;
        const int64_t at = unit % tiles * tile;
        const int64_t width = width_of(unit);
        fold_piece(op, x + o * n * inner + at, n, inner, width, static_cast<Acc*>(acc));
        for (int64_t i = 0; i < width; i++) y[o * inner + at + i] = op.finish(acc[i]);
      }
    });
    return;
  }

  const int64_t rows = kFoldPiece / tile;
  const int64_t pieces = ceil_div(n, rows);
  const Scratch<Acc> partial(units * pieces * tile);
  parallel_for(units * pieces, 1, [&](int64_t begin, int64_t end) {
    Acc acc[kFoldWidth];
    for (int64_t task = begin; task < end; task++) {
      const int64_t unit = task / pieces;
      const int64_t first = task % pieces * rows;
      const int64_t width = width_of(unit);
      const In* from = x + (unit / tiles * n + first) * inner + unit % tiles * tile;
      fold_piece(op, from, std::min(rows, n - first), inner, width, static_cast<Acc*>(acc));
      for (int64_t i = 0; i < width; i++) partial[task * tile + i] = acc[i];
    }
  });
  const Combining<Op, Acc> combining{op};
  parallel_for(units, grain_of(kFoldGrain, pieces * tile), Wake::kInARow, [&](int64_t begin, int64_t end) {
    Acc acc[kFoldWidth];
    for (int64_t unit = begin; unit < end; unit++) {
      const int64_t width = width_of(unit);
      fold_columns(combining, partial.get() + unit * pieces * tile, pieces, tile, width, static_cast<Acc*>(acc));
      for (int64_t i = 0; i < width; i++) y[unit / tiles * inner + unit % tiles * tile + i] = op.finish(acc[i]);
    }
  });
}

}  // namespace nodegrad::NODEGRAD_LEVEL
