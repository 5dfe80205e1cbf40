// Losses of an input and a target of one shape, fused with their reduction, and their gradients. Data are contiguous;
// `n` elements each. A reduced result is summed by chunks of fixed size in double, so that it does not depend on the
// number of threads.
#include <cmath>
#include <cstdint>

#include "../../runtime/divide.h"
#include "../../runtime/parallel.h"
#include "../../runtime/registry.h"
#include "../../runtime/scratch.h"
#include "../../runtime/simd.h"
#include "../simd/vector_math.h"

namespace nodegrad::NODEGRAD_LEVEL {
namespace {

constexpr int64_t kChunk = 8192;

// Each loss on packs: its value, its derivative by the input, its second derivative by the input (left out where it is
// 0 or TypeScript composes it).
template <class T>
struct Squared {
  using V = Pack<T>;
  explicit Squared(T) {}
  V value(V x, V t) const { return (x - t) * (x - t); }
  V slope(V x, V t) const { return x - t; }  // halved: see kSlope
  V curvature(V, V) const { return splat<V>(2); }
};
// What slopes are multiplied by, with the gradient: twice a difference may overflow where the product does not.
template <class Loss>
constexpr double kSlope = 1;
template <class T>
constexpr double kSlope<Squared<T>> = 2;
template <class T>
struct Absolute {
  using V = Pack<T>;
  explicit Absolute(T) {}
  V value(V x, V t) const { return abs(x - t); }
  V slope(V x, V t) const {
    const V d = x - t;
    return d > T(0) ? splat<V>(1) : d < T(0) ? splat<V>(-1) : V{};  // also of NaN, as PyTorch's sign is
  }
};
template <class T>
struct Smooth {  // beta above 0: a beta of 0 is the absolute loss
  using V = Pack<T>;
  T beta;
  explicit Smooth(T b) : beta(b) {}
  V value(V x, V t) const {
    const V z = abs(x - t);
    return z < beta ? T(0.5) * z * z / beta : z - T(0.5) * beta;
  }
  V slope(V x, V t) const {
    const V d = x - t;
    return d <= -beta ? splat<V>(-1) : d >= beta ? splat<V>(1) : d / beta;
  }
  V curvature(V x, V t) const { return abs(x - t) < beta ? splat<V>(1 / beta) : V{}; }
};
template <class T>
struct Huber {
  using V = Pack<T>;
  T delta;
  explicit Huber(T d) : delta(d) {}
  V value(V x, V t) const {
    const V z = abs(x - t);
    return z <= delta ? T(0.5) * z * z : delta * (z - T(0.5) * delta);
  }
  V slope(V x, V t) const {
    const V d = x - t;
    return d <= -delta ? splat<V>(-delta) : d >= delta ? splat<V>(delta) : d;
  }
  V curvature(V x, V t) const { return abs(x - t) < delta ? splat<V>(1) : V{}; }
};
// -(t log x + (1 - t) log(1 - x)), logarithms no lower than -100.
template <class T>
struct Entropy {
  using V = Pack<T>;
  explicit Entropy(T) {}
  static V bounded(V y) { return y < T(-100) ? splat<V>(-100) : y; }
  V value(V x, V t) const { return (t - T(1)) * bounded(vec::log1p(-x)) - t * bounded(vec::log(x)); }
  V slope(V x, V t) const {
    const V spread = (T(1) - x) * x;
    return (x - t) / (spread < T(1e-12) ? splat<V>(T(1e-12)) : spread);
  }
};
// The same of sigmoid(x): (1 - t) x + log(1 + e^-x), without overflow.
template <class T>
struct LogitEntropy {
  using V = Pack<T>;
  explicit LogitEntropy(T) {}
  V value(V x, V t) const { return (T(1) - t) * x + vec::log1p_of_exp(-abs(x)) + (x < T(0) ? -x : V{}); }
  V slope(V x, V t) const { return vec::sigmoid(x) - t; }
};

// out[i] = value, or out[0] = scale * sum of values where `reduces`.
template <template <class> class Loss, class T>
void loss(Slice<const T> input, Slice<const T> target, Slice<T> out, int64_t n, double parameter, bool reduces,
          double scale) {
  using V = Pack<T>;
  const T* x = input.at_least(n);
  const T* t = target.at_least(n);
  T* y = out.at_least(reduces ? 1 : n);
  const Loss<T> f(static_cast<T>(parameter));
  if (!reduces) {
    parallel_for(n, kChunk, [&](int64_t begin, int64_t end) {
      map_packs(end - begin, [&](V a, V b) { return f.value(a, b); }, y + begin, x + begin, t + begin);
    });
    return;
  }
  const int64_t chunks = ceil_div(n, kChunk);
  Scratch<double> partial(chunks);
  parallel_for(n, kChunk, [&](int64_t begin, int64_t end) {
    V sums{};
    int64_t i = begin;
    for (; i + kLanes<T> <= end; i += kLanes<T>) sums += f.value(load(x + i), load(t + i));
    T last[kLanes<T>] = {};
    if (i < end) store_part(last, f.value(load_part(x + i, end - i), load_part(t + i, end - i)), end - i);
    partial[begin / kChunk] = static_cast<double>(sum_lanes(sums)) + static_cast<double>(sum_lanes(load(last)));
  });
  double total = 0;
  for (int64_t k = 0; k < chunks; k++) total += partial[k];
  y[0] = static_cast<T>(total * scale);
}

// out[i] = g * scale * slope, with one g for all where `shared`.
template <template <class> class Loss, class T>
void loss_backward(Slice<const T> gradient, Slice<const T> input, Slice<const T> target, Slice<T> out, int64_t n,
                   double parameter, bool shared, double scale) {
  const T* g = gradient.at_least(shared ? 1 : n);
  using V = Pack<T>;
  const T* x = input.at_least(n);
  const T* t = target.at_least(n);
  T* y = out.at_least(n);
  const Loss<T> f(static_cast<T>(parameter));
  const T factor = static_cast<T>(scale * kSlope<Loss<T>>);
  if (shared) {
    if (n == 0) return;
    const T h = g[0] * factor;
    parallel_for(n, kChunk, [&](int64_t begin, int64_t end) {
      map_packs(end - begin, [&](V a, V b) { return h * f.slope(a, b); }, y + begin, x + begin, t + begin);
    });
    return;
  }
  parallel_for(n, kChunk, [&](int64_t begin, int64_t end) {
    map_packs(
        end - begin, [&](V c, V a, V b) { return c * factor * f.slope(a, b); }, y + begin, g + begin, x + begin,
        t + begin);
  });
}

// out[i] = h[i] * curvature.
template <template <class> class Loss, class T>
void loss_curvature(Slice<const T> weight, Slice<const T> input, Slice<const T> target, Slice<T> out, int64_t n,
                    double parameter) {
  const T* h = weight.at_least(n);
  using V = Pack<T>;
  const T* x = input.at_least(n);
  const T* t = target.at_least(n);
  T* y = out.at_least(n);
  const Loss<T> f(static_cast<T>(parameter));
  parallel_for(n, kChunk, [&](int64_t begin, int64_t end) {
    map_packs(
        end - begin, [&](V c, V a, V b) { return c * f.curvature(a, b); }, y + begin, h + begin, x + begin, t + begin);
  });
}

template <template <class> class Loss>
void add_first_order(Registry& registry, const char* name, const char* backward) {
  registry.add_each<NODEGRAD_FLOATING>(name, [](auto tag) { return &loss<Loss, typename decltype(tag)::type>; });
  registry.add_each<NODEGRAD_FLOATING>(backward,
                                       [](auto tag) { return &loss_backward<Loss, typename decltype(tag)::type>; });
}
template <template <class> class Loss>
void add_second_order(Registry& registry, const char* name, const char* backward, const char* curvature) {
  add_first_order<Loss>(registry, name, backward);
  registry.add_each<NODEGRAD_FLOATING>(curvature,
                                       [](auto tag) { return &loss_curvature<Loss, typename decltype(tag)::type>; });
}

}  // namespace

void add_difference_loss(Registry& registry) {
  add_second_order<Squared>(registry, "mseLoss", "mseLossBackward", "mseLossCurvature");
  add_second_order<Smooth>(registry, "smoothL1Loss", "smoothL1LossBackward", "smoothL1LossCurvature");
  add_second_order<Huber>(registry, "huberLoss", "huberLossBackward", "huberLossCurvature");
  add_first_order<Absolute>(registry, "l1Loss", "l1LossBackward");
  add_first_order<Entropy>(registry, "binaryCrossEntropy", "binaryCrossEntropyBackward");
  add_first_order<LogitEntropy>(registry, "binaryCrossEntropyWithLogits", "binaryCrossEntropyWithLogitsBackward");
}

}  // namespace nodegrad::NODEGRAD_LEVEL
