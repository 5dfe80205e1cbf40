// Data movement by index: rows and elements taken, put, added; positions of what is not zero; reversal and triangles.
// Contiguous unless a plan says otherwise. lib/ has told the user of indices out of range; here such an index only must
// not reach memory.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include "../../runtime/divide.h"
#include "../../runtime/registry.h"
#include "../../runtime/simd.h"
#include "../elementwise/walk.h"

namespace nodegrad::NODEGRAD_LEVEL {
namespace {

constexpr int64_t kMoveGrain = 32768;

// An index of -n..n-1 as 0..n-1.
inline int64_t wrap(int64_t index, int64_t n) {
  const int64_t i = index < 0 ? index + n : index;
  if (i < 0 || i >= n) throw std::out_of_range("an index is out of range");
  return i;
}

// The same for an index that is known to be inside.
inline int64_t wrapped(int64_t index, int64_t n) { return index + ((index >> 63) & n); }

// Whether `count` indices that lie side by side are all in low..high-1: without a branch, so that several are looked at
// together. What is outside makes one of the two differences negative, also where it wraps around.
inline bool all_inside(const int64_t* index, int64_t count, int64_t low, int64_t high) {
  uint64_t outside = 0;
  for (int64_t k = 0; k < count; k++) {
    const auto i = static_cast<uint64_t>(index[k]);
    outside |= (i - static_cast<uint64_t>(low)) | (static_cast<uint64_t>(high - 1) - i);
  }
  return outside >> 63 == 0;
}
inline void require_inside(const int64_t* index, int64_t count, int64_t n) {
  if (!all_inside(index, count, -n, n)) throw std::out_of_range("an index is out of range");
}

// Calls use(k, index[k]) for all k, negative indices counted from the end; nothing before a stretch of them is known to
// be inside.
template <class Use>
inline void each_place(const int64_t* index, int64_t count, int64_t n, const Use& use) {
  constexpr int64_t kStretch = 1024;
  for (int64_t first = 0; first < count; first += kStretch) {
    const int64_t last = std::min(count, first + kStretch);
    if (all_inside(index + first, last - first, 0, n)) {
      for (int64_t k = first; k < last; k++) use(k, index[k]);
    } else {
      require_inside(index + first, last - first, n);
      for (int64_t k = first; k < last; k++) use(k, wrapped(index[k], n));
    }
  }
}

// The position of the first index outside of low..high-1, or -1.
int64_t first_outside(Slice<const int64_t> index, int64_t count, double low, double high) {
  const int64_t* x = index.at_least(count);
  const int64_t a = static_cast<int64_t>(low);
  const int64_t b = static_cast<int64_t>(high);
  std::atomic<int64_t> first{count};
  parallel_for(count, kMoveGrain, wake_for(count, kMoveGrain), [&](int64_t begin, int64_t end) {
    if (all_inside(x + begin, end - begin, a, b)) return;
    int64_t k = begin;
    while (x[k] >= a && x[k] < b) k++;
    int64_t known = first.load();
    while (k < known && !first.compare_exchange_weak(known, k)) {
    }
  });
  return first == count ? -1 : first.load();
}

// Neighbouring rows that are taken from, or put to, neighbouring rows: index[at + i] = row + i.
struct Stretch {
  int64_t at, row, count;
};

// Tensors of rows that share an index, from which finding its stretches pays.
constexpr int64_t kSharers = 4;

std::vector<Stretch> stretches_of(const int64_t* index, int64_t count, int64_t n) {
  std::vector<Stretch> stretches;
  for (int64_t k = 0; k < count; k++) {
    const int64_t row = wrapped(index[k], n);
    if (!stretches.empty() && row == stretches.back().row + stretches.back().count) {
      stretches.back().count++;
    } else {
      stretches.push_back({k, row, 1});
    }
  }
  return stretches;
}

// out += wrap(index, n) * step, by plan [out, index].
void add_to_linear_index(Slice<const int64_t> index, Slice<int64_t> out, int64_t n, int64_t step, Plan plan) {
  plan.check(out, index);
  const auto run = [&](int64_t* y, int64_t sy, const int64_t* x, int64_t sx, int64_t count) {
    for (int64_t i = 0; i < count; i++) y[i * sy] += wrap(x[i * sx], n) * step;
  };
  if (plan.contiguous()) {
    run(out.data, 1, index.data, 1, plan.count);
    return;
  }
  const int d = plan.ndim() - 1;
  walk<2>(plan, [&](const int64_t* at, int64_t count) {
    run(out.data + at[0], plan.stride(0, d), index.data + at[1], plan.stride(1, d), count);
  });
}

// Calls move(first of the indexed elements, first of the tensor's, how many) for the stretches of an index that `outer`
// tensors of n rows share, in the index's order for each; false where too few share it, where hardly a stretch has more
// than a row, or where a row is to be skipped. Rows of one element are then moved as such.
template <class Move>
bool move_stretches(const int64_t* index, int64_t outer, int64_t n, int64_t inner, int64_t count, int64_t skip,
                    const Move& move) {
  if (outer < kSharers || skip >= 0) return false;
  const std::vector<Stretch> stretches = stretches_of(index, count, n);
  const int64_t grain = grain_of(kMoveGrain, inner * count);
  if (static_cast<int64_t>(stretches.size()) * 2 > count) {
    if (inner > 1) return false;
    parallel_for(outer, grain, [&](int64_t begin, int64_t end) {
      for (int64_t o = begin; o < end; o++) {
        for (int64_t k = 0; k < count; k++) move(o * count + k, o * n + wrapped(index[k], n), int64_t{1});
      }
    });
    return true;
  }
  parallel_for(outer, grain, [&](int64_t begin, int64_t end) {
    for (int64_t o = begin; o < end; o++) {
      for (const Stretch& s : stretches) move((o * count + s.at) * inner, (o * n + s.row) * inner, s.count * inner);
    }
  });
  return true;
}

template <class T>
inline void copy_row(T* to, const T* from, int64_t n) {
  if (n == 1) {
    *to = *from;
  } else {
    std::memcpy(to, from, static_cast<size_t>(n) * sizeof(T));
  }
}

// out[o, k, :] = x[o, index[k], :] for x (outer, n, inner), out (outer, count, inner); zeros where index[k] is `skip`.
template <class T>
void take_rows(Slice<const T> input, Slice<const int64_t> index, Slice<T> out, int64_t outer, int64_t n, int64_t inner,
               int64_t count, int64_t skip) {
  const T* x = input.at_least(outer * n * inner);
  const int64_t* rows = index.at_least(count);
  T* y = out.at_least(outer * count * inner);
  if (inner == 0) return;
  require_inside(rows, count, n);
  if (move_stretches(rows, outer, n, inner, count, skip,
                     [&](int64_t at, int64_t row, int64_t elements) { copy_row(y + at, x + row, elements); }))
    return;
  parallel_for(outer * count, grain_of(kMoveGrain, inner), [&](int64_t begin, int64_t end) {
    int64_t o = begin / count;
    int64_t k = begin % count;
    for (int64_t p = begin; p < end; p++) {
      const int64_t row = wrapped(rows[k], n);
      if (++k == count) k = 0;
      if (row == skip) {
        std::memset(static_cast<void*>(y + p * inner), 0, static_cast<size_t>(inner) * sizeof(T));
      } else {
        copy_row(y + p * inner, x + (o * n + row) * inner, inner);
      }
      if (k == 0) o++;
    }
  });
}

// Calls put(target, source, elements) for every o and k in the order of k for one target, so that the result does not
// depend on threads: they share out o, or ranges of target rows.
template <class T, class Put>
void put_each(const T* source, const int64_t* rows, T* out, int64_t outer, int64_t n, int64_t inner, int64_t count,
              int64_t skip, const Put& put) {
  if (inner == 0 || count == 0) return;
  require_inside(rows, count, n);
  if (move_stretches(rows, outer, n, inner, count, skip,
                     [&](int64_t at, int64_t row, int64_t elements) { put(out + row, source + at, elements); }))
    return;
  const auto range = [&](int64_t o, int64_t first, int64_t last) {
    for (int64_t k = 0; k < count; k++) {
      const int64_t row = wrapped(rows[k], n);
      if (row >= first && row < last && row != skip)
        put(out + (o * n + row) * inner, source + (o * count + k) * inner, inner);
    }
  };
  if (outer >= 4 || count * inner < kMoveGrain || inner < 8) {
    parallel_for(outer, grain_of(kMoveGrain, count * inner), [&](int64_t begin, int64_t end) {
      for (int64_t o = begin; o < end; o++) range(o, 0, n);
    });
    return;
  }
  for (int64_t o = 0; o < outer; o++) {
    parallel_for(n, ceil_div(n, 16), [&](int64_t begin, int64_t end) { range(o, begin, end); });
  }
}

// out[o, index[k], :] = source[o, k, :]; the last of several wins.
template <class T>
void put_rows(Slice<const T> source, Slice<const int64_t> index, Slice<T> out, int64_t outer, int64_t n, int64_t inner,
              int64_t count) {
  put_each(source.at_least(outer * count * inner), index.at_least(count), out.at_least(outer * n * inner), outer, n,
           inner, count, int64_t{-1}, [](T* to, const T* from, int64_t elements) { copy_row(to, from, elements); });
}

// out[o, index[k], :] += source[o, k, :], in the order of k; rows of index `skip` are left out.
template <class T>
void add_rows(Slice<const T> source, Slice<const int64_t> index, Slice<T> out, int64_t outer, int64_t n, int64_t inner,
              int64_t count, int64_t skip) {
  put_each(source.at_least(outer * count * inner), index.at_least(count), out.at_least(outer * n * inner), outer, n,
           inner, count, skip, [](T* to, const T* from, int64_t elements) {
             NODEGRAD_SIMD
             for (int64_t i = 0; i < elements; i++) to[i] = static_cast<T>(to[i] + from[i]);
           });
}

inline int64_t extent(const Plan& plan, int operand) {
  int64_t last = 0;
  if (!plan.contiguous()) {
    for (int d = 0; d < plan.ndim(); d++) last += (plan.size(d) - 1) * plan.stride(operand, d);
  } else {
    last = plan.count - 1;
  }
  return last;
}

// out = x at the index along one dimension of size n and stride `step`: plan [out, index, x], whose strides of x are 0
// there.
template <class T>
void gather(Slice<const T> input, Slice<const int64_t> index, Slice<T> out, int64_t n, int64_t step, Plan plan) {
  plan.check(out, index, input);
  if (plan.elements() == 0) return;
  require(n > 0 && step >= 0, "gather from a dimension without elements");
  input.at_least(extent(plan, 2) + (n - 1) * step + 1);
  const auto run = [&](T* y, int64_t sy, const int64_t* i, int64_t si, const T* x, int64_t sx, int64_t count) {
    if (si != 1) {
      for (int64_t k = 0; k < count; k++) y[k * sy] = x[k * sx + wrap(i[k * si], n) * step];
      return;
    }
    if (sy == 1 && sx == 0 && step == 1) {
      each_place(i, count, n, [&](int64_t k, int64_t place) { y[k] = x[place]; });
    } else {
      each_place(i, count, n, [&](int64_t k, int64_t place) { y[k * sy] = x[k * sx + place * step]; });
    }
  };
  if (plan.contiguous()) {
    parallel_for(plan.count, kMoveGrain,
                 [&](int64_t b, int64_t e) { run(out.data + b, 1, index.data + b, 1, input.data + b, 1, e - b); });
    return;
  }
  const int d = plan.ndim() - 1;
  walk<3>(plan, [&](const int64_t* at, int64_t count) {
    run(out.data + at[0], plan.stride(0, d), index.data + at[1], plan.stride(1, d), input.data + at[2],
        plan.stride(2, d), count);
  });
}

// out at the index = put(out, source), along one dimension (count elements of the index; n, `step` of out); the other
// dimensions are a plan [source, index, out]. Lines along the dimension are independent; each is walked in order.
template <class T, class Put>
void scatter_lines(Slice<const T> source, Slice<const int64_t> index, Slice<T> out, int64_t count, int64_t source_step,
                   int64_t index_step, int64_t n, int64_t step, const Plan& plan, const Put& put) {
  plan.check(source, index, out);
  if (plan.elements() == 0 || count == 0) return;
  require(n > 0 && step >= 0 && source_step >= 0 && index_step >= 0, "scatter into a dimension without elements");
  source.at_least(extent(plan, 0) + (count - 1) * source_step + 1);
  index.at_least(extent(plan, 1) + (count - 1) * index_step + 1);
  out.at_least(extent(plan, 2) + (n - 1) * step + 1);
  const auto run = [&](const T* s, int64_t ss, const int64_t* i, int64_t si, T* y, int64_t sy, int64_t lines) {
    // Along what lies side by side in the index: line by line, or across the lines.
    if (index_step == 1) {
      for (int64_t l = 0; l < lines; l++, s += ss, i += si, y += sy) {
        if (step == 1 && source_step == 1) {
          each_place(i, count, n, [&](int64_t k, int64_t place) { put(y[place], s[k]); });
        } else {
          each_place(i, count, n, [&](int64_t k, int64_t place) { put(y[place * step], s[k * source_step]); });
        }
      }
      return;
    }
    for (int64_t k = 0; k < count; k++, i += index_step, s += source_step) {
      if (si == 1) {
        each_place(i, lines, n, [&](int64_t l, int64_t place) { put(y[l * sy + place * step], s[l * ss]); });
      } else {
        for (int64_t l = 0; l < lines; l++) put(y[l * sy + wrap(i[l * si], n) * step], s[l * ss]);
      }
    }
  };
  const int64_t grain = grain_of(kMoveGrain, count);
  if (plan.contiguous()) {
    parallel_for(plan.count, grain,
                 [&](int64_t b, int64_t e) { run(source.data + b, 1, index.data + b, 1, out.data + b, 1, e - b); });
    return;
  }
  const int d = plan.ndim() - 1;
  walk<3>(
      plan,
      [&](const int64_t* at, int64_t lines) {
        run(source.data + at[0], plan.stride(0, d), index.data + at[1], plan.stride(1, d), out.data + at[2],
            plan.stride(2, d), lines);
      },
      grain);
}

#define NODEGRAD_SCATTER(NAME, PUT)                                                                               \
  template <class T>                                                                                              \
  void NAME(Slice<const T> source, Slice<const int64_t> index, Slice<T> out, int64_t count, int64_t source_step,  \
            int64_t index_step, int64_t n, int64_t step, Plan plan) {                                             \
    scatter_lines(source, index, out, count, source_step, index_step, n, step, plan, [](T& to, T from) { PUT; }); \
  }
NODEGRAD_SCATTER(scatter, to = from)
NODEGRAD_SCATTER(scatter_add, to = static_cast<T>(to + from))
NODEGRAD_SCATTER(scatter_prod, to = static_cast<T>(to * from))
NODEGRAD_SCATTER(scatter_amax, if (from > to || from != from) to = from)
NODEGRAD_SCATTER(scatter_amin, if (from < to || from != from) to = from)
#undef NODEGRAD_SCATTER

// out += input by plan [out, input], where elements of the output may coincide: in the order of the walk, on one
// thread.
template <class T>
void accumulate(Slice<const T> input, Slice<T> out, Plan plan) {
  plan.check(out, input);
  if (plan.contiguous()) {
    for (int64_t i = 0; i < plan.count; i++) out.data[i] += input.data[i];
    return;
  }
  int64_t index[64] = {};
  int64_t o = 0;
  int64_t a = 0;
  const int ndim = plan.ndim();
  require(ndim <= 64, "a plan has more than 64 dimensions");
  for (int64_t left = plan.elements(); left > 0; left--) {
    out.data[o] += input.data[a];
    for (int d = ndim - 1; d >= 0; d--) {
      o += plan.stride(0, d);
      a += plan.stride(1, d);
      if (++index[d] < plan.size(d)) break;
      o -= plan.stride(0, d) * plan.size(d);
      a -= plan.stride(1, d) * plan.size(d);
      index[d] = 0;
    }
  }
}

template <class T>
inline bool is_nonzero(T x) {
  if constexpr (std::is_same_v<T, Bool>) {
    return x.byte != 0;
  } else if constexpr (std::is_same_v<T, BFloat16> || std::is_same_v<T, Float16>) {
    return (x.bits & 0x7fffu) != 0;
  } else {
    return x != T(0);
  }
}

template <class T>
int64_t nonzero_in(const T* x, int64_t n) {
  int64_t count = 0;
  for (int64_t i = 0; i < n; i++) count += is_nonzero(x[i]) ? 1 : 0;
  return count;
}

// How many elements of each piece of kMoveGrain are not zero, one number a piece after a leading 0.
template <class T>
std::vector<int64_t> nonzero_pieces(const T* x, int64_t n) {
  std::vector<int64_t> counts(static_cast<size_t>(ceil_div(n, kMoveGrain)) + 1);
  parallel_for(n, kMoveGrain, wake_for(n, kMoveGrain), [&](int64_t begin, int64_t end) {
    counts[static_cast<size_t>(begin / kMoveGrain) + 1] = nonzero_in(x + begin, end - begin);
  });
  return counts;
}

// How many of n elements are not zero.
template <class T>
int64_t count_nonzero(Slice<const T> input, int64_t n) {
  const std::vector<int64_t> counts = nonzero_pieces(input.at_least(n), n);
  return std::accumulate(counts.begin(), counts.end(), int64_t{0});
}

// The positions of the elements that are not zero, in order.
template <class T>
void nonzero(Slice<const T> input, Slice<int64_t> out, int64_t n) {
  const T* x = input.at_least(n);
  std::vector<int64_t> places = nonzero_pieces(x, n);
  std::partial_sum(places.begin(), places.end(), places.begin());
  require(places.back() == out.size, "another number of elements than was counted");
  parallel_for(n, kMoveGrain, wake_for(n, kMoveGrain), [&](int64_t begin, int64_t end) {
    int64_t at = places[static_cast<size_t>(begin / kMoveGrain)];
    const int64_t limit = places[static_cast<size_t>(begin / kMoveGrain) + 1];
    // Written without a branch on the value: the place is taken only where the element counts.
    for (int64_t i = begin; i < end && at < limit; i++) {
      out.data[at] = i;
      at += is_nonzero(x[i]) ? 1 : 0;
    }
  });
}

// out[k * stride] = index[k] / step % size: one coordinate of linear positions.
void coordinate(Slice<const int64_t> index, Slice<int64_t> out, int64_t count, int64_t step, int64_t size,
                int64_t stride) {
  if (count == 0) return;
  const int64_t* x = index.at_least(count);
  int64_t* y = out.at_least((count - 1) * stride + 1);
  require(step > 0 && size > 0 && stride > 0, "coordinates in a shape without elements");
  parallel_for(count, kMoveGrain, wake_for(count, kMoveGrain), [&](int64_t begin, int64_t end) {
    // Positions grow, so that one division serves all of a row, whose elements share this coordinate or, in the last
    // dimension, count on.
    const int64_t length = step == 1 ? size : step;
    int64_t row = 0, value = 0;
    for (int64_t k = begin; k < end; k++) {
      if (x[k] < row || x[k] - row >= length || k == begin) {
        row = x[k] / length * length;
        value = row / step % size;
      }
      y[k * stride] = step == 1 ? x[k] - row : value;
    }
  });
}

// out[o, n - 1 - k, :] = x[o, k, :].
template <class T>
void flip(Slice<const T> input, Slice<T> out, int64_t outer, int64_t n, int64_t inner) {
  const T* x = input.at_least(outer * n * inner);
  T* y = out.at_least(outer * n * inner);
  if (n == 0 || inner == 0) return;
  if (inner == 1) {
    parallel_for(outer, grain_of(kMoveGrain, n), [&](int64_t begin, int64_t end) {
      for (int64_t o = begin; o < end; o++) {
        const T* from = x + o * n;
        T* last = y + (o + 1) * n - 1;
        NODEGRAD_SIMD
        for (int64_t k = 0; k < n; k++) last[-k] = from[k];
      }
    });
    return;
  }
  parallel_for(outer * n, grain_of(kMoveGrain, inner), [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; p++) {
      const int64_t k = p % n;
      copy_row(y + (p + n - 1 - 2 * k) * inner, x + p * inner, inner);
    }
  });
}

// Keeps x[b, i, j] where j - i <= diagonal (lower) or j - i >= diagonal (upper), and writes zeros elsewhere.
template <class T>
void triangle(Slice<const T> input, Slice<T> out, int64_t batch, int64_t rows, int64_t columns, int64_t diagonal,
              bool upper) {
  const T* x = input.at_least(batch * rows * columns);
  T* y = out.at_least(batch * rows * columns);
  if (columns == 0) return;
  parallel_for(batch * rows, grain_of(kMoveGrain, columns), [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; p++) {
      const int64_t i = p % rows;
      const int64_t edge = std::clamp<int64_t>(i + diagonal + (upper ? 0 : 1), 0, columns);
      const int64_t first = upper ? edge : 0;
      const int64_t last = upper ? columns : edge;
      T* row = y + p * columns;
      std::memset(static_cast<void*>(row), 0, static_cast<size_t>(columns) * sizeof(T));
      if (last > first)
        std::memcpy(static_cast<void*>(row + first), x + p * columns + first,
                    static_cast<size_t>(last - first) * sizeof(T));
    }
  });
}

}  // namespace

