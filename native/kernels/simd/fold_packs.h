// Folds of one row of floats in registers, for operators that take packs (pack.h) as well as numbers. The compiler's
// own vectors of a fold would do for sums; of selects inside each other, as of a maximum that keeps NaN, it makes a
// tangle. Included by vectorised families only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "../../runtime/divide.h"
#include "../../runtime/simd.h"
#include "pack.h"
#include "transpose.h"

namespace nodegrad::NODEGRAD_LEVEL {

// Rows folded one after the other before halves are combined pairwise, which keeps float32 sums accurate.
constexpr int64_t kFoldRows = 64;

// Whether an operator folds elements of a type by packs: it says so by kTakesPacks, with `load` and `combine` for
// either.
template <class Op, class In, class = void>
constexpr bool kOfPacks = false;
template <class Op, class In>
constexpr bool kOfPacks<Op, In, std::enable_if_t<Op::kTakesPacks>> =
    std::is_floating_point_v<In> && std::is_same_v<In, typename Op::Acc>;

// acc[c] = fold over rows of the packs x[(row * COUNT + c) * lanes].
template <int COUNT, class Op, class T>
inline void fold_few_packs(const Op& op, const T* x, int64_t rows, Pack<T>* acc) {
  constexpr int64_t kRow = COUNT * kLanes<T>;
  Pack<T> own[COUNT];
  for (int c = 0; c < COUNT; c++) own[c] = op.load(load(x + c * kLanes<T>));
  int64_t row = 1;
  for (; row + 4 <= rows; row += 4) {
    for (int c = 0; c < COUNT; c++) {
      const auto at = [&](int64_t k) { return op.load(load(x + (row + k) * kRow + c * kLanes<T>)); };
      own[c] = op.combine(own[c], op.combine(op.combine(at(0), at(1)), op.combine(at(2), at(3))));
    }
  }
  for (; row < rows; row++) {
    for (int c = 0; c < COUNT; c++) own[c] = op.combine(own[c], op.load(load(x + row * kRow + c * kLanes<T>)));
  }
  std::copy_n(own, COUNT, acc);
}
template <int COUNT, class Op, class T>
void fold_packs(const Op& op, const T* x, int64_t rows, Pack<T>* acc) {
  if (rows <= kFoldRows) return fold_few_packs<COUNT>(op, x, rows, acc);
  const int64_t half = round_up(rows / 2, kFoldRows);
  Pack<T> other[COUNT];
  fold_packs<COUNT>(op, x, half, acc);
  fold_packs<COUNT>(op, x + half * COUNT * kLanes<T>, rows - half, other);
  for (int c = 0; c < COUNT; c++) acc[c] = op.combine(acc[c], other[c]);
}

// The lanes of a vector and `left` < WIDTH elements more, halves first.
template <int WIDTH, class Op, class V, class T>
inline T fold_lanes(const Op& op, V v, const T* x, int64_t left) {
  constexpr int half = WIDTH / 2;
  if constexpr (WIDTH > 4) {
    typedef T Half __attribute__((vector_size(half * sizeof(T))));
    Half parts[2];
    std::memcpy(parts, &v, sizeof(v));
    Half both = op.combine(parts[0], parts[1]);
    if ((left & half) != 0) {
      Half more;
      std::memcpy(&more, x, sizeof(more));
      both = op.combine(both, op.load(more));
      x += half;
    }
    return fold_lanes<half>(op, both, x, left);
  } else {
    T lanes[WIDTH];
    for (int k = 0; k < WIDTH; k++) lanes[k] = v[k];
    for (int width = half; width >= 1; width /= 2) {
      for (int k = 0; k < width; k++) lanes[k] = op.combine(lanes[k], lanes[k + width]);
      if ((left & width) == 0) continue;
      for (int k = 0; k < width; k++) lanes[k] = op.combine(lanes[k], op.load(x[k]));
      x += width;
    }
    return lanes[0];
  }
}

// A row of n >= WIDTH elements as WIDTH columns that lie side by side; what is left of it joins the halves that it
// fills while they are folded.
template <int64_t WIDTH, class Op, class T>
inline T fold_row_of_packs(const Op& op, const T* x, int64_t n) {
  constexpr int lanes = kLanes<T>, count = WIDTH / lanes;
  Pack<T> acc[count];
  const int64_t rows = n / WIDTH;
  fold_packs<count>(op, x, rows, acc);
  x += rows * WIDTH;
  const int64_t left = n - rows * WIDTH;
#pragma GCC unroll 8
  for (int half = count / 2; half >= 1; half /= 2) {
    for (int c = 0; c < half; c++) acc[c] = op.combine(acc[c], acc[c + half]);
    if ((left & (half * lanes)) == 0) continue;
    for (int c = 0; c < half; c++) acc[c] = op.combine(acc[c], op.load(load(x + c * lanes)));
    x += half * lanes;
  }
  return fold_lanes<lanes>(op, acc[0], x, left);
}

// As many rows of n elements as a pack has lanes, each folded from its first element to its last: squares of them are
// transposed, so that a pack holds one element of each row. Reads up to so many elements behind the last row as
// complete its last square.
template <class Op, class T>
inline Pack<T> fold_short_rows(const Op& op, const T* x, int64_t n) {
  constexpr int lanes = kLanes<T>;
  Pack<T> acc{};
  for (int64_t first = 0; first < n; first += lanes) {
    Pack<T> rows[lanes];
#pragma GCC unroll 16
    for (int i = 0; i < lanes; i++) rows[i] = load(x + i * n + first);
    transpose_square<lanes / 2, lanes>(rows);
    const int count = static_cast<int>(std::min<int64_t>(lanes, n - first));
    for (int k = 0; k < count; k++) acc = first + k == 0 ? op.load(rows[0]) : op.combine(acc, op.load(rows[k]));
  }
  return acc;
}

}  // namespace nodegrad::NODEGRAD_LEVEL
