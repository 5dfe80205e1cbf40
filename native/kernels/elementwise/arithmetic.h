// Functors of arithmetic, selection and comparison, for every element type: the vectorised families instantiate them
// for floating types, integer.cc for integers and bools. 16-bit floats arrive widened to float. `where` never branches,
// so that loops vectorise.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "../../runtime/dtype.h"
#include "../../runtime/simd.h"

namespace nodegrad::NODEGRAD_LEVEL {

template <class T>
constexpr bool is_floating = std::is_floating_point_v<T>;

// Integers wrap around as two's complement, without the undefined behaviour of signed overflow.
template <class T>
using Wrapping = std::conditional_t<std::is_same_v<T, int64_t>, uint64_t,
                                    std::conditional_t<std::is_same_v<T, int32_t>, uint32_t, T>>;

template <class T>
bool is_nan(T x) {
  return x != x;
}

struct Add {
  using InOnePass = void;
  using TakesOne = void;
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(static_cast<Wrapping<T>>(a) + static_cast<Wrapping<T>>(b));
  }
};
struct Sub {
  using InOnePass = void;
  using TakesOne = void;
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(static_cast<Wrapping<T>>(a) - static_cast<Wrapping<T>>(b));
  }
};
struct Mul {
  using InOnePass = void;
  using TakesOne = void;
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(static_cast<Wrapping<T>>(a) * static_cast<Wrapping<T>>(b));
  }
};
struct Div {
  using TakesOne = void;
  template <class T>
  T operator()(T a, T b) const {
    return a / b;
  }
};
// a b times a number: what many derivatives need, in one pass.
struct ScaledMul {
  using InOnePass = void;
  double scale;
  template <class T>
  T operator()(T a, T b) const {
    return a * b * static_cast<T>(scale);
  }
};
// a + alpha b, as add and sub with alpha need it.
struct AddScaled {
  using InOnePass = void;
  double alpha;
  template <class T>
  T operator()(T a, T b) const {
    return a + static_cast<T>(alpha) * b;
  }
};
struct Neg {
  template <class T>
  T operator()(T x) const {
    if constexpr (is_floating<T>) {
      return -x;
    } else {
      return static_cast<T>(Wrapping<T>{0} - static_cast<Wrapping<T>>(x));
    }
  }
};
struct Abs {
  template <class T>
  T operator()(T x) const {
    if constexpr (is_floating<T>) {
      return std::fabs(x);
    } else {
      return x < 0 ? Neg{}(x) : x;
    }
  }
};
struct Sign {
  template <class T>
  T operator()(T x) const {
    return static_cast<T>((x > T(0)) - (x < T(0)));
  }
};
struct Square {
  template <class T>
  T operator()(T x) const {
    return Mul{}(x, x);
  }
};

// Quotients and rests of integers (floating ones are in arithmetic.cc, but for TruncDivide): the caller has made sure
// that no divisor is zero; the lowest value by -1 wraps instead of trapping.
struct TruncDivide {
  template <class T>
  T operator()(T a, T b) const {
    if constexpr (is_floating<T>) {
      return std::trunc(a / b);
    } else if constexpr (std::is_signed_v<T>) {
      return b == -1 ? Neg{}(a) : static_cast<T>(a / b);
    } else {
      return static_cast<T>(a / b);
    }
  }
};
// The quotient rounded down.
struct FloorDivide {
  template <class T>
  T operator()(T a, T b) const {
    if constexpr (std::is_signed_v<T>) {
      if (b == -1) return Neg{}(a);
      const T quotient = static_cast<T>(a / b);
      return a % b != 0 && (a < 0) != (b < 0) ? static_cast<T>(quotient - 1) : quotient;
    } else {
      return static_cast<T>(a / b);
    }
  }
};
// The rest with the divisor's sign.
struct Remainder {
  template <class T>
  T operator()(T a, T b) const {
    if constexpr (std::is_signed_v<T>) {
      if (b == -1) return 0;
      const T rest = static_cast<T>(a % b);
      return rest != 0 && (b < 0) != (rest < 0) ? static_cast<T>(rest + b) : rest;
    } else {
      return static_cast<T>(a % b);
    }
  }
};
// The rest with the dividend's sign.
struct Fmod {
  template <class T>
  T operator()(T a, T b) const {
    if constexpr (std::is_signed_v<T>) {
      return b == -1 ? T(0) : static_cast<T>(a % b);
    } else {
      return static_cast<T>(a % b);
    }
  }
};

