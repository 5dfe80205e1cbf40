// The geometry of a pooling as lib/ops/spatial/pool-geometry.ts writes it, always with three spatial dimensions. Knows
// nothing of element types.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "../../runtime/divide.h"
#include "../../runtime/simd.h"
#include "../../runtime/slice.h"

namespace nodegrad::NODEGRAD_LEVEL {

// Planes of in[0] x in[1] x in[2] become planes of out[0] x out[1] x out[2].
struct PoolGeometry {
  int64_t planes;
  int64_t in[3], out[3];
  // Of a window that starts at o * stride - pad; not used by adaptive pooling.
  int64_t kernel[3], stride[3], pad[3], dilation[3];

  explicit PoolGeometry(Slice<const int32_t> words) {
    const int32_t* w = words.at_least(19);
    planes = w[0];
    require(planes >= 0, "a pooling has a negative size");
    for (int d = 0; d < 3; d++) {
      in[d] = w[1 + d];
      out[d] = w[4 + d];
      kernel[d] = w[7 + d];
      stride[d] = w[10 + d];
      pad[d] = w[13 + d];
      dilation[d] = w[16 + d];
      require(in[d] >= 0 && out[d] >= 0 && kernel[d] >= 1 && stride[d] >= 1 && pad[d] >= 0 && dilation[d] >= 1,
              "a pooling's geometry is out of range");
    }
    require(in[0] * in[1] * in[2] <= INT32_MAX, "a plane is too large for 32-bit indices");
  }

  int64_t input_pixels() const { return in[0] * in[1] * in[2]; }
  int64_t output_pixels() const { return out[0] * out[1] * out[2]; }
  int64_t input_elements() const { return planes * input_pixels(); }
  int64_t output_elements() const { return planes * output_pixels(); }
  int64_t taps() const { return kernel[0] * kernel[1] * kernel[2]; }
  int64_t rows() const { return planes * out[0] * out[1]; }
  // How many planes make a chunk worth a thread.
  int64_t plane_grain() const { return grain_of(16384, input_pixels() + output_pixels()); }
  int64_t row_grain() const { return grain_of(32768, out[2] * taps()); }

  // The taps of window o that lie inside of the input, as [begin, end).
  void taps_inside(int d, int64_t o, int64_t& begin, int64_t& end) const {
    const int64_t first = o * stride[d] - pad[d];
    begin = first >= 0 ? 0 : (-first + dilation[d] - 1) / dilation[d];
    end = std::min(kernel[d], first >= in[d] ? 0 : (in[d] - first + dilation[d] - 1) / dilation[d]);
    if (begin > end) begin = end;
  }

  // The windows whose taps all lie inside of the input, as [begin, end).
  void whole_windows(int d, int64_t& begin, int64_t& end) const {
    begin = std::min(out[d], (pad[d] + stride[d] - 1) / stride[d]);
    const int64_t last = in[d] + pad[d] - dilation[d] * (kernel[d] - 1) - 1;
    end = last < 0 ? 0 : std::min(out[d], last / stride[d] + 1);
    if (begin > end) begin = end;
  }

  // The taps along a row that lie inside of the input for at least one of its windows, as [begin, end).
  void taps_of_row(int64_t& begin, int64_t& end) const {
    const int64_t last = (out[2] - 1) * stride[2] - pad[2];
    begin = last >= 0 ? 0 : (-last + dilation[2] - 1) / dilation[2];
    end = std::min(kernel[2], (in[2] + pad[2] + dilation[2] - 1) / dilation[2]);
    if (begin > end) begin = end;
  }
};

// The windows of an adaptive pooling, which divide the input evenly: told once, since the divisions take longer than a
// small plane's sum.
class AdaptiveWindows {
 public:
  struct Window {
    int64_t begin, end;
  };
  explicit AdaptiveWindows(const PoolGeometry& g) {
    for (int d = 0; d < 3; d++) {
      for (int64_t o = 0; o < g.out[d]; o++)
        windows_[d].push_back({o * g.in[d] / g.out[d], ceil_div((o + 1) * g.in[d], g.out[d])});
    }
  }
  const std::vector<Window>& along(int d) const { return windows_[d]; }

 private:
  std::vector<Window> windows_[3];
};

// The windows o in [lo, hi) whose tap at `offset` from o * stride lies inside of 0..size-1.
inline void windows_inside(int64_t windows, int64_t stride, int64_t offset, int64_t size, int64_t& lo, int64_t& hi) {
  lo = offset >= 0 ? 0 : ceil_div(-offset, stride);
  hi = size - offset <= 0 ? 0 : std::min(windows, ceil_div(size - offset, stride));
  if (lo > hi) lo = hi;
}

}  // namespace nodegrad::NODEGRAD_LEVEL
