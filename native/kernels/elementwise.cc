// Elementwise operators: one functor each. A functor's `float` and `double` forms are the same template, so that a float64
// gradient check exercises the code that trains in float32.
#include "elementwise.h"

#include <cmath>

#include "kernels.h"

namespace nodegrad::NODEGRAD_LEVEL {
namespace {

struct Exp {
  template <class T>
  T operator()(T x) const {
    return std::exp(x);
  }
};
struct Neg {
  template <class T>
  T operator()(T x) const {
    return static_cast<T>(-x);
  }
};
struct Add {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(a + b);
  }
};
struct Sub {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(a - b);
  }
};
struct Mul {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(a * b);
  }
};

template <class F, class T>
void unary(Slice<const T> a, Slice<T> out, Plan plan) {
  map_unary(F{}, a, out, plan);
}
template <class F, class T>
void binary(Slice<const T> a, Slice<const T> b, Slice<T> out, Plan plan) {
  map_binary(F{}, a, b, out, plan);
}

template <class F, class... T>
void add_unary(Registry& registry, const char* name) {
  registry.add_each<T...>(name, [](auto tag) { return &unary<F, typename decltype(tag)::type>; });
}
template <class F, class... T>
void add_binary(Registry& registry, const char* name) {
  registry.add_each<T...>(name, [](auto tag) { return &binary<F, typename decltype(tag)::type>; });
}

}  // namespace

void add_elementwise(Registry& registry) {
  add_unary<Exp, NODEGRAD_FLOATING>(registry, "exp");
  add_unary<Neg, NODEGRAD_NUMBERS>(registry, "neg");
  add_binary<Add, NODEGRAD_NUMBERS>(registry, "add");
  add_binary<Sub, NODEGRAD_NUMBERS>(registry, "sub");
  add_binary<Mul, NODEGRAD_NUMBERS>(registry, "mul");
}

}  // namespace nodegrad::NODEGRAD_LEVEL
