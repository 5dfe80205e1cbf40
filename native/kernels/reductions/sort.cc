// Sorting and selection of contiguous data along n of (outer, n, inner). Elements become unsigned keys whose order is
// PyTorch's (NaN above everything, -0 equal to 0), paired with their index, so that every order is total and every sort
// stable.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "../../runtime/parallel.h"
#include "../../runtime/registry.h"
#include "../../runtime/scratch.h"

namespace nodegrad {
namespace {

constexpr int64_t kGrain = 8192;
// Elements of one run from which threads share it.
constexpr int64_t kLongGrain = 32768;
// Elements that are found by a heap of the best so far.
constexpr int64_t kFew = 64;

// Up to 32 bits of key stand above the index in one word; wider keys need a pair.
struct Pair {
  uint64_t key;
  int64_t index;
  bool operator<(const Pair& other) const { return key < other.key || (key == other.key && index < other.index); }
};
template <class T>
using Entry = std::conditional_t<sizeof(T) <= 4, uint64_t, Pair>;

// A key that grows with the element.
template <class T>
auto key_of(T x) {
  using Key = std::conditional_t<sizeof(T) <= 4, uint32_t, uint64_t>;
  constexpr Key top = Key{1} << (sizeof(Key) * 8 - 1);
  if constexpr (std::is_floating_point_v<T>) {
    // Without a branch: -0 + 0 is 0, and below 0 all bits are turned over.
    const T clean = x + T{0};
    Key bits;
    std::memcpy(&bits, &clean, sizeof(bits));
    const Key turned = static_cast<Key>(Key{0} - (bits >> (sizeof(Key) * 8 - 1))) | top;
    return x != x ? std::numeric_limits<Key>::max() : static_cast<Key>(bits ^ turned);
  } else if constexpr (std::is_same_v<T, Bool>) {
    return static_cast<Key>(x.byte);
  } else {
    return static_cast<Key>(static_cast<Key>(static_cast<std::make_signed_t<Key>>(x)) ^ top);
  }
}

// One that grows in the order that is asked for.
template <class T>
auto ordered_key(T x, bool descending) {
  const auto key = key_of(x);
  return descending ? static_cast<decltype(key_of(x))>(~key) : key;
}

template <class T>
Entry<T> entry_of(T x, int64_t index, bool descending) {
  const auto key = ordered_key(x, descending);
  if constexpr (sizeof(T) <= 4) {
    return (static_cast<uint64_t>(key) << 32) | static_cast<uint64_t>(index);
  } else {
    return {key, index};
  }
}
inline int64_t index_of(uint64_t entry) { return static_cast<int64_t>(entry & 0xffffffffu); }
inline int64_t index_of(const Pair& entry) { return entry.index; }
inline uint64_t digits_of(uint64_t entry) { return entry >> 32; }
inline uint64_t digits_of(const Pair& entry) { return entry.key; }

// Stable sort by the key's bytes, the lowest first; a byte that all keys share costs no pass. Indices begin in order.
template <class E, int BYTES>
void radix_sort(E* entries, E* spare, int64_t n) {
  int64_t counts[BYTES][256] = {};
  for (int64_t i = 0; i < n; i++) {
    const uint64_t digits = digits_of(entries[i]);
    for (int byte = 0; byte < BYTES; byte++) counts[byte][(digits >> (8 * byte)) & 255]++;
  }
  E* from = entries;
  E* to = spare;
  for (int byte = 0; byte < BYTES; byte++) {
    int64_t* count = counts[byte];
    if (*std::max_element(count, count + 256) == n) continue;
    int64_t start = 0;
    for (int digit = 0; digit < 256; digit++) {
      const int64_t size = count[digit];
      count[digit] = start;
      start += size;
    }
    for (int64_t i = 0; i < n; i++) to[count[(digits_of(from[i]) >> (8 * byte)) & 255]++] = from[i];
    std::swap(from, to);
  }
  if (from != entries) std::copy(from, from + n, entries);
}

// Sorts entries whose indices begin in order. Long ones by halves, which then merge from both ends at once: the order
// is total, so that it is the same whoever does what.
template <class T>
void sort_entries(Entry<T>* entries, Entry<T>* spare, int64_t n) {
  constexpr int bytes = sizeof(T) <= 4 ? 4 : 8;
  constexpr int64_t kRadix = 512;
  if (n < kRadix) {
    std::sort(entries, entries + n);
    return;
  }
  if (n < kLongGrain) {
    radix_sort<Entry<T>, bytes>(entries, spare, n);
    return;
  }
  const int64_t half = n / 2;
  parallel_for(2, 1, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; part++)
      radix_sort<Entry<T>, bytes>(entries + part * half, spare + part * half, part == 0 ? half : n - half);
  });
  parallel_for(2, 1, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; part++) {
      const Entry<T>*left = entries, *right = entries + half;
      if (part == 0) {
        for (int64_t k = 0; k < half; k++)
          spare[k] = left < entries + half && (right == entries + n || *left < *right) ? *left++ : *right++;
        continue;
      }
      left = entries + half;
      right = entries + n;
      for (int64_t k = n; k-- > half;)
        spare[k] = right > entries + half && (left == entries || left[-1] < right[-1]) ? *--right : *--left;
    }
  });
  parallel_for(n, kLongGrain,
               [&](int64_t begin, int64_t end) { std::copy(spare + begin, spare + end, entries + begin); });
}

