// A left operand times a right one that lies in panels, on the calling thread: C (row stride ldc) = `added` + A B. What
// fits into a second-level cache together is for the caller to see to. All sums run along the depth in the same order,
// whatever the tile.
#pragma once

#include <algorithm>
#include <cstdint>

#include "../../runtime/divide.h"
#include "pack_rows.h"

namespace nodegrad::NODEGRAD_LEVEL {

// Units of depth that are multiplied at a time. Measured: processors with AVX-512 have larger caches than those with
// AVX2.
constexpr int64_t kBlockDepth = NODEGRAD_VECTOR_BYTES == 32 ? 256 : 384;

// Panels of kCols columns, of `units` of depth that lie in panels for `pitch`.
template <class T>
struct Panels {
  const typename Multiply<T>::Unit* first;
  int64_t units, pitch;

  Panel<T> at(int64_t column) const { return {first + column * pitch}; }
};

namespace detail {
// A call of its own keeps its inner loop's addresses in registers, whatever it is called from.
template <class T, class Left>
__attribute__((noinline)) void multiply_tile(int64_t units, const Left& a, const Panel<T>& b,
                                             typename Multiply<T>::Sum* c, int64_t ldc, int64_t rows, int64_t cols,
                                             const Addend<typename Multiply<T>::Sum>& added) {
  partial_tile<T, kVectors>({units}, a, b, c, ldc, rows, cols, added);
}

// Rows i0..i1, a tile after the other, by one panel; `left(i, rows)` is what the left operand of rows i to i + rows is.
template <class T, class Left>
inline void multiply_panel(int64_t i0, int64_t i1, const Panels<T>& right, int64_t j, int64_t n,
                           typename Multiply<T>::Sum* c, int64_t ldc, const Addend<typename Multiply<T>::Sum>& added,
                           const Left& left) {
  const int64_t cols = std::min<int64_t>(kCols<T>, n - j);
  const Panel<T> panel = right.at(j);
  for (int64_t i = i0; i < i1; i += kRows) {
    const int64_t rows = std::min<int64_t>(kRows, i1 - i);
    multiply_tile<T>(right.units, left(i, rows), panel, c + i * ldc + j, ldc, rows, cols, added.at(i, j));
  }
}

// Units of all panels up to which tiles of rows go one after the other, each by all panels: these stay in a
// second-level cache, and C is written along its rows, which is what bounds a product of little depth.
constexpr int64_t kPanelsTogether = 32768;

// All of C: `tiles(i0, i1, j)` computes rows i0..i1 by the panel of column j.
template <class T, class Tiles>
inline void by_panels(int64_t m, const Panels<T>& right, int64_t n, const Tiles& tiles) {
  const int64_t rows = right.units * n <= kPanelsTogether ? kRows : m;
  for (int64_t i = 0; i < m; i += rows)
    for (int64_t j = 0; j < n; j += kCols<T>) tiles(i, std::min(m, i + rows), j);
}
}  // namespace detail

// A in panels of kRows rows.
template <class T>
void packed_by_panels(const typename Multiply<T>::Unit* a, int64_t m, const Panels<T>& b, int64_t n,
                      typename Multiply<T>::Sum* c, int64_t ldc, const Addend<typename Multiply<T>::Sum>& added) {
  const auto left = [&](int64_t i, int64_t) { return PackedRows<T>{a + i * b.units}; };
  detail::by_panels(m, b, n, [&](int64_t i0, int64_t i1, int64_t j) {
    detail::multiply_panel(i0, i1, b, j, n, c, ldc, added, left);
  });
}

// A where it stands, its rows along the depth, `lda` apart. Units that hold two elements must be whole.
template <class T>
void rows_by_panels(const T* a, int64_t lda, int64_t m, const Panels<T>& b, int64_t n, typename Multiply<T>::Sum* c,
                    int64_t ldc, const Addend<typename Multiply<T>::Sum>& added) {
  const auto whole = [&](int64_t i, int64_t) { return EvenRows<T>(a + i * lda, lda); };
  // Rows that are not there are the last one once more: their sums are dropped.
  const auto rest = [&](int64_t i, int64_t rows) {
    RowPlaces<T> places;
    for (int64_t r = 0; r < kRows; r++) places.base[r] = a + (i + std::min(r, rows - 1)) * lda;
    return places;
  };
  const int64_t end = m / kRows * kRows;
  detail::by_panels(m, b, n, [&](int64_t i0, int64_t i1, int64_t j) {
    detail::multiply_panel(i0, std::min(i1, end), b, j, n, c, ldc, added, whole);
    detail::multiply_panel(std::max(i0, end), i1, b, j, n, c, ldc, added, rest);
  });
}

// A where it stands, its rows across the depth: a[p * lda + i], readable for i < round_up(m, kRows).
template <class T>
void lines_by_panels(const T* a, int64_t lda, int64_t m, const Panels<T>& b, int64_t n, typename Multiply<T>::Sum* c,
                     int64_t ldc, const Addend<typename Multiply<T>::Sum>& added) {
  const auto left = [&](int64_t i, int64_t) { return LinePlaces<T>{a + i, lda}; };
  detail::by_panels(m, b, n, [&](int64_t i0, int64_t i1, int64_t j) {
    detail::multiply_panel(i0, i1, b, j, n, c, ldc, added, left);
  });
}

}  // namespace nodegrad::NODEGRAD_LEVEL
