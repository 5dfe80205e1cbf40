#include "halves.h"

#include <cstring>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "../../runtime/simd.h"

namespace nodegrad::NODEGRAD_LEVEL {

void widen(const BFloat16* from, float* to, int64_t n) {
  NODEGRAD_SIMD
  for (int64_t i = 0; i < n; i++) {
    const uint32_t u = static_cast<uint32_t>(from[i].bits) << 16;
    std::memcpy(to + i, &u, 4);
  }
}

void narrow(const float* from, BFloat16* to, int64_t n) {
  NODEGRAD_SIMD
  for (int64_t i = 0; i < n; i++) {
    uint32_t u;
    std::memcpy(&u, from + i, 4);
    const uint32_t rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
    to[i].bits = static_cast<uint16_t>(from[i] == from[i] ? rounded : 0x7fc0u);
  }
}

// The processor's own conversions where the level has them (F16C is part of both).
void widen(const Float16* from, float* to, int64_t n) {
  int64_t i = 0;
#if defined(__AVX2__)
  for (; i + 8 <= n; i += 8)
    _mm256_storeu_ps(to + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i))));
#endif
  for (; i < n; i++) to[i] = from[i];
}

void narrow(const float* from, Float16* to, int64_t n) {
  int64_t i = 0;
#if defined(__AVX2__)
  for (; i + 8 <= n; i += 8) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i),
                     _mm256_cvtps_ph(_mm256_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  }
#endif
  for (; i < n; i++) to[i] = Float16(from[i]);
}

}  // namespace nodegrad::NODEGRAD_LEVEL
