#include "parallel.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace nodegrad {
namespace {

thread_local bool inside_region = false;

// What one thread of a region begins with: neighbouring ranges, so that it reads and writes on where it has been.
struct alignas(64) Share {
  std::atomic<int64_t> next{0};
  int64_t end = 0;
};

// The ranges of one parallel_for.
struct Region {
  int64_t n;
  int64_t grain;
  detail::Body body;
  const void* context;
  Share* shares = nullptr;
  int share_count = 0;
  std::atomic<int> joined{0};
  std::mutex error_mutex;
  std::exception_ptr error;

  // Runs the ranges of this thread's share, then those that are left of the others'.
  void work() {
    const int own = joined.fetch_add(1, std::memory_order_relaxed);
    for (int i = 0; i < share_count; i++) {
      Share& share = shares[(own + i) % share_count];
      for (;;) {
        const int64_t begin = share.next.fetch_add(grain, std::memory_order_relaxed);
        if (begin >= share.end) break;
        run(begin, std::min(begin + grain, share.end));
      }
    }
  }
  void work_alone() {
    for (int64_t begin = 0; begin < n; begin += grain) run(begin, std::min(begin + grain, n));
  }

 private:
  void run(int64_t begin, int64_t end) {
    try {
      body(context, begin, end);
    } catch (...) {
      const std::lock_guard<std::mutex> lock(error_mutex);
      if (!error) error = std::current_exception();
    }
  }
};

// Processors of this machine. Asked for once: the answer takes system calls, microseconds in which a helper would miss
// the next region.
int processors() {
  static const int count = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  return count;
}

int default_thread_count() {
  if (const char* text = std::getenv("NODEGRAD_NUM_THREADS")) {
    const int count = std::atoi(text);
    if (count >= 1) return std::min(count, 1024);
  }
  return processors();
}

// Waits a few cycles without keeping the core's other thread from its work.
inline void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// How long a thread that has nothing to do asks for more before it sleeps: at first as its own, then letting any thread
// go first that has something to do, as the collector's and a DataLoader's have.
constexpr std::chrono::microseconds kPatience{100}, kIdlePatience{1000};

// Asks `ready` again and again, for as long as it pays: a sleeping thread takes tens of microseconds to wake, and the
// next kernel of a training step comes sooner. Returns what `ready` said last.
template <class F>
bool spin(const F& ready) {
  if (ready()) return true;
  const auto begin = std::chrono::steady_clock::now();
  do {
    for (int i = 0; i < 16; i++) {
      if (ready()) return true;
      pause();
    }
  } while (std::chrono::steady_clock::now() < begin + kPatience);
  do {
    if (ready()) return true;
    std::this_thread::yield();
  } while (std::chrono::steady_clock::now() < begin + kIdlePatience);
  return ready();
}

class Pool {
 public:
  int size() const { return size_.load(std::memory_order_relaxed); }
  void resize(int count) { size_.store(std::max(1, count), std::memory_order_relaxed); }

  // False where the pool is busy with another region, or where nobody is awake to help with a brief one; the caller
  // then works alone.
  bool run(Region& region, Wake wake) {
    const std::unique_lock<std::mutex> owner(owner_, std::try_to_lock);
    if (!owner.owns_lock()) return false;
    if (wake == Wake::kInARow && sleepers_.load() >= started_ && !in_a_row()) return false;
    const int64_t chunks = (region.n + region.grain - 1) / region.grain;
    const int helpers = static_cast<int>(std::min<int64_t>(size() - 1, chunks - 1));
    for (; started_ < helpers; started_++) std::thread([this] { serve(); }).detach();
    share(region, chunks, helpers + 1);
    region_.store(&region, std::memory_order_relaxed);
    wanted_.store(static_cast<uint64_t>(helpers), std::memory_order_relaxed);
    generation_++;
    state_.store(generation_ << kGenerationShift);
    if (sleepers_.load() > 0) {
      const std::lock_guard<std::mutex> lock(mutex_);
      wake_.notify_all();
    }
    inside_region = true;
    region.work();
    inside_region = false;
    // Nobody may join from here on: a helper that has not woken yet is not waited for.
    state_.fetch_or(kClosed);
    const auto left = [this] { return (state_.load(std::memory_order_acquire) & kActive) == 0; };
    if (!spin(left)) {
      std::unique_lock<std::mutex> lock(mutex_);
      done_.wait(lock, left);
    }
    return true;
  }

