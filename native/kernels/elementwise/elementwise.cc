// Mathematical functions of one or two floating tensors: one functor each. A functor's `float` and `double` forms are
// the same template, so that a float64 gradient check exercises the code that trains in float32.
#include "elementwise.h"

#include <cmath>

#include "../../runtime/registry.h"
#include "../simd/vector_math.h"
#include "arithmetic.h"

namespace nodegrad::NODEGRAD_LEVEL {
namespace {

#define NODEGRAD_FUNCTION(Name, expression) \
  struct Name {                             \
    template <class T>                      \
    T operator()(T x) const {               \
      return expression;                    \
    }                                       \
  };
// The same of packs, for what calls vector_math.h.
#define NODEGRAD_PACK_FUNCTION(Name, expression) \
  struct Name {                                  \
    using Packs = void;                          \
    template <class V>                           \
    V operator()(V x) const {                    \
      return expression;                         \
    }                                            \
  };
NODEGRAD_FUNCTION(Reciprocal, T(1) / x)
NODEGRAD_FUNCTION(Sqrt, std::sqrt(x))
NODEGRAD_FUNCTION(Rsqrt, T(1) / std::sqrt(x))
NODEGRAD_PACK_FUNCTION(Exp, vec::exp(x))
NODEGRAD_PACK_FUNCTION(Exp2, vec::exp2(x))
NODEGRAD_PACK_FUNCTION(Expm1, vec::expm1(x))
NODEGRAD_PACK_FUNCTION(Log, vec::log(x))
NODEGRAD_PACK_FUNCTION(Log1p, vec::log1p(x))
NODEGRAD_PACK_FUNCTION(Log2, vec::log2(x))
NODEGRAD_PACK_FUNCTION(Log10, vec::log10(x))
NODEGRAD_PACK_FUNCTION(Sin, vec::sin(x))
NODEGRAD_PACK_FUNCTION(Cos, vec::cos(x))
NODEGRAD_PACK_FUNCTION(Tan, vec::tan(x))
NODEGRAD_PACK_FUNCTION(Asin, vec::asin(x))
NODEGRAD_PACK_FUNCTION(Acos, vec::acos(x))
NODEGRAD_PACK_FUNCTION(Atan, vec::atan(x))
NODEGRAD_PACK_FUNCTION(Sinh, vec::sinh(x))
NODEGRAD_PACK_FUNCTION(Cosh, vec::cosh(x))
NODEGRAD_PACK_FUNCTION(Tanh, vec::tanh(x))
NODEGRAD_PACK_FUNCTION(Asinh, vec::asinh(x))
NODEGRAD_PACK_FUNCTION(Acosh, vec::acosh(x))
NODEGRAD_PACK_FUNCTION(Atanh, vec::atanh(x))
NODEGRAD_PACK_FUNCTION(Erf, vec::erf(x))
NODEGRAD_PACK_FUNCTION(Erfc, vec::erfc(x))
NODEGRAD_PACK_FUNCTION(Sigmoid, vec::sigmoid(x))
NODEGRAD_FUNCTION(Floor, std::floor(x))
NODEGRAD_FUNCTION(Ceil, std::ceil(x))
NODEGRAD_FUNCTION(Trunc, std::trunc(x))
NODEGRAD_FUNCTION(Frac, x - std::trunc(x))
NODEGRAD_FUNCTION(Round, std::nearbyint(x))
#undef NODEGRAD_FUNCTION
#undef NODEGRAD_PACK_FUNCTION

// Half to even at a decimal place: `up` and `down` are powers of ten, one of them 1.
struct RoundDecimals {
  double up;
  double down;
  template <class T>
  T operator()(T x) const {
    return std::nearbyint(x * static_cast<T>(up) / static_cast<T>(down)) / static_cast<T>(up) * static_cast<T>(down);
  }
};
struct NanToNum {
  double nan;
  double positive;
  double negative;
  template <class T>
  T operator()(T x) const {
    if (x != x) return static_cast<T>(nan);
    if (x > std::numeric_limits<T>::max()) return static_cast<T>(positive);
    return x < std::numeric_limits<T>::lowest() ? static_cast<T>(negative) : x;
  }
};

#define NODEGRAD_FUNCTION(Name, expression) \
  struct Name {                             \
    template <class T>                      \
    T operator()(T a, T b) const {          \
      return expression;                    \
    }                                       \
  };
#define NODEGRAD_PACK_FUNCTION(Name, expression) \
  struct Name {                                  \
    using Packs = void;                          \
    template <class V>                           \
    V operator()(V a, V b) const {               \
      return expression;                         \
    }                                            \
  };
NODEGRAD_PACK_FUNCTION(Atan2, vec::atan2(a, b))
NODEGRAD_PACK_FUNCTION(Hypot, vec::hypot(a, b))
NODEGRAD_PACK_FUNCTION(Xlogy, b != b ? b : a == Element<V>(0) ? V{} : a * vec::log(b))
NODEGRAD_FUNCTION(Copysign, std::copysign(a, b))
// gradOutput first, the function's own output second.
NODEGRAD_FUNCTION(SigmoidBackward, a*(T(1) - b) * b)
NODEGRAD_FUNCTION(TanhBackward, a*(T(1) - b * b))
#undef NODEGRAD_FUNCTION
#undef NODEGRAD_PACK_FUNCTION

#define NODEGRAD_PREDICATE(Name, expression) \
  struct Name {                              \
    template <class T>                       \
    bool operator()(T x) const {             \
      return expression;                     \
    }                                        \
  };
NODEGRAD_PREDICATE(IsNan, x != x)
NODEGRAD_PREDICATE(IsInf, std::fabs(x) > std::numeric_limits<T>::max())
NODEGRAD_PREDICATE(IsFinite, std::fabs(x) <= std::numeric_limits<T>::max())
NODEGRAD_PREDICATE(IsPosInf, x > std::numeric_limits<T>::max())
NODEGRAD_PREDICATE(IsNegInf, x < std::numeric_limits<T>::lowest())
NODEGRAD_PREDICATE(Signbit, std::signbit(x))
#undef NODEGRAD_PREDICATE

struct IsClose {
  double rtol;
  double atol;
  double equal_nan;
  template <class T>
  bool operator()(T a, T b) const {
    if (a == b) return true;
    if (is_nan(a) && is_nan(b)) return equal_nan != 0;
    const double allowed = atol + std::fabs(rtol * static_cast<double>(b));
    const double difference = std::fabs(static_cast<double>(a) - static_cast<double>(b));
    return difference <= std::numeric_limits<double>::max() && difference <= allowed;
  }
};

}  // namespace

void add_elementwise(Registry& registry) {
  add_unary<Reciprocal, NODEGRAD_FLOATS>(registry, "reciprocal");
  add_unary<Sqrt, NODEGRAD_FLOATS>(registry, "sqrt");
  add_unary<Rsqrt, NODEGRAD_FLOATS>(registry, "rsqrt");
  add_unary<Exp, NODEGRAD_FLOATS>(registry, "exp");
  add_unary<Exp2, NODEGRAD_FLOATS>(registry, "exp2");
  add_unary<Expm1, NODEGRAD_FLOATS>(registry, "expm1");
  add_unary<Log, NODEGRAD_FLOATS>(registry, "log");
  add_unary<Log1p, NODEGRAD_FLOATS>(registry, "log1p");
  add_unary<Log2, NODEGRAD_FLOATS>(registry, "log2");
  add_unary<Log10, NODEGRAD_FLOATS>(registry, "log10");
  add_unary<Sin, NODEGRAD_FLOATS>(registry, "sin");
  add_unary<Cos, NODEGRAD_FLOATS>(registry, "cos");
  add_unary<Tan, NODEGRAD_FLOATS>(registry, "tan");
  add_unary<Asin, NODEGRAD_FLOATS>(registry, "asin");
  add_unary<Acos, NODEGRAD_FLOATS>(registry, "acos");
  add_unary<Atan, NODEGRAD_FLOATS>(registry, "atan");
  add_unary<Sinh, NODEGRAD_FLOATS>(registry, "sinh");
  add_unary<Cosh, NODEGRAD_FLOATS>(registry, "cosh");
  add_unary<Tanh, NODEGRAD_FLOATS>(registry, "tanh");
  add_unary<Asinh, NODEGRAD_FLOATS>(registry, "asinh");
  add_unary<Acosh, NODEGRAD_FLOATS>(registry, "acosh");
  add_unary<Atanh, NODEGRAD_FLOATS>(registry, "atanh");
  add_unary<Erf, NODEGRAD_FLOATS>(registry, "erf");
  add_unary<Erfc, NODEGRAD_FLOATS>(registry, "erfc");
  add_unary<Sigmoid, NODEGRAD_FLOATS>(registry, "sigmoid");
  add_unary<Floor, NODEGRAD_FLOATS>(registry, "floor");
  add_unary<Ceil, NODEGRAD_FLOATS>(registry, "ceil");
  add_unary<Trunc, NODEGRAD_FLOATS>(registry, "trunc");
  add_unary<Frac, NODEGRAD_FLOATS>(registry, "frac");
  add_unary<Round, NODEGRAD_FLOATS>(registry, "round");
  add_unary<RoundDecimals, NODEGRAD_FLOATS>(registry, "roundDecimals");
  add_unary<NanToNum, NODEGRAD_FLOATS>(registry, "nanToNum");

  add_binary<Atan2, NODEGRAD_FLOATS>(registry, "atan2");
  add_binary<Hypot, NODEGRAD_FLOATS>(registry, "hypot");
  add_binary<Copysign, NODEGRAD_FLOATS>(registry, "copysign");
  add_binary<Xlogy, NODEGRAD_FLOATS>(registry, "xlogy");
  add_binary<SigmoidBackward, NODEGRAD_FLOATS>(registry, "sigmoidBackward");
  add_binary<TanhBackward, NODEGRAD_FLOATS>(registry, "tanhBackward");

  add_unary_predicate<IsNan, NODEGRAD_FLOATS>(registry, "isnan");
  add_unary_predicate<IsInf, NODEGRAD_FLOATS>(registry, "isinf");
  add_unary_predicate<IsFinite, NODEGRAD_FLOATS>(registry, "isfinite");
  add_unary_predicate<IsPosInf, NODEGRAD_FLOATS>(registry, "isposinf");
  add_unary_predicate<IsNegInf, NODEGRAD_FLOATS>(registry, "isneginf");
  add_unary_predicate<Signbit, NODEGRAD_FLOATS>(registry, "signbit");
  add_binary_predicate<IsClose, NODEGRAD_FLOATS>(registry, "isclose");
}

}  // namespace nodegrad::NODEGRAD_LEVEL
