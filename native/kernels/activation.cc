// Activation functions and their derivatives: one functor each. Backward functors take gradOutput first, then the function's input
// (or its output, where the caller saved that). Loops vectorise where no library function is called.
#include <cmath>

#include "arithmetic.h"
#include "elementwise.h"
#include "kernels.h"

namespace nodegrad::NODEGRAD_LEVEL {
namespace {

constexpr double kRootHalf = 0.70710678118654752440;
constexpr double kTwoByRootPi = 1.12837916709551257390;

template <class T>
T logistic(T x) {
  return T(1) / (T(1) + std::exp(-x));
}

// A NaN stays.
struct Relu {
  template <class T>
  T operator()(T x) const {
    return x < T(0) ? T(0) : x;
  }
};
// g where x is above the threshold (or NaN).
struct ThresholdBackward {
  double threshold;
  template <class T>
  T operator()(T g, T x) const {
    return x <= static_cast<T>(threshold) ? T(0) : g;
  }
};
struct Threshold {
  double threshold;
  double value;
  template <class T>
  T operator()(T x) const {
    return x <= static_cast<T>(threshold) ? static_cast<T>(value) : x;
  }
};
// g where x is below 0 (or NaN).
struct NegativeGate {
  template <class T>
  T operator()(T g, T x) const {
    return x >= T(0) ? T(0) : g;
  }
};
// g strictly between the bounds.
struct HardtanhBackward {
  double low;
  double high;
  template <class T>
  T operator()(T g, T x) const {
    return x > static_cast<T>(low) && x < static_cast<T>(high) ? g : T(0);
  }
};
struct LeakyRelu {
  double slope;
  template <class T>
  T operator()(T x) const {
    return x > T(0) ? x : x * static_cast<T>(slope);
  }
};
struct LeakyReluBackward {
  double slope;
  template <class T>
  T operator()(T g, T x) const {
    return x > T(0) ? g : g * static_cast<T>(slope);
  }
};
struct Prelu {
  template <class T>
  T operator()(T x, T weight) const {
    return x > T(0) ? x : x * weight;
  }
};
struct PreluBackward {
  template <class T>
  T operator()(T g, T x, T weight) const {
    return x > T(0) ? g : g * weight;
  }
};
// ELU, SELU and CELU: scale x above 0, scale alpha (e^(rate x) - 1) below.
struct Elu {
  double alpha;
  double scale;
  double rate;
  template <class T>
  T operator()(T x) const {
    return x > T(0) ? x * static_cast<T>(scale) : std::expm1(x * static_cast<T>(rate)) * static_cast<T>(alpha * scale);
  }
};
struct EluBackward {
  double alpha;
  double scale;
  double rate;
  template <class T>
  T operator()(T g, T x) const {
    return x > T(0) ? g * static_cast<T>(scale) : g * static_cast<T>(alpha * scale * rate) * std::exp(x * static_cast<T>(rate));
  }
};
struct Gelu {
  template <class T>
  T operator()(T x) const {
    return x * T(0.5) * (T(1) + std::erf(x * T(kRootHalf)));
  }
};
struct GeluBackward {
  template <class T>
  T operator()(T g, T x) const {
    const T below = T(0.5) * (T(1) + std::erf(x * T(kRootHalf)));
    const T density = std::exp(T(-0.5) * x * x) * T(kTwoByRootPi * kRootHalf * 0.5);
    return g * (below + x * density);
  }
};
constexpr double kGeluInner = kTwoByRootPi * kRootHalf;  // sqrt(2 / pi)
constexpr double kGeluCube = 0.044715;
struct GeluTanh {
  template <class T>
  T operator()(T x) const {
    return T(0.5) * x * (T(1) + std::tanh(T(kGeluInner) * (x + T(kGeluCube) * x * x * x)));
  }
};
struct GeluTanhBackward {
  template <class T>
  T operator()(T g, T x) const {
    const T t = std::tanh(T(kGeluInner) * (x + T(kGeluCube) * x * x * x));
    const T slope = T(kGeluInner) * (T(1) + T(3 * kGeluCube) * x * x);
    return g * T(0.5) * (T(1) + t + x * (T(1) - t * t) * slope);
  }
};
struct Silu {
  template <class T>
  T operator()(T x) const {
    return x / (T(1) + std::exp(-x));
  }
};
struct SiluBackward {
  template <class T>
  T operator()(T g, T x) const {
    const T s = logistic(x);
    return g * s * (T(1) + x * (T(1) - s));
  }
};
struct Mish {
  template <class T>
  T operator()(T x) const {
    return x * std::tanh(std::log1p(std::exp(x)));
  }
};
struct MishBackward {
  template <class T>
  T operator()(T g, T x) const {
    const T t = std::tanh(std::log1p(std::exp(x)));
    return g * (t + x * logistic(x) * (T(1) - t * t));
  }
};
struct Softplus {
  double beta;
  double threshold;
  template <class T>
  T operator()(T x) const {
    const T z = x * static_cast<T>(beta);
    return z > static_cast<T>(threshold) ? x : std::log1p(std::exp(z)) / static_cast<T>(beta);
  }
};
struct SoftplusBackward {
  double beta;
  double threshold;
  template <class T>
  T operator()(T g, T x) const {
    const T z = x * static_cast<T>(beta);
    return z > static_cast<T>(threshold) ? g : g * logistic(z);
  }
};
struct LogSigmoid {
  template <class T>
  T operator()(T x) const {
    return Minimum{}(x, T(0)) - std::log1p(std::exp(-std::fabs(x)));
  }
};
struct LogSigmoidBackward {
  template <class T>
  T operator()(T g, T x) const {
    return g * logistic(-x);
  }
};
struct Hardsigmoid {
  template <class T>
  T operator()(T x) const {
    return Clamp{}(x + T(3), T(0), T(6)) / T(6);
  }
};
struct HardsigmoidBackward {
  template <class T>
  T operator()(T g, T x) const {
    return x > T(-3) && x < T(3) ? g / T(6) : T(0);
  }
};
struct Hardswish {
  template <class T>
  T operator()(T x) const {
    return x * Clamp{}(x + T(3), T(0), T(6)) / T(6);
  }
};
struct HardswishBackward {
  template <class T>
  T operator()(T g, T x) const {
    return x <= T(-3) ? T(0) : x >= T(3) ? g : g * (x / T(3) + T(0.5));
  }
};
struct Softshrink {
  double lambda;
  template <class T>
  T operator()(T x) const {
    const T limit = static_cast<T>(lambda);
    return x > limit ? x - limit : x < -limit ? x + limit : x * T(0);
  }
};
struct Hardshrink {
  double lambda;
  template <class T>
  T operator()(T x) const {
    const T limit = static_cast<T>(lambda);
    return x >= -limit && x <= limit ? T(0) : x;
  }
};
// g where x lies beyond the threshold on either side.
struct ShrinkBackward {
  double lambda;
  template <class T>
  T operator()(T g, T x) const {
    const T limit = static_cast<T>(lambda);
    return x > limit || x < -limit ? g : T(0);
  }
};

}  // namespace

void add_activation(Registry& registry) {
  add_unary<Relu, NODEGRAD_FLOATING, NODEGRAD_HALVES>(registry, "relu");
  add_binary<ThresholdBackward, NODEGRAD_FLOATING, NODEGRAD_HALVES>(registry, "thresholdBackward");
  add_unary<Threshold, NODEGRAD_FLOATING>(registry, "threshold");
  add_binary<NegativeGate, NODEGRAD_FLOATING>(registry, "negativeGate");
  add_binary<HardtanhBackward, NODEGRAD_FLOATING>(registry, "hardtanhBackward");
  add_unary<LeakyRelu, NODEGRAD_FLOATING>(registry, "leakyRelu");
  add_binary<LeakyReluBackward, NODEGRAD_FLOATING>(registry, "leakyReluBackward");
  add_binary<Prelu, NODEGRAD_FLOATING>(registry, "prelu");
  add_ternary<PreluBackward, NODEGRAD_FLOATING>(registry, "preluBackward");
  add_unary<Elu, NODEGRAD_FLOATING>(registry, "elu");
  add_binary<EluBackward, NODEGRAD_FLOATING>(registry, "eluBackward");
  add_unary<Gelu, NODEGRAD_FLOATING>(registry, "gelu");
  add_binary<GeluBackward, NODEGRAD_FLOATING>(registry, "geluBackward");
  add_unary<GeluTanh, NODEGRAD_FLOATING>(registry, "geluTanh");
  add_binary<GeluTanhBackward, NODEGRAD_FLOATING>(registry, "geluTanhBackward");
  add_unary<Silu, NODEGRAD_FLOATING>(registry, "silu");
  add_binary<SiluBackward, NODEGRAD_FLOATING>(registry, "siluBackward");
  add_unary<Mish, NODEGRAD_FLOATING>(registry, "mish");
  add_binary<MishBackward, NODEGRAD_FLOATING>(registry, "mishBackward");
  add_unary<Softplus, NODEGRAD_FLOATING>(registry, "softplus");
  add_binary<SoftplusBackward, NODEGRAD_FLOATING>(registry, "softplusBackward");
  add_unary<LogSigmoid, NODEGRAD_FLOATING>(registry, "logsigmoid");
  add_binary<LogSigmoidBackward, NODEGRAD_FLOATING>(registry, "logsigmoidBackward");
  add_unary<Hardsigmoid, NODEGRAD_FLOATING>(registry, "hardsigmoid");
  add_binary<HardsigmoidBackward, NODEGRAD_FLOATING>(registry, "hardsigmoidBackward");
  add_unary<Hardswish, NODEGRAD_FLOATING>(registry, "hardswish");
  add_binary<HardswishBackward, NODEGRAD_FLOATING>(registry, "hardswishBackward");
  add_unary<Softshrink, NODEGRAD_FLOATING>(registry, "softshrink");
  add_unary<Hardshrink, NODEGRAD_FLOATING>(registry, "hardshrink");
  add_binary<ShrinkBackward, NODEGRAD_FLOATING>(registry, "shrinkBackward");
}

}  // namespace nodegrad::NODEGRAD_LEVEL
