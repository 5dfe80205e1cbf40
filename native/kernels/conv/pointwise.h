// Convolutions whose pixels read their own place alone (1x1, stride 1): a matrix product an image, as pixels of a
// channel lie side by side.
#pragma once

#include <algorithm>
#include <cstdint>

#include "../products/gemm.h"
#include "../products/matmul.h"
#include "tiles.h"

namespace nodegrad::NODEGRAD_LEVEL {

// Pixels of an image that fill a product's tiles. Smaller images are joined (conv_tiles.h), but for those of one pixel,
// which are rows of one product.
constexpr int64_t kPointwisePixels = 32;

template <class T>
bool is_pointwise(const Gather<T>& gather) {
  const int64_t pixels = gather.grid_pixels();
  return (pixels == 1 || pixels >= kPointwisePixels) && gather.phases.size() == 1 &&
         plain_source(gather, gather.phases[0]) && plain_dest(gather, gather.phases[0]);
}

// dest[channel, pixel] = weights source (+ bias of the channel), for each group of each image.
inline void gather_pointwise(const Gather<float>& gather) {
  const int64_t m = gather.dest_channels, k = gather.source_channels, pixels = gather.grid_pixels();
  if (gather.n * m * pixels == 0) return;
  const bool transposed = gather.source_step != 1;
  const int64_t weight_row = transposed ? gather.source_step : gather.dest_step;
  if (pixels == 1) {
    for (int64_t group = 0; group < gather.groups; group++) {
      const float *source = gather.source + group * k, *weight = gather.group_weight(group);
      float* dest = gather.dest + group * m;
      const int64_t source_row = gather.groups * k, dest_row = gather.groups * m;
      if (gather.bias != nullptr) {
        gemm_bias(false, !transposed, gather.n, m, k, 1.0f, source, source_row, weight, weight_row,
                  gather.bias + group * m, dest, dest_row);
      } else {
        gemm(false, !transposed, gather.n, m, k, 1.0f, source, source_row, weight, weight_row, 0.0f, dest, dest_row);
      }
    }
    return;
  }
  each_product(gather.n * gather.groups, m, pixels, k, gemm_is_cut(m, pixels, k), [&](int64_t index, bool alone) {
    const int64_t group = index % gather.groups;
    float* dest = gather.dest + index * m * pixels;
    if (gather.bias != nullptr)
      for (int64_t row = 0; row < m; row++) std::fill_n(dest + row * pixels, pixels, gather.bias[group * m + row]);
    gemm(transposed, false, m, pixels, k, 1.0f, gather.group_weight(group), weight_row,
         gather.source + index * k * pixels, pixels, gather.bias != nullptr ? 1.0f : 0.0f, dest, pixels, alone);
  });
}

// Whether an image's part of the weight's gradient is a product of its own that is worth both threads, and adding to
// the parts before; of one pixel it would be read and written for one multiply-add an element. Measured.
template <class T>
bool is_pointwise_weight(const Gather<T>& gather) {
  constexpr int64_t kLeastWork = 6 << 20, kLeastResult = 16384;
  const int64_t result = gather.dest_channels * gather.source_channels;
  return is_pointwise(gather) && gather.grid_pixels() > 1 && result >= kLeastResult &&
         result * gather.grid_pixels() >= kLeastWork;
}

// gradWeight[k, c] = the sum over images of gradOutput x', for each group.
inline void weight_pointwise(const Gather<float>& gather, const float* grad_output, float* grad_weight) {
  const int64_t k = gather.dest_channels, c = gather.source_channels, pixels = gather.grid_pixels();
  for (int64_t group = 0; group < gather.groups; group++) {
    for (int64_t image = 0; image < gather.n; image++) {
      const int64_t index = image * gather.groups + group;
      gemm(false, true, k, c, pixels, 1.0f, grad_output + index * k * pixels, pixels,
           gather.source + index * c * pixels, pixels, image > 0 ? 1.0f : 0.0f, grad_weight + group * k * c, c);
    }
  }
}

}  // namespace nodegrad::NODEGRAD_LEVEL
