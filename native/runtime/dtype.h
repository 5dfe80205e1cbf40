// Element types: the codes that lib/storage/dtype.ts shares, and the 16-bit floating types as C++ types.
// Knows nothing of JavaScript and nothing of kernels.
#pragma once

#include <cstdint>
#include <cstring>

namespace nodegrad {

enum class DType : int { Float32 = 0, Float64, Int64, Int32, Int16, Int8, UInt8, Bool, BFloat16, Float16, Count };

// The upper half of a float32, rounded to nearest even.
struct BFloat16 {
  uint16_t bits;
  BFloat16() = default;
  explicit BFloat16(float value) {
    uint32_t u;
    std::memcpy(&u, &value, 4);
    bits = (u & 0x7fffffffu) > 0x7f800000u ? uint16_t{0x7fc0}
                                           : static_cast<uint16_t>((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
  }
  operator float() const {
    const uint32_t u = static_cast<uint32_t>(bits) << 16;
    float value;
    std::memcpy(&value, &u, 4);
    return value;
  }
};

// IEEE 754 binary16, rounded to nearest even.
struct Float16 {
  uint16_t bits;
  Float16() = default;
  explicit Float16(float value) {
    uint32_t u;
    std::memcpy(&u, &value, 4);
    const uint32_t sign = (u >> 16) & 0x8000u;
    u &= 0x7fffffffu;
    uint32_t half;
    if (u > 0x7f800000u) {
      half = 0x7e00u;
    } else if (u >= 0x477ff000u) {  // 65520 and above round to infinity
      half = 0x7c00u;
    } else if (u < 0x38800000u) {  // below the smallest normal: adding 0.5 lets the adder round the subnormal
      float f;
      std::memcpy(&f, &u, 4);
      f += 0.5f;
      std::memcpy(&u, &f, 4);
      half = u - 0x3f000000u;
    } else {
      half = (u - 0x38000000u + 0xfffu + ((u >> 13) & 1u)) >> 13;
    }
    bits = static_cast<uint16_t>(half | sign);
  }
  operator float() const {
    const uint32_t sign = static_cast<uint32_t>(bits & 0x8000u) << 16;
    uint32_t u = static_cast<uint32_t>(bits & 0x7fffu) << 13;
    if (u >= 0x0f800000u) {
      u += 0x70000000u;  // infinity and NaN
    } else if (u >= 0x00800000u) {
      u += 0x38000000u;
    } else {  // subnormal or zero
      u += 0x38800000u;
      float f;
      std::memcpy(&f, &u, 4);
      f -= 6.103515625e-05f;
      std::memcpy(&u, &f, 4);
    }
    u |= sign;
    float value;
    std::memcpy(&value, &u, 4);
    return value;
  }
};

// A byte that holds 0 or 1; its own type, so that kernels can tell it from uint8.
struct Bool {
  uint8_t byte;
  Bool() = default;
  explicit Bool(bool value) : byte(value ? 1 : 0) {}
  operator bool() const { return byte != 0; }
};

template <class T>
struct DTypeOf;
template <>
struct DTypeOf<float> {
  static constexpr DType value = DType::Float32;
};
template <>
struct DTypeOf<double> {
  static constexpr DType value = DType::Float64;
};
template <>
struct DTypeOf<int64_t> {
  static constexpr DType value = DType::Int64;
};
template <>
struct DTypeOf<int32_t> {
  static constexpr DType value = DType::Int32;
};
template <>
struct DTypeOf<int16_t> {
  static constexpr DType value = DType::Int16;
};
template <>
struct DTypeOf<int8_t> {
  static constexpr DType value = DType::Int8;
};
template <>
struct DTypeOf<uint8_t> {
  static constexpr DType value = DType::UInt8;
};
template <>
struct DTypeOf<Bool> {
  static constexpr DType value = DType::Bool;
};
template <>
struct DTypeOf<BFloat16> {
  static constexpr DType value = DType::BFloat16;
};
template <>
struct DTypeOf<Float16> {
  static constexpr DType value = DType::Float16;
};

}  // namespace nodegrad
