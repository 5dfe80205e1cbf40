// Max pooling of contiguous planes, and the moves of values to and from the positions that it chose. A row of windows
// at a time, and of it one row of taps at a time, so that the inner loop runs along the row. NaN wins over every
// number; among equals the first tap stays. A choice is kept as the number of its tap within the window, (t KH + r) KW
// + s: one byte for windows of up to 256 taps.
#include <cstdint>
#include <limits>
#include <vector>

#include "../../runtime/parallel.h"
#include "../../runtime/registry.h"
#include "../../runtime/scratch.h"
#include "../../runtime/simd.h"
#include "../simd/wide.h"
#include "pool_geometry.h"

namespace nodegrad::NODEGRAD_LEVEL {
namespace {

// What maxPool leaves beside the greatest elements.
enum Keep : int64_t { kNothing = 0, kTaps = 1, kPositions = 2 };

// Tap (t, r, s) of a window by its number.
struct Tap {
  int64_t t, r, s;
  Tap(const PoolGeometry& g, int64_t number)
      : t(number / g.kernel[2] / g.kernel[1]), r(number / g.kernel[2] % g.kernel[1]), s(number % g.kernel[2]) {}
};

// Positions in the plane, from the start of a window's row on, of each tap.
std::vector<int32_t> tap_offsets(const PoolGeometry& g) {
  std::vector<int32_t> offsets(static_cast<size_t>(g.taps()));
  for (int64_t number = 0; number < g.taps(); number++) {
    const Tap tap(g, number);
    offsets[static_cast<size_t>(number)] = static_cast<int32_t>(
        (tap.t * g.dilation[0] * g.in[1] + tap.r * g.dilation[1]) * g.in[2] + tap.s * g.dilation[2]);
  }
  return offsets;
}
// The position of window (e, p, q)'s first tap, which may lie in the padding.
int64_t window_start(const PoolGeometry& g, int64_t e, int64_t p, int64_t q) {
  return ((e * g.stride[0] - g.pad[0]) * g.in[1] + p * g.stride[1] - g.pad[1]) * g.in[2] + q * g.stride[2] - g.pad[2];
}

// best[i] takes the greatest of `Taps` neighbours from x[i * step] on, where one is greater or NaN; number[i] is then
// its number, of which the first is `first`. Step 0: `step` decides.
template <bool Numbers, int Taps, int Step, int Block, class W>
inline void take_block(W* best, int32_t* number, const W* x, int32_t first, int64_t step) {
  const int64_t s = Step == 0 ? step : Step;
  // Unrolled, as it would be for its constant length, it is not vectorised.
  _Pragma("GCC unroll 1") NODEGRAD_SIMD for (int i = 0; i < Block; i++) {
    W b = best[i];
    int32_t k = Numbers ? number[i] : 0;
    for (int32_t tap = 0; tap < Taps; tap++) {
      const W v = x[i * s + tap];
      const bool take = (v > b) | (v != v);
      b = take ? v : b;
      if (Numbers) k = take ? first + tap : k;
    }
    best[i] = b;
    if (Numbers) number[i] = k;
  }
}
// The same for n windows, in blocks: the last one overlaps the one before it, as it does no harm to take the same
// values again.
template <bool Numbers, int Taps, int Step, class W>
void take_greater(W* best, int32_t* number, const W* x, int32_t first, int64_t step, int64_t n) {
  const int64_t s = Step == 0 ? step : Step;
  if (n >= 16) {
    for (int64_t i = 0; i < n; i += 16) {
      const int64_t at = std::min(i, n - 16);
      take_block<Numbers, Taps, Step, 16>(best + at, number + at, x + at * s, first, step);
    }
  } else if (n >= 4) {
    for (int64_t i = 0; i < n; i += 4) {
      const int64_t at = std::min(i, n - 4);
      take_block<Numbers, Taps, Step, 4>(best + at, number + at, x + at * s, first, step);
    }
  } else {
    for (int64_t i = 0; i < n; i++) take_block<Numbers, Taps, Step, 1>(best + i, number + i, x + i * s, first, step);
  }
}

// The windows q in [lo, hi) of a row whose taps all lie inside of the input, from `row`, the row's first element, on.
template <bool Numbers, class W>
void take_row(const PoolGeometry& g, const W* row, W* best, int32_t* number, int32_t first, int64_t lo, int64_t hi) {
  const int64_t step = g.stride[2], taps = g.kernel[2], n = hi - lo;
  const W* x = row + lo * step - g.pad[2];
  best += lo;
  number += lo;
  // Neighbouring taps two or three at a time; the last ones overlap those before them, which does no harm either.
  if (g.dilation[2] == 1 && step == 2 && taps >= 2) {
    for (int64_t s = 0; s < taps; s += 2) {
      const int64_t at = std::min(s, taps - 2);
      take_greater<Numbers, 2, 2>(best, number, x + at, first + static_cast<int32_t>(at), step, n);
    }
    return;
  }
  if (g.dilation[2] == 1 && step == 1 && taps >= 3) {
    for (int64_t s = 0; s < taps; s += 3) {
      const int64_t at = std::min(s, taps - 3);
      take_greater<Numbers, 3, 1>(best, number, x + at, first + static_cast<int32_t>(at), step, n);
    }
    return;
  }
  for (int64_t s = 0; s < taps; s++, first++, x += g.dilation[2]) {
    if (step == 1) {
      take_greater<Numbers, 1, 1>(best, number, x, first, step, n);
    } else if (step == 2) {
      take_greater<Numbers, 1, 2>(best, number, x, first, step, n);
    } else {
      take_greater<Numbers, 1, 0>(best, number, x, first, step, n);
    }
  }
}

// The windows of a row that have taps outside of it, with their taps inside.
struct Edge {
  int64_t window, begin, end;
};
std::vector<Edge> edges_of_row(const PoolGeometry& g) {
  int64_t lo, hi;
  g.whole_windows(2, lo, hi);
  std::vector<Edge> edges;
  for (int64_t q = 0; q < g.out[2]; q++) {
    if (q >= lo && q < hi) continue;
    Edge edge{q, 0, 0};
    g.taps_inside(2, q, edge.begin, edge.end);
    edges.push_back(edge);
  }
  return edges;
}

// Rows begin..end of windows, counted over all planes. A 16-bit row is widened, and the greatest are narrowed: exactly,
// as they are moved.
template <bool Numbers, class T>
void max_rows(const PoolGeometry& g, const T* x, T* y, uint8_t* taps, int32_t* positions, const int32_t* offsets,
              const std::vector<Edge>& edges, int64_t begin, int64_t end) {
  using W = Wide<T>;
  const int64_t width = g.out[2], pixels = g.input_pixels();
  int64_t lo, hi;
  g.whole_windows(2, lo, hi);
  const Scratch<W> wide(std::is_same_v<T, W> ? 0 : width + g.in[2]);
  const Scratch<int32_t> number_row(Numbers ? width : 0);
  int32_t* numbers = number_row.get();
  for (int64_t row = begin; row < end; row++) {
    const int64_t e = row / g.out[1] % g.out[0], p = row % g.out[1];
    const T* plane = x + row / (g.out[0] * g.out[1]) * pixels;
    W* best = target(y + row * width, wide.get());
    int64_t t0, t1, r0, r1;
    g.taps_inside(0, e, t0, t1);
    g.taps_inside(1, p, r0, r1);
    // Nothing is less than minus infinity: such windows keep their first tap inside.
    std::fill_n(best, width, -std::numeric_limits<W>::infinity());
    if (Numbers) {
      const int64_t first = (t0 * g.kernel[1] + r0) * g.kernel[2];
      std::fill_n(numbers, width, static_cast<int32_t>(first));
      for (const Edge& edge : edges) numbers[edge.window] = static_cast<int32_t>(first + edge.begin);
    }
    for (int64_t t = t0; t < t1; t++) {
      for (int64_t r = r0; r < r1; r++) {
        const int64_t d = e * g.stride[0] - g.pad[0] + t * g.dilation[0];
        const int64_t h = p * g.stride[1] - g.pad[1] + r * g.dilation[1];
        const int32_t first = static_cast<int32_t>((t * g.kernel[1] + r) * g.kernel[2]);
        const T* source = plane + (d * g.in[1] + h) * g.in[2];
        const W* from = widened(source, g.in[2], wide.get() + width);
        if (hi > lo) take_row<Numbers>(g, from, best, numbers, first, lo, hi);
        for (const Edge& edge : edges) {
          const int64_t q = edge.window;
          for (int64_t s = edge.begin; s < edge.end; s++) {
            const W v = from[q * g.stride[2] - g.pad[2] + s * g.dilation[2]];
            if (!(v > best[q] || v != v)) continue;
            best[q] = v;
            if (Numbers) numbers[q] = first + static_cast<int32_t>(s);
          }
        }
      }
    }
    narrowed(best, y + row * width, width);
    if (taps != nullptr) {
      uint8_t* to = taps + row * width;
      NODEGRAD_SIMD
      for (int64_t q = 0; q < width; q++) to[q] = static_cast<uint8_t>(numbers[q]);
    } else if (positions != nullptr) {
      const int64_t start = window_start(g, e, p, 0);
      for (int64_t q = 0; q < width; q++)
        positions[row * width + q] =
            static_cast<int32_t>(std::clamp<int64_t>(start + q * g.stride[2] + offsets[numbers[q]], 0, pixels - 1));
    }
  }
}

// y = the greatest of each window, and where it stands: its tap's number, or its position in the plane.
template <class T>
void maxPool(Slice<const T> x, Slice<T> y, Slice<uint8_t> taps, Slice<int32_t> positions, int64_t keep,
             Slice<const int32_t> words) {
  const PoolGeometry g(words);
  const T* from = x.at_least(g.input_elements());
  T* to = y.at_least(g.output_elements());
  require(keep != kTaps || g.taps() <= 256, "a window has too many taps for a byte");
  uint8_t* bytes = keep == kTaps ? taps.at_least(g.output_elements()) : nullptr;
  int32_t* places = keep == kPositions ? positions.at_least(g.output_elements()) : nullptr;
  const std::vector<int32_t> offsets = tap_offsets(g);
  const std::vector<Edge> edges = edges_of_row(g);
  parallel_for(g.rows(), g.row_grain(), [&](int64_t begin, int64_t end) {
    if (keep == kNothing) {
      max_rows<false>(g, from, to, bytes, places, offsets.data(), edges, begin, end);
    } else {
      max_rows<true>(g, from, to, bytes, places, offsets.data(), edges, begin, end);
    }
  });
}

// positions = where in the plane each window's tap lies
void tapPositions(Slice<const uint8_t> taps, Slice<int32_t> positions, Slice<const int32_t> words) {
  const PoolGeometry g(words);
  const uint8_t* from = taps.at_least(g.output_elements());
  int32_t* to = positions.at_least(g.output_elements());
  const std::vector<int32_t> offsets = tap_offsets(g);
  parallel_for(g.rows(), g.row_grain(), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
      const int64_t start = window_start(g, row / g.out[1] % g.out[0], row % g.out[1], 0);
      for (int64_t q = 0; q < g.out[2]; q++) {
        const size_t number = from[row * g.out[2] + q];
        require(number < offsets.size(), "a tap lies outside of its window");
        to[row * g.out[2] + q] = static_cast<int32_t>(
            std::clamp<int64_t>(start + q * g.stride[2] + offsets[number], 0, g.input_pixels() - 1));
      }
    }
  });
}

