// Interpolation of contiguous planes and its transpose. Every mode is separable: along each dimension an output element
// is a weighted sum of one (nearest), two (linear) or four (cubic) input elements, held in a table; rows are blended
// first, then gathered along.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include "../../runtime/divide.h"
#include "../../runtime/parallel.h"
#include "../../runtime/registry.h"
#include "../../runtime/simd.h"

namespace nodegrad::NODEGRAD_LEVEL {
namespace {

enum Mode : int64_t { kNearest = 0, kNearestExact = 1, kLinear = 2, kCubic = 3 };

// Taps of each output element along one dimension: index[o * count + j] with weight[o * count + j].
template <class T>
struct Taps {
  int64_t count = 1;
  std::vector<int32_t> index;
  std::vector<T> weight;

  // `scale` is output over input where it was given, else 0. Computed in T, as PyTorch does, so that floor meets the
  // same values.
  Taps(int64_t mode, bool align_corners, double scale, int64_t in, int64_t out) {
    count = mode == kCubic ? 4 : mode == kLinear ? 2 : 1;
    index.resize(static_cast<size_t>(out * count));
    weight.resize(static_cast<size_t>(out * count));
    T step;
    if (align_corners) {
      step = out > 1 ? static_cast<T>(in - 1) / static_cast<T>(out - 1) : T{0};
    } else {
      step = scale > 0 ? static_cast<T>(1.0 / scale) : static_cast<T>(in) / static_cast<T>(out);
    }
    for (int64_t o = 0; o < out; o++) {
      const T position =
          align_corners || mode == kNearest ? step * static_cast<T>(o) : step * (static_cast<T>(o) + T{0.5}) - T{0.5};
      int32_t* at = index.data() + o * count;
      T* w = weight.data() + o * count;
      if (mode == kNearest || mode == kNearestExact) {
        const float nearest =
            mode == kNearest ? static_cast<float>(position) : static_cast<float>(std::max(position, T{0}) + T{0.5});
        at[0] = static_cast<int32_t>(std::min<int64_t>(static_cast<int64_t>(std::floor(nearest)), in - 1));
        w[0] = 1;
      } else if (mode == kLinear) {
        const T inside = in == out ? static_cast<T>(o) : std::max(position, T{0});
        const int64_t low = std::min<int64_t>(static_cast<int64_t>(inside), in - 1);
        at[0] = static_cast<int32_t>(low);
        at[1] = static_cast<int32_t>(low + (low < in - 1 ? 1 : 0));
        w[1] = std::min(std::max(inside - static_cast<T>(low), T{0}), T{1});
        w[0] = 1 - w[1];
      } else {
        const int64_t low = std::min<int64_t>(static_cast<int64_t>(std::floor(position)), in - 1);
        const T t = std::min(std::max(position - static_cast<T>(low), T{0}), T{1});
        for (int64_t j = 0; j < 4; j++) at[j] = static_cast<int32_t>(std::clamp<int64_t>(low - 1 + j, 0, in - 1));
        // Cubic convolution with a = -0.75.
        const T a = static_cast<T>(-0.75);
        const auto near = [a](T x) { return ((a + 2) * x - (a + 3)) * x * x + 1; };
        const auto far = [a](T x) { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a; };
        w[0] = far(t + 1);
        w[1] = near(t);
        w[2] = near(1 - t);
        w[3] = far(2 - t);
      }
    }
  }
};

template <class T>
struct Interpolation {
  int64_t planes;
  int64_t in[3], out[3];
  std::vector<Taps<T>> taps;

  Interpolation(Slice<const int32_t> words, int64_t mode, bool align_corners, const double* scales) {
    const int32_t* w = words.at_least(7);
    planes = w[0];
    require(planes >= 0, "an interpolation has a negative size");
    for (int d = 0; d < 3; d++) {
      in[d] = w[1 + d];
      out[d] = w[4 + d];
      require(in[d] >= 1 && out[d] >= 1, "an interpolation's sizes are out of range");
      // A dimension that the input does not have is passed through.
      const bool absent = in[d] == 1 && out[d] == 1;
      taps.emplace_back(absent ? static_cast<int64_t>(kNearest) : mode, align_corners && !absent, scales[d], in[d],
                        out[d]);
    }
  }
  int64_t input_pixels() const { return in[0] * in[1] * in[2]; }
  int64_t output_pixels() const { return out[0] * out[1] * out[2]; }

