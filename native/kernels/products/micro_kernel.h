// The inner loop of convolutions and of bfloat16 products: a tile of kRows x kCols sums that stays in registers while
// it runs along the depth. Written with the compiler's vector types, so one source serves every SIMD level. It knows
// nothing of shapes.
//
// The depth is counted in units: one element for float and double, a pair of neighbours for BFloat16, whose products
// are summed in float32 (by one instruction where the processor has AVX512_BF16).
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__AVX512BF16__)
#include <immintrin.h>
#endif

#include "../../runtime/dtype.h"
#include "../../runtime/simd.h"

namespace nodegrad::NODEGRAD_LEVEL {

#if defined(__AVX512F__)
#define NODEGRAD_VECTOR_BYTES 64
constexpr int kRows = 8;
#elif defined(__AVX2__)
#define NODEGRAD_VECTOR_BYTES 32
constexpr int kRows = 6;
#else
#define NODEGRAD_VECTOR_BYTES 16
constexpr int kRows = 4;
#endif
typedef float FloatVector __attribute__((vector_size(NODEGRAD_VECTOR_BYTES), may_alias));
typedef uint32_t PairVector __attribute__((vector_size(NODEGRAD_VECTOR_BYTES), may_alias));

// How elements of T are multiplied: what a unit of depth is, what sums are held in, and sum + unit * vector of units.
template <class T>
struct Multiply;
template <class E>
struct MultiplyElements {
  using Unit = E;
  using Sum = E;
  typedef E Units __attribute__((vector_size(NODEGRAD_VECTOR_BYTES)));
  using Sums = Units;
  static constexpr int kElements = 1;
  static Sums add(Sums sum, Unit a, Units b) { return sum + a * b; }
};
template <>
struct Multiply<float> : MultiplyElements<float> {};
template <>
struct Multiply<double> : MultiplyElements<double> {};
template <>
struct Multiply<BFloat16> {
  using Unit = uint32_t;  // the earlier element in the low half
  using Sum = float;
  using Units = PairVector;
  using Sums = FloatVector;
  static constexpr int kElements = 2;
#if defined(__AVX512BF16__)
  static Sums add(Sums sum, Unit a, Units b) {
    return (Sums)_mm512_dpbf16_ps((__m512)sum, (__m512bh)_mm512_set1_epi32(static_cast<int>(a)), (__m512bh)b);
  }
#else
  static float widened(uint32_t bits) {
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }
  static Sums add(Sums sum, Unit a, Units b) {
    sum += widened(a << 16) * (Sums)(b << 16);
    return sum + widened(a & 0xffff0000u) * (Sums)(b & 0xffff0000u);
  }
#endif
};

// Vectors in memory are aligned as their elements are.
template <class V, class E>
inline V load_vector(const E* from) {
  V value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
template <class V, class E>
inline void store_vector(E* to, V value) {
  std::memcpy(to, &value, sizeof value);
}

// The lanes of `low`, then those of `high`.
template <class Whole, class Part>
inline Whole joined(Part low, Part high) {
  constexpr int kLanes = static_cast<int>(sizeof(Part) / sizeof(low[0]));
  if constexpr (kLanes == 8) {
    return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  } else if constexpr (kLanes == 4) {
    return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7);
  } else {
    static_assert(kLanes == 2, "a part has two, four or eight lanes");
    return __builtin_shufflevector(low, high, 0, 1, 2, 3);
  }
}

// Vectors a tile is wide, and its columns.
constexpr int kVectors = 2;
template <class T>
constexpr int kCols = kVectors * NODEGRAD_VECTOR_BYTES / static_cast<int>(sizeof(typename Multiply<T>::Sum));

// Where the right operand's vectors stand: in a panel of kCols units a step of depth, or in a window where step p is
// `offsets[p]` away from the places of the tile's vectors.
template <class T>
struct Panel {
  const typename Multiply<T>::Unit* units;
  template <int LANES>
  typename Multiply<T>::Units at(int64_t p, int j) const {
    return load_vector<typename Multiply<T>::Units>(units + p * kCols<T> + j * LANES);
  }
};
// A vector of a window is whole, or PIECES runs of neighbours from as many places.
template <class T, int PIECES>
struct Places {
  const typename Multiply<T>::Unit* base[kVectors * PIECES];
  const int32_t* offsets;
  template <int LANES>
  typename Multiply<T>::Units at(int64_t p, int j) const {
    using Unit = typename Multiply<T>::Unit;
    using Whole = typename Multiply<T>::Units;
    const int64_t offset = offsets[p];
    if constexpr (PIECES == 1) {
      return load_vector<Whole>(base[j] + offset);
    } else {
      typedef Unit Part __attribute__((vector_size(NODEGRAD_VECTOR_BYTES / PIECES)));
      const auto part = [&](int i) { return load_vector<Part>(base[j * PIECES + i] + offset); };
      if constexpr (PIECES == 2) {
        return joined<Whole>(part(0), part(1));
      } else {
        typedef Unit Half __attribute__((vector_size(NODEGRAD_VECTOR_BYTES / 2)));
        return joined<Whole>(joined<Half>(part(0), part(1)), joined<Half>(part(2), part(3)));
      }
    }
  }
};

// Where the left operand's rows stand: kRows of them side by side a step of depth, each along a place of its own, or
// along places at equal distances.
template <class T>
struct PackedRows {
  const typename Multiply<T>::Unit* units;
  typename Multiply<T>::Unit at(int64_t p, int i) const { return units[p * kRows + i]; }
  void advance() {}
};
template <class T>
struct RowPlaces {
  const T* base[kRows];
  typename Multiply<T>::Unit at(int64_t p, int i) const {
    return load_vector<typename Multiply<T>::Unit>(base[i] + p * Multiply<T>::kElements);
  }
  void advance() {}
};
// Rows across which the depth runs: its step p is the line of their matrix that begins at first + p * step.
template <class T>
struct LinePlaces {
  const T* first;
  int64_t step;
  typename Multiply<T>::Unit at(int64_t p, int i) const { return first[p * step + i]; }
  void advance() {}
};
// An address and a multiple of the distance reach three rows, so that the places of all stay in registers.
template <class T>
struct EvenRows {
  static constexpr int kReached = 3, kPlaces = (kRows + kReached - 1) / kReached;
  const char* base[kPlaces];
  int64_t step;  // bytes from a row to the next one

