// Rows of an image as vectors of neighbouring tiles, a vector for each pixel of a tile's row, and back.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "winograd_tiles.h"

namespace nodegrad::NODEGRAD_LEVEL {

template <class T>
struct WinogradRows;

// Tiles of two pixels.
template <>
struct WinogradRows<float> {
  static constexpr int kLanes = WinogradTiles<float>::kLanes;
  // Elements from a vector's first tile on that `split` reads.
  static constexpr int64_t kReach = 2 * kLanes + 2;

  // Pixel j of kLanes tiles to to[j].
  static void split(const float* pixels, FloatVector* to) {
    deinterleave(pixels, to, std::make_integer_sequence<int, kLanes>{});
    deinterleave(pixels + 2, to + 2, std::make_integer_sequence<int, kLanes>{});
  }
  // Two pixels of each of kLanes tiles, along the row.
  static void merge(const FloatVector* of, float* to) {
    interleave(of[0], of[1], to, std::make_integer_sequence<int, kLanes>{});
  }

 private:
  template <int... LANE>
  static void deinterleave(const float* from, FloatVector* to, std::integer_sequence<int, LANE...>) {
    const auto a = load_vector<FloatVector>(from), b = load_vector<FloatVector>(from + kLanes);
    to[0] = __builtin_shufflevector(a, b, 2 * LANE...);
    to[1] = __builtin_shufflevector(a, b, (2 * LANE + 1)...);
  }
  template <int... LANE>
  static void interleave(FloatVector even, FloatVector odd, float* to, std::integer_sequence<int, LANE...>) {
    store_vector(to, __builtin_shufflevector(even, odd, (LANE / 2 + LANE % 2 * kLanes)...));
    store_vector(to + kLanes, __builtin_shufflevector(even, odd, ((LANE + kLanes) / 2 + LANE % 2 * kLanes)...));
  }
};

// Tiles of four pixels.
template <>
struct WinogradRows<BFloat16> {
  static constexpr int kLanes = WinogradTiles<BFloat16>::kLanes;
  static constexpr int64_t kReach = 4 * kLanes + 4;

  static void split(const BFloat16* pixels, FloatVector* to) {
    using Lanes = std::make_integer_sequence<int, 2 * kLanes>;
    put_pair(every_fourth<0>(pixels, Lanes{}), to);
    put_pair(every_fourth<2>(pixels, Lanes{}), to + 2);
    put_pair(every_fourth<0>(pixels + 4, Lanes{}), to + 4);
  }
  static void merge(const FloatVector* of, BFloat16* to) {
    merge_halves(both_rounded(of[0], of[1]), both_rounded(of[2], of[3]), to,
                 std::make_integer_sequence<int, 2 * kLanes>{});
  }

 private:
  typedef uint16_t Half __attribute__((vector_size(NODEGRAD_VECTOR_BYTES / 2)));

  // Elements 4 t + FIRST for all tiles t, then 4 t + FIRST + 1.
  template <int FIRST, int... LANE>
  static ElementVector every_fourth(const BFloat16* from, std::integer_sequence<int, LANE...>) {
    const auto a = load_vector<ElementVector>(from), b = load_vector<ElementVector>(from + 2 * kLanes);
    return __builtin_shufflevector(a, b, (4 * (LANE % kLanes) + LANE / kLanes + FIRST)...);
  }
  static void put_pair(ElementVector pair, FloatVector* to) {
    Half halves[2];
    std::memcpy(halves, &pair, sizeof halves);
    for (int i = 0; i < 2; i++)
      to[i] = reinterpret_cast<FloatVector>(__builtin_convertvector(halves[i], PairVector) << 16);
  }
  // Rounded to nearest even.
#if defined(__AVX512BF16__)
  static ElementVector both_rounded(FloatVector low, FloatVector high) {
    return (ElementVector)_mm512_cvtne2ps_pbh((__m512)high, (__m512)low);
  }
#else
  static ElementVector both_rounded(FloatVector low, FloatVector high) {
    const FloatVector both[2] = {low, high};
    float pixels[2 * kLanes];
    BFloat16 halves[2 * kLanes];
    std::memcpy(pixels, both, sizeof pixels);
    convert_run(halves, pixels, 2 * kLanes);
    return load_vector<ElementVector>(halves);
  }
#endif
  // `low` holds pixels 0 and 1 of all tiles, `high` pixels 2 and 3.
  template <int... LANE>
  static void merge_halves(ElementVector low, ElementVector high, BFloat16* to, std::integer_sequence<int, LANE...>) {
    constexpr int kTiles = kLanes / 2;
    store_vector(to, __builtin_shufflevector(low, high, (LANE % 4 / 2 * 2 * kLanes + LANE % 2 * kLanes + LANE / 4)...));
    store_vector(
        to + 2 * kLanes,
        __builtin_shufflevector(low, high, (LANE % 4 / 2 * 2 * kLanes + LANE % 2 * kLanes + LANE / 4 + kTiles)...));
  }
};

}  // namespace nodegrad::NODEGRAD_LEVEL
