// Convolution as its definition reads, for operands that are not all finite: padding is left out instead of multiplied,
// since zero times infinity is not zero. The other files multiply padding, and Winograd's tiles mix pixels; both are
// right as long as everything is finite. Sums are in double.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "../../runtime/parallel.h"
#include "../../runtime/scratch.h"
#include "../../runtime/simd.h"
#include "gather.h"

namespace nodegrad::NODEGRAD_LEVEL {

// Whether no element is infinite or NaN.
template <class T>
bool all_finite(const T* x, int64_t n) {
  using Word = std::conditional_t<sizeof(T) == 2, uint16_t, std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>>;
  constexpr Word kExponent = static_cast<Word>(sizeof(T) == 2   ? 0x7f80
                                               : sizeof(T) == 4 ? 0x7f800000
                                                                : 0x7ff0000000000000);
  static_assert(sizeof(T) != 2 || std::is_same_v<T, BFloat16>, "the exponent of another 16-bit type lies elsewhere");
  std::atomic<bool> finite = true;
  parallel_for(n, int64_t{1} << 16, [&](int64_t begin, int64_t end) {
    Word found = 0;
    NODEGRAD_SIMD
    for (int64_t i = begin; i < end; i++) {
      Word word;
      std::memcpy(&word, x + i, sizeof(T));
      found |= static_cast<Word>((word & kExponent) == kExponent ? 1 : 0);
    }
    if (found != 0) finite = false;
  });
  return finite;
}

template <class T>
inline T from_double(double v) {
  if constexpr (std::is_same_v<T, BFloat16>) return BFloat16(static_cast<float>(v));
  return static_cast<T>(v);
}

// The indices along a dimension of a phase for which a tap reads a source element.
struct TapRange {
  int64_t lo, hi;
  TapRange(const GatherAxis& axis, int64_t offset, int64_t source_size, int64_t dest_size) {
    valid_range(0, count(axis, dest_size), axis.stride, offset, source_size, lo, hi);
  }
  static int64_t count(const GatherAxis& axis, int64_t dest_size) {
    return dest_size > axis.start ? ceil_div(dest_size - axis.start, axis.step) : 0;
  }
};

// Whether a tap reads beside the source for some destination pixel.
template <class T>
bool reads_padding(const Gather<T>& gather) {
  for (const GatherPhase& phase : gather.phases) {
    for (int d = 0; d < 3; d++) {
      const GatherAxis& axis = phase.axis[d];
      for (const int64_t offset : axis.offsets) {
        const TapRange range(axis, offset, gather.source_size[d], gather.dest_size[d]);
        if (range.hi - range.lo != TapRange::count(axis, gather.dest_size[d])) return true;
      }
    }
  }
  return false;
}

// Calls row(tap, source element, destination element, count) for each row of pixels that a tap of a phase reads within
// one plane; elements follow at the phase's stride and step.
template <class T, class F>
void each_tap_row(const Gather<T>& gather, const GatherPhase& phase, const F& row) {
  const auto& [depth, height, width] = phase.axis;
  const int64_t *from = gather.source_size, *to = gather.dest_size;
  size_t tap = 0;
  for (const int64_t a : depth.offsets) {
    const TapRange along_depth(depth, a, from[0], to[0]);
    for (const int64_t b : height.offsets) {
      const TapRange along_height(height, b, from[1], to[1]);
      for (const int64_t c : width.offsets) {
        const TapRange along_width(width, c, from[2], to[2]);
        for (int64_t e = along_depth.lo; e < along_depth.hi; e++) {
          for (int64_t p = along_height.lo; p < along_height.hi; p++) {
            const int64_t source = ((e * depth.stride + a) * from[1] + p * height.stride + b) * from[2] +
                                   along_width.lo * width.stride + c;
            const int64_t dest = ((depth.start + e * depth.step) * to[1] + height.start + p * height.step) * to[2] +
                                 width.start + along_width.lo * width.step;
            row(tap, source, dest, along_width.hi - along_width.lo);
          }
        }
        tap++;
      }
    }
  }
}

template <class T>
void gather_plain(const Gather<T>& gather) {
  const int64_t channels = gather.groups * gather.dest_channels, pixels = gather.dest_pixels();
  parallel_for(gather.n * channels, 1, [&](int64_t begin, int64_t end) {
    const Scratch<double> sums(pixels);
    for (int64_t item = begin; item < end; item++) {
      const int64_t image = item / channels, channel = item % channels, group = channel / gather.dest_channels;
      std::fill_n(sums.get(), pixels, gather.bias == nullptr ? 0.0 : static_cast<double>(gather.bias[channel]));
      for (int64_t c = 0; c < gather.source_channels; c++) {
        const T* source =
            gather.source + ((image * gather.groups + group) * gather.source_channels + c) * gather.source_pixels();
        const T* weight =
            gather.group_weight(group) + channel % gather.dest_channels * gather.dest_step + c * gather.source_step;
        for (const GatherPhase& phase : gather.phases) {
          const int64_t stride = phase.axis[2].stride, step = phase.axis[2].step;
          each_tap_row(gather, phase, [&](size_t tap, int64_t from, int64_t to, int64_t count) {
            const double w = static_cast<double>(weight[phase.weights[tap]]);
            for (int64_t i = 0; i < count; i++)
              sums[to + i * step] += w * static_cast<double>(source[from + i * stride]);
          });
        }
      }
      T* dest = gather.dest + item * pixels;
      for (int64_t i = 0; i < pixels; i++) dest[i] = from_double<T>(sums[i]);
    }
  });
}

// gradWeight of a forward gather.
template <class T>
void weight_plain(const ConvGeometry& g, const Gather<T>& gather, const T* grad_output, T* grad_weight) {
  const int64_t channels = gather.source_channels, taps = g.taps();
  const GatherPhase& phase = gather.phases[0];
  parallel_for(g.k * channels, 1, [&](int64_t begin, int64_t end) {
    const Scratch<double> sums(taps);
    for (int64_t item = begin; item < end; item++) {
      const int64_t k = item / channels, group = k / gather.dest_channels;
      std::fill_n(sums.get(), taps, 0.0);
      for (int64_t image = 0; image < g.n; image++) {
        const T* gradient = grad_output + (image * g.k + k) * g.output_pixels();
        const T* source =
            gather.source + ((image * gather.groups + group) * channels + item % channels) * gather.source_pixels();
        each_tap_row(gather, phase, [&](size_t tap, int64_t from, int64_t to, int64_t count) {
          double sum = 0;
          for (int64_t i = 0; i < count; i++)
            sum += static_cast<double>(gradient[to + i]) * static_cast<double>(source[from + i * phase.axis[2].stride]);
          sums[static_cast<int64_t>(tap)] += sum;
        });
      }
      for (int64_t tap = 0; tap < taps; tap++) grad_weight[item * taps + tap] = from_double<T>(sums[tap]);
    }
  });
}

}  // namespace nodegrad::NODEGRAD_LEVEL
