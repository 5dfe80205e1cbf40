// Reductions of contiguous data seen as (outer, n, inner): out[o, i] = reduction over n of input[o, n, i]. One functor
// an operator; loop order and threads are in reduce.h.
#include "reduce.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "../../runtime/registry.h"
#include "../../runtime/simd.h"
#include "fold_again.h"

namespace nodegrad::NODEGRAD_LEVEL {
namespace {

// The type that sums are kept in: the element's own, float32 for 16-bit floats.
template <class T>
using Wide = std::conditional_t<std::is_same_v<T, BFloat16> || std::is_same_v<T, Float16>, float, T>;

// Integers wrap around, as in PyTorch; unsigned, because a signed overflow is undefined.
template <class T>
T plus(T a, T b) {
  if constexpr (std::is_same_v<T, int64_t>)
    return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  return a + b;
}
template <class T>
T times(T a, T b) {
  if constexpr (std::is_same_v<T, int64_t>)
    return static_cast<int64_t>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
  return a * b;
}

template <class T>
struct Sum {
  using Acc = Wide<T>;
  static constexpr bool kTakesPacks = true;
  Acc divisor;
  Acc identity() const { return 0; }
  template <class V>
  auto load(V x) const {
    if constexpr (std::is_same_v<V, T>) return static_cast<Acc>(x);
    if constexpr (!std::is_same_v<V, T>) return x;
  }
  template <class V>
  V combine(V a, V b) const {
    return plus(a, b);
  }
  Acc finish(Acc a) const { return divisor == 1 ? a : a / divisor; }
};

template <class T>
struct Prod : AsTheyAre<T> {
  T identity() const { return 1; }
  template <class V>
  V combine(V a, V b) const {
    return times(a, b);
  }
  T finish(T a) const { return a; }
};

template <class T>
struct Max : Largest<T> {
  T identity() const { return std::numeric_limits<T>::lowest(); }
  T finish(T a) const { return a; }
};
template <class T>
struct Min : Smallest<T> {
  T identity() const { return std::numeric_limits<T>::max(); }
  T finish(T a) const { return a; }
};

struct Any {
  using Acc = uint8_t;
  uint8_t identity() const { return 0; }
  uint8_t load(uint8_t x) const { return x; }
  uint8_t combine(uint8_t a, uint8_t b) const { return a | b; }
  uint8_t finish(uint8_t a) const { return a; }
};
struct All : Any {
  uint8_t identity() const { return 1; }
  uint8_t combine(uint8_t a, uint8_t b) const { return a & b; }
};

// (sum |x|^p)^(1/p); the powers that need no pow have a kind of their own.
enum class Power { Absolute, Square, Largest, Smallest, General };
template <class T, Power kind>
struct Norm {
  using Acc = T;
  static constexpr bool kTakesPacks = kind != Power::General;
  T p;
  T identity() const { return kind == Power::Smallest ? std::numeric_limits<T>::infinity() : T{0}; }
  template <class V>
  V load(V x) const {
    if constexpr (kind == Power::Square) return x * x;
    if constexpr (kind == Power::General) return std::pow(std::fabs(x), p);
    if constexpr (std::is_same_v<V, T>) return std::fabs(x);
    // Of packs and their halves alike; -0 becomes 0.
    return x < V{} ? -x : x + V{};
  }
  template <class V>
  V combine(V a, V b) const {
    if constexpr (kind == Power::Largest) return Max<T>{}.combine(a, b);
    if constexpr (kind == Power::Smallest) return Min<T>{}.combine(a, b);
    return a + b;
  }
  T finish(T a) const {
    if constexpr (kind == Power::Square) return std::sqrt(a);
    if constexpr (kind == Power::General) return std::pow(a, 1 / p);
    return a;
  }
};

// The sum, divided by `divisor`: 1, or the number of elements for a mean. 16-bit floats are summed into float32.
template <class T>
void sum(Slice<const T> input, Slice<Wide<T>> out, int64_t outer, int64_t n, int64_t inner, double divisor) {
  reduce(Sum<T>{static_cast<Wide<T>>(divisor)}, input, out, outer, n, inner);
  if constexpr (std::is_same_v<Wide<T>, float>) {
    fold_again(input, out, outer, n, inner, is_beyond, [divisor](const T* x, int64_t count, int64_t step) {
      double total = 0;
      for (int64_t k = 0; k < count; k++) total += static_cast<double>(static_cast<float>(x[k * step]));
      return total / divisor;
    });
  }
}
template <class T>
void prod(Slice<const T> input, Slice<T> out, int64_t outer, int64_t n, int64_t inner) {
  reduce(Prod<T>{}, input, out, outer, n, inner);
}
template <class T>
void amax(Slice<const T> input, Slice<T> out, int64_t outer, int64_t n, int64_t inner) {
  reduce(Max<T>{}, input, out, outer, n, inner);
}
template <class T>
void amin(Slice<const T> input, Slice<T> out, int64_t outer, int64_t n, int64_t inner) {
  reduce(Min<T>{}, input, out, outer, n, inner);
}
// Bool is 0 or 1 in a byte, so that bitwise operations keep it so.
template <class Op>
void logical(Slice<const Bool> input, Slice<Bool> out, int64_t outer, int64_t n, int64_t inner) {
  reduce(Op{}, Slice<const uint8_t>{reinterpret_cast<const uint8_t*>(input.data), input.size},
         Slice<uint8_t>{reinterpret_cast<uint8_t*>(out.data), out.size}, outer, n, inner);
}
template <class T>
void norm(Slice<const T> input, Slice<T> out, int64_t outer, int64_t n, int64_t inner, double p) {
  const T power = static_cast<T>(p);
  // Sums of powers that overflowed, vanished or became subnormal, by the norm that they led to.
  const auto again = [&](const auto& suspect) {
    if constexpr (std::is_same_v<T, float>) {
      fold_again(input, out, outer, n, inner, suspect, [p](const T* x, int64_t count, int64_t step) {
        double total = 0;
        for (int64_t k = 0; k < count; k++) {
          const double size = std::fabs(static_cast<double>(x[k * step]));
          total += p == 1 ? size : p == 2 ? size * size : std::pow(size, p);
        }
        return p == 1 ? total : p == 2 ? std::sqrt(total) : std::pow(total, 1 / p);
      });
    }
    (void)suspect;
  };
  if (p == 1) {
    reduce(Norm<T, Power::Absolute>{power}, input, out, outer, n, inner);
    return again(is_beyond);
  }
  if (p == 2) {
    reduce(Norm<T, Power::Square>{power}, input, out, outer, n, inner);
    return again([](float y) { return !(y > 1e-15F && y < std::numeric_limits<float>::infinity()); });
  }
  if (p == std::numeric_limits<double>::infinity())
    return reduce(Norm<T, Power::Largest>{power}, input, out, outer, n, inner);
  if (p == -std::numeric_limits<double>::infinity())
    return reduce(Norm<T, Power::Smallest>{power}, input, out, outer, n, inner);
  reduce(Norm<T, Power::General>{power}, input, out, outer, n, inner);
  again([p](float y) {
    const double sum = std::pow(static_cast<double>(y), p);
    return !(sum > 1e-30 && sum < 1e38);
  });
}

}  // namespace

void add_reduce(Registry& registry) {
  NODEGRAD_ADD(registry, sum, float, double, int64_t, BFloat16, Float16);
  NODEGRAD_ADD(registry, prod, float, double, int64_t);
  NODEGRAD_ADD(registry, amax, float, double, int64_t, int32_t);
  NODEGRAD_ADD(registry, amin, float, double, int64_t, int32_t);
  NODEGRAD_ADD(registry, norm, float, double);
  registry.add("any", DType::Bool, &logical<Any>);
  registry.add("all", DType::Bool, &logical<All>);
}

}  // namespace nodegrad::NODEGRAD_LEVEL
