// Losses of class scores against class indices: cross entropy (log-softmax and negative log likelihood in one pass) and
// negative log likelihood. Scores are contiguous (outer, classes, inner), targets (outer, inner); TypeScript has
// checked every index, and so does each kernel where it reads by one. An empty weight counts as ones. Positions whose
// target is `ignored` count for nothing.
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "../../runtime/divide.h"
#include "../../runtime/parallel.h"
#include "../../runtime/registry.h"
#include "../../runtime/scratch.h"
#include "../../runtime/simd.h"
#include "../simd/exp_rows.h"
#include "../simd/vector_math.h"

namespace nodegrad::NODEGRAD_LEVEL {
namespace {

enum Mode : int64_t { kNone = 0, kMean = 1, kSum = 2 };

// Columns that are worked on together where classes do not lie side by side.
constexpr int64_t kWidth = 128;

struct Sizes {
  int64_t outer, classes, inner;
  int64_t positions() const { return outer * inner; }
  int64_t elements() const { return outer * classes * inner; }
  int64_t grain() const { return grain_of(16384, classes); }
};

Sizes checked(int64_t outer, int64_t classes, int64_t inner) {
  require(outer >= 0 && classes >= 0 && inner >= 0, "a loss has a negative size");
  return {outer, classes, inner};
}

// The class of a target, or -1 where it is ignored.
inline int64_t class_of(int64_t target, int64_t classes, int64_t ignored) {
  if (target == ignored) return -1;
  if (target < 0 || target >= classes) throw std::out_of_range("a class index is out of range");
  return target;
}

// The first position whose target is neither a class nor ignored, or -1.
double findOutside(Slice<const int64_t> target, int64_t n, int64_t classes, int64_t ignored) {
  const int64_t* t = target.at_least(n);
  for (int64_t i = 0; i < n; i++) {
    if (t[i] != ignored && (t[i] < 0 || t[i] >= classes)) return static_cast<double>(i);
  }
  return -1;
}

// Sums of chunks, added up in order.
template <class F>
void summed(const Sizes& sizes, double& first, double& second, const F& chunk) {
  const int64_t grain = sizes.grain();
  const int64_t chunks = ceil_div(sizes.positions(), grain);
  Scratch<double> sums(2 * chunks);
  parallel_for(sizes.positions(), grain, [&](int64_t begin, int64_t end) {
    double a = 0, b = 0;
    chunk(begin, end, a, b);
    sums[2 * (begin / grain)] = a;
    sums[2 * (begin / grain) + 1] = b;
  });
  first = 0;
  second = 0;
  for (int64_t k = 0; k < chunks; k++) {
    first += sums[2 * k];
    second += sums[2 * k + 1];
  }
}

// log of the sum of e^x over the classes, for positions begin..end-1.
template <class T>
void log_sums(const T* x, T* log_sum, const Sizes& sizes, int64_t begin, int64_t end) {
  const int64_t classes = sizes.classes, inner = sizes.inner;
  T top[kWidth], total[kWidth];
  const auto finish = [&](int64_t at, int64_t width) {
    map_packs(
        width, [](auto m, auto sum) { return m + vec::log(sum); }, log_sum + at, static_cast<const T*>(top),
        static_cast<const T*>(total));
  };
  if (inner == 1 && classes <= kShortRow) {
    const Scratch<Pack<T>> lanes(classes);
    for (int64_t at = begin; at < end; at += kLanes<T>) {
      const int64_t rows = std::min<int64_t>(kLanes<T>, end - at);
      rows_to_lanes(x + at * classes, classes, rows, lanes.get());
      const Pack<T> m = lanes_top(lanes.get(), classes);
      store(top, m + vec::log(lanes_exps(lanes.get(), classes, m)));
      std::copy_n(top, rows, log_sum + at);
    }
    return;
  }
  if (inner == 1) {
    for (int64_t at = begin; at < end; at += kWidth) {
      const int64_t rows = std::min(kWidth, end - at);
      for (int64_t k = 0; k < rows; k++) {
        const T* row = x + (at + k) * classes;
        top[k] = row_top(row, classes);
        total[k] = row_exps<false>(row, total, classes, top[k]);
      }
      finish(at, rows);
    }
    return;
  }
  for (int64_t at = begin; at < end;) {
    const int64_t o = at / inner, i = at % inner;
    const int64_t width = std::min({kWidth, inner - i, end - at});
    const T* column = x + o * classes * inner + i;
    std::copy_n(column, width, top);
    std::fill_n(total, width, T(0));
    for (int64_t c = 1; c < classes; c++)
      map_packs(
          width, [](auto v, auto m) { return larger_or_nan(v, m); }, top, column + c * inner,
          static_cast<const T*>(top));
    for (int64_t c = 0; c < classes; c++) {
      map_packs(
          width, [](auto v, auto m, auto sum) { return sum + exp_below(v - m); }, total, column + c * inner,
          static_cast<const T*>(top), static_cast<const T*>(total));
    }
    finish(at, width);
    at += width;
  }
}

// loss = (1 - s) w_t (L - x_t) + s / C sum_c w_c (L - x_c), L the log of the sum of e^x, s the smoothing. log_sum,
// factor (of the softmax in the gradient) and norm (what a reduction multiplies by) are kept for the backward pass.
template <class T>
void crossEntropy(Slice<const T> input, Slice<const int64_t> target, Slice<const T> weight, Slice<T> out,
                  Slice<T> log_sum, Slice<T> factor, Slice<T> norm, int64_t outer, int64_t classes, int64_t inner,
                  int64_t ignored, double smoothing, int64_t mode) {
  const Sizes sizes = checked(outer, classes, inner);
  const T* x = input.at_least(sizes.elements());
  const int64_t* t = target.at_least(sizes.positions());
  const T* w = weight.size > 0 ? weight.at_least(classes) : nullptr;
  T* y = out.at_least(mode == kNone ? sizes.positions() : 1);
  T* L = log_sum.at_least(sizes.positions());
  T* a = factor.at_least(sizes.positions());
  T* scale = norm.at_least(1);
  const T sharp = static_cast<T>(1 - smoothing),
          soft = classes > 0 ? static_cast<T>(smoothing / static_cast<double>(classes)) : T(0);
  T all = static_cast<T>(classes);
  if (w != nullptr) {
    all = 0;
    for (int64_t c = 0; c < classes; c++) all += w[c];
  }
  double total = 0, counted = 0;
  summed(sizes, total, counted, [&](int64_t begin, int64_t end, double& sum, double& weights) {
    if (classes > 0) log_sums(x, L, sizes, begin, end);
    for (int64_t p = begin; p < end; p++) {
      const int64_t k = class_of(t[p], classes, ignored);
      a[p] = 0;
      if (k < 0) {
        if (mode == kNone) y[p] = 0;
        continue;
      }
      const T* score = x + (inner == 1 ? p * classes : p / inner * classes * inner + p % inner);
      const T own = w != nullptr ? w[k] : T(1);
      T value = own * (L[p] - score[k * inner]);
      if (smoothing > 0) {
        T spread = 0;
        for (int64_t c = 0; c < classes; c++) spread += (w != nullptr ? w[c] : T(1)) * (L[p] - score[c * inner]);
        value = sharp * value + soft * spread;
      }
      a[p] = sharp * own + soft * all;
      if (mode == kNone) y[p] = value;
      sum += value;
      weights += own;
    }
  });
  scale[0] = mode == kMean ? static_cast<T>(1 / counted) : T(1);
  if (mode == kMean) y[0] = static_cast<T>(total / counted);
  if (mode == kSum) y[0] = static_cast<T>(total);
}

// dx = g norm (factor softmax(x) - (1 - s) w_t [c = t] - s / C w_c), with one g for all positions where `shared`.
template <class T>
void crossEntropyBackward(Slice<const T> gradient, Slice<const T> input, Slice<const T> log_sum, Slice<const T> factor,
                          Slice<const T> norm, Slice<const int64_t> target, Slice<const T> weight, Slice<T> out,
                          int64_t outer, int64_t classes, int64_t inner, int64_t ignored, double smoothing,
                          bool shared) {
  const Sizes sizes = checked(outer, classes, inner);
  const T* g = gradient.at_least(shared ? 1 : sizes.positions());
  const T* x = input.at_least(sizes.elements());
  const T* L = log_sum.at_least(sizes.positions());
  const T* a = factor.at_least(sizes.positions());
  const T scale = norm.at_least(1)[0];
  const int64_t* t = target.at_least(sizes.positions());
  const T* w = weight.size > 0 ? weight.at_least(classes) : nullptr;
  T* y = out.at_least(sizes.elements());
  const T sharp = static_cast<T>(1 - smoothing),
          soft = classes > 0 ? static_cast<T>(smoothing / static_cast<double>(classes)) : T(0);
  parallel_for(sizes.positions(), sizes.grain(), [&](int64_t begin, int64_t end) {
    const Scratch<Pack<T>> lanes(classes <= kShortRow ? classes : 0);
    for (int64_t at = begin; at < end;) {
      const int64_t o = at / inner, i = at % inner;
      const int64_t rows = classes <= kShortRow ? std::min<int64_t>(kLanes<T>, end - at) : 1;
      const int64_t width = inner == 1 ? rows : std::min({kWidth, inner - i, end - at});
      const int64_t base = o * classes * inner + i;
      T h[kWidth];
      for (int64_t k = 0; k < width; k++) h[k] = g[shared ? 0 : at + k] * scale;
      if (inner == 1 && classes <= kShortRow) {
        T log_total[kLanes<T>] = {}, top[kLanes<T>] = {};
        for (int64_t k = 0; k < width; k++) {
          log_total[k] = L[at + k];
          top[k] = h[k] * a[at + k];
        }
        rows_to_lanes(x + base, classes, width, lanes.get());
        for (int64_t c = 0; c < classes; c++) lanes[c] = load(top) * exp_below(lanes[c] - load(log_total));
        lanes_to_rows(lanes.get(), classes, width, y + base);
      } else if (inner == 1) {
        const T top = h[0] * a[at], log_total = L[at];
        map_packs(classes, [=](auto v) { return top * exp_below(v - log_total); }, y + base, x + base);
      } else {
        for (int64_t k = 0; k < width; k++) h[k] *= a[at + k];
        for (int64_t c = 0; c < classes; c++) {
          map_packs(
              width, [](auto v, auto log_total, auto top) { return top * exp_below(v - log_total); },
              y + base + c * inner, x + base + c * inner, L + at, static_cast<const T*>(h));
        }
        for (int64_t k = 0; k < width; k++) h[k] = g[shared ? 0 : at + k] * scale;
      }
      for (int64_t k = 0; k < width; k++) {
        const int64_t own = class_of(t[at + k], classes, ignored);
        T* column = y + base + k * (inner == 1 ? classes : 1);
        if (own < 0) {
          for (int64_t c = 0; c < classes; c++) column[c * inner] = 0;
          continue;
        }
        if (smoothing > 0) {
          for (int64_t c = 0; c < classes; c++) column[c * inner] -= h[k] * soft * (w != nullptr ? w[c] : T(1));
        }
        column[own * inner] -= h[k] * sharp * (w != nullptr ? w[own] : T(1));
      }
      at += width;
    }
  });
}

// Calls use(p, where its first class stands) for positions begin..end-1: counted, since a division takes longer than
// what is done there.
template <class Use>
inline void each_position(int64_t begin, int64_t end, int64_t classes, int64_t inner, const Use& use) {
  if (begin >= end) return;
  int64_t i = begin % inner, at = begin / inner * classes * inner + i;
  for (int64_t p = begin; p < end; p++, at++) {
    use(p, at);
    if (++i < inner) continue;
    i = 0;
    at += (classes - 1) * inner;
  }
}

// loss = -w_t x_t; norm as above.
template <class T>
void nllLoss(Slice<const T> input, Slice<const int64_t> target, Slice<const T> weight, Slice<T> out, Slice<T> norm,
             int64_t outer, int64_t classes, int64_t inner, int64_t ignored, int64_t mode) {
  const Sizes sizes = checked(outer, classes, inner);
  const T* x = input.at_least(sizes.elements());
  const int64_t* t = target.at_least(sizes.positions());
  const T* w = weight.size > 0 ? weight.at_least(classes) : nullptr;
  T* y = out.at_least(mode == kNone ? sizes.positions() : 1);
  T* scale = norm.at_least(1);
  double total = 0, counted = 0;
  summed(sizes, total, counted, [&](int64_t begin, int64_t end, double& sum, double& weights) {
    each_position(begin, end, classes, inner, [&](int64_t p, int64_t at) {
      const int64_t k = class_of(t[p], classes, ignored);
      if (k < 0) {
        if (mode == kNone) y[p] = 0;
        return;
      }
      const T own = w != nullptr ? w[k] : T(1);
      const T value = -own * x[at + k * inner];
      if (mode == kNone) y[p] = value;
      sum += value;
      weights += own;
    });
  });
  scale[0] = mode == kMean ? static_cast<T>(1 / counted) : T(1);
  if (mode == kMean) y[0] = static_cast<T>(total / counted);
  if (mode == kSum) y[0] = static_cast<T>(total);
}

// dx = -g norm w_t where c = t, else 0.
template <class T>
void nllLossBackward(Slice<const T> gradient, Slice<const T> norm, Slice<const int64_t> target, Slice<const T> weight,
                     Slice<T> out, int64_t outer, int64_t classes, int64_t inner, int64_t ignored, bool shared) {
  const Sizes sizes = checked(outer, classes, inner);
  const T* g = gradient.at_least(shared ? 1 : sizes.positions());
  const T scale = norm.at_least(1)[0];
  const int64_t* t = target.at_least(sizes.positions());
  const T* w = weight.size > 0 ? weight.at_least(classes) : nullptr;
  T* y = out.at_least(sizes.elements());
  parallel_for(sizes.elements(), 65536, [&](int64_t begin, int64_t end) { std::fill(y + begin, y + end, T(0)); });
  parallel_for(sizes.positions(), 16384, [&](int64_t begin, int64_t end) {
    each_position(begin, end, classes, inner, [&](int64_t p, int64_t at) {
      const int64_t k = class_of(t[p], classes, ignored);
      if (k >= 0) y[at + k * inner] = -g[shared ? 0 : p] * scale * (w != nullptr ? w[k] : T(1));
    });
  });
}

}  // namespace

void add_cross_entropy(Registry& registry) {
  registry.add("findOutside", DType::Int64, &findOutside);
  NODEGRAD_ADD(registry, crossEntropy, NODEGRAD_FLOATING);
  NODEGRAD_ADD(registry, crossEntropyBackward, NODEGRAD_FLOATING);
  NODEGRAD_ADD(registry, nllLoss, NODEGRAD_FLOATING);
  NODEGRAD_ADD(registry, nllLossBackward, NODEGRAD_FLOATING);
}

}  // namespace nodegrad::NODEGRAD_LEVEL
