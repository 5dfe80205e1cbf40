// 16-bit floating types in kernels that compute in float: the type that an element type is computed in, dense runs of
// elements in that type, and elements as bits where they are only moved. Included by vectorised families only.
#pragma once

#include <cstdint>
#include <type_traits>

#include "../../runtime/dtype.h"
#include "../../runtime/simd.h"
#include "halves.h"
#include "pack.h"

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

// n elements in the type of the computation: where they are, or widened into `buffer`.
template <class T>
inline const Wide<T>* widened(const T* from, int64_t n, Wide<T>* buffer) {
  if constexpr (is_half<T>) {
    widen(from, buffer, n);
    return buffer;
  } else {
    (void)n;
    (void)buffer;
    return from;
  }
}
// Where n results go that become elements at `to`: there, or in `buffer`, from which `narrowed` takes them.
template <class T>
inline Wide<T>* target(T* to, Wide<T>* buffer) {
  if constexpr (is_half<T>) {
    (void)to;
    return buffer;
  } else {
    (void)buffer;
    return to;
  }
}
template <class T>
inline void narrowed(const Wide<T>* results, T* to, int64_t n) {
  if constexpr (is_half<T>) {
    narrow(results, to, n);
  } else {
    (void)results;
    (void)to;
    (void)n;
  }
}

// Copies a short run.
template <class T>
inline void copy_run(const T* from, T* to, int64_t n) {
  int64_t i = 0;
  for (; i + kLanes<T> <= n; i += kLanes<T>) store(to + i, load(from + i));
  for (; i < n; i++) to[i] = from[i];
}

}  // namespace nodegrad::NODEGRAD_LEVEL
