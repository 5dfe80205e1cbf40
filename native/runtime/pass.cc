#include "pass.h"

#include <algorithm>
#include <vector>

#include "divide.h"

namespace nodegrad {
namespace {

// Every array begins at a multiple of this in the row of all, so that ranges begin at multiples of a vector's lanes.
constexpr int64_t kStep = 64;

struct Pass {
  bool open = false;
  std::vector<detail::Kept> kept;
  std::vector<int64_t> ends;  // of the arrays in the row of all
};
thread_local Pass pass;

}  // namespace

namespace detail {
Kept* keep() { return pass.open ? &pass.kept.emplace_back() : nullptr; }
}  // namespace detail

void begin_pass() {
  pass.open = true;
  pass.kept.clear();
}

void end_pass() {
  if (!pass.open) return;
  pass.open = false;
  const std::vector<detail::Kept>& kept = pass.kept;
  std::vector<int64_t>& ends = pass.ends;
  ends.clear();
  int64_t total = 0;
  for (const detail::Kept& one : kept) ends.push_back(total += round_up(one.n, kStep));
  parallel_for(total, kPassGrain, wake_for(total, kPassGrain), [&](int64_t begin, int64_t end) {
    auto at = static_cast<size_t>(std::upper_bound(ends.begin(), ends.end(), begin) - ends.begin());
    for (int64_t first = at > 0 ? ends[at - 1] : 0; at < kept.size() && first < end; first = ends[at++]) {
      const int64_t from = std::max(begin, first) - first, to = std::min(end - first, kept[at].n);
      if (from < to) kept[at].body(kept[at].captured, from, to);
    }
  });
}

}  // namespace nodegrad
