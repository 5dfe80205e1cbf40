// Workspace of a kernel: uninitialised memory, aligned to a cache line, for the length of a scope.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace nodegrad {

// Memory for `count` elements of T for the caller's scope, 64-byte aligned, uninitialised. Scratches of one thread
// nest.
//
// Aligned here, not by the library's aligned allocation: glibc looks for room for the alignment as well and trims it
// off again, so that what it gave back does not hold the same request a second time, and a kernel's workspace moved on
// through fresh pages at every call.
template <class T>
class Scratch {
 public:
  explicit Scratch(int64_t count) {
    constexpr size_t kLine = 64;
    const size_t bytes = static_cast<size_t>(count > 0 ? count : 1) * sizeof(T);
    size_t space = bytes + kLine - 1;
    memory_.reset(std::malloc(space));
    if (memory_ == nullptr) throw std::bad_alloc();
    void* begin = memory_.get();
    begin_ = static_cast<T*>(std::align(kLine, bytes, begin, space));
  }
  T* get() const { return begin_; }
  T& operator[](int64_t i) const { return begin_[i]; }

 private:
  struct Free {
    void operator()(void* p) const { std::free(p); }
  };
  std::unique_ptr<void, Free> memory_;
  T* begin_;
};

}  // namespace nodegrad
