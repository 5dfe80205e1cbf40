// CRC-32C (Castagnoli), the checksum of TensorBoard's records and of the code cache. Knows neither format.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nodegrad {

// Of `size` bytes, continued from `previous`, which is 0 at first.
uint32_t crc32c(const uint8_t* bytes, size_t size, uint32_t previous);

}  // namespace nodegrad
