// Mathematical functions of one or two floating tensors: one functor each, and the only place that names the library function.
// A functor's `float` and `double` forms are the same template, so that a float64 gradient check exercises the code that trains
// in float32.
#include "elementwise.h"

#include <cmath>

#include "arithmetic.h"
#include "kernels.h"

namespace nodegrad::NODEGRAD_LEVEL {
namespace {

#define NODEGRAD_FUNCTION(Name, expression) \
  struct Name {                             \
    template <class T>                      \
    T operator()(T x) const {               \
      return expression;                    \
    }                                       \
  };
NODEGRAD_FUNCTION(Reciprocal, T(1) / x)
NODEGRAD_FUNCTION(Sqrt, std::sqrt(x))
NODEGRAD_FUNCTION(Rsqrt, T(1) / std::sqrt(x))
NODEGRAD_FUNCTION(Exp, std::exp(x))
NODEGRAD_FUNCTION(Exp2, std::exp2(x))
NODEGRAD_FUNCTION(Expm1, std::expm1(x))
NODEGRAD_FUNCTION(Log, std::log(x))
NODEGRAD_FUNCTION(Log1p, std::log1p(x))
NODEGRAD_FUNCTION(Log2, std::log2(x))
NODEGRAD_FUNCTION(Log10, std::log10(x))
NODEGRAD_FUNCTION(Sin, std::sin(x))
NODEGRAD_FUNCTION(Cos, std::cos(x))
NODEGRAD_FUNCTION(Tan, std::tan(x))
NODEGRAD_FUNCTION(Asin, std::asin(x))
NODEGRAD_FUNCTION(Acos, std::acos(x))
NODEGRAD_FUNCTION(Atan, std::atan(x))
NODEGRAD_FUNCTION(Sinh, std::sinh(x))
NODEGRAD_FUNCTION(Cosh, std::cosh(x))
NODEGRAD_FUNCTION(Tanh, std::tanh(x))
NODEGRAD_FUNCTION(Asinh, std::asinh(x))
NODEGRAD_FUNCTION(Acosh, std::acosh(x))
NODEGRAD_FUNCTION(Atanh, std::atanh(x))
NODEGRAD_FUNCTION(Erf, std::erf(x))
NODEGRAD_FUNCTION(Erfc, std::erfc(x))
NODEGRAD_FUNCTION(Sigmoid, T(1) / (T(1) + std::exp(-x)))
NODEGRAD_FUNCTION(Floor, std::floor(x))
NODEGRAD_FUNCTION(Ceil, std::ceil(x))
NODEGRAD_FUNCTION(Trunc, std::trunc(x))
NODEGRAD_FUNCTION(Frac, x - std::trunc(x))
NODEGRAD_FUNCTION(Round, std::nearbyint(x))
#undef NODEGRAD_FUNCTION

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
NODEGRAD_FUNCTION(Atan2, std::atan2(a, b))
NODEGRAD_FUNCTION(Hypot, std::hypot(a, b))
NODEGRAD_FUNCTION(Copysign, std::copysign(a, b))
NODEGRAD_FUNCTION(Xlogy, is_nan(b) ? b : a == 0 ? T(0) : a * std::log(b))
// gradOutput first, the function's own output second.
NODEGRAD_FUNCTION(SigmoidBackward, a*(T(1) - b) * b)
NODEGRAD_FUNCTION(TanhBackward, a*(T(1) - b * b))
#undef NODEGRAD_FUNCTION

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
  add_unary<Reciprocal, NODEGRAD_FLOATING>(registry, "reciprocal");
  add_unary<Sqrt, NODEGRAD_FLOATING>(registry, "sqrt");
  add_unary<Rsqrt, NODEGRAD_FLOATING>(registry, "rsqrt");
  add_unary<Exp, NODEGRAD_FLOATING>(registry, "exp");
  add_unary<Exp2, NODEGRAD_FLOATING>(registry, "exp2");
  add_unary<Expm1, NODEGRAD_FLOATING>(registry, "expm1");
  add_unary<Log, NODEGRAD_FLOATING>(registry, "log");
  add_unary<Log1p, NODEGRAD_FLOATING>(registry, "log1p");
  add_unary<Log2, NODEGRAD_FLOATING>(registry, "log2");
  add_unary<Log10, NODEGRAD_FLOATING>(registry, "log10");
  add_unary<Sin, NODEGRAD_FLOATING>(registry, "sin");
  add_unary<Cos, NODEGRAD_FLOATING>(registry, "cos");
  add_unary<Tan, NODEGRAD_FLOATING>(registry, "tan");
  add_unary<Asin, NODEGRAD_FLOATING>(registry, "asin");
  add_unary<Acos, NODEGRAD_FLOATING>(registry, "acos");
  add_unary<Atan, NODEGRAD_FLOATING>(registry, "atan");
  add_unary<Sinh, NODEGRAD_FLOATING>(registry, "sinh");
  add_unary<Cosh, NODEGRAD_FLOATING>(registry, "cosh");
  add_unary<Tanh, NODEGRAD_FLOATING>(registry, "tanh");
  add_unary<Asinh, NODEGRAD_FLOATING>(registry, "asinh");
  add_unary<Acosh, NODEGRAD_FLOATING>(registry, "acosh");
  add_unary<Atanh, NODEGRAD_FLOATING>(registry, "atanh");
  add_unary<Erf, NODEGRAD_FLOATING>(registry, "erf");
  add_unary<Erfc, NODEGRAD_FLOATING>(registry, "erfc");
  add_unary<Sigmoid, NODEGRAD_FLOATING>(registry, "sigmoid");
  add_unary<Floor, NODEGRAD_FLOATING>(registry, "floor");
  add_unary<Ceil, NODEGRAD_FLOATING>(registry, "ceil");
  add_unary<Trunc, NODEGRAD_FLOATING>(registry, "trunc");
  add_unary<Frac, NODEGRAD_FLOATING>(registry, "frac");
  add_unary<Round, NODEGRAD_FLOATING>(registry, "round");
  add_unary<RoundDecimals, NODEGRAD_FLOATING>(registry, "roundDecimals");
  add_unary<NanToNum, NODEGRAD_FLOATING>(registry, "nanToNum");

  add_binary<Atan2, NODEGRAD_FLOATING>(registry, "atan2");
  add_binary<Hypot, NODEGRAD_FLOATING>(registry, "hypot");
  add_binary<Copysign, NODEGRAD_FLOATING>(registry, "copysign");
  add_binary<Xlogy, NODEGRAD_FLOATING>(registry, "xlogy");
  add_binary<SigmoidBackward, NODEGRAD_FLOATING>(registry, "sigmoidBackward");
  add_binary<TanhBackward, NODEGRAD_FLOATING>(registry, "tanhBackward");

  add_unary_predicate<IsNan, NODEGRAD_FLOATING>(registry, "isnan");
  add_unary_predicate<IsInf, NODEGRAD_FLOATING>(registry, "isinf");
  add_unary_predicate<IsFinite, NODEGRAD_FLOATING>(registry, "isfinite");
  add_unary_predicate<IsPosInf, NODEGRAD_FLOATING>(registry, "isposinf");
  add_unary_predicate<IsNegInf, NODEGRAD_FLOATING>(registry, "isneginf");
  add_unary_predicate<Signbit, NODEGRAD_FLOATING>(registry, "signbit");
  add_binary_predicate<IsClose, NODEGRAD_FLOATING>(registry, "isclose");
}

}  // namespace nodegrad::NODEGRAD_LEVEL
