// The gradient of a convolution's weight: a sum over all output pixels of what each tap reads there times gradient. The
// depth is the pixels; whichever of the two operands fills vectors better with its channels is transposed, the other is
// read along rows.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "pointwise.h"
#include "weight_inputs.h"
#include "weight_outputs.h"
#include "weight_winograd.h"

namespace nodegrad::NODEGRAD_LEVEL {

// The share of wanted sums among those of whole tiles, with `lanes` channels in vectors and `rows` sums beside each
// other.
template <class T>
double used_share(int64_t lanes, int64_t rows) {
  constexpr int64_t kLanes = kCols<T> / kVectors;
  const auto share = [](int64_t size, int64_t part) {
    return static_cast<double>(size) / static_cast<double>(round_up(size, part));
  };
  return share(lanes, kLanes) * share(rows, kRows);
}

// Whether input channels go into vectors. They are transposed once for all taps and output channels, so they may leave
// a part of a vector empty; but their sums stand with taps outermost, and to turn them pays only where each sums many
// pixels. Far or many taps make the part of the input that a box of pixels reads outgrow the cache.
template <class T>
bool by_inputs(const ConvGeometry& g) {
  constexpr int64_t kMostUnits = int64_t{1} << 17;
  const int64_t channels = g.c / g.groups, outputs = g.k / g.groups;
  return g.taps() > 1 && g.stride[0] * g.stride[1] * g.stride[2] == 1 && g.n * g.output_pixels() >= 1024 &&
         used_share<T>(channels, outputs) >= 0.75 * used_share<T>(outputs, channels * g.taps()) &&
         LaidBox<T>(g, inputs_boxes<T>(g).box(0)).panel_units() <= kMostUnits;
}

template <class T>
void weight_tiles(const ConvGeometry& g, const Gather<T>& gather, const T* grad_output, T* grad_weight) {
  if (g.n * g.output_pixels() == 0) {
    std::fill_n(grad_weight, g.weight_elements(), T{});
    return;
  }
  if constexpr (std::is_same_v<T, float>) {
    if (is_pointwise_weight(gather)) {
      weight_pointwise(gather, grad_output, grad_weight);
      return;
    }
  }
  if constexpr (kWinograd<T>) {
    if (WinogradWeight<T>::suits(gather)) {
      WinogradWeight<T>(gather, grad_output).run(grad_weight);
      return;
    }
  }
  if (by_inputs<T>(g)) {
    weight_by_inputs(g, grad_output, gather.source, grad_weight);
  } else {
    weight_by_outputs(g, gather, grad_output, grad_weight);
  }
}

}  // namespace nodegrad::NODEGRAD_LEVEL