  EvenRows(const T* first, int64_t elements) : step(elements * static_cast<int64_t>(sizeof(T))) {
    for (int i = 0; i < kPlaces; i++) base[i] = reinterpret_cast<const char*>(first) + i * kReached * step;
  }
  typename Multiply<T>::Unit at(int64_t, int i) const {
    typename Multiply<T>::Unit unit;
    std::memcpy(&unit, base[i / kReached] + i % kReached * step, sizeof unit);
    return unit;
  }
  void advance() {
    for (int i = 0; i < kPlaces; i++) {
      base[i] += sizeof(typename Multiply<T>::Unit);
      // The compiler would keep one counter, and add it to the address of every row.
      __asm__("" : "+r"(base[i]));
    }
  }
};

// Units of depth that are multiplied at a time: kCols columns of them fill a first-level cache.
constexpr int64_t kDepth = 256;

// Steps of depth as they follow each other in the right operand: `runs` of `length`. The left operand's runs begin
// `pitch` elements apart.
struct Depth {
  int64_t length, runs = 1, pitch = 0;
};

// Where a left operand's next run begins.
template <class T>
PackedRows<T> moved(const PackedRows<T>& left, const Depth&) {
  return left;
}
template <class T>
LinePlaces<T> moved(const LinePlaces<T>& left, const Depth&) {
  return left;
}
template <class T>
RowPlaces<T> moved(RowPlaces<T> left, const Depth& depth) {
  for (int i = 0; i < kRows; i++) left.base[i] += depth.pitch;
  return left;
}
// These have come to the run's end. The run after the next one is asked for: the processor does not foresee such jumps.
template <class T>
EvenRows<T> moved(EvenRows<T> left, const Depth& depth) {
  if (depth.runs == 1) return left;
  const int64_t pitch = depth.pitch * static_cast<int64_t>(sizeof(T));
  const int64_t to_next = pitch - depth.length * static_cast<int64_t>(sizeof(typename Multiply<T>::Unit));
  for (int i = 0; i < EvenRows<T>::kPlaces; i++) left.base[i] += to_next;
  for (int64_t at = 0; at < kRows * left.step; at += 64) __builtin_prefetch(left.base[0] + pitch + at);
  return left;
}

// What a tile's sums are added to: rows of numbers `step` apart (one for all rows, where that is 0), or a number for
// each row, or nothing.
template <class Sum>
struct Addend {
  const Sum* first = nullptr;
  int64_t step = 0;
  const Sum* each_row = nullptr;

