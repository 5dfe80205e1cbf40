// Borrowed memory as kernels see it: a pointer, a length in elements, and the check that an access stays inside.
// Whoever calls the kernel keeps the memory alive for the call.
#pragma once

#include <cstdint>
#include <stdexcept>

namespace nodegrad {

template <class T>
struct Slice {
  T* data;
  int64_t size;

  // The pointer, once it is known that `count` elements can be reached; throws instead of reading past the end.
  T* at_least(int64_t count) const {
    if (count < 0 || count > size) throw std::out_of_range("a buffer is shorter than the kernel needs");
    return data;
  }
};

// Throws where a kernel's own precondition on memory does not hold; lib/ has already told the user of any mistake.
inline void require(bool condition, const char* what) {
  if (!condition) throw std::invalid_argument(what);
}

}  // namespace nodegrad
