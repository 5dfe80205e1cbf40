// Losses of an input and a target of one shape, fused with their reduction, and their gradients. Data are contiguous; `n` elements each.
// A reduced result is summed by chunks of fixed size in double, so that it does not depend on the number of threads.
#include <cmath>
#include <cstdint>

#include "../runtime/parallel.h"
#include "../runtime/registry.h"
#include "../runtime/scratch.h"
#include "../runtime/simd.h"
#include "vector_math.h"

namespace nodegrad::NODEGRAD_LEVEL {
namespace {

constexpr int64_t kChunk = 8192;

// Each loss: its value, its derivative by the input, its second derivative by the input (left out where it is 0 or TypeScript composes it).
template <class T>
struct Squared {
  explicit Squared(T) {}
  T value(T x, T t) const { return (x - t) * (x - t); }
  T slope(T x, T t) const { return 2 * (x - t); }
  T curvature(T, T) const { return 2; }
};
template <class T>
struct Absolute {
  explicit Absolute(T) {}
  T value(T x, T t) const { return std::fabs(x - t); }
  T slope(T x, T t) const {
    const T d = x - t;
    return d > 0 ? T(1) : d < 0 ? T(-1) : d == 0 ? T(0) : d;
  }
};
template <class T>
struct Smooth {  // beta above 0: a beta of 0 is the absolute loss
  T beta;
  explicit Smooth(T b) : beta(b) {}
  T value(T x, T t) const {
    const T z = std::fabs(x - t);
    return z < beta ? T(0.5) * z * z / beta : z - T(0.5) * beta;
  }
  T slope(T x, T t) const {
    const T d = x - t;
    return d <= -beta ? T(-1) : d >= beta ? T(1) : d / beta;
  }
  T curvature(T x, T t) const { return std::fabs(x - t) < beta ? 1 / beta : T(0); }
};
template <class T>
struct Huber {
  T delta;
  explicit Huber(T d) : delta(d) {}
  T value(T x, T t) const {
    const T z = std::fabs(x - t);
    return z <= delta ? T(0.5) * z * z : delta * (z - T(0.5) * delta);
  }
  T slope(T x, T t) const {
    const T d = x - t;
    return d <= -delta ? -delta : d >= delta ? delta : d;
  }
  T curvature(T x, T t) const { return std::fabs(x - t) < delta ? T(1) : T(0); }
};
// -(t log x + (1 - t) log(1 - x)), logarithms no lower than -100.
template <class T>
struct Entropy {
  explicit Entropy(T) {}
  static T bounded(T y) { return y < T(-100) ? T(-100) : y; }
  T value(T x, T t) const { return (t - 1) * bounded(std::log1p(-x)) - t * bounded(std::log(x)); }
  T slope(T x, T t) const {
    const T spread = (1 - x) * x;
    return (x - t) / (spread < T(1e-12) ? T(1e-12) : spread);
  }
};
// log(1 + e) for 0 <= e <= 1 without a branch: 2 atanh(s) by its series, s = e / (2 + e) at most 1/3.
template <class T>
inline T log1p_of_unit(T e) {
  constexpr int kTerms = sizeof(T) == 4 ? 8 : 17;
  const T s = e / (T(2) + e), square = s * s;
  T sum = T(1) / (2 * kTerms - 1);
  for (int k = kTerms - 1; k >= 1; k--) sum = sum * square + T(1) / (2 * k - 1);
  return 2 * s * sum;
}

// The same of sigmoid(x): (1 - t) x + log(1 + e^-x), without overflow.
template <class T>
struct LogitEntropy {
  explicit LogitEntropy(T) {}
  T value(T x, T t) const { return (1 - t) * x + log1p_of_unit(vec::exp(-std::fabs(x))) + (x < 0 ? -x : T(0)); }
  T slope(T x, T t) const {
    const T e = vec::exp(-std::fabs(x));
    return (x < 0 ? e : T(1)) / (1 + e) - t;
  }
};

// out[i] = value, or out[0] = scale * sum of values where `reduces`.
template <template <class> class Loss, class T>
void loss(Slice<const T> input, Slice<const T> target, Slice<T> out, int64_t n, double parameter, bool reduces, double scale) {
  const T* x = input.at_least(n);
  const T* t = target.at_least(n);
  T* y = out.at_least(reduces ? 1 : n);
  const Loss<T> f(static_cast<T>(parameter));
  if (!reduces) {
    parallel_for(n, kChunk, [&](int64_t begin, int64_t end) {
      NODEGRAD_SIMD
      for (int64_t i = begin; i < end; i++) y[i] = f.value(x[i], t[i]);
    });
    return;
  }
  const int64_t chunks = (n + kChunk - 1) / kChunk;
  Scratch<double> partial(chunks);
  parallel_for(n, kChunk, [&](int64_t begin, int64_t end) {
    constexpr int kLanes = 16;
    T lanes[kLanes] = {};
    int64_t i = begin;
    for (; i + kLanes <= end; i += kLanes) {
      for (int k = 0; k < kLanes; k++) lanes[k] += f.value(x[i + k], t[i + k]);
    }
    double total = 0;
    for (int k = 0; k < kLanes; k++) total += lanes[k];
    for (; i < end; i++) total += f.value(x[i], t[i]);
    partial[begin / kChunk] = total;
  });
  double total = 0;
  for (int64_t k = 0; k < chunks; k++) total += partial[k];
  y[0] = static_cast<T>(total * scale);
}

// out[i] = g * scale * slope, with one g for all where `shared`.
template <template <class> class Loss, class T>
void loss_backward(Slice<const T> gradient, Slice<const T> input, Slice<const T> target, Slice<T> out, int64_t n, double parameter, bool shared,
                   double scale) {
  const T* g = gradient.at_least(shared ? 1 : n);
  const T* x = input.at_least(n);
  const T* t = target.at_least(n);
  T* y = out.at_least(n);
  const Loss<T> f(static_cast<T>(parameter));
  const T factor = static_cast<T>(scale);
  if (shared) {
    if (n == 0) return;
    const T h = g[0] * factor;
    parallel_for(n, kChunk, [&](int64_t begin, int64_t end) {
      NODEGRAD_SIMD
      for (int64_t i = begin; i < end; i++) y[i] = h * f.slope(x[i], t[i]);
    });
    return;
  }
  parallel_for(n, kChunk, [&](int64_t begin, int64_t end) {
    NODEGRAD_SIMD
    for (int64_t i = begin; i < end; i++) y[i] = g[i] * factor * f.slope(x[i], t[i]);
  });
}

// out[i] = h[i] * curvature.
template <template <class> class Loss, class T>
void loss_curvature(Slice<const T> weight, Slice<const T> input, Slice<const T> target, Slice<T> out, int64_t n, double parameter) {
  const T* h = weight.at_least(n);
  const T* x = input.at_least(n);
  const T* t = target.at_least(n);
  T* y = out.at_least(n);
  const Loss<T> f(static_cast<T>(parameter));
  parallel_for(n, kChunk, [&](int64_t begin, int64_t end) {
    NODEGRAD_SIMD
    for (int64_t i = begin; i < end; i++) y[i] = h[i] * f.curvature(x[i], t[i]);
  });
}

template <template <class> class Loss>
void add_first_order(Registry& registry, const char* name, const char* backward) {
  registry.add_each<NODEGRAD_FLOATING>(name, [](auto tag) { return &loss<Loss, typename decltype(tag)::type>; });
  registry.add_each<NODEGRAD_FLOATING>(backward, [](auto tag) { return &loss_backward<Loss, typename decltype(tag)::type>; });
}
template <template <class> class Loss>
void add_second_order(Registry& registry, const char* name, const char* backward, const char* curvature) {
  add_first_order<Loss>(registry, name, backward);
  registry.add_each<NODEGRAD_FLOATING>(curvature, [](auto tag) { return &loss_curvature<Loss, typename decltype(tag)::type>; });
}

}  // namespace

void add_loss(Registry& registry) {
  add_second_order<Squared>(registry, "mseLoss", "mseLossBackward", "mseLossCurvature");
  add_second_order<Smooth>(registry, "smoothL1Loss", "smoothL1LossBackward", "smoothL1LossCurvature");
  add_second_order<Huber>(registry, "huberLoss", "huberLossBackward", "huberLossCurvature");
  add_first_order<Absolute>(registry, "l1Loss", "l1LossBackward");
  add_first_order<Entropy>(registry, "binaryCrossEntropy", "binaryCrossEntropyBackward");
  add_first_order<LogitEntropy>(registry, "binaryCrossEntropyWithLogits", "binaryCrossEntropyWithLogitsBackward");
}

}  // namespace nodegrad::NODEGRAD_LEVEL
