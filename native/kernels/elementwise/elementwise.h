// Elementwise operators from functors: one loop over dense arrays a functor and arithmetic type, run over any layout by
// blocks.h. Included by vectorised families only, inside their SIMD level's namespace.
#pragma once

#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include "../../runtime/registry.h"
#include "../../runtime/simd.h"
#include "../simd/pack.h"
#include "blocks.h"

namespace nodegrad::NODEGRAD_LEVEL {

// What arithmetic is done in: 16-bit floats are computed as float, everything else as what it is.
template <class T>
using Arithmetic = std::conditional_t<std::is_same_v<T, BFloat16> || std::is_same_v<T, Float16>, float, T>;

// A functor is a template over the element type, in a loop that the compiler vectorises; one that says `using Packs =
// void` (it calls functions of vector_math.h) is a template over packs.
template <class F, class = void>
constexpr bool takes_packs = false;
template <class F>
constexpr bool takes_packs<F, typename F::Packs> = true;

// A functor that says `using InOnePass = void` is compiled for bfloat16 too, as one loop that widens, computes and
// rounds: for the few that mixed precision runs most and that are cheaper than the passes through a block.
template <class F, class = void>
constexpr bool in_one_pass = false;
template <class F>
constexpr bool in_one_pass<F, typename F::InOnePass> = true;
// A functor of two operands that says `using TakesOne = void` has loops for one of them being the same all along a row
// too: for the few by which maps are scaled and shifted a channel, or a row, at a time.
template <class F, class Out, class = void>
constexpr bool takes_one = false;
template <class F, class Out>
constexpr bool takes_one<F, Out, typename F::TakesOne> = !std::is_integral_v<Out>;
template <class F>
struct OnePass : F {
  template <class... T>
  BFloat16 operator()(T... x) const {
    return BFloat16(F::operator()(static_cast<float>(x)...));
  }
};

// The loop of a functor: a Run (blocks.h).
template <class F, class Out, class... In>
struct Dense {
  static void run(const void* function, void* out, const void* const* in, const Rows& rows) {
    spread(*static_cast<const F*>(function), static_cast<Out*>(out), in, rows, std::index_sequence_for<In...>{});
  }

 private:
  template <size_t... I>
  static void spread(const F& f, Out* out, const void* const* in, const Rows& rows, std::index_sequence<I...>) {
    for (int64_t r = 0; r < rows.count; r++)
      some_loop(f, moved(out, r * rows.step[0]), rows, moved(static_cast<const In*>(in[I]), r * rows.step[I + 1])...);
  }
  static void some_loop(const F& f, Out* out, const Rows& rows, const In*... in) {
    if constexpr (takes_one<F, Out>) {
      if (rows.one != 0) return loop_with_one(f, out, rows, in...);
    }
    loop(f, out, rows.n, in...);
  }
  template <class A, class B>
  static void loop_with_one(const F& given, Out* out, const Rows& rows, const A* a, const B* b) {
    const F f = given;
    if (rows.one == 1) {
      const A one = *a;
      NODEGRAD_SIMD
      for (int64_t i = 0; i < rows.n; i++) out[i] = static_cast<Out>(f(one, b[i]));
    } else {
      const B one = *b;
      NODEGRAD_SIMD
      for (int64_t i = 0; i < rows.n; i++) out[i] = static_cast<Out>(f(a[i], one));
    }
  }
  static void loop(const F& given, Out* out, int64_t n, const In*... in) {
    const F f = given;
    if constexpr (takes_packs<F>) {
      map_packs(n, f, out, in...);
    } else {
      NODEGRAD_SIMD
      for (int64_t i = 0; i < n; i++) out[i] = static_cast<Out>(f(in[i]...));
    }
  }
};

// out = f(in...), by plan [out, in...].
template <class F, class Out, class... In>
void map(const F& f, Slice<Out> out, const Plan& plan, Slice<const In>... in) {
  if constexpr (in_one_pass<F> && std::is_same_v<Out, BFloat16> && (std::is_same_v<In, BFloat16> && ...)) {
    const Operand raw[] = {raw_operand(out), raw_operand(in)...};
    run_blocks(&Dense<OnePass<F>, Out, In...>::run, &f, plan, raw, 1 + sizeof...(In), kLightGrain, takes_one<F, Out>);
  } else {
    const Operand operands[] = {operand(out), operand(in)...};
    run_blocks(&Dense<F, Arithmetic<Out>, Arithmetic<In>...>::run, &f, plan, operands, 1 + sizeof...(In),
               takes_packs<F> ? kHeavyGrain : kLightGrain, takes_one<F, Arithmetic<Out>>);
  }
}

// Registration of a functor for a list of types: one line an operator. Operands are all of a type T; the output is too
// (`add_unary`, `add_binary`, `add_ternary`) or is Bool (`..._predicate`). The doubles that a functor is constructed
// from, as `slope` in LeakyRelu{slope}, become the kernel's last parameters.
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
  static void unary(Slice<const T> a, Slice<Out> out, Plan plan, D... numbers) { map(F{numbers...}, out, plan, a); }
  static void binary(Slice<const T> a, Slice<const T> b, Slice<Out> out, Plan plan, D... numbers) {
    map(F{numbers...}, out, plan, a, b);
  }
  // The second operand in float beside a 16-bit first: a number that must not be rounded before the computation.
  static void mixed(Slice<const T> a, Slice<const float> b, Slice<Out> out, Plan plan, D... numbers) {
    map(F{numbers...}, out, plan, a, b);
  }
  static void ternary(Slice<const T> a, Slice<const T> b, Slice<const T> c, Slice<Out> out, Plan plan, D... numbers) {
    map(F{numbers...}, out, plan, a, b, c);
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
// `name` with the second operand in float, for 16-bit types; Out is Bool for a predicate.
template <class F, class Out = void>
void add_mixed(Registry& registry, const char* name) {
  registry.add_each<NODEGRAD_HALVES>((std::string(name) + "Mixed").c_str(), [](auto tag) {
    using T = typename decltype(tag)::type;
    return &InstanceOf<F, T, std::conditional_t<std::is_void_v<Out>, T, Out>>::mixed;
  });
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
