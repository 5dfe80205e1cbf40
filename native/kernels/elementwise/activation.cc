// Activation functions and their derivatives: one functor each. Backward functors take gradOutput first, then the
// function's input (or its output, where the caller saved that).
#include <cmath>

#include "../../runtime/registry.h"
#include "../simd/exp_rows.h"
#include "../simd/vector_math.h"
#include "arithmetic.h"
#include "elementwise.h"

namespace nodegrad::NODEGRAD_LEVEL {
namespace {

constexpr double kRootHalf = 0.70710678118654752440;
constexpr double kTwoByRootPi = 1.12837916709551257390;

// A NaN stays.
struct Relu {
  using InOnePass = void;
  template <class T>
  T operator()(T x) const {
    return x < T(0) ? T(0) : x;
  }
};
// g where x is above the threshold (or NaN).
struct ThresholdBackward {
  using InOnePass = void;
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
  using TakesOne = void;
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
  using Packs = void;
  double alpha;
  double scale;
  double rate;
  template <class V>
  V operator()(V x) const {
    using T = Element<V>;
    return x > T(0) ? x * static_cast<T>(scale) : vec::expm1(x * static_cast<T>(rate)) * static_cast<T>(alpha * scale);
  }
};
struct EluBackward {
  using Packs = void;
  double alpha;
  double scale;
  double rate;
  template <class V>
  V operator()(V g, V x) const {
    using T = Element<V>;
    return x > T(0) ? g * static_cast<T>(scale)
                    : g * static_cast<T>(alpha * scale * rate) * vec::exp(x * static_cast<T>(rate));
  }
};
struct Gelu {
  using Packs = void;
  template <class V>
  V operator()(V x) const {
    return x * vec::normal_below(x);
  }
};
struct GeluBackward {
  using Packs = void;
  template <class V>
  V operator()(V g, V x) const {
    using T = Element<V>;
    const V density = exp_below(T(-0.5) * x * x) * T(kTwoByRootPi * kRootHalf * 0.5);
    return g * (vec::normal_below(x) + x * density);
  }
};
constexpr double kGeluInner = kTwoByRootPi * kRootHalf;  // sqrt(2 / pi)
constexpr double kGeluCube = 0.044715;
struct GeluTanh {
  using Packs = void;
  template <class V>
  V operator()(V x) const {
    using T = Element<V>;
    return T(0.5) * x * (T(1) + vec::tanh(T(kGeluInner) * (x + T(kGeluCube) * x * x * x)));
  }
};
struct GeluTanhBackward {
  using Packs = void;
  template <class V>
  V operator()(V g, V x) const {
    using T = Element<V>;
    const V t = vec::tanh(T(kGeluInner) * (x + T(kGeluCube) * x * x * x));
    const V slope = T(kGeluInner) * (T(1) + T(3 * kGeluCube) * x * x);
    return g * T(0.5) * (T(1) + t + x * (T(1) - t * t) * slope);
  }
};
struct Silu {
  using Packs = void;
  template <class V>
  V operator()(V x) const {
    using T = Element<V>;
    return x / (T(1) + vec::exp(-x));
  }
};
struct SiluBackward {
  using Packs = void;
  template <class V>
  V operator()(V g, V x) const {
    using T = Element<V>;
    const V s = vec::sigmoid(x);
    return g * s * (T(1) + x * (T(1) - s));
  }
};
// The gated linear unit of two halves of a tensor, and its derivative by the gate.
struct Glu {
  using Packs = void;
  template <class V>
  V operator()(V a, V b) const {
    return a * vec::sigmoid(b);
  }
};
struct GluGate {
  using Packs = void;
  template <class V>
  V operator()(V g, V a, V b) const {
    using T = Element<V>;
    const V s = vec::sigmoid(b);
    return g * a * s * (T(1) - s);
  }
};
// tanh(log(1 + e^x)) = n / (n + 2) with n = e^x (e^x + 2); it is 1 long before e^x overflows.
template <class V>
V tanh_of_softplus(V x) {
  using T = Element<V>;
  const V e = vec::exp(x > T(40) ? V{} + T(40) : x);
  const V n = e * (e + T(2));
  return n / (n + T(2));
}
struct Mish {
  using Packs = void;
  template <class V>
  V operator()(V x) const {
    return x * tanh_of_softplus(x);
  }
};
struct MishBackward {
  using Packs = void;
  template <class V>
  V operator()(V g, V x) const {
    using T = Element<V>;
    const V t = tanh_of_softplus(x);
    return g * (t + x * vec::sigmoid(x) * (T(1) - t * t));
  }
};
struct Softplus {
  using Packs = void;
  double beta;
  double threshold;
  template <class V>
  V operator()(V x) const {
    using T = Element<V>;
    const V z = x * static_cast<T>(beta);
    return z > static_cast<T>(threshold) ? x
                                         : ((z > T(0) ? z : V{}) + vec::log1p_of_exp(-abs(z))) / static_cast<T>(beta);
  }
};
struct SoftplusBackward {
  using Packs = void;
  double beta;
  double threshold;
  template <class V>
  V operator()(V g, V x) const {
    using T = Element<V>;
    const V z = x * static_cast<T>(beta);
    return z > static_cast<T>(threshold) ? g : g * vec::sigmoid(z);
  }
};
struct LogSigmoid {
  using Packs = void;
  template <class V>
  V operator()(V x) const {
    using T = Element<V>;
    return (x > T(0) ? V{} : x) - vec::log1p_of_exp(-abs(x));
  }
};
struct LogSigmoidBackward {
  using Packs = void;
  template <class V>
  V operator()(V g, V x) const {
    return g * vec::sigmoid(-x);
  }
};
struct Hardsigmoid {
  template <class T>
  T operator()(T x) const {
    return ClampScalar{0, 6}(x + T(3)) / T(6);
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
    return x * ClampScalar{0, 6}(x + T(3)) / T(6);
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
  add_unary<Relu, NODEGRAD_FLOATS>(registry, "relu");
  add_binary<ThresholdBackward, NODEGRAD_FLOATS>(registry, "thresholdBackward");
  add_unary<Threshold, NODEGRAD_FLOATS>(registry, "threshold");
  add_binary<NegativeGate, NODEGRAD_FLOATS>(registry, "negativeGate");
  add_binary<HardtanhBackward, NODEGRAD_FLOATS>(registry, "hardtanhBackward");
  add_unary<LeakyRelu, NODEGRAD_FLOATS>(registry, "leakyRelu");
  add_binary<LeakyReluBackward, NODEGRAD_FLOATS>(registry, "leakyReluBackward");
  add_binary<Prelu, NODEGRAD_FLOATS>(registry, "prelu");
  add_ternary<PreluBackward, NODEGRAD_FLOATS>(registry, "preluBackward");
  add_unary<Elu, NODEGRAD_FLOATS>(registry, "elu");
  add_binary<EluBackward, NODEGRAD_FLOATS>(registry, "eluBackward");
  add_unary<Gelu, NODEGRAD_FLOATS>(registry, "gelu");
  add_binary<GeluBackward, NODEGRAD_FLOATS>(registry, "geluBackward");
  add_unary<GeluTanh, NODEGRAD_FLOATS>(registry, "geluTanh");
  add_binary<GeluTanhBackward, NODEGRAD_FLOATS>(registry, "geluTanhBackward");
  add_binary<Glu, NODEGRAD_FLOATS>(registry, "glu");
  add_ternary<GluGate, NODEGRAD_FLOATS>(registry, "gluGate");
  add_unary<Silu, NODEGRAD_FLOATS>(registry, "silu");
  add_binary<SiluBackward, NODEGRAD_FLOATS>(registry, "siluBackward");
  add_unary<Mish, NODEGRAD_FLOATS>(registry, "mish");
  add_binary<MishBackward, NODEGRAD_FLOATS>(registry, "mishBackward");
  add_unary<Softplus, NODEGRAD_FLOATS>(registry, "softplus");
  add_binary<SoftplusBackward, NODEGRAD_FLOATS>(registry, "softplusBackward");
  add_unary<LogSigmoid, NODEGRAD_FLOATS>(registry, "logsigmoid");
  add_binary<LogSigmoidBackward, NODEGRAD_FLOATS>(registry, "logsigmoidBackward");
  add_unary<Hardsigmoid, NODEGRAD_FLOATS>(registry, "hardsigmoid");
  add_binary<HardsigmoidBackward, NODEGRAD_FLOATS>(registry, "hardsigmoidBackward");
  add_unary<Hardswish, NODEGRAD_FLOATS>(registry, "hardswish");
  add_binary<HardswishBackward, NODEGRAD_FLOATS>(registry, "hardswishBackward");
  add_unary<Softshrink, NODEGRAD_FLOATS>(registry, "softshrink");
  add_unary<Hardshrink, NODEGRAD_FLOATS>(registry, "hardshrink");
  add_binary<ShrinkBackward, NODEGRAD_FLOATS>(registry, "shrinkBackward");
}

}  // namespace nodegrad::NODEGRAD_LEVEL
