#include "process.h"

#include <mutex>

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

void give_back_pages() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace nodegrad
