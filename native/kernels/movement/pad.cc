// Dimensions with a border, of one value or of the tensor's own elements, or cut off where a pad is negative; and the
// sums that are its derivative.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "../../runtime/parallel.h"
#include "../../runtime/registry.h"
#include "../../runtime/simd.h"
#include "../../runtime/slice.h"

namespace nodegrad::NODEGRAD_LEVEL {
namespace {

constexpr int64_t kPadGrain = 32768;

// As lib/ops/movement/pad.ts numbers them.
enum class Border { kConstant, kReflect, kReplicate, kCircular };

// One dimension of n elements with its pads.
struct PaddedDim {
  int64_t size, places;
  // The places first..last-1 show neighbours, as many as can be.
  int64_t first, last;

  PaddedDim(int64_t n, int64_t before, int64_t after, Border border)
      : size(n), places(n + before + after), border_(border) {
    require(n >= 0 && places >= 0, "a pad leaves less than nothing");
    // Circular borders go round what negative pads leave.
    const bool circular = border == Border::kCircular;
    low_ = circular ? std::max<int64_t>(-before, 0) : 0;
    period_ = circular ? n - low_ - std::max<int64_t>(-after, 0) : n;
    start_ = circular ? -std::max<int64_t>(before, 0) : -before;
    first = std::min(places, std::max<int64_t>(0, -start_));
    last = std::max(first, std::min(places, period_ - start_));
    if (places == 0 || border == Border::kConstant) return;
    require(period_ > 0, "a border is made of no elements");
    for (const int64_t j : {int64_t{0}, places - 1})
      require(source(j) >= 0 && source(j) < n, "a border reaches outside of its tensor");
  }
  // The element that place j shows; -1 for the value.
  int64_t source(int64_t j) const {
    const int64_t i = start_ + j;
    if (border_ == Border::kCircular) return low_ + (i % period_ + period_) % period_;
    if (i >= 0 && i < period_) return i;
    if (border_ == Border::kConstant) return -1;
    if (border_ == Border::kReplicate) return i < 0 ? 0 : period_ - 1;
    return i < 0 ? -i : 2 * (period_ - 1) - i;
  }

 private:
  Border border_;
  // Place j is element start_ + j of the period_ ones from low_ on that borders are made of.
  int64_t low_, period_, start_;
};

// The padded dimensions, behind `outer` others as one.
struct Padding {
  int64_t outer;
  std::vector<PaddedDim> dims;
  int64_t inside = 1, outside = 1;  // elements of a tensor's part, and of its padded one

  Padding(int64_t outer_size, Slice<const int32_t> words, int64_t mode) : outer(outer_size) {
    require(outer >= 0 && words.size >= 3 && words.size % 3 == 0 && mode >= 0 && mode <= 3,
            "a padding's geometry is out of range");
    const int32_t* w = words.at_least(words.size);
    for (int64_t d = 0; d < words.size; d += 3) {
      dims.emplace_back(w[d], w[d + 1], w[d + 2], static_cast<Border>(mode));
      inside *= dims.back().size;
      outside *= dims.back().places;
    }
  }
  const PaddedDim& row() const { return dims.back(); }
  // Padded rows of a part; none where they have no places.
  int64_t rows() const { return row().places == 0 ? 0 : outside / row().places; }
  // Where in a part the row begins that each padded row shows; -1 for rows of the value.
  std::vector<int64_t> row_starts() const {
    std::vector<int64_t> starts{0};
    for (size_t d = 0; d + 1 < dims.size(); d++) {
      const int64_t step = d + 2 < dims.size() ? dims[d + 1].size : row().size;
      std::vector<int64_t> next;
      next.reserve(starts.size() * static_cast<size_t>(dims[d].places));
      for (const int64_t start : starts) {
        for (int64_t j = 0; j < dims[d].places; j++) {
          const int64_t source = dims[d].source(j);
          next.push_back(start < 0 || source < 0 ? -1 : (start + source) * step);
        }
      }
      starts = std::move(next);
    }
    return starts;
  }
};

template <class T>
void pad(Slice<const T> input, Slice<T> out, Slice<const T> value, Slice<const int32_t> words, int64_t outer,
         int64_t mode) {
  const Padding padding(outer, words, mode);
  const T* x = input.at_least(outer * padding.inside);
  T* y = out.at_least(outer * padding.outside);
  const T border = *value.at_least(1);
  const PaddedDim& row = padding.row();
  const int64_t rows = padding.rows();
  const int64_t n = row.places;
  if (rows == 0) return;
  const std::vector<int64_t> starts = padding.row_starts();
  parallel_for(outer * rows, grain_of(kPadGrain, n), [&](int64_t begin, int64_t end) {
    int64_t r = begin % rows;
    const T* part = x + begin / rows * padding.inside;
    for (int64_t p = begin; p < end; p++, r++) {
      if (r == rows) {
        r = 0;
        part += padding.inside;
      }
      T* to = y + p * n;
      if (starts[static_cast<size_t>(r)] < 0) {
        std::fill(to, to + n, border);
        continue;
      }
      const T* from = part + starts[static_cast<size_t>(r)];
      const auto by_place = [&](int64_t a, int64_t b) {
        for (int64_t j = a; j < b; j++) {
          const int64_t source = row.source(j);
          to[j] = source < 0 ? border : from[source];
        }
      };
      by_place(0, row.first);
      const T* neighbours = from + (row.first < row.last ? row.source(row.first) : 0);
      NODEGRAD_SIMD
      for (int64_t j = 0; j < row.last - row.first; j++) to[row.first + j] = neighbours[j];
      by_place(row.last, n);
    }
  });
}

// gradInput = the sum of gradOutput over the places that show each element, in their order.
template <class T>
void padSum(Slice<const T> grad_output, Slice<T> grad_input, Slice<const int32_t> words, int64_t outer, int64_t mode) {
  const Padding padding(outer, words, mode);
  const T* g = grad_output.at_least(outer * padding.outside);
  T* dx = grad_input.at_least(outer * padding.inside);
  const PaddedDim& row = padding.row();
  const int64_t rows = padding.rows();
  const int64_t n = row.places;
  const std::vector<int64_t> starts = rows == 0 ? std::vector<int64_t>() : padding.row_starts();
  parallel_for(outer, grain_of(kPadGrain, padding.outside), [&](int64_t begin, int64_t end) {
    for (int64_t o = begin; o < end; o++) {
      T* part = dx + o * padding.inside;
      std::fill(part, part + padding.inside, T{0});
      for (int64_t r = 0; r < rows; r++) {
        const int64_t at = starts[static_cast<size_t>(r)];
        if (at < 0) continue;
        const T* from = g + (o * rows + r) * n;
        const auto by_place = [&](int64_t a, int64_t b) {
          for (int64_t j = a; j < b; j++) {
            const int64_t source = row.source(j);
            if (source >= 0) part[at + source] += from[j];
          }
        };
        by_place(0, row.first);
        if (row.first < row.last) {
          T* to = part + at + row.source(row.first);
          const T* neighbours = from + row.first;
          NODEGRAD_SIMD
          for (int64_t j = 0; j < row.last - row.first; j++) to[j] += neighbours[j];
        }
        by_place(row.last, n);
      }
    }
  });
}

}  // namespace

void add_pad(Registry& registry) {
  NODEGRAD_ADD(registry, pad, NODEGRAD_ALL);
  NODEGRAD_ADD(registry, padSum, NODEGRAD_FLOATING);
}

}  // namespace nodegrad::NODEGRAD_LEVEL
