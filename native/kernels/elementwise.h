// Walks operands of equal shape (or broadcast to it) element by element, contiguous or by a strided plan, in parallel.
// Included by vectorised families only, inside their SIMD level's namespace.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "../runtime/parallel.h"
#include "../runtime/plan.h"
#include "../runtime/registry.h"
#include "../runtime/simd.h"
#include "../runtime/slice.h"

namespace nodegrad::NODEGRAD_LEVEL {

constexpr int64_t kElementGrain = 32768;

// What arithmetic is done in: 16-bit floats are widened, computed and rounded once; everything else stays what it is.
template <class T>
auto widen(T x) {
  if constexpr (std::is_same_v<T, BFloat16> || std::is_same_v<T, Float16>) {
    return static_cast<float>(x);
  } else {
    return x;
  }
}

// One run of n elements: out[i * so] = f(in[i * s]...). The strides 1 and 0 are told apart outside the loop, so that the
// compiler sees plain arrays and constants.
template <class F, class Out, class A>
inline void run_unary(const F& f, Out* out, int64_t so, const A* a, int64_t sa, int64_t n) {
  if (so == 1 && sa == 1) {
    NODEGRAD_SIMD
    for (int64_t i = 0; i < n; i++) out[i] = f(a[i]);
  } else {
    for (int64_t i = 0; i < n; i++) out[i * so] = f(a[i * sa]);
  }
}

template <class F, class Out, class A, class B>
inline void run_binary(const F& f, Out* out, int64_t so, const A* a, int64_t sa, const B* b, int64_t sb, int64_t n) {
  if (so == 1 && sa == 1 && sb == 1) {
    NODEGRAD_SIMD
    for (int64_t i = 0; i < n; i++) out[i] = f(a[i], b[i]);
  } else if (so == 1 && sa == 1 && sb == 0) {
    const B y = *b;
    NODEGRAD_SIMD
    for (int64_t i = 0; i < n; i++) out[i] = f(a[i], y);
  } else if (so == 1 && sa == 0 && sb == 1) {
    const A x = *a;
    NODEGRAD_SIMD
    for (int64_t i = 0; i < n; i++) out[i] = f(x, b[i]);
  } else {
    for (int64_t i = 0; i < n; i++) out[i * so] = f(a[i * sa], b[i * sb]);
  }
}

template <class F, class Out, class A, class B, class C>
inline void run_ternary(const F& f, Out* out, int64_t so, const A* a, int64_t sa, const B* b, int64_t sb, const C* c, int64_t sc, int64_t n) {
  if (so == 1 && sa == 1 && sb == 1 && sc == 1) {
    NODEGRAD_SIMD
    for (int64_t i = 0; i < n; i++) out[i] = f(a[i], b[i], c[i]);
  } else {
    for (int64_t i = 0; i < n; i++) out[i * so] = f(a[i * sa], b[i * sb], c[i * sc]);
  }
}

// Calls row(offsets, n) for every innermost run of a strided plan; offsets[k] is operand k's first element.
// Long inner runs are cut, short ones are grouped, by size alone.
template <int Operands, class Row>
void walk(const Plan& plan, const Row& row) {
  const int ndim = plan.ndim();
  const int64_t inner = plan.size(ndim - 1);
  int64_t outer = 1;
  for (int d = 0; d < ndim - 1; d++) outer *= plan.size(d);
  if (inner == 0 || outer == 0) return;
  const auto locate = [&](int64_t index, int64_t* offsets) {
    for (int k = 0; k < Operands; k++) offsets[k] = 0;
    for (int d = ndim - 2; d >= 0; d--) {
      const int64_t size = plan.size(d);
      const int64_t at = index % size;
      index /= size;
      for (int k = 0; k < Operands; k++) offsets[k] += at * plan.stride(k, d);
    }
  };
  if (outer == 1) {
    parallel_for(inner, kElementGrain, [&](int64_t begin, int64_t end) {
      int64_t offsets[Operands];
      for (int k = 0; k < Operands; k++) offsets[k] = begin * plan.stride(k, ndim - 1);
      row(offsets, end - begin);
    });
    return;
  }
  const int64_t grain = std::max<int64_t>(1, kElementGrain / inner);
  parallel_for(outer, grain, [&](int64_t begin, int64_t end) {
    int64_t offsets[Operands];
    locate(begin, offsets);
    int64_t index[64];
    int64_t rest = begin;
    for (int d = ndim - 2; d >= 0; d--) {
      index[d] = rest % plan.size(d);
      rest /= plan.size(d);
    }
    for (int64_t i = begin; i < end; i++) {
      row(offsets, inner);
      for (int d = ndim - 2; d >= 0; d--) {
        for (int k = 0; k < Operands; k++) offsets[k] += plan.stride(k, d);
        if (++index[d] < plan.size(d)) break;
        for (int k = 0; k < Operands; k++) offsets[k] -= plan.stride(k, d) * plan.size(d);
        index[d] = 0;
      }
    }
  });
}

// out = f(a), by plan [out, a].
template <class F, class Out, class A>
void map_unary(const F& f, Slice<const A> a, Slice<Out> out, const Plan& plan) {
  plan.check(out, a);
  if (plan.contiguous()) {
    parallel_for(plan.count, kElementGrain, [&](int64_t begin, int64_t end) { run_unary(f, out.data + begin, 1, a.data + begin, 1, end - begin); });
    return;
  }
  const int d = plan.ndim() - 1;
  walk<2>(plan, [&](const int64_t* at, int64_t n) { run_unary(f, out.data + at[0], plan.stride(0, d), a.data + at[1], plan.stride(1, d), n); });
}

// out = f(a, b), by plan [out, a, b].
template <class F, class Out, class A, class B>
void map_binary(const F& f, Slice<const A> a, Slice<const B> b, Slice<Out> out, const Plan& plan) {
  plan.check(out, a, b);
  if (plan.contiguous()) {
    parallel_for(plan.count, kElementGrain,
                 [&](int64_t begin, int64_t end) { run_binary(f, out.data + begin, 1, a.data + begin, 1, b.data + begin, 1, end - begin); });
    return;
  }
  const int d = plan.ndim() - 1;
  walk<3>(plan, [&](const int64_t* at, int64_t n) {
    run_binary(f, out.data + at[0], plan.stride(0, d), a.data + at[1], plan.stride(1, d), b.data + at[2], plan.stride(2, d), n);
  });
}

// out = f(a, b, c), by plan [out, a, b, c].
template <class F, class Out, class A, class B, class C>
void map_ternary(const F& f, Slice<const A> a, Slice<const B> b, Slice<const C> c, Slice<Out> out, const Plan& plan) {
  plan.check(out, a, b, c);
  if (plan.contiguous()) {
    parallel_for(plan.count, kElementGrain, [&](int64_t begin, int64_t end) {
      run_ternary(f, out.data + begin, 1, a.data + begin, 1, b.data + begin, 1, c.data + begin, 1, end - begin);
    });
    return;
  }
  const int d = plan.ndim() - 1;
  walk<4>(plan, [&](const int64_t* at, int64_t n) {
    run_ternary(f, out.data + at[0], plan.stride(0, d), a.data + at[1], plan.stride(1, d), b.data + at[2], plan.stride(2, d), c.data + at[3],
                plan.stride(3, d), n);
  });
}

// Registration of a functor for a list of types: one line an operator. Operands are all of a type T; the output is too
// (`add_unary`, `add_binary`, `add_ternary`) or is Bool (`..._predicate`). The doubles that a functor is constructed from, as
// `slope` in LeakyRelu{slope}, become the kernel's last parameters.
template <class F, class = void, class... D>
struct Numbers {
  using Signature = void (*)(D...);
};
template <class F, class... D>
struct Numbers<F, std::void_t<decltype(F{std::declval<D>()..., 0.0})>, D...> : Numbers<F, void, D..., double> {};

template <class F, class T, class Out, class Signature>
struct Instance;
template <class F, class T, class Out, class... D>
struct Instance<F, T, Out, void (*)(D...)> {
  static void unary(Slice<const T> a, Slice<Out> out, Plan plan, D... numbers) {
    const F f{numbers...};
    map_unary([f](T x) { return static_cast<Out>(f(widen(x))); }, a, out, plan);
  }
  static void binary(Slice<const T> a, Slice<const T> b, Slice<Out> out, Plan plan, D... numbers) {
    const F f{numbers...};
    map_binary([f](T x, T y) { return static_cast<Out>(f(widen(x), widen(y))); }, a, b, out, plan);
  }
  static void ternary(Slice<const T> a, Slice<const T> b, Slice<const T> c, Slice<Out> out, Plan plan, D... numbers) {
    const F f{numbers...};
    map_ternary([f](T x, T y, T z) { return static_cast<Out>(f(widen(x), widen(y), widen(z))); }, a, b, c, out, plan);
  }
};
template <class F, class T, class Out = T>
using InstanceOf = Instance<F, T, Out, typename Numbers<F>::Signature>;

template <class F, class... T>
void add_unary(Registry& registry, const char* name) {
  registry.add_each<T...>(name, [](auto tag) { return &InstanceOf<F, typename decltype(tag)::type>::unary; });
}
template <class F, class... T>
void add_binary(Registry& registry, const char* name) {
  registry.add_each<T...>(name, [](auto tag) { return &InstanceOf<F, typename decltype(tag)::type>::binary; });
}
template <class F, class... T>
void add_ternary(Registry& registry, const char* name) {
  registry.add_each<T...>(name, [](auto tag) { return &InstanceOf<F, typename decltype(tag)::type>::ternary; });
}
template <class F, class... T>
void add_unary_predicate(Registry& registry, const char* name) {
  registry.add_each<T...>(name, [](auto tag) { return &InstanceOf<F, typename decltype(tag)::type, Bool>::unary; });
}
template <class F, class... T>
void add_binary_predicate(Registry& registry, const char* name) {
  registry.add_each<T...>(name, [](auto tag) { return &InstanceOf<F, typename decltype(tag)::type, Bool>::binary; });
}

}  // namespace nodegrad::NODEGRAD_LEVEL
