// Max pooling of contiguous planes, and the moves of values to and from the positions that it chose. A row of windows at a time,
// tap by tap, so that the inner loop runs along the row. NaN wins over every number; among equals the first tap stays.
#include <cstdint>
#include <limits>

#include "../runtime/parallel.h"
#include "../runtime/registry.h"
#include "../runtime/simd.h"
#include "pool_geometry.h"

namespace nodegrad::NODEGRAD_LEVEL {
namespace {

// best[i] takes x[i * step] where that is greater or NaN; with Indices, at[i] remembers position + i * step. Step 0: `step` decides.
template <bool Indices, int Step, class T>
inline void take_greater(T* best, int32_t* at, const T* x, int32_t position, int32_t step, int64_t n) {
  const int32_t s = Step == 0 ? step : Step;
  const int32_t count = static_cast<int32_t>(n);
  NODEGRAD_SIMD
  for (int32_t i = 0; i < count; i++) {
    const T v = x[static_cast<int64_t>(i) * s];
    const bool take = v > best[i] || v != v;
    best[i] = take ? v : best[i];
    if (Indices) at[i] = take ? position + i * s : at[i];
  }
}
template <bool Indices, int Step, class T>
inline void take_all(T* best, int32_t* at, const T* x, int32_t position, int32_t step, int64_t n) {
  const int32_t s = Step == 0 ? step : Step;
  const int32_t count = static_cast<int32_t>(n);
  NODEGRAD_SIMD
  for (int32_t i = 0; i < count; i++) {
    best[i] = x[static_cast<int64_t>(i) * s];
    if (Indices) at[i] = position + i * s;
  }
}

// Rows begin..end of windows, counted over all planes.
template <bool Indices, int Step, class T>
void max_rows(const PoolGeometry& g, const T* x, T* y, int32_t* indices, int64_t begin, int64_t end) {
  const int64_t width = g.out[2];
  const int32_t step = static_cast<int32_t>(g.stride[2]);
  for (int64_t row = begin; row < end; row++) {
    const int64_t plane = row / (g.out[0] * g.out[1]);
    const int64_t e = row / g.out[1] % g.out[0];
    const int64_t p = row % g.out[1];
    const T* from = x + plane * g.input_pixels();
    T* best = y + row * width;
    int32_t* at = Indices ? indices + row * width : nullptr;
    int64_t t0, t1, r0, r1;
    g.taps_inside(0, e, t0, t1);
    g.taps_inside(1, p, r0, r1);
    int64_t s_begin, s_end;
    g.taps_of_row(s_begin, s_end);
    bool first = true;
    for (int64_t t = t0; t < t1; t++) {
      for (int64_t r = r0; r < r1; r++) {
        const int64_t d = e * g.stride[0] - g.pad[0] + t * g.dilation[0];
        const int64_t h = p * g.stride[1] - g.pad[1] + r * g.dilation[1];
        const int64_t base = (d * g.in[1] + h) * g.in[2];
        for (int64_t s = s_begin; s < s_end; s++) {
          const int64_t offset = s * g.dilation[2] - g.pad[2];
          int64_t lo, hi;
          windows_inside(width, g.stride[2], offset, g.in[2], lo, hi);
          const T* source = from + base + lo * g.stride[2] + offset;
          const int32_t position = static_cast<int32_t>(base + lo * g.stride[2] + offset);
          if (first) {
            // Windows that begin in the padding start from minus infinity, at their first tap inside.
            for (int64_t q = 0; q < width; q++) {
              if (q >= lo && q < hi) continue;
              int64_t s0, s1;
              g.taps_inside(2, q, s0, s1);
              best[q] = -std::numeric_limits<T>::infinity();
              if (Indices) at[q] = static_cast<int32_t>(base + std::clamp<int64_t>(q * g.stride[2] - g.pad[2] + s0 * g.dilation[2], 0, g.in[2] - 1));
            }
            take_all<Indices, Step>(best + lo, at + lo, source, position, step, hi - lo);
            first = false;
          } else {
            take_greater<Indices, Step>(best + lo, at + lo, source, position, step, hi - lo);
          }
        }
      }
    }
    if (first) {
      std::fill_n(best, width, -std::numeric_limits<T>::infinity());
      if (Indices) std::fill_n(at, width, 0);
    }
  }
}

template <bool Indices, class T>
void max_all(const PoolGeometry& g, const T* x, T* y, int32_t* indices) {
  parallel_for(g.rows(), g.row_grain(), [&](int64_t begin, int64_t end) {
    if (g.stride[2] == 1) {
      max_rows<Indices, 1>(g, x, y, indices, begin, end);
    } else if (g.stride[2] == 2) {
      max_rows<Indices, 2>(g, x, y, indices, begin, end);
    } else {
      max_rows<Indices, 0>(g, x, y, indices, begin, end);
    }
  });
}

// y = the greatest of each window; indices, where wanted, its position in the plane.
template <class T>
void maxPool(Slice<const T> x, Slice<T> y, Slice<int32_t> indices, bool with_indices, Slice<const int32_t> words) {
  const PoolGeometry g(words);
  x.at_least(g.input_elements());
  y.at_least(g.output_elements());
  if (with_indices) {
    max_all<true>(g, x.data, y.data, indices.at_least(g.output_elements()));
  } else {
    max_all<false>(g, x.data, y.data, nullptr);
  }
}

// As maxPool, with windows that divide the input evenly.
template <class T>
void adaptiveMaxPool(Slice<const T> x, Slice<T> y, Slice<int32_t> indices, Slice<const int32_t> words) {
  const PoolGeometry g(words);
  x.at_least(g.input_elements());
  y.at_least(g.output_elements());
  indices.at_least(g.output_elements());
  parallel_for(g.planes, g.plane_grain(), [&](int64_t first, int64_t last) {
    for (int64_t plane = first; plane < last; plane++) {
      const T* from = x.data + plane * g.input_pixels();
      int64_t to = plane * g.output_pixels();
      for (int64_t e = 0; e < g.out[0]; e++) {
        for (int64_t p = 0; p < g.out[1]; p++) {
          for (int64_t q = 0; q < g.out[2]; q++, to++) {
            int64_t d0, d1, h0, h1, w0, w1;
            g.adaptive_window(0, e, d0, d1);
            g.adaptive_window(1, p, h0, h1);
            g.adaptive_window(2, q, w0, w1);
            int64_t at = (d0 * g.in[1] + h0) * g.in[2] + w0;
            T best = -std::numeric_limits<T>::infinity();
            for (int64_t d = d0; d < d1; d++) {
              for (int64_t h = h0; h < h1; h++) {
                const int64_t row = (d * g.in[1] + h) * g.in[2];
                for (int64_t w = w0; w < w1; w++) {
                  const T v = from[row + w];
                  if (v > best || v != v) {
                    best = v;
                    at = row + w;
                  }
                }
              }
            }
            y.data[to] = best;
            indices.data[to] = static_cast<int32_t>(at);
          }
        }
      }
    }
  });
}

// Planes of `positions` elements filled with zeros, then values added (or, with `replace`, put) at their indices.
template <class T>
void scatterPlanes(Slice<const T> values, Slice<const int32_t> indices, Slice<T> out, int64_t planes, int64_t count, int64_t positions,
                   bool replace) {
  values.at_least(planes * count);
  indices.at_least(planes * count);
  out.at_least(planes * positions);
  parallel_for(planes, std::max<int64_t>(1, 16384 / std::max<int64_t>(1, count + positions)), [&](int64_t first, int64_t last) {
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
void gatherPlanes(Slice<const T> x, Slice<const int32_t> indices, Slice<T> out, int64_t planes, int64_t count, int64_t positions) {
  x.at_least(planes * positions);
  indices.at_least(planes * count);
  out.at_least(planes * count);
  parallel_for(planes, std::max<int64_t>(1, 16384 / std::max<int64_t>(1, count + positions)), [&](int64_t first, int64_t last) {
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

void add_pool(Registry& registry) {
  NODEGRAD_ADD(registry, maxPool, NODEGRAD_FLOATING);
  NODEGRAD_ADD(registry, adaptiveMaxPool, NODEGRAD_FLOATING);
  NODEGRAD_ADD(registry, scatterPlanes, NODEGRAD_FLOATING);
  NODEGRAD_ADD(registry, gatherPlanes, NODEGRAD_FLOATING);
}

}  // namespace nodegrad::NODEGRAD_LEVEL
