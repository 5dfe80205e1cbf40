#include "parallel.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace nodegrad {
namespace {

thread_local bool inside_region = false;

// The ranges of one parallel_for. Threads take the next range until none is left.
struct Region {
  int64_t n;
  int64_t grain;
  detail::Body body;
  const void* context;
  std::atomic<int64_t> next{0};
  std::mutex error_mutex;
  std::exception_ptr error;

  void work() {
    for (;;) {
      const int64_t begin = next.fetch_add(grain, std::memory_order_relaxed);
      if (begin >= n) return;
      try {
        body(context, begin, std::min(begin + grain, n));
      } catch (...) {
        const std::lock_guard<std::mutex> lock(error_mutex);
        if (!error) error = std::current_exception();
      }
    }
  }
};

int default_thread_count() {
  if (const char* text = std::getenv("NODEGRAD_NUM_THREADS")) {
    const int count = std::atoi(text);
    if (count >= 1) return std::min(count, 1024);
  }
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

class Pool {
 public:
  int size() const { return size_.load(std::memory_order_relaxed); }
  void resize(int count) { size_.store(std::max(1, count), std::memory_order_relaxed); }

  // False where the pool is busy with another region; the caller then works alone.
  bool run(Region& region) {
    const std::unique_lock<std::mutex> owner(owner_, std::try_to_lock);
    if (!owner.owns_lock()) return false;
    const int64_t chunks = (region.n + region.grain - 1) / region.grain;
    const int helpers = static_cast<int>(std::min<int64_t>(size() - 1, chunks - 1));
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      while (static_cast<int>(started_) < helpers) {
        std::thread([this, index = started_] { serve(index); }).detach();
        started_++;
      }
      region_ = &region;
      wanted_ = helpers;
      active_.store(helpers, std::memory_order_relaxed);
      generation_.fetch_add(1, std::memory_order_release);
    }
    wake_.notify_all();
    inside_region = true;
    region.work();
    inside_region = false;
    for (int spin = 0; active_.load(std::memory_order_acquire) > 0; spin++) {
      if (spin < kSpins) continue;
      std::unique_lock<std::mutex> lock(mutex_);
      done_.wait(lock, [this] { return active_.load(std::memory_order_acquire) == 0; });
    }
    return true;
  }

 private:
  static constexpr int kSpins = 2000;

  void serve(int index) {
    inside_region = true;
    uint64_t seen = 0;
    for (;;) {
      Region* region = nullptr;
      for (int spin = 0; spin < kSpins && generation_.load(std::memory_order_acquire) == seen; spin++) {
      }
      {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [&] { return generation_.load(std::memory_order_relaxed) != seen; });
        seen = generation_.load(std::memory_order_relaxed);
        if (index < wanted_) region = region_;
      }
      if (region == nullptr) continue;
      region->work();
      if (active_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        const std::lock_guard<std::mutex> lock(mutex_);
        done_.notify_one();
      }
    }
  }

  std::atomic<int> size_{default_thread_count()};
  std::mutex owner_;  // held for the length of a region
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  std::atomic<uint64_t> generation_{0};
  std::atomic<int> active_{0};
  Region* region_ = nullptr;
  int wanted_ = 0;
  int started_ = 0;
};

// Never destroyed: its threads may outlive every static object.
Pool& pool() {
  static Pool* const instance = std::make_unique<Pool>().release();
  return *instance;
}

}  // namespace

int thread_count() { return pool().size(); }
void set_thread_count(int count) { pool().resize(count); }

namespace detail {
void run_chunks(int64_t n, int64_t grain, Body body, const void* context) {
  Region region;
  region.n = n;
  region.grain = std::max<int64_t>(1, grain);
  region.body = body;
  region.context = context;
  if (inside_region || pool().size() == 1 || !pool().run(region)) region.work();
  if (region.error) std::rethrow_exception(region.error);
}
}  // namespace detail

}  // namespace nodegrad
