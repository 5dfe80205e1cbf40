// 16-bit floating types in kernels that compute in float: the type that an element type is computed in, rows widened and narrowed, and
// elements as bits where they are only moved. Included by vectorised families only.
#pragma once

#include <cstdint>
#include <type_traits>

#include "../runtime/dtype.h"
#include "../runtime/simd.h"

namespace nodegrad::NODEGRAD_LEVEL {

template <class T>
constexpr bool is_half = std::is_same_v<T, BFloat16> || std::is_same_v<T, Float16>;

// The type that elements of T are computed in.
template <class T>
using Wide = std::conditional_t<is_half<T>, float, T>;

// The type of T's bits, where elements are moved: that of T itself unless T has 16 bits.
template <class T>
using Bits = std::conditional_t<is_half<T>, uint16_t, T>;
template <class T>
inline Bits<T>* bits(T* x) {
  return reinterpret_cast<Bits<T>*>(x);
}
template <class T>
inline const Bits<T>* bits(const T* x) {
  return reinterpret_cast<const Bits<T>*>(x);
}

template <class T>
inline void widen(const T* from, Wide<T>* to, int64_t n) {
  NODEGRAD_SIMD
  for (int64_t i = 0; i < n; i++) to[i] = static_cast<Wide<T>>(from[i]);
}
template <class T>
inline void narrow(const Wide<T>* from, T* to, int64_t n) {
  NODEGRAD_SIMD
  for (int64_t i = 0; i < n; i++) to[i] = T(from[i]);
}

}  // namespace nodegrad::NODEGRAD_LEVEL