// The `count` first entries in order of n elements `step` apart, count <= n. Most elements are turned away by blocks:
// none of one is better than the worst of the best so far.
template <class T>
void first_entries(const T* x, int64_t n, int64_t step, bool descending, int64_t count, Entry<T>* best) {
  using Key = decltype(key_of(*x));
  constexpr int64_t kBlock = 16;
  for (int64_t k = 0; k < count; k++) best[k] = entry_of(x[k * step], k, descending);
  std::make_heap(best, best + count);
  T block[kBlock];
  for (int64_t first = count; first < n; first += kBlock) {
    const int64_t size = std::min(kBlock, n - first);
    const T* from = step == 1 ? x + first : static_cast<const T*>(block);
    for (int64_t k = 0; step != 1 && k < size; k++) block[k] = x[(first + k) * step];
    const auto worst = static_cast<Key>(digits_of(best[0]));
    Key better = 0;
    for (int64_t k = 0; k < size; k++) better |= static_cast<Key>(ordered_key(from[k], descending) < worst ? 1 : 0);
    for (int64_t k = 0; better != 0 && k < size; k++) {
      const Entry<T> entry = entry_of(from[k], first + k, descending);
      if (!(entry < best[0])) continue;
      std::pop_heap(best, best + count);
      best[count - 1] = entry;
      std::push_heap(best, best + count);
    }
  }
  std::sort_heap(best, best + count);
}

// Calls row(entries, spare, offset) with the entries of every run along n; offset is that of its first element.
template <class T, class Row>
void for_runs(const T* x, int64_t outer, int64_t n, int64_t inner, bool descending, const Row& row) {
  parallel_for(outer * inner, grain_of(kGrain, n), [&](int64_t begin, int64_t end) {
    const Scratch<Entry<T>> entries(n);
    const Scratch<Entry<T>> spare(n);
    for (int64_t run = begin; run < end; run++) {
      const int64_t offset = run / inner * n * inner + run % inner;
      parallel_for(n, kLongGrain, [&](int64_t first, int64_t last) {
        for (int64_t k = first; k < last; k++) entries[k] = entry_of(x[offset + k * inner], k, descending);
      });
      row(entries.get(), spare.get(), run);
    }
  });
}

// Writes the first `count` entries of a run along n: their elements and indices.
template <class T>
void put_entries(const Entry<T>* entries, const T* x, T* values, int64_t* indices, int64_t run, int64_t n,
                 int64_t inner, int64_t count) {
  const int64_t from = run / inner * n * inner + run % inner;
  const int64_t to = run / inner * count * inner + run % inner;
  parallel_for(count, kLongGrain, [&](int64_t first, int64_t last) {
    for (int64_t k = first; k < last; k++) {
      const int64_t index = index_of(entries[k]);
      values[to + k * inner] = x[from + index * inner];
      indices[to + k * inner] = index;
    }
  });
}

// The first `count` elements of the sorted run and their indices; all of them, or the smallest (largest where
// descending).
template <class T>
void sort(Slice<const T> input, Slice<T> values, Slice<int64_t> indices, int64_t outer, int64_t n, int64_t inner,
          bool descending, int64_t count) {
  require(outer >= 0 && n >= 0 && inner >= 0 && count >= 0 && count <= n && n <= 0xffffffff,
          "a sort has a size out of range");
  const T* x = input.at_least(outer * n * inner);
  T* v = values.at_least(outer * count * inner);
  int64_t* at = indices.at_least(outer * count * inner);
  const auto put = [&](const Entry<T>* entries, int64_t run) {
    put_entries<T>(entries, x, v, at, run, n, inner, count);
  };
  if (count <= kFew && count * 8 <= n) {
    if (count == 0) return;
    parallel_for(outer * inner, grain_of(kGrain, n), [&](int64_t begin, int64_t end) {
      Entry<T> best[kFew];
      for (int64_t run = begin; run < end; run++) {
        first_entries(x + run / inner * n * inner + run % inner, n, inner, descending, count,
                      static_cast<Entry<T>*>(best));
        put(static_cast<Entry<T>*>(best), run);
      }
    });
    return;
  }
  for_runs(x, outer, n, inner, descending, [&](auto* entries, auto* spare, int64_t run) {
    if (count * 8 <= n) {
      std::nth_element(entries, entries + count, entries + n);
      std::sort(entries, entries + count);
    } else {
      sort_entries<T>(entries, spare, n);
    }
    put(entries, run);
  });
}

