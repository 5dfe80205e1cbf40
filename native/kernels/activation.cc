// Activation functions and their derivatives: one functor each. Backward functors take gradOutput first.
#include <cmath>

#include "elementwise.h"
#include "kernels.h"

namespace nodegrad::NODEGRAD_LEVEL {
namespace {

// A NaN stays.
struct Relu {
  template <class T>
  T operator()(T x) const {
    return x < T(0) ? T(0) : x;
  }
};
// dx = g where the function's input or output was above the threshold.
struct ThresholdBackward {
  double threshold;
  template <class T>
  T operator()(T g, T x) const {
    return x <= static_cast<T>(threshold) ? T(0) : g;
  }
};

}  // namespace

void add_activation(Registry& registry) {
  add_unary<Relu, NODEGRAD_FLOATING, NODEGRAD_HALVES>(registry, "relu");
  add_binary<ThresholdBackward, NODEGRAD_FLOATING, NODEGRAD_HALVES>(registry, "thresholdBackward");
}

}  // namespace nodegrad::NODEGRAD_LEVEL
