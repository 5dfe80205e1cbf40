// The three kernels that serve convolution, transposed convolution and their derivatives in one to three dimensions.
// All data are contiguous. Products of packed tiles; thin groups directly.
#pragma once

#include "../../runtime/slice.h"
#include "channels.h"
#include "depthwise.h"
#include "direct.h"
#include "plain.h"
#include "pointwise.h"
#include "scatter.h"
#include "tiles.h"
#include "weight.h"
#include "winograd.h"

namespace nodegrad::NODEGRAD_LEVEL {

// y at o reads x at o * stride - pad + tap * dilation: one phase, and the weight as it is.
template <class T>
Gather<T> forward_gather(const ConvGeometry& g, const T* x, const T* weight, const T* bias, T* y) {
  Gather<T> gather;
  gather.n = g.n;
  gather.groups = g.groups;
  gather.source_channels = g.c / g.groups;
  gather.dest_channels = g.k / g.groups;
  gather.source = x;
  gather.bias = bias;
  gather.dest = y;
  gather.weight = weight;
  gather.source_step = g.taps();
  gather.dest_step = gather.source_channels * g.taps();
  GatherPhase phase;
  for (int64_t tap = 0; tap < g.taps(); tap++) phase.weights.push_back(tap);
  for (int d = 0; d < 3; d++) {
    gather.source_size[d] = g.in[d];
    gather.dest_size[d] = gather.grid[d] = g.out[d];
    phase.axis[d].stride = g.stride[d];
    for (int64_t tap = 0; tap < g.kernel[d]; tap++) phase.axis[d].offsets.push_back(tap * g.dilation[d] - g.pad[d]);
  }
  gather.phases.push_back(phase);
  return gather;
}

// Whether no product enters the result, which then is the bias, or zeros; it is written here.
template <class T>
bool without_products(const Gather<T>& gather) {
  const int64_t channels = gather.groups * gather.dest_channels, pixels = gather.dest_pixels();
  if (gather.source_channels > 0 && gather.n * channels * pixels > 0) return false;
  for (int64_t i = 0; i < gather.n * channels; i++) {
    std::fill_n(gather.dest + i * pixels, pixels, gather.bias == nullptr ? T{} : gather.bias[i % channels]);
  }
  return true;
}

template <class T>
void run_gather(const ConvGeometry& g, const Gather<T>& gather) {
  if (g.thin()) {
    if (suits_depthwise(gather)) {
      gather_depthwise(gather);
    } else {
      gather_direct(gather);
    }
    return;
  }
  if constexpr (std::is_same_v<T, float>) {
    if (is_pointwise(gather)) {
      gather_pointwise(gather);
      return;
    }
  }
  if constexpr (kWinograd<T>) {
    if (Winograd<T>::suits(gather) && Winograd<T>(gather).run()) return;
  }
  const GatherCut cut(gather);
  if (suits_channels(gather, cut) && gather_channels(gather, cut)) return;
  gather_tiles(gather, cut);
}

// Runs a gather by `run`, which multiplies padding by weights. Weights that are not finite would make that NaN: they
// are looked for among themselves or, where results are fewer, among the results first.
template <class T, class F>
void with_any_weight(const ConvGeometry& g, const Gather<T>& gather, const F& run) {
  const int64_t weights = g.weight_elements(),
                results = gather.n * gather.groups * gather.dest_channels * gather.dest_pixels();
  if (!reads_padding(gather)) return run();
  if (weights <= results) return all_finite(gather.weight, weights) ? run() : gather_plain(gather);
  run();
  if (!all_finite<T>(gather.dest, results) && !all_finite(gather.weight, weights)) gather_plain(gather);
}

// y = conv(x, weight) + bias
template <class T>
void conv(Slice<const T> x, Slice<const T> weight, Slice<const T> bias, Slice<T> y, bool has_bias,
          Slice<const int32_t> words) {
  const ConvGeometry g(words);
  x.at_least(g.input_elements());
  weight.at_least(g.weight_elements());
  y.at_least(g.output_elements());
  const Gather<T> gather = forward_gather<T>(g, x.data, weight.data, has_bias ? bias.at_least(g.k) : nullptr, y.data);
  if (!without_products(gather)) with_any_weight(g, gather, [&] { run_gather(g, gather); });
}

// x at start + i * stride receives from y at i + offset, over the taps for which start + pad - tap * dilation divides
// by the stride.
inline GatherAxis backward_axis(const ConvGeometry& g, int d, int64_t start, std::vector<int64_t>& chosen) {
  GatherAxis axis;
  axis.start = start;
  axis.step = g.stride[d];
  for (int64_t tap = 0; tap < g.kernel[d]; tap++) {
    const int64_t distance = start + g.pad[d] - tap * g.dilation[d];
    if (distance % g.stride[d] != 0) continue;
    axis.offsets.push_back(distance / g.stride[d]);
    chosen.push_back(tap);
  }
  return axis;
}

// gradInput = the transposed convolution of gradOutput (+ bias of the input's channels, for convTranspose)
template <class T>
void convBackwardInput(Slice<const T> grad_output, Slice<const T> weight, Slice<const T> bias, Slice<T> grad_input,
                       bool has_bias, Slice<const int32_t> words) {
  const ConvGeometry g(words);
  grad_output.at_least(g.output_elements());
  weight.at_least(g.weight_elements());
  grad_input.at_least(g.input_elements());
  Gather<T> gather;
  gather.n = g.n;
  gather.groups = g.groups;
  gather.source_channels = g.k / g.groups;
  gather.dest_channels = g.c / g.groups;
  gather.source = grad_output.data;
  gather.bias = has_bias ? bias.at_least(g.c) : nullptr;
  gather.dest = grad_input.data;
  gather.weight = weight.data;
  gather.dest_step = g.taps();
  gather.source_step = gather.dest_channels * g.taps();
  for (int d = 0; d < 3; d++) {
    gather.source_size[d] = g.out[d];
    gather.dest_size[d] = g.in[d];
    gather.grid[d] = ceil_div(g.in[d], g.stride[d]);
  }
  // A stride beyond the size has phases without a pixel: they are left out.
  for (int64_t a = 0; a < std::min(g.stride[0], g.in[0]); a++) {
    for (int64_t b = 0; b < std::min(g.stride[1], g.in[1]); b++) {
      for (int64_t c = 0; c < std::min(g.stride[2], g.in[2]); c++) {
        GatherPhase phase;
        std::vector<int64_t> taps[3];
        phase.axis[0] = backward_axis(g, 0, a, taps[0]);
        phase.axis[1] = backward_axis(g, 1, b, taps[1]);
        phase.axis[2] = backward_axis(g, 2, c, taps[2]);
        for (const int64_t t : taps[0])
          for (const int64_t r : taps[1])
            for (const int64_t s : taps[2]) phase.weights.push_back((t * g.kernel[1] + r) * g.kernel[2] + s);
        gather.phases.push_back(phase);
      }
    }
  }
  if (without_products(gather)) return;
  if constexpr (std::is_same_v<T, float>) {
    if (!g.thin() && scatters(g, gather)) {
      scatter_products(g, gather);
      return;
    }
  }
  with_any_weight(g, gather, [&] { run_gather(g, gather); });
}

// gradWeight[k, c, tap] = sum over pixels of gradOutput[k, pixel] x[c, where the tap reads for that pixel].
template <class T>
void convBackwardWeight(Slice<const T> grad_output, Slice<const T> x, Slice<T> grad_weight,
                        Slice<const int32_t> words) {
  const ConvGeometry g(words);
  grad_output.at_least(g.output_elements());
  x.at_least(g.input_elements());
  grad_weight.at_least(g.weight_elements());
  if (g.weight_elements() == 0) return;
  const Gather<T> gather = forward_gather<T>(g, x.data, nullptr, nullptr, nullptr);
  if (g.thin() && suits_depthwise(gather)) {
    weight_depthwise(gather, grad_output.data, grad_weight.data);
  } else if (g.thin()) {
    weight_direct(g, gather, grad_output.data, grad_weight.data);
  } else {
    weight_tiles(g, gather, grad_output.data, grad_weight.data);
  }
  // Padding was multiplied by gradients, and Winograd's tiles mix both.
  if (!all_finite<T>(grad_weight.data, g.weight_elements()))
    weight_plain(g, gather, grad_output.data, grad_weight.data);
}

}  // namespace nodegrad::NODEGRAD_LEVEL
