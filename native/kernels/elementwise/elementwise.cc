// Mathematical functions of one or two floating tensors: one functor each. A functor's `float` and `double` forms are
// the same template, so that a float64 gradient check exercises the code that trains in float32.
#include "elementwise.h"

#include <cmath>

#include "../../runtime/registry.h"
#include "../simd/vector_math.h"
#include "arithmetic.h"

namespace nodegrad::NODEGRAD_LEVEL {
namespace {

// One row a function: the kernel's name and its value at x. ELEMENTS rows are written for one element of type T, and
// the compiler vectorises their loop; PACKS rows are written for a pack, and call vector_math.h. A row makes the
// functor and registers the kernel.
// clang-format off
#define NODEGRAD_UNARY(ELEMENTS, PACKS) \
  ELEMENTS(reciprocal, T(1) / x) \
  ELEMENTS(sqrt, std::sqrt(x)) \
  ELEMENTS(rsqrt, T(1) / std::sqrt(x)) \
  PACKS(exp, vec::exp(x)) \
  PACKS(exp2, vec::exp2(x)) \
  PACKS(expm1, vec::expm1(x)) \
  PACKS(log, vec::log(x)) \
  PACKS(log1p, vec::log1p(x)) \
  PACKS(log2, vec::log2(x)) \
  PACKS(log10, vec::log10(x)) \
  PACKS(sin, vec::sin(x)) \
  PACKS(cos, vec::cos(x)) \
  PACKS(tan, vec::tan(x)) \
  PACKS(asin, vec::asin(x)) \
  PACKS(acos, vec::acos(x)) \
  PACKS(atan, vec::atan(x)) \
  PACKS(sinh, vec::sinh(x)) \
  PACKS(cosh, vec::cosh(x)) \
  PACKS(tanh, vec::tanh(x)) \
  PACKS(asinh, vec::asinh(x)) \
  PACKS(acosh, vec::acosh(x)) \
  PACKS(atanh, vec::atanh(x)) \
  PACKS(erf, vec::erf(x)) \
  PACKS(erfc, vec::erfc(x)) \
  PACKS(sigmoid, vec::sigmoid(x)) \
  ELEMENTS(floor, std::floor(x)) \
  ELEMENTS(ceil, std::ceil(x)) \
  ELEMENTS(trunc, std::trunc(x)) \
  ELEMENTS(frac, x - std::trunc(x)) \
  ELEMENTS(round, std::nearbyint(x))
// Of two operands. The backward kernels take the gradient of the output first and the function's own output second.
#define NODEGRAD_BINARY(ELEMENTS, PACKS) \
  PACKS(atan2, vec::atan2(a, b)) \
  PACKS(hypot, vec::hypot(a, b)) \
  PACKS(xlogy, b != b ? b : a == Element<V>(0) ? V{} : a * vec::log(b)) \
  ELEMENTS(copysign, std::copysign(a, b)) \
  ELEMENTS(sigmoidBackward, a * (T(1) - b) * b) \
  ELEMENTS(tanhBackward, a * (T(1) - b * b))
// Answers are bools.
#define NODEGRAD_PREDICATES(X) \
  X(isnan, x != x) \
  X(isinf, std::fabs(x) > std::numeric_limits<T>::max()) \
  X(isfinite, std::fabs(x) <= std::numeric_limits<T>::max()) \
  X(isposinf, x > std::numeric_limits<T>::max()) \
  X(isneginf, x < std::numeric_limits<T>::lowest()) \
  X(signbit, std::signbit(x))
// clang-format on

#define NODEGRAD_OF_ELEMENT(name, expression) \
  struct Function_##name {                    \
    template <class T>                        \
    T operator()(T x) const {                 \
      return expression;                      \
    }                                         \
  };
#define NODEGRAD_OF_PACK(name, expression) \
  struct Function_##name {                 \
    using Packs = void;                    \
    template <class V>                     \
    V operator()(V x) const {              \
      return expression;                   \
    }                                      \
  };
#define NODEGRAD_OF_ELEMENTS(name, expression) \
  struct Function_##name {                     \
    template <class T>                         \
    T operator()(T a, T b) const {             \
      return expression;                       \
    }                                          \
  };
#define NODEGRAD_OF_PACKS(name, expression) \
  struct Function_##name {                  \
    using Packs = void;                     \
    template <class V>                      \
    V operator()(V a, V b) const {          \
      return expression;                    \
    }                                       \
  };
#define NODEGRAD_PREDICATE(name, expression) \
  struct Function_##name {                   \
    template <class T>                       \
    bool operator()(T x) const {             \
      return expression;                     \
    }                                        \
  };
NODEGRAD_UNARY(NODEGRAD_OF_ELEMENT, NODEGRAD_OF_PACK)
NODEGRAD_BINARY(NODEGRAD_OF_ELEMENTS, NODEGRAD_OF_PACKS)
NODEGRAD_PREDICATES(NODEGRAD_PREDICATE)

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
#define NODEGRAD_ADD_UNARY(name, expression) add_unary<Function_##name, NODEGRAD_FLOATS>(registry, #name);
#define NODEGRAD_ADD_BINARY(name, expression) add_binary<Function_##name, NODEGRAD_FLOATS>(registry, #name);
#define NODEGRAD_ADD_PREDICATE(name, expression) add_unary_predicate<Function_##name, NODEGRAD_FLOATS>(registry, #name);
  NODEGRAD_UNARY(NODEGRAD_ADD_UNARY, NODEGRAD_ADD_UNARY)
  NODEGRAD_BINARY(NODEGRAD_ADD_BINARY, NODEGRAD_ADD_BINARY)
  NODEGRAD_PREDICATES(NODEGRAD_ADD_PREDICATE)

  add_unary<RoundDecimals, NODEGRAD_FLOATS>(registry, "roundDecimals");
  add_unary<NanToNum, NODEGRAD_FLOATS>(registry, "nanToNum");
  add_binary_predicate<IsClose, NODEGRAD_FLOATS>(registry, "isclose");
}

}  // namespace nodegrad::NODEGRAD_LEVEL
