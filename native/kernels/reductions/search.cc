// Searches in sorted data, runs of equal elements, and counts by bin.
#include <algorithm>
#include <cstdint>

#include "../../runtime/parallel.h"
#include "../../runtime/registry.h"

namespace nodegrad {
namespace {

// out[r, j] = how many of sequence[r, :] (ascending through `order`, where that is not empty) are below value[r, j], or
// also equal where `right`. A NaN is looked for behind everything. One row of the sequence serves all values where
// `shared`.
template <class T>
void searchsorted(Slice<const T> sequence, Slice<const int64_t> order, Slice<const T> values, Slice<int64_t> out,
                  int64_t rows, int64_t n, int64_t m, bool right, bool ordered, bool shared) {
  require(rows >= 0 && n >= 0 && m >= 0, "a search has a negative size");
  const T* s = sequence.at_least(shared ? n : rows * n);
  const int64_t* o = ordered ? order.at_least(shared ? n : rows * n) : nullptr;
  const T* v = values.at_least(rows * m);
  int64_t* y = out.at_least(rows * m);
  for (int64_t i = 0; ordered && i < (shared ? n : rows * n); i++)
    require(o[i] >= 0 && o[i] < n, "an index of the order is out of range");
  parallel_for(rows * m, 4096, [&](int64_t begin, int64_t end) {
    for (int64_t at = begin; at < end; at++) {
      const int64_t row = shared ? 0 : at / m * n;
      const T value = v[at];
      int64_t low = 0;
      int64_t high = n;
      while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        const T element = s[row + (o != nullptr ? o[row + middle] : middle)];
        if (right ? !(element > value) : !(element >= value)) {
          low = middle + 1;
        } else {
          high = middle;
        }
      }
      y[at] = low;
    }
  });
}

// Numbers runs of equal neighbouring rows of `width` elements: first[j] = where run j begins, run[k] = the run of row
// k; returns how many.
template <class T>
int64_t runs(Slice<const T> rows, Slice<int64_t> first, Slice<int64_t> run, int64_t n, int64_t width) {
  require(n >= 0 && width >= 0, "a comparison of rows has a negative size");
  const T* x = rows.at_least(n * width);
  int64_t* begin = first.at_least(n);
  int64_t* number = run.at_least(n);
  int64_t count = 0;
  for (int64_t k = 0; k < n; k++) {
    const T* row = x + k * width;
    if (k == 0 || !std::equal(row, row + width, row - width)) begin[count++] = k;
    number[k] = count - 1;
  }
  return count;
}

// order = the rows of `width` elements in lexicographic order, equal ones as they came.
template <class T>
void sortRows(Slice<const T> rows, Slice<int64_t> order, int64_t n, int64_t width) {
  require(n >= 0 && width >= 0, "a sort of rows has a negative size");
  const T* x = rows.at_least(n * width);
  int64_t* at = order.at_least(n);
  for (int64_t k = 0; k < n; k++) at[k] = k;
  // NaN counts as equal to nothing and above everything, so that the order stays strict and weak.
  const auto below = [](T a, T b) { return a < b || (a == a && b != b); };
  std::stable_sort(at, at + n, [&](int64_t a, int64_t b) {
    return std::lexicographical_compare(x + a * width, x + (a + 1) * width, x + b * width, x + (b + 1) * width, below);
  });
}

// out[b] += weight of every element with value b; out holds `bins` zeros at first. Values were checked to be below
// bins.
template <class T>
void bincount(Slice<const int64_t> input, Slice<const T> weights, Slice<T> out, int64_t n, int64_t bins,
              bool weighted) {
  require(n >= 0 && bins >= 0, "a count has a negative size");
  const int64_t* x = input.at_least(n);
  const T* w = weights.at_least(weighted ? n : 0);
  T* y = out.at_least(bins);
  std::fill(y, y + bins, T{0});
  for (int64_t i = 0; i < n; i++) {
    require(x[i] >= 0 && x[i] < bins, "a value is outside of the bins");
    y[x[i]] += weighted ? w[i] : T{1};
  }
}

// out[b] = how many elements fall in bin b of `bins` equal ones from low to high; high itself counts in the last.
template <class T>
void histc(Slice<const T> input, Slice<T> out, int64_t n, int64_t bins, double low, double high) {
  require(n >= 0 && bins >= 1 && low < high, "a histogram has a size out of range");
  const T* x = input.at_least(n);
  T* y = out.at_least(bins);
  std::fill(y, y + bins, T{0});
  for (int64_t i = 0; i < n; i++) {
    const auto value = static_cast<double>(x[i]);
    if (!(value >= low && value <= high)) continue;
    const auto bin = static_cast<int64_t>((value - low) / (high - low) * static_cast<double>(bins));
    y[std::min(bin, bins - 1)] += 1;
  }
}

}  // namespace

void add_search(Registry& registry) {
  NODEGRAD_ADD(registry, searchsorted, NODEGRAD_NUMBERS);
  NODEGRAD_ADD(registry, runs, NODEGRAD_NUMBERS, Bool);
  NODEGRAD_ADD(registry, sortRows, NODEGRAD_NUMBERS, Bool);
  NODEGRAD_ADD(registry, bincount, float, double, int64_t);
  NODEGRAD_ADD(registry, histc, float, double);
}

}  // namespace nodegrad
