// Copies between layouts and element types, and fills. Every operator that needs contiguous data stands on these.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "../runtime/registry.h"
#include "../runtime/simd.h"
#include "elementwise.h"

namespace nodegrad {
namespace {

using scalar::kElementGrain;
using scalar::map_unary;

template <class T>
constexpr bool is_half = std::is_same_v<T, BFloat16> || std::is_same_v<T, Float16>;

// The value of a stored element in a type that arithmetic knows.
template <class T>
auto widen(T x) {
  if constexpr (is_half<T>) {
    return static_cast<float>(x);
  } else if constexpr (std::is_same_v<T, Bool>) {
    return static_cast<uint8_t>(x.byte);
  } else {
    return x;
  }
}

// Conversion as PyTorch's: bool is "not zero"; a floating value outside an integer type wraps through int64, as on x86.
template <class To, class From>
To convert(From from) {
  const auto x = widen(from);
  using X = decltype(x);
  if constexpr (std::is_same_v<To, Bool>) {
    return Bool(x != 0);
  } else if constexpr (is_half<To>) {
    return To(static_cast<float>(x));
  } else if constexpr (std::is_integral_v<To> && std::is_floating_point_v<std::remove_const_t<X>>) {
    constexpr double limit = 9223372036854775808.0;
    const double wide = static_cast<double>(x);
    if (!(wide >= -limit && wide < limit)) return static_cast<To>(std::numeric_limits<int64_t>::min());
    return static_cast<To>(static_cast<int64_t>(wide));
  } else {
    return static_cast<To>(x);
  }
}

template <class To, class From>
void cast(Slice<const From> in, Slice<To> out, Plan plan) {
  map_unary([](From x) { return convert<To>(x); }, in, out, plan);
}

// float32, float64 and int64 convert to and from everything; between any two other types TypeScript goes through float64, which
// holds all their values. That halves what has to be compiled.
template <class To>
void add_casts(Registry& registry, const char* name) {
  const auto make = [](auto tag) { return &cast<To, typename decltype(tag)::type>; };
  if constexpr (std::is_same_v<To, float> || std::is_same_v<To, double> || std::is_same_v<To, int64_t>) {
    registry.add_each<NODEGRAD_ALL>(name, make);
  } else {
    registry.add_each<float, double, int64_t, To>(name, make);
  }
}

// Fills a strided output (plan [out]) with one value, given as a one-element buffer so that int64 arrives whole.
template <class T>
void fill(Slice<T> out, Slice<const T> value, Plan plan) {
  const T x = *value.at_least(1);
  plan.check(out);
  if (plan.contiguous()) {
    parallel_for(plan.count, kElementGrain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) out.data[i] = x;
    });
    return;
  }
  const int64_t step = plan.stride(0, plan.ndim() - 1);
  scalar::walk<1>(plan, [&](const int64_t* at, int64_t n) {
    for (int64_t i = 0; i < n; i++) out.data[at[0] + i * step] = x;
  });
}

}  // namespace

void add_copy(Registry& registry) {
  add_casts<float>(registry, "castToFloat32");
  add_casts<double>(registry, "castToFloat64");
  add_casts<int64_t>(registry, "castToInt64");
  add_casts<int32_t>(registry, "castToInt32");
  add_casts<int16_t>(registry, "castToInt16");
  add_casts<int8_t>(registry, "castToInt8");
  add_casts<uint8_t>(registry, "castToUint8");
  add_casts<Bool>(registry, "castToBool");
  add_casts<BFloat16>(registry, "castToBfloat16");
  add_casts<Float16>(registry, "castToFloat16");
  NODEGRAD_ADD(registry, fill, NODEGRAD_ALL);
}

}  // namespace nodegrad