// out[2q + s] = g[q] where taps[q] is first + s, else 0, s < 2, in blocks of windows, the last of which overlaps the
// one before it.
template <int Block, class B>
inline void spread_pairs(const B* g, const uint8_t* taps, B* out, int32_t first, int64_t windows) {
  for (int64_t i = 0; i < windows; i += Block) {
    const int64_t at = std::min(i, windows - Block);
    int32_t number[Block];
    for (int q = 0; q < Block; q++) number[q] = taps[at + q];
    const B* value = g + at;
    B* pair = out + 2 * at;
    // Unrolled, as it would be for its constant length, it is not vectorised.
    _Pragma("GCC unroll 1") NODEGRAD_SIMD for (int q = 0; q < Block; q++) {
      const B v = value[q];
      pair[2 * q] = number[q] == first ? v : B{0};
      pair[2 * q + 1] = number[q] == first + 1 ? v : B{0};
    }
  }
}

// A row of the input's gradient under windows that do not overlap: out[q * step + s] = g[q] where taps[q] is first + s,
// else 0.
template <class B>
void spread_row(const B* g, const uint8_t* taps, B* out, int32_t first, int64_t kernel, int64_t step, int64_t windows,
                int64_t width) {
  if (kernel == 2 && step == 2) {
    if (windows >= 16) {
      spread_pairs<16>(g, taps, out, first, windows);
    } else if (windows >= 4) {
      spread_pairs<4>(g, taps, out, first, windows);
    } else {
      spread_pairs<1>(g, taps, out, first, windows);
    }
    std::fill(out + 2 * windows, out + width, B{0});
    return;
  }
  std::fill_n(out, width, B{0});
  for (int64_t q = 0; q < windows; q++) {
    const int64_t s = static_cast<int64_t>(taps[q]) - first;
    if (s >= 0 && s < kernel) out[q * step + s] = g[q];
  }
}

