// The geometry of a convolution as lib/ops/conv-geometry.ts writes it, always with three spatial dimensions (missing ones have
// size 1), and how its output pixels are cut into tiles. Knows nothing of element types.
#pragma once

#include <algorithm>
#include <cstdint>

#include "../runtime/simd.h"
#include "../runtime/slice.h"

namespace nodegrad::NODEGRAD_LEVEL {

// x [n, c, in...], weight [k, c / groups, kernel...], y [n, k, out...]; y at o reads x at o * stride - pad + tap * dilation.
struct ConvGeometry {
  int64_t n, c, k, groups;
  int64_t in[3], kernel[3], out[3], stride[3], pad[3], dilation[3];

  explicit ConvGeometry(Slice<const int32_t> words) {
    const int32_t* w = words.at_least(22);
    n = w[0];
    c = w[1];
    k = w[2];
    groups = w[3];
    require(n >= 0 && c >= 0 && k >= 0 && groups >= 1 && c % groups == 0 && k % groups == 0, "a convolution's channels do not fit its groups");
    for (int d = 0; d < 3; d++) {
      in[d] = w[4 + d];
      kernel[d] = w[7 + d];
      out[d] = w[10 + d];
      stride[d] = w[13 + d];
      pad[d] = w[16 + d];
      dilation[d] = w[19 + d];
      require(in[d] >= 0 && kernel[d] >= 0 && out[d] >= 0 && stride[d] >= 1 && dilation[d] >= 1, "a convolution's geometry is out of range");
    }
  }

  int64_t input_pixels() const { return in[0] * in[1] * in[2]; }
  int64_t output_pixels() const { return out[0] * out[1] * out[2]; }
  int64_t taps() const { return kernel[0] * kernel[1] * kernel[2]; }
  int64_t input_elements() const { return n * c * input_pixels(); }
  int64_t weight_elements() const { return k * (c / groups) * taps(); }
  int64_t output_elements() const { return n * k * output_pixels(); }
  // Groups too thin for BLAS to be worth a call.
  bool thin() const { return groups > 1 && (c / groups) * (k / groups) <= 16; }
};

inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Cuts the pixels of n images of a grid into tiles of about 256: whole rows of one image, or several whole images where they are
// small. A function of the shape alone.
struct Tiling {
  static constexpr int64_t kTarget = 256;
  int64_t pixels;           // of one image
  int64_t images;           // in a tile, where it holds whole images; else 1
  int64_t tile;             // pixels in a full tile
  int64_t tiles_per_image;  // 1 where a tile holds whole images
  int64_t n;

  Tiling(int64_t count, const int64_t* grid) : pixels(grid[0] * grid[1] * grid[2]), n(count) {
    images = 1;
    tiles_per_image = 1;
    tile = std::max<int64_t>(pixels, 1);
    if (pixels == 0 || n == 0) return;
    if (pixels <= kTarget / 2) {
      const int64_t tiles = ceil_div(n, std::min(n, kTarget / pixels));
      images = ceil_div(n, tiles);
      tile = images * pixels;
    } else if (pixels > kTarget) {
      const int64_t row = grid[2];
      const int64_t unit = row <= kTarget ? row : 16;
      const int64_t units = ceil_div(pixels, unit);
      tiles_per_image = ceil_div(units, std::max<int64_t>(1, kTarget / unit));
      tile = ceil_div(units, tiles_per_image) * unit;
      tiles_per_image = ceil_div(pixels, tile);
    }
  }

  int64_t count() const { return pixels == 0 || n == 0 ? 0 : images > 1 ? ceil_div(n, images) : n * tiles_per_image; }
  // The range of tile t in the pixels of all images.
  void range(int64_t t, int64_t& begin, int64_t& end) const {
    if (images > 1) {
      begin = t * images * pixels;
      end = std::min(n, (t + 1) * images) * pixels;
    } else {
      const int64_t image = t / tiles_per_image;
      const int64_t part = t % tiles_per_image;
      begin = image * pixels + part * tile;
      end = image * pixels + std::min(pixels, (part + 1) * tile);
    }
  }
};

}  // namespace nodegrad::NODEGRAD_LEVEL
