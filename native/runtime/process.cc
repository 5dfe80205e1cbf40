#include "process.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <mutex>

#ifdef __linux__
#include <sys/mman.h>
#endif

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "blas.h"

namespace nodegrad {

void prepare_process() {
  static std::once_flag once;
  std::call_once(once, [] {
    blas::use_one_thread();
#ifdef __GLIBC__
    // A training step frees and takes the same large blocks again; returning their pages to the system each time costs
    // three quarters of the allocation.
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 512 << 20);
#endif
  });
}

void expect_memory(size_t bytes) {
#if defined(MADV_HUGEPAGE) && defined(__GLIBC__)
  // A large page is given where the first touch of any of it finds the wish, and malloc touches what lies behind each
  // block that it gives. So much is therefore taken at once, marked, and handed back to malloc, which gives it out
  // piece by piece.
  constexpr int64_t ahead = int64_t{64} << 20;
  constexpr uintptr_t page = uintptr_t{2} << 20;
  static std::atomic<int64_t> marked{0};
  const auto wanted = static_cast<int64_t>(bytes);
  if (marked.fetch_sub(wanted) >= wanted) return;
  const int64_t taken = std::max(ahead, 2 * wanted);
  void* const memory = std::malloc(static_cast<size_t>(taken));
  if (memory == nullptr) return;
  const uintptr_t begin = reinterpret_cast<uintptr_t>(memory) / page * page;
  const uintptr_t end = reinterpret_cast<uintptr_t>(memory) + static_cast<uintptr_t>(taken);
  // A wish: where the system has no such pages, nothing changes.
  madvise(reinterpret_cast<void*>(begin), end / page * page - begin, MADV_HUGEPAGE);
  std::free(memory);
  marked.store(taken - wanted);
#else
  (void)bytes;
#endif
}

void give_back_pages() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace nodegrad
