// Lays rows of a matrix into panels of units as micro-kernels read them: rows that run along the depth are transposed, rows that run
// across it are interleaved.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "micro_kernel.h"

namespace nodegrad::NODEGRAD_LEVEL {

// to[u * width + r] = unit u of row r, for rows r < count; rows are `step` elements apart. Rows up to the next multiple of four may be
// written with what stands there; `width` has room for them.
template <class T>
void transpose_rows(const T* from, int64_t step, int64_t count, int64_t units, typename Multiply<T>::Unit* to, int64_t width) {
  using Unit = typename Multiply<T>::Unit;
  constexpr int64_t kElements = Multiply<T>::kElements;
  int64_t r = 0;
  if constexpr (sizeof(Unit) == 4) {
    typedef uint32_t Quad __attribute__((vector_size(16), may_alias));
    for (; r + 4 <= count; r += 4) {
      const T* row = from + r * step;
      int64_t u = 0;
      for (; u + 4 <= units; u += 4) {
        const Quad a = load<Quad>(row + u * kElements);
        const Quad b = load<Quad>(row + step + u * kElements);
        const Quad c = load<Quad>(row + 2 * step + u * kElements);
        const Quad d = load<Quad>(row + 3 * step + u * kElements);
        const Quad low_ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), high_ab = __builtin_shufflevector(a, b, 2, 6, 3, 7);
        const Quad low_cd = __builtin_shufflevector(c, d, 0, 4, 1, 5), high_cd = __builtin_shufflevector(c, d, 2, 6, 3, 7);
        const auto put = [&](int64_t i, Quad value) { store(to + (u + i) * width + r, value); };
        put(0, __builtin_shufflevector(low_ab, low_cd, 0, 1, 4, 5));
        put(1, __builtin_shufflevector(low_ab, low_cd, 2, 3, 6, 7));
        put(2, __builtin_shufflevector(high_ab, high_cd, 0, 1, 4, 5));
        put(3, __builtin_shufflevector(high_ab, high_cd, 2, 3, 6, 7));
      }
      // The rest as a loop of at most three: left to itself, the compiler reasons about rows that end near the last address.
      for (int64_t rest = (units - u) & 3; rest > 0; rest--, u++) {
        Unit four[4];
        for (int64_t i = 0; i < 4; i++) std::memcpy(&four[i], row + i * step + u * kElements, sizeof(Unit));
        std::memcpy(to + u * width + r, four, sizeof four);
      }
    }
  }
  for (; r < count; r++)
    for (int64_t u = 0; u < units; u++) std::memcpy(to + u * width + r, from + r * step + u * kElements, sizeof(Unit));
}

// The same for a depth of `elements`, whose last unit may be half empty.
template <class T>
void transpose_panel(const T* from, int64_t step, int64_t count, int64_t elements, typename Multiply<T>::Unit* to, int64_t width) {
  constexpr int64_t kElements = Multiply<T>::kElements;
  const int64_t units = elements / kElements;
  transpose_rows(from, step, count, units, to, width);
  if constexpr (kElements == 2) {
    if (elements % 2 != 0)
      for (int64_t r = 0; r < count; r++) to[units * width + r] = from[r * step + elements - 1].bits;
  }
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
  if (n >= 16) {
    run(std::integral_constant<int, 16>{});
  } else if (n >= 4) {
    run(std::integral_constant<int, 4>{});
  } else {
    for (int64_t i = 0; i < n; i++) to[i] = first[i].bits | static_cast<uint32_t>(second[i].bits) << 16;
  }
}

// to[u * width + j] = unit u of column j, for j < count; elements of one column are `step` apart.
template <class T>
void interleave_panel(const T* from, int64_t step, int64_t count, int64_t elements, typename Multiply<T>::Unit* to, int64_t width) {
  if constexpr (Multiply<T>::kElements == 2) {
    for (int64_t p = 0; p < elements; p += 2, to += width) {
      const T* low = from + p * step;
      pair_run(to, low, p + 1 < elements ? low + step : nullptr, count);
    }
  } else {
    for (int64_t p = 0; p < elements; p++) std::copy_n(from + p * step, count, to + p * width);
  }
}

}  // namespace nodegrad::NODEGRAD_LEVEL