  Addend at(int64_t i, int64_t j) const {
    return {first == nullptr ? nullptr : first + i * step + j, step, each_row == nullptr ? nullptr : each_row + i};
  }
  Sum operator()(int64_t i, int64_t j) const {
    return first != nullptr ? first[i * step + j] : each_row != nullptr ? each_row[i] : Sum{0};
  }
};
// What C holds, or nothing.
template <class Sum>
inline Addend<Sum> kept(bool keep, const Sum* c, int64_t ldc) {
  return keep ? Addend<Sum>{c, ldc} : Addend<Sum>{};
}

// c[i * ldc + j] = added[i][j] + the sum over p of a[i][p] b[p][j], for i < ROWS and j < VECTORS vectors.
template <class T, int ROWS, int VECTORS, class Left, class Right>
inline void micro_kernel(const Depth& depth, Left a, const Right& b, typename Multiply<T>::Sum* c, int64_t ldc,
                         const Addend<typename Multiply<T>::Sum>& added) {
  using M = Multiply<T>;
  constexpr int kLanes = NODEGRAD_VECTOR_BYTES / static_cast<int>(sizeof(typename M::Sum));
  typename M::Sums sums[ROWS][VECTORS];
#pragma GCC unroll 8
  for (int i = 0; i < ROWS; i++) {
#pragma GCC unroll 2
    for (int j = 0; j < VECTORS; j++) sums[i][j] = typename M::Sums{};
  }
  // Asked for now, so that they are there when the sums are.
#pragma GCC unroll 8
  for (int i = 0; i < ROWS; i++) {
#pragma GCC unroll 2
    for (int j = 0; j < VECTORS; j++) __builtin_prefetch(c + i * ldc + j * kLanes, 1);
  }
  int64_t step = 0;
  for (int64_t run = 0; run < depth.runs; run++) {
#pragma GCC unroll 2
    for (int64_t p = 0; p < depth.length; p++, step++) {
      typename M::Units right[VECTORS];
#pragma GCC unroll 2
      for (int j = 0; j < VECTORS; j++) right[j] = b.template at<kLanes>(step, j);
#pragma GCC unroll 8
      for (int i = 0; i < ROWS; i++) {
        const typename M::Unit left = a.at(p, i);
#pragma GCC unroll 2
        for (int j = 0; j < VECTORS; j++) sums[i][j] = M::add(sums[i][j], left, right[j]);
      }
      a.advance();
    }
    a = moved(a, depth);
  }
#pragma GCC unroll 8
  for (int i = 0; i < ROWS; i++) {
#pragma GCC unroll 2
    for (int j = 0; j < VECTORS; j++) {
      if (added.first != nullptr) {
        sums[i][j] += load_vector<typename M::Sums>(added.first + i * added.step + j * kLanes);
      } else if (added.each_row != nullptr) {
        sums[i][j] += added.each_row[i];
      }
      store_vector(c + i * ldc + j * kLanes, sums[i][j]);
    }
  }
}

// The same for a tile of which only rows x cols are wanted: the rest is computed and dropped.
template <class T, int ROWS, int VECTORS, class Left, class Right>
inline void part_of_tile(const Depth& depth, const Left& a, const Right& b, typename Multiply<T>::Sum* c, int64_t ldc,
                         int64_t rows, int64_t cols, const Addend<typename Multiply<T>::Sum>& added) {
  using Sum = typename Multiply<T>::Sum;
  if (rows == ROWS && cols == kCols<T> / kVectors * VECTORS) {
    micro_kernel<T, ROWS, VECTORS>(depth, a, b, c, ldc, added);
    return;
  }
  alignas(64) Sum tile[ROWS * kCols<T>];
  micro_kernel<T, ROWS, VECTORS>(depth, a, b, tile, kCols<T>, {});
  for (int64_t i = 0; i < rows; i++) {
    Sum* to = c + i * ldc;
    const Sum* from = tile + i * kCols<T>;
    for (int64_t j = 0; j < cols; j++) to[j] = from[j] + added(i, j);
  }
}

// Rows up to which a smaller kernel computes them: that many sums still hide each other's latency.
constexpr int kFewRows = 4;
static_assert(kFewRows <= kRows);

// A tile of rows x cols by the least kernel that holds it.
template <class T, int VECTORS, class Left, class Right>
inline void partial_tile(const Depth& depth, const Left& a, const Right& b, typename Multiply<T>::Sum* c, int64_t ldc,
                         int64_t rows, int64_t cols, const Addend<typename Multiply<T>::Sum>& added) {
  if (rows <= kFewRows) {
    part_of_tile<T, kFewRows, VECTORS>(depth, a, b, c, ldc, rows, cols, added);
  } else if (VECTORS == 2 && cols <= kCols<T> / kVectors) {
    part_of_tile<T, kRows, 1>(depth, a, b, c, ldc, rows, cols, added);
  } else {
    part_of_tile<T, kRows, VECTORS>(depth, a, b, c, ldc, rows, cols, added);
  }
}

}  // namespace nodegrad::NODEGRAD_LEVEL
