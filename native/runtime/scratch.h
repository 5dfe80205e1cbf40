// Workspace of a kernel: uninitialised memory, aligned to a cache line, for the length of a scope.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace nodegrad {

// Memory for `count` elements of T for the caller's scope, 64-byte aligned, uninitialised. Scratches of one thread nest.
template <class T>
class Scratch {
 public:
  explicit Scratch(int64_t count)
      : memory_(static_cast<T*>(::operator new(static_cast<size_t>(count > 0 ? count : 1) * sizeof(T), std::align_val_t{64}))) {}
  T* get() const { return memory_.get(); }
  T& operator[](int64_t i) const { return memory_.get()[i]; }

 private:
  struct Free {
    void operator()(T* p) const { ::operator delete(p, std::align_val_t{64}); }
  };
  std::unique_ptr<T, Free> memory_;
};

}  // namespace nodegrad
