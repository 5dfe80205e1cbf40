// The geometry of a convolution as lib/ops/spatial/conv-geometry.ts writes it, always with three spatial dimensions
// (missing ones have size 1). Knows nothing of element types.
#pragma once

#include <algorithm>
#include <cstdint>

#include "../../runtime/divide.h"
#include "../../runtime/simd.h"
#include "../../runtime/slice.h"

namespace nodegrad::NODEGRAD_LEVEL {

// x [n, c, in...], weight [k, c / groups, kernel...], y [n, k, out...]; y at o reads x at o * stride - pad + tap *
// dilation.
struct ConvGeometry {
  int64_t n, c, k, groups;
  int64_t in[3], kernel[3], out[3], stride[3], pad[3], dilation[3];

  explicit ConvGeometry(Slice<const int32_t> words) {
    const int32_t* w = words.at_least(22);
    n = w[0];
    c = w[1];
    k = w[2];
    groups = w[3];
    require(n >= 0 && c >= 0 && k >= 0 && groups >= 1 && c % groups == 0 && k % groups == 0,
            "a convolution's channels do not fit its groups");
    for (int d = 0; d < 3; d++) {
      in[d] = w[4 + d];
      kernel[d] = w[7 + d];
      out[d] = w[10 + d];
      stride[d] = w[13 + d];
      pad[d] = w[16 + d];
      dilation[d] = w[19 + d];
      require(in[d] >= 0 && kernel[d] >= 0 && out[d] >= 0 && stride[d] >= 1 && dilation[d] >= 1,
              "a convolution's geometry is out of range");
    }
  }

  int64_t input_pixels() const { return in[0] * in[1] * in[2]; }
  int64_t output_pixels() const { return out[0] * out[1] * out[2]; }
  int64_t taps() const { return kernel[0] * kernel[1] * kernel[2]; }
  int64_t input_elements() const { return n * c * input_pixels(); }
  int64_t weight_elements() const { return k * (c / groups) * taps(); }
  int64_t output_elements() const { return n * k * output_pixels(); }
  // Groups too thin for tiles of several rows to be worth packing.
  bool thin() const { return groups > 1 && (c / groups) * (k / groups) <= 16; }
};

}  // namespace nodegrad::NODEGRAD_LEVEL
