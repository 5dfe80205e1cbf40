#include "process.h"

#include <cstdint>
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
    // A training step frees and takes the same large blocks again; returning their pages to the system each time costs three
    // quarters of the allocation.
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 512 << 20);
#endif
  });
}

void prefer_large_pages(void* memory, size_t bytes) {
#ifdef MADV_HUGEPAGE
  constexpr uintptr_t page = 4096;
  const uintptr_t begin = (reinterpret_cast<uintptr_t>(memory) + page - 1) / page * page;
  const uintptr_t end = (reinterpret_cast<uintptr_t>(memory) + bytes) / page * page;
  // A wish: where the system has no such pages, nothing changes.
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
#else
  (void)memory;
  (void)bytes;
#endif
}

void give_back_pages() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace nodegrad