// gradInput = each window's gradient at its tap, added up where windows overlap (in float for 16-bit types); zeros
// elsewhere. Windows that lie side by side write every row once, without a first pass of zeros.
template <class T>
void maxPoolBackward(Slice<const T> grad_output, Slice<const uint8_t> taps, Slice<T> grad_input,
                     Slice<const int32_t> words) {
  const PoolGeometry g(words);
  const T* from = grad_output.at_least(g.output_elements());
  const uint8_t* number = taps.at_least(g.output_elements());
  T* to = grad_input.at_least(g.input_elements());
  const int64_t rows = g.out[0] * g.out[1], width = g.out[2], pixels = g.input_pixels();
  bool apart = true;
  for (int d = 0; d < 3; d++)
    apart = apart && g.stride[d] >= g.kernel[d] && g.dilation[d] == 1 && g.pad[d] == 0 &&
            (g.out[d] - 1) * g.stride[d] + g.kernel[d] <= g.in[d];
  if (apart && g.output_elements() > 0) {
    using B = Bits<T>;
    parallel_for(g.planes * g.in[0] * g.in[1], grain_of(65536, g.in[2]), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; row++) {
        const int64_t d = row / g.in[1] % g.in[0], h = row % g.in[1];
        const int64_t e = d / g.stride[0], p = h / g.stride[1];
        B* out = bits(to) + row * g.in[2];
        const int64_t t = d % g.stride[0], r = h % g.stride[1];
        if (e >= g.out[0] || p >= g.out[1] || t >= g.kernel[0] || r >= g.kernel[1]) {
          std::fill_n(out, g.in[2], B{0});
          continue;
        }
        const int64_t at = (row / (g.in[0] * g.in[1]) * rows + e * g.out[1] + p) * width;
        spread_row(bits(from) + at, number + at, out, static_cast<int32_t>((t * g.kernel[1] + r) * g.kernel[2]),
                   g.kernel[2], g.stride[2], width, g.in[2]);
      }
    });
    return;
  }
  const std::vector<int32_t> offsets = tap_offsets(g);
  parallel_for(g.planes, g.plane_grain(), [&](int64_t first, int64_t last) {
    using W = Wide<T>;
    const Scratch<W> sums(std::is_same_v<T, W> ? 0 : pixels);
    for (int64_t plane = first; plane < last; plane++) {
      W* total = target(to + plane * pixels, sums.get());
      std::fill_n(total, pixels, W{0});
      for (int64_t row = 0; row < rows; row++) {
        const int64_t start = window_start(g, row / g.out[1], row % g.out[1], 0);
        const int64_t at = (plane * rows + row) * width;
        for (int64_t q = 0; q < width; q++) {
          const size_t tap = number[at + q];
          require(tap < offsets.size(), "a tap lies outside of its window");
          total[std::clamp<int64_t>(start + q * g.stride[2] + offsets[tap], 0, pixels - 1)] +=
              static_cast<W>(from[at + q]);
        }
      }
      narrowed(total, to + plane * pixels, pixels);
    }
  });
}

