// One parallel region over many arrays. While a pass is open on a thread, `run_in_pass` keeps its body; the pass's end
// runs all of them together, so that small arrays share threads as one large one does.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "parallel.h"

namespace nodegrad {

// Opens an empty pass; runs what it kept and closes it, or does nothing where none is open.
void begin_pass();
void end_pass();

namespace detail {
// A body and what it has captured, which are numbers and addresses.
struct Kept {
  static constexpr size_t kBytes = 160;

  int64_t n = 0;
  Body body = nullptr;
  alignas(16) unsigned char captured[kBytes];
};
// Room for one more, or null where no pass is open.
Kept* keep();
}  // namespace detail

// Elements that a thread takes at a time.
constexpr int64_t kPassGrain = 16384;

// Calls body(begin, end) for ranges that cover 0..n-1, at once as parallel_for does, or as an open pass ends: so the
// body captures by value.
template <class F>
void run_in_pass(int64_t n, const F& body) {
  static_assert(std::is_trivially_copyable_v<F> && sizeof(F) <= detail::Kept::kBytes,
                "a body that is kept has captured numbers and addresses");
  detail::Kept* kept = detail::keep();
  if (kept == nullptr) {
    parallel_for(n, kPassGrain, body);
    return;
  }
  kept->n = n;
  kept->body = [](const void* captured, int64_t begin, int64_t end) { (*static_cast<const F*>(captured))(begin, end); };
  std::memcpy(kept->captured, &body, sizeof body);
}

}  // namespace nodegrad
