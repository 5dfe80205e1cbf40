// Copies between layouts and element types, and fills. Every operator that needs contiguous data stands on these. What
// only moves bits is compiled once an element size.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "../../runtime/divide.h"
#include "../../runtime/registry.h"
#include "../products/pack_rows.h"
#include "../simd/halves.h"
#include "elementwise.h"
#include "walk.h"

namespace nodegrad::NODEGRAD_LEVEL {
namespace {

template <size_t Bytes>
using BitsOf =
    std::conditional_t<Bytes == 8, uint64_t,
                       std::conditional_t<Bytes == 4, uint32_t, std::conditional_t<Bytes == 2, uint16_t, uint8_t>>>;

// Conversion as PyTorch's on x86: bool is "not zero"; a floating value goes through int32 to a signed type of at most
// 32 bits, through int64 to the others, and becomes the smallest value of that where it does not fit. 16-bit floats
// come and go as float.
template <class To>
struct Convert {
  template <class From>
  To operator()(From from) const {
    if constexpr (std::is_same_v<From, Bool>) {
      return (*this)(from.byte);
    } else if constexpr (std::is_same_v<To, Bool>) {
      return Bool(from != 0);
    } else if constexpr (std::is_integral_v<To> && std::is_floating_point_v<From>) {
      using Through = std::conditional_t<std::is_signed_v<To> && sizeof(To) <= 4, int32_t, int64_t>;
      constexpr double limit = sizeof(Through) == 4 ? 2147483648.0 : 9223372036854775808.0;
      const double wide = std::trunc(static_cast<double>(from));
      const bool fits = wide >= -limit && wide < limit;
      const Through whole = static_cast<Through>(fits ? wide : 0);
      return static_cast<To>(fits ? whole : std::numeric_limits<Through>::min());
    } else {
      return static_cast<To>(from);
    }
  }
};

// The dimension whose neighbours lie side by side in the input, where that is not the innermost one (whose neighbours
// lie side by side in the output): the copy is a transposition. -1 where it is not.
int transposed_dim(const Plan& plan) {
  if (plan.contiguous() || plan.ndim() < 2) return -1;
  const int last = plan.ndim() - 1;
  if (plan.stride(0, last) != 1 || plan.stride(1, last) <= 1) return -1;
  for (int d = last - 1; d >= 0; d--) {
    if (plan.stride(1, d) == 1 && plan.size(d) >= 8) return d;
  }
  return -1;
}

// to[i * to_step + j] = from[j * from_step + i] for i < n, j < count.
template <class T>
void transpose(const T* from, int64_t from_step, int64_t count, int64_t n, T* to, int64_t to_step) {
  if constexpr (sizeof(T) == sizeof(float)) {
    transpose_rows(reinterpret_cast<const float*>(from), from_step, count, n, reinterpret_cast<float*>(to), to_step);
  } else {
    constexpr int64_t square = 16;
    T turned[square * square];
    for (int64_t j = 0; j < count; j += square) {
      const int64_t columns = std::min(square, count - j);
      for (int64_t i = 0; i < n; i += square) {
        const int64_t rows = std::min(square, n - i);
        for (int64_t b = 0; b < columns; b++)
          for (int64_t a = 0; a < rows; a++) turned[a * square + b] = from[(j + b) * from_step + i + a];
        for (int64_t a = 0; a < rows; a++)
          std::memcpy(to + (i + a) * to_step + j, turned + a * square, columns * sizeof(T));
      }
    }
  }
}

// A transposition, in tiles whose lines the first-level cache holds on both sides; bands of tiles are shared out over
// threads.
template <class T>
void copy_transposed(const T* in, T* out, const Plan& plan, int side) {
  constexpr int64_t tile = 256 / sizeof(T);
  const int last = plan.ndim() - 1;
  const int64_t rows = plan.size(side);
  const int64_t columns = plan.size(last);
  const int64_t row_step = plan.stride(0, side), column_step = plan.stride(1, last);
  // Few columns beside one another: written straight, from column to column.
  const bool narrow_rows = columns < 8 && row_step == columns;
  const int64_t tile_rows = narrow_rows ? 1024 : tile;
  const int64_t bands = ceil_div(rows, tile_rows);
  int64_t others = 1;
  for (int d = 0; d < last; d++) others *= d == side ? 1 : plan.size(d);
  parallel_for(others * bands, grain_of(kElementGrain, tile_rows * columns), [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; p++) {
      const int64_t first = p % bands * tile_rows;
      const int64_t n = std::min(tile_rows, rows - first);
      int64_t rest = p / bands;
      int64_t to = first * row_step;
      int64_t from = first;
      for (int d = last - 1; d >= 0; d--) {
        if (d == side) continue;
        const int64_t at = rest % plan.size(d);
        rest /= plan.size(d);
        to += at * plan.stride(0, d);
        from += at * plan.stride(1, d);
      }
      if (narrow_rows) {
        T* y = out + to;
        const T* x = in + from;
        for (int64_t j = 0; j < columns; j++, y++, x += column_step) {
          for (int64_t i = 0; i < n; i++) y[i * row_step] = x[i];
        }
        continue;
      }
      for (int64_t c = 0; c < columns; c += tile)
        transpose(in + from + c * column_step, column_step, std::min(tile, columns - c), n, out + to + c, row_step);
    }
  });
}

// Moves elements of one size: in long runs, transposed in tiles, by rows where both sides lie in rows.
template <class Bits>
void copy_bits(const Bits* in, Bits* out, const Plan& plan, const Operand* operands) {
  const int64_t sizes[] = {operands[0].size, operands[1].size};
  plan.check_sizes(sizes, 2);
  if (plan.contiguous()) {
    parallel_for(plan.count, kElementGrain, [&](int64_t begin, int64_t end) {
      std::memcpy(out + begin, in + begin, static_cast<size_t>(end - begin) * sizeof(Bits));
    });
    return;
  }
  const int side = transposed_dim(plan);
  if (side >= 0) {
    copy_transposed(in, out, plan, side);
    return;
  }
  const int last = plan.ndim() - 1;
  const int64_t to = plan.stride(0, last);
  const int64_t from = plan.stride(1, last);
  const int64_t row_to = row_step(plan, 0), row_from = row_step(plan, 1);
  walk_rows<2>(plan, [&](const int64_t* at, int64_t n, int64_t count) {
    for (int64_t r = 0; r < count; r++) {
      Bits* y = out + at[0] + r * row_to;
      const Bits* x = in + at[1] + r * row_from;
      if (to == 1 && from == 1) {
        NODEGRAD_SIMD
        for (int64_t i = 0; i < n; i++) y[i] = x[i];
      } else if (to == 1 && from == 0) {
        std::fill(y, y + n, *x);
      } else {
        for (int64_t i = 0; i < n; i++) y[i * to] = x[i * from];
      }
    }
  });
}

template <class To, class From>
void run_conversion(const void*, void* out, const void* const* in, const Rows& rows) {
  for (int64_t r = 0; r < rows.count; r++) {
    const From* x = moved(static_cast<const From*>(in[0]), r * rows.step[1]);
    To* y = moved(static_cast<To*>(out), r * rows.step[0]);
    if constexpr (std::is_same_v<To, float>) {
      widen(x, y, rows.n);
    } else {
      narrow(x, y, rows.n);
    }
  }
}

template <class T>
constexpr bool is_half = std::is_same_v<T, BFloat16> || std::is_same_v<T, Float16>;

template <class To, class From>
void cast(Slice<const From> in, Slice<To> out, Plan plan) {
  const Operand operands[] = {raw_operand(out), raw_operand(in)};
  if constexpr (std::is_same_v<To, From>) {
    using Bits = BitsOf<sizeof(To)>;
    copy_bits(reinterpret_cast<const Bits*>(in.data), reinterpret_cast<Bits*>(out.data), plan, operands);
  } else if constexpr ((is_half<To> && std::is_same_v<From, float>) || (is_half<From> && std::is_same_v<To, float>)) {
    run_blocks(&run_conversion<To, From>, nullptr, plan, operands, 2);
  } else {
    map(Convert<Arithmetic<To>>{}, out, plan, in);
  }
}

// Moves a part of a tensor to a part of another one: elements by plan [out, in], from and to places of their own.
template <class T>
void copy_part(Slice<const T> in, Slice<T> out, int64_t from, int64_t to, Plan plan) {
  using Bits = BitsOf<sizeof(T)>;
  require(from >= 0 && from <= in.size && to >= 0 && to <= out.size, "a part begins outside of its tensor");
  const Operand operands[] = {raw_operand(Slice<T>{out.data + to, out.size - to}),
                              raw_operand(Slice<const T>{in.data + from, in.size - from})};
  copy_bits(reinterpret_cast<const Bits*>(in.data + from), reinterpret_cast<Bits*>(out.data + to), plan, operands);
}

// float32, float64 and int64 convert to and from everything; between any two other types TypeScript goes through
// float64, which holds all their values. That halves what has to be compiled.
template <class To>
void add_casts(Registry& registry, const char* name) {
  const auto make = [](auto tag) { return &cast<To, typename decltype(tag)::type>; };
  if constexpr (std::is_same_v<To, float> || std::is_same_v<To, double> || std::is_same_v<To, int64_t>) {
    registry.add_each<NODEGRAD_ALL>(name, make);
  } else {
    registry.add_each<float, double, int64_t, To>(name, make);
  }
}

template <class Bits>
void fill_bits(Bits* out, Bits x, const Plan& plan) {
  if (plan.contiguous()) {
    parallel_for(plan.count, kElementGrain, [&](int64_t begin, int64_t end) { std::fill(out + begin, out + end, x); });
    return;
  }
  const int64_t step = plan.stride(0, plan.ndim() - 1);
  walk<1>(plan, [&](const int64_t* at, int64_t n) {
    if (step == 1) {
      std::fill(out + at[0], out + at[0] + n, x);
    } else {
      for (int64_t i = 0; i < n; i++) out[at[0] + i * step] = x;
    }
  });
}
// Fills a strided output (plan [out]) with one value, given as a one-element buffer so that int64 arrives whole.
template <class T>
void fill(Slice<T> out, Slice<const T> value, Plan plan) {
  using Bits = BitsOf<sizeof(T)>;
  Bits x;
  std::memcpy(&x, value.at_least(1), sizeof(T));
  plan.check(out);
  fill_bits(reinterpret_cast<Bits*>(out.data), x, plan);
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
  NODEGRAD_ADD_NAMED(registry, "copyPart", copy_part, NODEGRAD_ALL);
  NODEGRAD_ADD(registry, fill, NODEGRAD_ALL);
}

}  // namespace nodegrad::NODEGRAD_LEVEL