  // Calls row(input row, weight) for the input rows that output row (e, p) is made of.
  template <class F>
  void each_row(int64_t e, int64_t p, const F& row) const {
    const Taps<T>& depth = taps[0];
    const Taps<T>& height = taps[1];
    for (int64_t a = e * depth.count; a < (e + 1) * depth.count; a++) {
      for (int64_t b = p * height.count; b < (p + 1) * height.count; b++) {
        const size_t i = static_cast<size_t>(a);
        const size_t j = static_cast<size_t>(b);
        row(depth.index[i] * in[1] + height.index[j], depth.weight[i] * height.weight[j]);
      }
    }
  }
};

// y = the interpolated planes; rows of the output in parallel.
template <class T>
void interpolate(Slice<const T> x, Slice<T> y, int64_t mode, bool align_corners, double scale_d, double scale_h,
                 double scale_w, Slice<const int32_t> words) {
  const double scales[3] = {scale_d, scale_h, scale_w};
  const Interpolation<T> g(words, mode, align_corners, scales);
  x.at_least(g.planes * g.input_pixels());
  y.at_least(g.planes * g.output_pixels());
  const Taps<T>& along = g.taps[2];
  const bool single = g.taps[0].count * g.taps[1].count == 1;
  parallel_for(g.planes * g.out[0] * g.out[1], grain_of(8192, g.out[2]), [&](int64_t first, int64_t last) {
    std::vector<T> blended(static_cast<size_t>(g.in[2]));
    for (int64_t row = first; row < last; row++) {
      const T* plane = x.data + row / (g.out[0] * g.out[1]) * g.input_pixels();
      T* to = y.data + row * g.out[2];
      const T* from = blended.data();
      bool begun = false;
      g.each_row(row / g.out[1] % g.out[0], row % g.out[1], [&](int64_t source, T weight) {
        const T* values = plane + source * g.in[2];
        if (single) {
          from = values;
        } else if (!begun) {
          begun = true;
          NODEGRAD_SIMD
          for (int64_t i = 0; i < g.in[2]; i++) blended[static_cast<size_t>(i)] = weight * values[i];
        } else {
          NODEGRAD_SIMD
          for (int64_t i = 0; i < g.in[2]; i++) blended[static_cast<size_t>(i)] += weight * values[i];
        }
      });
      const int32_t* at = along.index.data();
      const T* w = along.weight.data();
      if (along.count == 1) {
        for (int64_t q = 0; q < g.out[2]; q++) to[q] = from[at[q]];
      } else if (along.count == 2) {
        NODEGRAD_SIMD
        for (int64_t q = 0; q < g.out[2]; q++) to[q] = w[2 * q] * from[at[2 * q]] + w[2 * q + 1] * from[at[2 * q + 1]];
      } else {
        for (int64_t q = 0; q < g.out[2]; q++) {
          T total = 0;
          for (int64_t j = 0; j < 4; j++) total += w[4 * q + j] * from[at[4 * q + j]];
          to[q] = total;
        }
      }
    }
  });
}

// Taps the other way round: the output elements that each input element is a part of, entries first[i]..first[i + 1].
template <class T>
struct Users {
  std::vector<size_t> first;
  std::vector<int32_t> place;
  std::vector<T> weight;
  bool pairs;  // whether each has two neighbours of its own, which are it: twice the size, nearest

  Users(const Taps<T>& taps, int64_t in)
      : first(static_cast<size_t>(in) + 1), place(taps.index.size()), weight(taps.index.size()) {
    for (const int32_t i : taps.index) first[static_cast<size_t>(i) + 1]++;
    std::partial_sum(first.begin(), first.end(), first.begin());
    std::vector<size_t> at(first.begin(), first.end() - 1);
    for (size_t k = 0; k < taps.index.size(); k++) {
      const size_t to = at[static_cast<size_t>(taps.index[k])]++;
      place[to] = static_cast<int32_t>(static_cast<int64_t>(k) / taps.count);
      weight[to] = taps.weight[k];
    }
    pairs = taps.count == 1 && static_cast<int64_t>(place.size()) == 2 * in;
    for (size_t i = 0; i < first.size(); i++) pairs = pairs && first[i] == 2 * i;
  }
};

// gradInput = the gradients of what each input element is a part of: rows of the output are summed first, then along.
// Rows in parallel.
template <class T>
void interpolateBackward(Slice<const T> grad_output, Slice<T> grad_input, int64_t mode, bool align_corners,
                         double scale_d, double scale_h, double scale_w, Slice<const int32_t> words) {
  const double scales[3] = {scale_d, scale_h, scale_w};
  const Interpolation<T> g(words, mode, align_corners, scales);
  grad_output.at_least(g.planes * g.output_pixels());
  grad_input.at_least(g.planes * g.input_pixels());
  const Users<T> depth(g.taps[0], g.in[0]), height(g.taps[1], g.in[1]), along(g.taps[2], g.in[2]);
  const int64_t rows = g.in[0] * g.in[1];
  if (rows == 0) return;
  const int64_t work = g.in[2] + g.out[2] * ceil_div(g.taps[0].count * g.out[0] * g.taps[1].count * g.out[1], rows);
  parallel_for(g.planes * rows, grain_of(8192, work), [&](int64_t begin, int64_t end) {
    std::vector<T> sums(static_cast<size_t>(g.out[2]));
    for (int64_t row = begin; row < end; row++) {
      const T* plane = grad_output.data + row / rows * g.output_pixels();
      const size_t d = static_cast<size_t>(row % rows / g.in[1]), h = static_cast<size_t>(row % g.in[1]);
      std::fill(sums.begin(), sums.end(), T{0});
      for (size_t a = depth.first[d]; a < depth.first[d + 1]; a++) {
        for (size_t b = height.first[h]; b < height.first[h + 1]; b++) {
          const T* from = plane + (depth.place[a] * g.out[1] + height.place[b]) * g.out[2];
          const T weight = depth.weight[a] * height.weight[b];
          NODEGRAD_SIMD
          for (int64_t q = 0; q < g.out[2]; q++) sums[static_cast<size_t>(q)] += weight * from[q];
        }
      }
      T* to = grad_input.data + row * g.in[2];
      if (along.pairs) {
        NODEGRAD_SIMD
        for (int64_t i = 0; i < g.in[2]; i++)
          to[i] = sums[static_cast<size_t>(2 * i)] + sums[static_cast<size_t>(2 * i + 1)];
        continue;
      }
      for (size_t i = 0; i + 1 < along.first.size(); i++) {
        T total = 0;
        for (size_t k = along.first[i]; k < along.first[i + 1]; k++)
          total += along.weight[k] * sums[static_cast<size_t>(along.place[k])];
        to[i] = total;
      }
    }
  });
}

}  // namespace

void add_interpolate(Registry& registry) {
  NODEGRAD_ADD(registry, interpolate, NODEGRAD_FLOATING);
  NODEGRAD_ADD(registry, interpolateBackward, NODEGRAD_FLOATING);
}

}  // namespace nodegrad::NODEGRAD_LEVEL
