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

#if defined(__x86_64__)
#define NODEGRAD_CRC32C __attribute__((target("sse4.2")))
NODEGRAD_CRC32C inline uint32_t step(uint32_t c, uint64_t word) {
  return static_cast<uint32_t>(_mm_crc32_u64(c, word));
}
NODEGRAD_CRC32C inline uint32_t step(uint32_t c, uint8_t byte) { return _mm_crc32_u8(c, byte); }
bool has_instruction() { return __builtin_cpu_supports("sse4.2") != 0; }
#elif defined(__ARM_FEATURE_CRC32)
#define NODEGRAD_CRC32C
inline uint32_t step(uint32_t c, uint64_t word) { return __crc32cd(c, word); }
inline uint32_t step(uint32_t c, uint8_t byte) { return __crc32cb(c, byte); }
bool has_instruction() { return true; }
#endif

#if defined(NODEGRAD_CRC32C)
// Eight bytes to an instruction, then one by one.
NODEGRAD_CRC32C uint32_t by_instruction(const uint8_t* bytes, size_t size, uint32_t c) {
  for (; size >= sizeof(uint64_t); bytes += sizeof(uint64_t), size -= sizeof(uint64_t)) {
    uint64_t word;
    std::memcpy(&word, bytes, sizeof(word));
    c = step(c, word);
  }
  for (; size > 0; bytes++, size--) c = step(c, *bytes);
  return c;
}
#endif

}  // namespace

uint32_t crc32c(const uint8_t* bytes, size_t size, uint32_t previous) {
#if defined(NODEGRAD_CRC32C)
  if (has_instruction()) return ~by_instruction(bytes, size, ~previous);
#endif
  return ~by_table(bytes, size, ~previous);
}

}  // namespace nodegrad
