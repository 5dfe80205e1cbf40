// Thin groups (depthwise convolution above all): direct loops, vectorised along the row, without columns.
#pragma once

#include <cstdint>
#include <vector>

#include "../runtime/parallel.h"
#include "conv_gather.h"

namespace nodegrad::NODEGRAD_LEVEL {

// y[i] += w * x[i * step]
template <class S, class T>
inline void add_scaled(S* y, const T* x, int64_t step, S w, int64_t n) {
  if (step == 1) {
    NODEGRAD_SIMD
    for (int64_t i = 0; i < n; i++) y[i] += w * static_cast<S>(x[i]);
  } else if (step == 2) {
    NODEGRAD_SIMD
    for (int64_t i = 0; i < n; i++) y[i] += w * static_cast<S>(x[2 * i]);
  } else {
    for (int64_t i = 0; i < n; i++) y[i] += w * static_cast<S>(x[i * step]);
  }
}

// The sum of a[i] * b[i * step], in sixteen lanes.
template <class T>
inline typename Multiply<T>::Sum dot_run(const T* a, const T* b, int64_t step, int64_t n) {
  using Sum = typename Multiply<T>::Sum;
  const auto product = [](T left, T right) { return static_cast<Sum>(left) * static_cast<Sum>(right); };
  Sum lanes[16] = {};
  int64_t i = 0;
  if (step == 1) {
    for (; i + 16 <= n; i += 16)
      for (int j = 0; j < 16; j++) lanes[j] += product(a[i + j], b[i + j]);
  } else {
    for (; i + 16 <= n; i += 16)
      for (int j = 0; j < 16; j++) lanes[j] += product(a[i + j], b[(i + j) * step]);
  }
  Sum total = 0;
  for (int j = 0; j < 16; j++) total += lanes[j];
  for (; i < n; i++) total += product(a[i], b[i * step]);
  return total;
}

// One destination plane a step; rows are summed in a scratch row, then laid where the phase puts them.
template <class T>
void gather_direct(const Gather<T>& gather) {
  using Sum = typename Multiply<T>::Sum;
  const int64_t planes = gather.n * gather.groups * gather.dest_channels;
  const int64_t plane_work = std::max<int64_t>(1, gather.dest_pixels() * gather.source_channels);
  const int64_t* from_size = gather.source_size;
  const int64_t* to_size = gather.dest_size;
  parallel_for(planes, std::max<int64_t>(1, 8192 / plane_work), [&](int64_t first, int64_t last) {
    std::vector<Sum> sums(static_cast<size_t>(gather.grid[2]));
    for (int64_t plane = first; plane < last; plane++) {
      const int64_t channel = plane % (gather.groups * gather.dest_channels);
      const int64_t group = channel / gather.dest_channels;
      const int64_t image = plane / (gather.groups * gather.dest_channels);
      const T* source = gather.source + (image * gather.groups + group) * gather.source_channels * gather.source_pixels();
      T* dest = gather.dest + plane * gather.dest_pixels();
      const Sum start = gather.bias != nullptr ? static_cast<Sum>(gather.bias[channel]) : Sum{0};
      for (const GatherPhase& phase : gather.phases) {
        const GatherAxis* axis = phase.axis;
        for (int64_t row = 0; row < gather.grid[0] * gather.grid[1]; row++) {
          const int64_t e = row / gather.grid[1];
          const int64_t p = row % gather.grid[1];
          const int64_t to_d = axis[0].start + e * axis[0].step;
          const int64_t to_h = axis[1].start + p * axis[1].step;
          if (to_d >= to_size[0] || to_h >= to_size[1] || axis[2].start >= to_size[2]) continue;
          const int64_t length = std::min(gather.grid[2], ceil_div(to_size[2] - axis[2].start, axis[2].step));
          std::fill_n(sums.data(), length, start);
          for (int64_t c = 0; c < gather.source_channels; c++) {
            const T* weight = gather.group_weight(group) + channel % gather.dest_channels * gather.dest_step + c * gather.source_step;
            const int64_t* tap = phase.weights.data();
            for (const int64_t offset_d : axis[0].offsets) {
              for (const int64_t offset_h : axis[1].offsets) {
                const int64_t d = e * axis[0].stride + offset_d;
                const int64_t h = p * axis[1].stride + offset_h;
                if (d < 0 || d >= from_size[0] || h < 0 || h >= from_size[1]) {
                  tap += axis[2].offsets.size();
                  continue;
                }
                const T* x = source + ((c * from_size[0] + d) * from_size[1] + h) * from_size[2];
                for (const int64_t offset : axis[2].offsets) {
                  int64_t lo, hi;
                  valid_range(0, length, axis[2].stride, offset, from_size[2], lo, hi);
                  add_scaled(sums.data() + lo, x + lo * axis[2].stride + offset, axis[2].stride, static_cast<Sum>(weight[*tap++]), hi - lo);
                }
              }
            }
          }
          T* to = dest + (to_d * to_size[1] + to_h) * to_size[2] + axis[2].start;
          for (int64_t i = 0; i < length; i++) to[i * axis[2].step] = static_cast<T>(sums[static_cast<size_t>(i)]);
        }
      }
    }
  });
}

// gradWeight[k, c, tap] = sum over images and rows of gradOutput . x; one output channel a step.
template <class T>
void weight_direct(const ConvGeometry& g, const T* grad_output, const T* x, T* grad_weight) {
  using Sum = typename Multiply<T>::Sum;
  const int64_t channels = g.c / g.groups;
  const int64_t pixels = g.output_pixels();
  parallel_for(g.k, std::max<int64_t>(1, 8192 / std::max<int64_t>(1, g.n * pixels * channels)), [&](int64_t first, int64_t last) {
    for (int64_t k = first; k < last; k++) {
      const int64_t group = k / (g.k / g.groups);
      for (int64_t c = 0; c < channels; c++) {
        for (int64_t tap = 0; tap < g.taps(); tap++) {
          const int64_t offset_d = tap / (g.kernel[2] * g.kernel[1]) * g.dilation[0] - g.pad[0];
          const int64_t offset_h = tap / g.kernel[2] % g.kernel[1] * g.dilation[1] - g.pad[1];
          const int64_t offset_w = tap % g.kernel[2] * g.dilation[2] - g.pad[2];
          int64_t lo, hi;
          valid_range(0, g.out[2], g.stride[2], offset_w, g.in[2], lo, hi);
          Sum total = 0;
          for (int64_t image = 0; image < g.n && lo < hi; image++) {
            const T* from = x + (image * g.c + group * channels + c) * g.input_pixels();
            const T* gradient = grad_output + (image * g.k + k) * pixels;
            Sum image_total = 0;
            for (int64_t row = 0; row < g.out[0] * g.out[1]; row++) {
              const int64_t d = row / g.out[1] * g.stride[0] + offset_d;
              const int64_t h = row % g.out[1] * g.stride[1] + offset_h;
              if (d < 0 || d >= g.in[0] || h < 0 || h >= g.in[1]) continue;
              image_total +=
                  dot_run(gradient + row * g.out[2] + lo, from + (d * g.in[1] + h) * g.in[2] + lo * g.stride[2] + offset_w, g.stride[2], hi - lo);
            }
            total += image_total;
          }
          grad_weight[(k * channels + c) * g.taps() + tap] = static_cast<T>(total);
        }
      }
    }
  });
}

}  // namespace nodegrad::NODEGRAD_LEVEL