// A NaN on either side wins.
struct Maximum {
  template <class T>
  T operator()(T a, T b) const {
    if constexpr (is_floating<T>) {
      return a > b || is_nan(a) ? a : b;
    } else {
      return a > b ? a : b;
    }
  }
};
struct Minimum {
  template <class T>
  T operator()(T a, T b) const {
    if constexpr (is_floating<T>) {
      return a < b || is_nan(a) ? a : b;
    } else {
      return a < b ? a : b;
    }
  }
};
// A NaN on one side loses.
struct Fmax {
  template <class T>
  T operator()(T a, T b) const {
    if constexpr (is_floating<T>) {
      return a > b || is_nan(b) ? a : b;
    } else {
      return a > b ? a : b;
    }
  }
};
struct Fmin {
  template <class T>
  T operator()(T a, T b) const {
    if constexpr (is_floating<T>) {
      return a < b || is_nan(b) ? a : b;
    } else {
      return a < b ? a : b;
    }
  }
};
// min(max(x, low), high); a NaN in x or in a bound stays.
struct Clamp {
  template <class T>
  T operator()(T x, T low, T high) const {
    return Minimum{}(Maximum{}(x, low), high);
  }
};

// The same for bounds that are numbers (not NaN): two selections that do not depend on one another, so that the loop
// vectorises.
struct ClampScalar {
  double low;
  double high;
  template <class T>
  T operator()(T x) const {
    const T most = static_cast<T>(high);
    const T least = low < high ? static_cast<T>(low) : most;
    const T raised = x < least ? least : x;
    return x > most ? most : raised;
  }
};
// g where x lies within the bounds or on them.
struct ClampBackward {
  double low;
  double high;
  template <class T>
  T operator()(T g, T x) const {
    return x >= static_cast<T>(low) && x <= static_cast<T>(high) ? g : T(0);
  }
};
// The share of `a` in the gradient of a maximum or minimum of a and b: a tie is split.
struct MaximumBackward {
  template <class T>
  T operator()(T g, T a, T b) const {
    return a == b ? g / T(2) : a < b ? T(0) : g;
  }
};
struct MinimumBackward {
  template <class T>
  T operator()(T g, T a, T b) const {
    return a == b ? g / T(2) : a > b ? T(0) : g;
  }
};
// Whether fmax and fmin take their gradient to the first operand.
struct FmaxFirst {
  template <class T>
  bool operator()(T a, T b) const {
    return a >= b || is_nan(b);
  }
};
struct FminFirst {
  template <class T>
  bool operator()(T a, T b) const {
    return a <= b || is_nan(b);
  }
};

// b where it is nearer to the end, so that weight 1 gives the end itself.
struct Lerp {
  template <class T>
  T operator()(T start, T end, T weight) const {
    return std::fabs(weight) < T(0.5) ? start + weight * (end - start) : end - (end - start) * (T(1) - weight);
  }
};
struct Addcmul {
  double value;
  template <class T>
  T operator()(T x, T a, T b) const {
    if constexpr (is_floating<T>) {
      return x + static_cast<T>(value) * a * b;
    } else {
      return Add{}(x, Mul{}(Mul{}(static_cast<T>(value), a), b));
    }
  }
};
struct Addcdiv {
  double value;
  template <class T>
  T operator()(T x, T a, T b) const {
    return x + static_cast<T>(value) * a / b;
  }
};

#define NODEGRAD_COMPARISON(Name, operation) \
  struct Name {                              \
    template <class T>                       \
    bool operator()(T a, T b) const {        \
      return a operation b;                  \
    }                                        \
  };
NODEGRAD_COMPARISON(Eq, ==)
NODEGRAD_COMPARISON(Ne, !=)
NODEGRAD_COMPARISON(Lt, <)
NODEGRAD_COMPARISON(Le, <=)
NODEGRAD_COMPARISON(Gt, >)
NODEGRAD_COMPARISON(Ge, >=)
#undef NODEGRAD_COMPARISON

}  // namespace nodegrad::NODEGRAD_LEVEL
