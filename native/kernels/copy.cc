// Copies between layouts and element types, and fills. Every operator that needs contiguous data stands on these.
#include <algorithm>
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

// Conversion as PyTorch's on x86: bool is "not zero"; a floating value goes through int32 to a signed type of at most 32 bits, through
// int64 to the others, and becomes the smallest value of that where it does not fit.
template <class To, class From>
To convert(From from) {
  const auto x = widen(from);
  using X = decltype(x);
  if constexpr (std::is_same_v<To, Bool>) {
    return Bool(x != 0);
  } else if constexpr (is_half<To>) {
    return To(static_cast<float>(x));
  } else if constexpr (std::is_integral_v<To> && std::is_floating_point_v<std::remove_const_t<X>>) {
    using Through = std::conditional_t<std::is_signed_v<To> && sizeof(To) <= 4, int32_t, int64_t>;
    constexpr double limit = sizeof(Through) == 4 ? 2147483648.0 : 9223372036854775808.0;
    const double wide = std::trunc(static_cast<double>(x));
    if (!(wide >= -limit && wide < limit)) return static_cast<To>(std::numeric_limits<Through>::min());
    return static_cast<To>(static_cast<Through>(wide));
  } else {
    return static_cast<To>(x);
  }
}

// The dimension whose neighbours lie side by side in the input, where that is not the innermost one (whose neighbours lie side by
// side in the output): the copy is a transposition. -1 where it is not.
inline int transposed_dim(const Plan& plan) {
  if (plan.contiguous() || plan.ndim() < 2) return -1;
  const int last = plan.ndim() - 1;
  if (plan.stride(0, last) != 1 || plan.stride(1, last) == 1) return -1;
  for (int d = last - 1; d >= 0; d--) {
    if (plan.stride(1, d) == 1 && plan.size(d) >= 8 && plan.size(last) >= 8) return d;
  }
  return -1;
}

// A transposition in square tiles, each turned in a buffer of its own, so that memory is read and written in runs: rows of tiles
// are shared out over threads.
template <class T>
void copy_transposed(const T* in, T* out, const Plan& plan, int side) {
  constexpr int64_t tile = 32;
  const int last = plan.ndim() - 1;
  const int64_t rows = plan.size(side);
  const int64_t columns = plan.size(last);
  const int64_t bands = (rows + tile - 1) / tile;
  int64_t others = 1;
  for (int d = 0; d < last; d++) others *= d == side ? 1 : plan.size(d);
  parallel_for(others * bands, 1 + kElementGrain / (tile * columns), [&](int64_t begin, int64_t end) {
    T turned[tile * tile];
    for (int64_t p = begin; p < end; p++) {
      const int64_t first = p % bands * tile;
      const int64_t n = std::min(tile, rows - first);
      int64_t rest = p / bands;
      int64_t to = first * plan.stride(0, side);
      int64_t from = first;
      for (int d = last - 1; d >= 0; d--) {
        if (d == side) continue;
        const int64_t at = rest % plan.size(d);
        rest /= plan.size(d);
        to += at * plan.stride(0, d);
        from += at * plan.stride(1, d);
      }
      for (int64_t c = 0; c < columns; c += tile) {
        const int64_t m = std::min(tile, columns - c);
        for (int64_t j = 0; j < m; j++) {
          const T* column = in + from + (c + j) * plan.stride(1, last);
          for (int64_t i = 0; i < n; i++) turned[i * tile + j] = column[i];
        }
        for (int64_t i = 0; i < n; i++) std::memcpy(static_cast<void*>(out + to + i * plan.stride(0, side) + c), turned + i * tile, m * sizeof(T));
      }
    }
  });
}

template <class To, class From>
void cast(Slice<const From> in, Slice<To> out, Plan plan) {
  if constexpr (std::is_same_v<To, From>) {
    const int side = transposed_dim(plan);
    if (side >= 0) {
      plan.check(out, in);
      copy_transposed(in.data, out.data, plan, side);
      return;
    }
  }
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
