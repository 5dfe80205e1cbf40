// Dimensions with a border, of one value or of the tensor's own elements, or cut off where a pad is negative; and the sums that are its derivative.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "../runtime/parallel.h"
#include "../runtime/registry.h"
#include "../runtime/simd.h"
#include "../runtime/slice.h"
#include "kernels.h"

namespace nodegrad::NODEGRAD_LEVEL {
namespace {

constexpr int64_t kPadGrain = 32768;

// As lib/ops/pad.ts numbers them.
enum class Border { kConstant, kReflect, kReplicate, kCircular };

// One dimension: what element of the tensor each of its places shows, -1 for the value.
struct PaddedDim {
  int64_t size = 0;
  std::vector<int64_t> from;
  // The places first..last-1 show neighbours, as many as can be.
  int64_t first = 0, last = 0;

  PaddedDim(int64_t n, int64_t before, int64_t after, Border border) : size(n), from(static_cast<size_t>(std::max<int64_t>(0, n + before + after))) {
    require(n >= 0 && n + before + after >= 0, "a pad leaves less than nothing");
    // Circular borders go round what negative pads leave.
    const bool circular = border == Border::kCircular;
    const int64_t low = circular ? std::max<int64_t>(-before, 0) : 0;
    const int64_t period = circular ? n - low - std::max<int64_t>(-after, 0) : n;
    require(border == Border::kConstant || period > 0 || places() == 0, "a border is made of no elements");
    const int64_t start = circular ? -std::max<int64_t>(before, 0) : -before;
    for (int64_t j = 0; j < places(); j++) {
      const int64_t i = start + j;
      const bool inside = i >= 0 && i < period;
      int64_t source = i;
      if (!inside && border == Border::kConstant) source = -1;
      if (!inside && border == Border::kReflect) source = i < 0 ? -i : 2 * (period - 1) - i;
      if (!inside && border == Border::kReplicate) source = std::clamp<int64_t>(i, 0, period - 1);
      if (circular) source = low + (i % period + period) % period;
      require(source >= -1 && source < n, "a border reaches outside of its tensor");
      from[static_cast<size_t>(j)] = source;
    }
    first = std::min(places(), std::max<int64_t>(0, -start));
    last = std::max(first, std::min(places(), period - start));
  }
  int64_t places() const { return static_cast<int64_t>(from.size()); }
};

// The padded dimensions, behind `outer` others as one.
struct Padding {
  int64_t outer;
  std::vector<PaddedDim> dims;
  int64_t inside = 1, outside = 1;  // elements of a tensor's part, and of its padded one

  Padding(int64_t outer_size, Slice<const int32_t> words, int64_t mode) : outer(outer_size) {
    require(outer >= 0 && words.size >= 3 && words.size % 3 == 0 && mode >= 0 && mode <= 3, "a padding's geometry is out of range");
    const int32_t* w = words.at_least(words.size);
    for (int64_t d = 0; d < words.size; d += 3) {
      dims.emplace_back(w[d], w[d + 1], w[d + 2], static_cast<Border>(mode));
      inside *= dims.back().size;
      outside *= dims.back().places();
    }
  }
  const PaddedDim& row() const { return dims.back(); }
  // Padded rows of a part; none where they have no places.
  int64_t rows() const { return row().places() == 0 ? 0 : outside / row().places(); }
  // Where in a part the row begins that each padded row shows; -1 for rows of the value.
  std::vector<int64_t> row_starts() const {
    std::vector<int64_t> starts{0};
    for (size_t d = 0; d + 1 < dims.size(); d++) {
      const int64_t step = d + 2 < dims.size() ? dims[d + 1].size : row().size;
      std::vector<int64_t> next;
      next.reserve(starts.size() * dims[d].from.size());
      for (const int64_t start : starts)
        for (const int64_t source : dims[d].from) next.push_back(start < 0 || source < 0 ? -1 : (start + source) * step);
      starts = std::move(next);
    }
    return starts;
  }
};

template <class T>
void pad(Slice<const T> input, Slice<T> out, Slice<const T> value, Slice<const int32_t> words, int64_t outer, int64_t mode) {
  const Padding padding(outer, words, mode);
  const T* x = input.at_least(outer * padding.inside);
  T* y = out.at_least(outer * padding.outside);
  const T border = *value.at_least(1);
  const PaddedDim& row = padding.row();
  const int64_t rows = padding.rows();
  const int64_t n = row.places();
  if (rows == 0) return;
  const std::vector<int64_t> starts = padding.row_starts();
  parallel_for(outer * rows, 1 + kPadGrain / n, [&](int64_t begin, int64_t end) {
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
        for (int64_t j = a; j < b; j++) to[j] = row.from[static_cast<size_t>(j)] < 0 ? border : from[row.from[static_cast<size_t>(j)]];
      };
      by_place(0, row.first);
      const T* neighbours = from + (row.first < row.last ? row.from[static_cast<size_t>(row.first)] : 0);
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
  const int64_t n = row.places();
  const std::vector<int64_t> starts = rows == 0 ? std::vector<int64_t>() : padding.row_starts();
  parallel_for(outer, 1 + kPadGrain / std::max<int64_t>(1, padding.outside), [&](int64_t begin, int64_t end) {
    for (int64_t o = begin; o < end; o++) {
      T* part = dx + o * padding.inside;
      std::fill(part, part + padding.inside, T{0});
      for (int64_t r = 0; r < rows; r++) {
        const int64_t at = starts[static_cast<size_t>(r)];
        if (at < 0) continue;
        const T* from = g + (o * rows + r) * n;
        const auto by_place = [&](int64_t a, int64_t b) {
          for (int64_t j = a; j < b; j++)
            if (row.from[static_cast<size_t>(j)] >= 0) part[at + row.from[static_cast<size_t>(j)]] += from[j];
        };
        by_place(0, row.first);
        if (row.first < row.last) {
          T* to = part + at + row.from[static_cast<size_t>(row.first)];
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