#define NODEGRAD_ADD_AS(name, kernel, ...)            \
  registry.add_each<__VA_ARGS__>(name, [](auto tag) { \
    using T = typename decltype(tag)::type;           \
    return &kernel<T>;                                \
  })

void add_indexing(Registry& registry) {
  registry.add("firstOutside", DType::Int64, &first_outside);
  registry.add("addToLinearIndex", DType::Int64, &add_to_linear_index);
  registry.add("coordinate", DType::Int64, &coordinate);
  NODEGRAD_ADD_AS("takeRows", take_rows, NODEGRAD_ALL);
  NODEGRAD_ADD_AS("putRows", put_rows, NODEGRAD_ALL);
  NODEGRAD_ADD_AS("addRows", add_rows, NODEGRAD_NUMBERS);
  NODEGRAD_ADD_AS("gather", gather, NODEGRAD_ALL);
  NODEGRAD_ADD_AS("scatter", scatter, NODEGRAD_ALL);
  NODEGRAD_ADD_AS("scatterAdd", scatter_add, NODEGRAD_NUMBERS);
  NODEGRAD_ADD_AS("scatterProd", scatter_prod, NODEGRAD_NUMBERS);
  NODEGRAD_ADD_AS("scatterAmax", scatter_amax, NODEGRAD_NUMBERS);
  NODEGRAD_ADD_AS("scatterAmin", scatter_amin, NODEGRAD_NUMBERS);
  NODEGRAD_ADD_AS("accumulate", accumulate, NODEGRAD_FLOATING);
  NODEGRAD_ADD_AS("countNonzeroElements", count_nonzero, NODEGRAD_ALL);
  NODEGRAD_ADD_AS("nonzero", nonzero, NODEGRAD_ALL);
  NODEGRAD_ADD_AS("flip", flip, NODEGRAD_ALL);
  NODEGRAD_ADD_AS("triangle", triangle, NODEGRAD_ALL);
}

}  // namespace nodegrad::NODEGRAD_LEVEL
