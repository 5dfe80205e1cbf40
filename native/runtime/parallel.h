// The process's one thread pool. Work is cut by its size alone, never by the number of threads, so that a result does
// not depend on how many threads there are. Only one parallel region runs at a time: a region begun inside another, or
// while another thread of the process is in one, runs where it stands.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <type_traits>

namespace nodegrad {

int thread_count();
void set_thread_count(int count);

// Whether a region wakes threads that sleep, which takes as long as some ten microseconds of work: always, or, as a
// brief region does, only where such regions come in a row.
enum class Wake { kAlways, kInARow };

// The same for a region that has `work` to share, in parts of `grain`: it is brief where it has few parts that are
// worth a thread that is awake.
constexpr Wake wake_for(int64_t work, int64_t grain) { return work < 16 * grain ? Wake::kInARow : Wake::kAlways; }

// How many units of `each` steps of work are worth a thread, where `worth` steps are: at least one. A unit without work
// counts as one step, so that sizes of 0, which leave nothing to share, do not divide.
constexpr int64_t grain_of(int64_t worth, int64_t each) {
  return std::max<int64_t>(1, worth / std::max<int64_t>(1, each));
}

namespace detail {
using Body = void (*)(const void* context, int64_t begin, int64_t end);
void run_chunks(int64_t n, int64_t grain, Wake wake, Body body, const void* context);
}  // namespace detail

// Calls body(begin, end) for consecutive ranges of `grain` indices that cover 0..n-1, on any thread and in any order.
// An exception in a body reaches the caller once every range has ended.
template <class F>
void parallel_for(int64_t n, int64_t grain, Wake wake, const F& body) {
  if (n <= 0) return;
  if (n <= grain) {
    body(int64_t{0}, n);
    return;
  }
  detail::run_chunks(
      n, grain, wake,
      [](const void* context, int64_t begin, int64_t end) { (*static_cast<const F*>(context))(begin, end); },
      std::addressof(body));
}
template <class F>
void parallel_for(int64_t n, int64_t grain, const F& body) {
  parallel_for(n, grain, Wake::kAlways, body);
}

}  // namespace nodegrad
