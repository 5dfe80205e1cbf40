// Average pooling of contiguous planes and its transpose, with regular and with adaptive windows.
#include <cstdint>
#include <vector>

#include "../../runtime/parallel.h"
#include "../../runtime/registry.h"
#include "../../runtime/simd.h"
#include "../reductions/reduce.h"
#include "pool_geometry.h"

namespace nodegrad::NODEGRAD_LEVEL {
namespace {

// Along one dimension, what a window counts for in the divisor: with padding (but not beyond it) or only what lies
// inside.
std::vector<int64_t> window_counts(const PoolGeometry& g, int d, bool include_pad) {
  std::vector<int64_t> counts(static_cast<size_t>(g.out[d]));
  for (int64_t o = 0; o < g.out[d]; o++) {
    const int64_t start = o * g.stride[d] - g.pad[d];
    const int64_t end = std::min(start + g.kernel[d], g.in[d] + g.pad[d]);
    counts[static_cast<size_t>(o)] = include_pad ? end - start : std::min(end, g.in[d]) - std::max<int64_t>(start, 0);
  }
  return counts;
}

// What each window of one call is divided by.
struct Divisors {
  std::vector<int64_t> depth, height, width;
  int64_t fixed;
  Divisors(const PoolGeometry& g, bool include_pad, int64_t divisor_override)
      : depth(window_counts(g, 0, include_pad)),
        height(window_counts(g, 1, include_pad)),
        width(window_counts(g, 2, include_pad)),
        fixed(divisor_override) {}
  // The divisors of the row of windows (e, p).
  template <class T>
  void row(int64_t e, int64_t p, T* out) const {
    const int64_t outer = depth[static_cast<size_t>(e)] * height[static_cast<size_t>(p)];
    for (size_t q = 0; q < width.size(); q++) out[q] = static_cast<T>(fixed != 0 ? fixed : outer * width[q]);
  }
};

// Calls tap(position of the first window's element in the plane, lo, hi) for each tap of the row of windows (e, p).
template <class F>
inline void each_tap(const PoolGeometry& g, int64_t e, int64_t p, const F& tap) {
  int64_t t0, t1, r0, r1;
  g.taps_inside(0, e, t0, t1);
  g.taps_inside(1, p, r0, r1);
  int64_t s_begin, s_end;
  g.taps_of_row(s_begin, s_end);
  for (int64_t t = t0; t < t1; t++) {
    for (int64_t r = r0; r < r1; r++) {
      const int64_t base = ((e * g.stride[0] - g.pad[0] + t) * g.in[1] + p * g.stride[1] - g.pad[1] + r) * g.in[2];
      for (int64_t s = s_begin; s < s_end; s++) {
        int64_t lo, hi;
        windows_inside(g.out[2], g.stride[2], s - g.pad[2], g.in[2], lo, hi);
        tap(base + lo * g.stride[2] + s - g.pad[2], lo, hi);
      }
    }
  }
}

// y = the sum of each window over its divisor
template <class T>
void avgPool(Slice<const T> x, Slice<T> y, bool include_pad, int64_t divisor_override, Slice<const int32_t> words) {
  const PoolGeometry g(words);
  x.at_least(g.input_elements());
  y.at_least(g.output_elements());
  const Divisors divisors(g, include_pad, divisor_override);
  parallel_for(g.rows(), g.row_grain(), [&](int64_t first, int64_t last) {
    std::vector<T> divisor(static_cast<size_t>(g.out[2]));
    for (int64_t row = first; row < last; row++) {
      const int64_t e = row / g.out[1] % g.out[0];
      const int64_t p = row % g.out[1];
      const T* from = x.data + row / (g.out[0] * g.out[1]) * g.input_pixels();
      T* to = y.data + row * g.out[2];
      std::fill_n(to, g.out[2], T{0});
      const int64_t step = g.stride[2];
      each_tap(g, e, p, [&](int64_t position, int64_t lo, int64_t hi) {
        const T* source = from + position;
        T* sums = to + lo;
        if (step == 1) {
          NODEGRAD_SIMD
          for (int64_t i = 0; i < hi - lo; i++) sums[i] += source[i];
        } else if (step == 2) {
          NODEGRAD_SIMD
          for (int64_t i = 0; i < hi - lo; i++) sums[i] += source[2 * i];
        } else {
          for (int64_t i = 0; i < hi - lo; i++) sums[i] += source[i * step];
        }
      });
      divisors.row(e, p, divisor.data());
      for (int64_t q = 0; q < g.out[2]; q++) to[q] /= divisor[static_cast<size_t>(q)];
    }
  });
}

// gradInput = each window's gradient over its divisor, added to all of the window
template <class T>
void avgPoolBackward(Slice<const T> grad_output, Slice<T> grad_input, bool include_pad, int64_t divisor_override,
                     Slice<const int32_t> words) {
  const PoolGeometry g(words);
  grad_output.at_least(g.output_elements());
  grad_input.at_least(g.input_elements());
  const Divisors divisors(g, include_pad, divisor_override);
  parallel_for(g.planes, g.plane_grain(), [&](int64_t first, int64_t last) {
    std::vector<T> shares(static_cast<size_t>(g.out[2]));
    for (int64_t plane = first; plane < last; plane++) {
      T* to = grad_input.data + plane * g.input_pixels();
      std::fill_n(to, g.input_pixels(), T{0});
      for (int64_t row = 0; row < g.out[0] * g.out[1]; row++) {
        const int64_t e = row / g.out[1];
        const int64_t p = row % g.out[1];
        const T* from = grad_output.data + plane * g.output_pixels() + row * g.out[2];
        divisors.row(e, p, shares.data());
        for (int64_t q = 0; q < g.out[2]; q++)
          shares[static_cast<size_t>(q)] = from[q] / shares[static_cast<size_t>(q)];
        each_tap(g, e, p, [&](int64_t position, int64_t lo, int64_t hi) {
          const T* share = shares.data() + lo;
          T* target = to + position;
          const int64_t step = g.stride[2];
          if (step == 1) {
            NODEGRAD_SIMD
            for (int64_t i = 0; i < hi - lo; i++) target[i] += share[i];
          } else {
            NODEGRAD_SIMD
            for (int64_t i = 0; i < hi - lo; i++) target[i * step] += share[i];
          }
        });
      }
    }
  });
}

// The elements of one window: `sheets` x `rows` runs of `length` elements that lie side by side, as long as they can
// be.
struct WindowRuns {
  int64_t start, sheets, rows, length, sheet_step, row_step;
  int64_t count() const { return sheets * rows * length; }
  // Calls run(first element, number of elements) for each.
  template <class F>
  void each(const F& run) const {
    for (int64_t d = 0; d < sheets; d++)
      for (int64_t h = 0; h < rows; h++) run(start + d * sheet_step + h * row_step, length);
  }
};

// Calls window(output index, runs) for every adaptive window of a plane.
template <class F>
inline void each_adaptive_window(const PoolGeometry& g, const AdaptiveWindows& windows, const F& window) {
  int64_t index = 0;
  for (const auto& sheets : windows.along(0)) {
    for (const auto& rows : windows.along(1)) {
      for (const auto& columns : windows.along(2)) {
        const int64_t start = (sheets.begin * g.in[1] + rows.begin) * g.in[2] + columns.begin;
        WindowRuns runs{
            start,  sheets.end - sheets.begin, rows.end - rows.begin, columns.end - columns.begin, g.in[1] * g.in[2],
            g.in[2]};
        if (runs.length == g.in[2]) {
          runs.length *= runs.rows;
          runs.rows = 1;
        }
        if (runs.length == g.in[1] * g.in[2]) {
          runs.length *= runs.sheets;
          runs.sheets = 1;
        }
        window(index++, runs);
      }
    }
  }
}

// y = the mean of each window; windows divide the input evenly
template <class T>
void adaptiveAvgPool(Slice<const T> x, Slice<T> y, Slice<const int32_t> words) {
  const PoolGeometry g(words);
  x.at_least(g.input_elements());
  y.at_least(g.output_elements());
  const AdaptiveWindows windows(g);
  parallel_for(g.planes, g.plane_grain(), [&](int64_t first, int64_t last) {
    for (int64_t plane = first; plane < last; plane++) {
      const T* from = x.data + plane * g.input_pixels();
      T* to = y.data + plane * g.output_pixels();
      each_adaptive_window(g, windows, [&](int64_t index, const WindowRuns& window) {
        T total = 0;
        window.each([&](int64_t first_element, int64_t n) {
          T sum;
          fold_piece(Total<T>{}, from + first_element, n, 1, 1, &sum);
          total += sum;
        });
        to[index] = total / static_cast<T>(window.count());
      });
    }
  });
}

// gradInput = each window's gradient over its size, added to all of the window
template <class T>
void adaptiveAvgPoolBackward(Slice<const T> grad_output, Slice<T> grad_input, Slice<const int32_t> words) {
  const PoolGeometry g(words);
  grad_output.at_least(g.output_elements());
  grad_input.at_least(g.input_elements());
  const AdaptiveWindows windows(g);
  parallel_for(g.planes, g.plane_grain(), [&](int64_t first, int64_t last) {
    for (int64_t plane = first; plane < last; plane++) {
      const T* from = grad_output.data + plane * g.output_pixels();
      T* to = grad_input.data + plane * g.input_pixels();
      std::fill_n(to, g.input_pixels(), T{0});
      each_adaptive_window(g, windows, [&](int64_t index, const WindowRuns& window) {
        const T share = from[index] / static_cast<T>(window.count());
        window.each([&](int64_t first_element, int64_t n) {
          T* run = to + first_element;
          for (int64_t i = 0; i < n; i++) run[i] += share;
        });
      });
    }
  });
}

}  // namespace

void add_avg_pool(Registry& registry) {
  NODEGRAD_ADD(registry, avgPool, NODEGRAD_FLOATING);
  NODEGRAD_ADD(registry, avgPoolBackward, NODEGRAD_FLOATING);
  NODEGRAD_ADD(registry, adaptiveAvgPool, NODEGRAD_FLOATING);
  NODEGRAD_ADD(registry, adaptiveAvgPoolBackward, NODEGRAD_FLOATING);
}

}  // namespace nodegrad::NODEGRAD_LEVEL
