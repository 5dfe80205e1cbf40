#include "crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#endif

namespace nodegrad {
namespace {

std::array<uint32_t, 256> make_table() {
  std::array<uint32_t, 256> table;
  for (uint32_t n = 0; n < 256; n++) {
    uint32_t c = n;
    for (int bit = 0; bit < 8; bit++) c = (c & 1) != 0 ? (c >> 1) ^ 0x82f63b78u : c >> 1;
    table[n] = c;
  }
  return table;
}

uint32_t by_table(const uint8_t* bytes, size_t size, uint32_t c) {
  static const std::array<uint32_t, 256> table = make_table();
  for (size_t i = 0; i < size; i++) c = (c >> 8) ^ table[(c ^ bytes[i]) & 255];
  return c;
}

// Eight bytes to an instruction, then one by one.
#if defined(__x86_64__)
__attribute__((target("sse4.2"))) uint32_t by_instruction(const uint8_t* bytes, size_t size, uint32_t start) {
  uint64_t c = start;
  for (; size >= sizeof(uint64_t); bytes += sizeof(uint64_t), size -= sizeof(uint64_t)) {
    uint64_t word;
    std::memcpy(&word, bytes, sizeof(word));
    c = _mm_crc32_u64(c, word);
  }
  auto rest = static_cast<uint32_t>(c);
  for (; size > 0; bytes++, size--) rest = _mm_crc32_u8(rest, *bytes);
  return rest;
}
#elif defined(__ARM_FEATURE_CRC32)
uint32_t by_instruction(const uint8_t* bytes, size_t size, uint32_t c) {
  for (; size >= sizeof(uint64_t); bytes += sizeof(uint64_t), size -= sizeof(uint64_t)) {
    uint64_t word;
    std::memcpy(&word, bytes, sizeof(word));
    c = __crc32cd(c, word);
  }
  for (; size > 0; bytes++, size--) c = __crc32cb(c, *bytes);
  return c;
}
#endif

}  // namespace

uint32_t crc32c(const uint8_t* bytes, size_t size, uint32_t previous) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2") != 0) return ~by_instruction(bytes, size, ~previous);
#elif defined(__ARM_FEATURE_CRC32)
  return ~by_instruction(bytes, size, ~previous);
#endif
  return ~by_table(bytes, size, ~previous);
}

}  // namespace nodegrad