// As maxPool, with windows that divide the input evenly.
template <class T>
void adaptiveMaxPool(Slice<const T> x, Slice<T> y, Slice<int32_t> indices, Slice<const int32_t> words) {
  const PoolGeometry g(words);
  x.at_least(g.input_elements());
  y.at_least(g.output_elements());
  indices.at_least(g.output_elements());
  const AdaptiveWindows windows(g);
  parallel_for(g.planes, g.plane_grain(), [&](int64_t first, int64_t last) {
    for (int64_t plane = first; plane < last; plane++) {
      const T* from = x.data + plane * g.input_pixels();
      int64_t to = plane * g.output_pixels();
      for (const auto& sheets : windows.along(0)) {
        for (const auto& rows : windows.along(1)) {
          for (const auto& columns : windows.along(2)) {
            int64_t at = (sheets.begin * g.in[1] + rows.begin) * g.in[2] + columns.begin;
            T best = -std::numeric_limits<T>::infinity();
            for (int64_t d = sheets.begin; d < sheets.end; d++) {
              for (int64_t h = rows.begin; h < rows.end; h++) {
                const int64_t row = (d * g.in[1] + h) * g.in[2];
                for (int64_t w = columns.begin; w < columns.end; w++) {
                  const T v = from[row + w];
                  if (v > best || v != v) {
                    best = v;
                    at = row + w;
                  }
                }
              }
            }
            y.data[to] = best;
            indices.data[to++] = static_cast<int32_t>(at);
          }
        }
      }
    }
  });
}