// The `count` smallest elements (largest where descending) in the order in which PyTorch leaves them where they are not
// to be sorted: that of the standard library's algorithms, to which equal elements are equal. What follows by place, a
// dropout mask say, is then PyTorch's.
template <class T>
void topkUnsorted(Slice<const T> input, Slice<T> values, Slice<int64_t> indices, int64_t outer, int64_t n,
                  int64_t inner, bool descending, int64_t count) {
  require(outer >= 0 && n >= 0 && inner >= 0 && count >= 0 && count <= n && n <= 0xffffffff,
          "a selection has a size out of range");
  const T* x = input.at_least(outer * n * inner);
  T* v = values.at_least(outer * count * inner);
  int64_t* at = indices.at_least(outer * count * inner);
  if (count == 0) return;
  const auto before = [](const Entry<T>& a, const Entry<T>& b) { return digits_of(a) < digits_of(b); };
  for_runs(x, outer, n, inner, descending, [&](auto* entries, auto*, int64_t run) {
    if (count * 64 <= n) {
      std::partial_sort(entries, entries + count, entries + n, before);
    } else {
      std::nth_element(entries, entries + count - 1, entries + n, before);
    }
    put_entries<T>(entries, x, v, at, run, n, inner, count);
  });
}

// values[o, i] = the element of rank k (0 the smallest) and its index; where `nan` is set, the first NaN instead, if
// there is one.
template <class T>
void kthvalue(Slice<const T> input, Slice<T> values, Slice<int64_t> indices, int64_t outer, int64_t n, int64_t inner,
              int64_t k, bool nan) {
  require(outer >= 0 && n >= 1 && inner >= 0 && k >= 0 && k < n && n <= 0xffffffff,
          "a selection has a size out of range");
  const T* x = input.at_least(outer * n * inner);
  T* v = values.at_least(outer * inner);
  int64_t* at = indices.at_least(outer * inner);
  for_runs(x, outer, n, inner, false, [&](auto* entries, auto*, int64_t run) {
    const T* from = x + run / inner * n * inner + run % inner;
    int64_t index = -1;
    for (int64_t i = 0; nan && index < 0 && i < n; i++) {
      if (from[i * inner] != from[i * inner]) index = i;
    }
    if (index < 0) {
      std::nth_element(entries, entries + k, entries + n);
      index = index_of(entries[k]);
    }
    v[run] = from[index * inner];
    at[run] = index;
  });
}

// values[o, i] = the most frequent element, the smallest of several, and its last index.
template <class T>
void mode(Slice<const T> input, Slice<T> values, Slice<int64_t> indices, int64_t outer, int64_t n, int64_t inner) {
  require(outer >= 0 && n >= 1 && inner >= 0 && n <= 0xffffffff, "a mode has a size out of range");
  const T* x = input.at_least(outer * n * inner);
  T* v = values.at_least(outer * inner);
  int64_t* at = indices.at_least(outer * inner);
  for_runs(x, outer, n, inner, false, [&](auto* entries, auto* spare, int64_t run) {
    const T* from = x + run / inner * n * inner + run % inner;
    sort_entries<T>(entries, spare, n);
    int64_t best = 0;
    int64_t longest = 0;
    for (int64_t begin = 0; begin < n;) {
      int64_t end = begin + 1;
      while (end < n && digits_of(entries[end]) == digits_of(entries[begin])) end++;
      if (end - begin > longest) {
        longest = end - begin;
        best = index_of(entries[end - 1]);
      }
      begin = end;
    }
    v[run] = from[best * inner];
    at[run] = best;
  });
}

}  // namespace

void add_sort(Registry& registry) {
  NODEGRAD_ADD(registry, sort, NODEGRAD_NUMBERS, Bool);
  NODEGRAD_ADD(registry, topkUnsorted, NODEGRAD_NUMBERS, Bool);
  NODEGRAD_ADD(registry, kthvalue, NODEGRAD_NUMBERS);
  NODEGRAD_ADD(registry, mode, NODEGRAD_NUMBERS, Bool);
}

}  // namespace nodegrad
