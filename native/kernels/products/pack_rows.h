// Lays rows of a matrix into panels of units as micro-kernels read them: rows that run along the depth are transposed,
// rows that run across it are interleaved.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "../../runtime/divide.h"
#include "../simd/transpose.h"
#include "micro_kernel.h"

namespace nodegrad::NODEGRAD_LEVEL {

template <int LANES>
struct Quads {
  typedef uint32_t Row __attribute__((vector_size(4 * LANES), may_alias));
};

// COUNT of LANES rows, as many units at a time: to[u * width + r] = unit u of row r. Where rows are missing, width is
// COUNT: each vector of units overwrites what the one before it wrote too much.
template <int LANES, int COUNT = LANES, class T>
void transpose_band(const T* from, int64_t step, int64_t units, typename Multiply<T>::Unit* to, int64_t width) {
  using Row = typename Quads<LANES>::Row;
  constexpr int64_t kElements = Multiply<T>::kElements;
  const int64_t last = COUNT == LANES ? units : units - 1;
  int64_t u = 0;
  for (; u + LANES <= last; u += LANES) {
    Row rows[LANES];
#pragma GCC unroll 16
    for (int i = 0; i < LANES; i++)
      rows[i] = i < COUNT ? load_vector<Row>(from + i * step + u * kElements) : rows[COUNT - 1];
    if constexpr (COUNT != LANES) {
      // The rows that follow are the next to be laid: their runs are too short for the processor to foresee.
#pragma GCC unroll 16
      for (int i = 0; i < COUNT; i++) __builtin_prefetch(from + (i + COUNT) * step + u * kElements);
    }
    transpose_square<LANES / 2, LANES>(rows);
#pragma GCC unroll 16
    for (int i = 0; i < LANES; i++) store_vector(to + (u + i) * width, rows[i]);
  }
  // The rest as a loop of at most LANES: left to itself, the compiler reasons about rows that end near the last
  // address.
  for (int64_t rest = std::min<int64_t>(units - u, LANES); rest > 0; rest--, u++) {
    typename Multiply<T>::Unit column[COUNT];
    for (int64_t i = 0; i < COUNT; i++) std::memcpy(&column[i], from + i * step + u * kElements, sizeof column[i]);
    std::memcpy(to + u * width, column, sizeof column);
  }
}

// to[u * width + r] = unit u of row r, for rows r < count; rows are `step` elements apart.
template <class T>
void transpose_rows(const T* from, int64_t step, int64_t count, int64_t units, typename Multiply<T>::Unit* to,
                    int64_t width) {
  using Unit = typename Multiply<T>::Unit;
  int64_t r = 0;
  if constexpr (sizeof(Unit) == 4) {
    constexpr int kLanes = NODEGRAD_VECTOR_BYTES / 4;
    for (; r + kLanes <= count; r += kLanes) transpose_band<kLanes>(from + r * step, step, units, to + r, width);
    if constexpr (kRows < kLanes && kRows > 4) {
      if (count == kRows && width == kRows) {
        // Too few units for one square of a vector's lanes may fill one of eight.
        if (kLanes > 8 && units <= kLanes) {
          transpose_band<8, kRows>(from, step, units, to, width);
        } else {
          transpose_band<kLanes, kRows>(from, step, units, to, width);
        }
        return;
      }
    }
    for (; r + 4 <= count; r += 4) transpose_band<4>(from + r * step, step, units, to + r, width);
  }
  for (; r < count; r++)
    for (int64_t u = 0; u < units; u++)
      std::memcpy(to + u * width + r, from + r * step + u * Multiply<T>::kElements, sizeof(Unit));
}

// The same for a depth of `elements`, whose last unit may be half empty.
template <class T>
void transpose_panel(const T* from, int64_t step, int64_t count, int64_t elements, typename Multiply<T>::Unit* to,
                     int64_t width) {
  constexpr int64_t kElements = Multiply<T>::kElements;
  const int64_t units = elements / kElements;
  transpose_rows(from, step, count, units, to, width);
  if constexpr (kElements == 2) {
    if (elements % 2 != 0)
      for (int64_t r = 0; r < count; r++) to[units * width + r] = from[r * step + elements - 1].bits;
  }
}

typedef uint16_t ElementVector __attribute__((vector_size(NODEGRAD_VECTOR_BYTES), may_alias));

// As many pairs as a vector holds elements, by two permutations.
template <int... LANE>
inline void pair_vectors(uint32_t* to, const BFloat16* first, const BFloat16* second,
                         std::integer_sequence<int, LANE...>) {
  constexpr int kCount = sizeof...(LANE);
  const auto a = load_vector<ElementVector>(first), b = load_vector<ElementVector>(second);
  store_vector(to, __builtin_shufflevector(a, b, (LANE / 2 + LANE % 2 * kCount)...));
  store_vector(to + kCount / 2, __builtin_shufflevector(a, b, (kCount / 2 + LANE / 2 + LANE % 2 * kCount)...));
}

// to[i] = the pair of first[i] and second[i] (or zero, where there is none).
inline void pair_run(uint32_t* to, const BFloat16* first, const BFloat16* second, int64_t n) {
  if (second == nullptr) {
    for (int64_t i = 0; i < n; i++) to[i] = first[i].bits;
    return;
  }
  const auto run = [&](auto size) {
    constexpr int kSize = decltype(size)::value;
    const auto block = [&](int64_t i) {
      uint32_t pairs[kSize];
      NODEGRAD_SIMD
      for (int j = 0; j < kSize; j++) pairs[j] = first[i + j].bits | static_cast<uint32_t>(second[i + j].bits) << 16;
      std::memcpy(to + i, pairs, sizeof pairs);
    };
    for (int64_t i = 0; i + kSize <= n; i += kSize) block(i);
    block(n - kSize);
  };
  constexpr int kWide = NODEGRAD_VECTOR_BYTES / 2;
  if (kWide > 16 && n >= kWide) {
    int64_t i = 0;
    for (; i + kWide <= n; i += kWide)
      pair_vectors(to + i, first + i, second + i, std::make_integer_sequence<int, kWide>{});
    if (i < n)
      pair_vectors(to + n - kWide, first + n - kWide, second + n - kWide, std::make_integer_sequence<int, kWide>{});
  } else if (n >= 16) {
    run(std::integral_constant<int, 16>{});
  } else if (n >= 4) {
    run(std::integral_constant<int, 4>{});
  } else {
    for (int64_t i = 0; i < n; i++) to[i] = first[i].bits | static_cast<uint32_t>(second[i].bits) << 16;
  }
}

// Bytes and rows by which a line is asked for before it is laid into panels: where rows are far apart, the processor
// does not foresee the next one. As many lines are on their way as it takes misses at once. Measured.
constexpr int64_t kBytesAhead = 2048, kRowsAhead = 2;

// WIDTH units, each an element or a pair of them; `second` is the pairs' other row, or none.
template <int64_t WIDTH, class T>
inline void interleave_run(const T* first, const T* second, typename Multiply<T>::Unit* to) {
  if constexpr (Multiply<T>::kElements == 2) {
    pair_run(to, first, second, WIDTH);
  } else {
    // Through a variable: the compiler calls a function for copies between places that may overlap.
    T run[WIDTH];
    std::memcpy(run, first, sizeof run);
    std::memcpy(to, run, sizeof run);
  }
}

// Panels of WIDTH columns, one behind the other, as many as hold `count`: in each to[u * WIDTH + j] = unit u of column
// j. Elements of one column are `step` apart. Behind the last column the panel holds any numbers that stand in the
// matrix, or zero.
template <int64_t WIDTH, class T>
void interleave_panels(const T* from, int64_t step, int64_t count, int64_t elements, typename Multiply<T>::Unit* to) {
  constexpr int64_t kElements = Multiply<T>::kElements;
  const int64_t panel = ceil_div(elements, kElements) * WIDTH;
  const int64_t whole = count / WIDTH, rest = count % WIDTH;
  const T* end = from + (elements - 1) * step + count;
  const int64_t rows_ahead = std::max(kRowsAhead, kBytesAhead / (count * static_cast<int64_t>(sizeof(T)))) * kElements;
  for (int64_t p = 0; p < elements; p += kElements, to += WIDTH) {
    const T* row = from + p * step;
    const T* second = p + 1 < elements ? row + step : nullptr;
    const T* ahead = row + std::min(rows_ahead, elements - 1 - p) * step;
    for (int64_t i = 0; i < whole; i++) {
      for (int64_t j = 0; j < WIDTH; j += 64 / static_cast<int64_t>(sizeof(T)))
        __builtin_prefetch(ahead + i * WIDTH + j);
      interleave_run<WIDTH>(row + i * WIDTH, second == nullptr ? second : second + i * WIDTH, to + i * panel);
    }
    if (rest == 0) continue;
    const int64_t at = whole * WIDTH;
    if (p + kElements < elements && end - row - (kElements - 1) * step >= at + WIDTH) {
      interleave_run<WIDTH>(row + at, second + at, to + whole * panel);
      continue;
    }
    for (int64_t j = 0; j < WIDTH; j++) {
      auto& unit = to[whole * panel + j];
      if constexpr (kElements == 2) {
        unit = 0;
        if (j < rest) pair_run(&unit, row + at + j, second == nullptr ? second : second + at + j, 1);
      } else {
        unit = j < rest ? row[at + j] : T{};
      }
    }
  }
}

// Rows that lie `step` apart and run along the depth, or columns that lie side by side and run across it, into panels
// of WIDTH.
template <int64_t WIDTH, class T>
void pack_panels(const T* from, int64_t step, bool along_depth, int64_t count, int64_t elements,
                 typename Multiply<T>::Unit* to) {
  using Unit = typename Multiply<T>::Unit;
  if (!along_depth) {
    interleave_panels<WIDTH>(from, step, count, elements, to);
    return;
  }
  const int64_t panel = ceil_div(elements, Multiply<T>::kElements) * WIDTH;
  for (; count > 0; count -= WIDTH, from += WIDTH * step, to += panel) {
    if (count < WIDTH) std::fill_n(to, panel, Unit{});
    transpose_panel(from, step, std::min(WIDTH, count), elements, to, WIDTH);
  }
}

}  // namespace nodegrad::NODEGRAD_LEVEL