 private:
  // state_ holds the region's number, whether it is closed, and how many helpers are in it.
  static constexpr int kGenerationShift = 17;
  static constexpr uint64_t kClosed = uint64_t{1} << 16;
  static constexpr uint64_t kActive = kClosed - 1;

  void serve() {
    inside_region = true;
    uint64_t seen = 0;
    const auto changed = [&] { return state_.load(std::memory_order_acquire) >> kGenerationShift != seen; };
    for (;;) {
      if (size() > processors() || !spin(changed)) {
        std::unique_lock<std::mutex> lock(mutex_);
        // Counted before the last look, so that whoever opens a region after it sees a sleeper.
        sleepers_.fetch_add(1);
        wake_.wait(lock, [&] { return state_.load() >> kGenerationShift != seen; });
        sleepers_.fetch_sub(1);
      }
      uint64_t state = state_.load(std::memory_order_acquire);
      seen = state >> kGenerationShift;
      if (!join(state)) continue;
      region_.load(std::memory_order_relaxed)->work();
      if (state_.fetch_sub(1, std::memory_order_acq_rel) == ((seen << kGenerationShift) | kClosed | 1)) {
        const std::lock_guard<std::mutex> lock(mutex_);
        done_.notify_one();
      }
    }
  }

  // Whether brief regions that find nobody awake follow each other so closely, and have done so for so long, that to
  // wake a thread pays: it does not sleep again before they end.
  bool in_a_row() {
    constexpr int kRow = 16;
    const auto now = std::chrono::steady_clock::now();
    row_ = now - last_brief_ < kPatience ? row_ + 1 : 0;
    last_brief_ = now;
    return row_ >= kRow;
  }

  // Cuts the region's ranges into as many shares as threads may come.
  void share(Region& region, int64_t chunks, int count) {
    if (static_cast<int>(shares_.size()) < count) shares_ = std::vector<Share>(static_cast<size_t>(count));
    for (int i = 0; i < count; i++) {
      shares_[static_cast<size_t>(i)].next.store(chunks * i / count * region.grain, std::memory_order_relaxed);
      shares_[static_cast<size_t>(i)].end = std::min(region.n, chunks * (i + 1) / count * region.grain);
    }
    region.shares = shares_.data();
    region.share_count = count;
  }

  // Enters the region of `state` unless it has closed, has ended or has helpers enough.
  bool join(uint64_t state) {
    const uint64_t generation = state >> kGenerationShift;
    while (state >> kGenerationShift == generation && (state & kClosed) == 0 &&
           (state & kActive) < wanted_.load(std::memory_order_relaxed))
      if (state_.compare_exchange_weak(state, state + 1, std::memory_order_acq_rel)) return true;
    return false;
  }

  std::atomic<int> size_{default_thread_count()};
  std::mutex owner_;  // held for the length of a region
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  std::atomic<uint64_t> state_{kClosed};
  std::atomic<int> sleepers_{0};
  std::atomic<Region*> region_{nullptr};
  std::atomic<uint64_t> wanted_{0};
  std::vector<Share> shares_;
  uint64_t generation_ = 0;
  int started_ = 0;
  std::chrono::steady_clock::time_point last_brief_;
  int row_ = 0;
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
void run_chunks(int64_t n, int64_t grain, Wake wake, Body body, const void* context) {
  Region region;
  region.n = n;
  region.grain = std::max<int64_t>(1, grain);
  region.body = body;
  region.context = context;
  if (inside_region || pool().size() == 1 || !pool().run(region, wake)) region.work_alone();
  if (region.error) std::rethrow_exception(region.error);
}
}  // namespace detail

}  // namespace nodegrad