// Planes of `positions` elements filled with zeros, then values added (or, with `replace`, put) at their indices.
template <class T>
void scatterPlanes(Slice<const T> values, Slice<const int32_t> indices, Slice<T> out, int64_t planes, int64_t count,
                   int64_t positions, bool replace) {
  values.at_least(planes * count);
  indices.at_least(planes * count);
  out.at_least(planes * positions);
  parallel_for(planes, grain_of(16384, count + positions), [&](int64_t first, int64_t last) {
    for (int64_t plane = first; plane < last; plane++) {
      const T* v = values.data + plane * count;
      const int32_t* at = indices.data + plane * count;
      T* to = out.data + plane * positions;
      std::fill_n(to, positions, T{0});
      for (int64_t i = 0; i < count; i++) {
        require(at[i] >= 0 && at[i] < positions, "an index lies outside of its plane");
        if (replace) {
          to[at[i]] = v[i];
        } else {
          to[at[i]] += v[i];
        }
      }
    }
  });
}

// out[plane, i] = x[plane, indices[plane, i]]
template <class T>
void gatherPlanes(Slice<const T> x, Slice<const int32_t> indices, Slice<T> out, int64_t planes, int64_t count,
                  int64_t positions) {
  x.at_least(planes * positions);
  indices.at_least(planes * count);
  out.at_least(planes * count);
  parallel_for(planes, grain_of(16384, count + positions), [&](int64_t first, int64_t last) {
    for (int64_t plane = first; plane < last; plane++) {
      const int32_t* at = indices.data + plane * count;
      for (int64_t i = 0; i < count; i++) {
        require(at[i] >= 0 && at[i] < positions, "an index lies outside of its plane");
        out.data[plane * count + i] = x.data[plane * positions + at[i]];
      }
    }
  });
}

}  // namespace

void add_max_pool(Registry& registry) {
  NODEGRAD_ADD(registry, maxPool, NODEGRAD_FLOATING, NODEGRAD_HALVES);
  NODEGRAD_ADD(registry, maxPoolBackward, NODEGRAD_FLOATING, NODEGRAD_HALVES);
  registry.add("tapPositions", DType::UInt8, &tapPositions);
  NODEGRAD_ADD(registry, adaptiveMaxPool, NODEGRAD_FLOATING);
  NODEGRAD_ADD(registry, scatterPlanes, NODEGRAD_FLOATING);
  NODEGRAD_ADD(registry, gatherPlanes, NODEGRAD_FLOATING);
}

}  // namespace nodegrad::NODEGRAD_LEVEL
