// Depthwise convolution with channels in vectors: as many planes as a vector has lanes are laid pixel by pixel, so that
// every tap of every pixel is a whole vector, whatever the width of a row. Forward, to the input and to the weight, in
// one or two dimensions.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

#include "../../runtime/parallel.h"
#include "../../runtime/scratch.h"
#include "../products/pack_rows.h"
#include "gather.h"
#include "geometry.h"

namespace nodegrad::NODEGRAD_LEVEL {

// How the planes of a depthwise Gather are cut into bands of rows, and where a band's pixels lie: those of the source
// with zeros on both sides of each row, those of the destination one after the other.
template <class T>
class ChannelPlanes {
 public:
  using Sum = typename Multiply<T>::Sum;
  using Vector = typename Multiply<T>::Sums;
  static constexpr int64_t kLanes = NODEGRAD_VECTOR_BYTES / static_cast<int64_t>(sizeof(Sum));

  explicit ChannelPlanes(const Gather<T>& gather) : gather_(gather) {
    first_row_ = first_col_ = std::numeric_limits<int64_t>::max();
    int64_t last_row = std::numeric_limits<int64_t>::min(), last_col = last_row;
    for (const GatherPhase& phase : gather.phases) {
      for (const int64_t offset : phase.axis[1].offsets)
        first_row_ = std::min(first_row_, offset), last_row = std::max(last_row, offset);
      for (const int64_t offset : phase.axis[2].offsets)
        first_col_ = std::min(first_col_, offset), last_col = std::max(last_col, offset);
    }
    const GatherPhase& phase = gather.phases[0];
    row_reach_ = last_row - first_row_;
    pitch_ = (gather.grid[2] - 1) * phase.axis[2].stride + last_col - first_col_ + 1;
    // Rows that two bands share are laid for both: a band is no smaller than what they share.
    const int64_t fitting = kLaid / std::max<int64_t>(1, pitch_ * kLanes * phase.axis[1].stride);
    band_ = equal_part(gather.grid[1], std::max({int64_t{1}, fitting, row_reach_ / phase.axis[1].stride}), 1);
    bands_ = ceil_div(gather.grid[1], band_);
    blocks_ = ceil_div(gather.groups, kLanes);
  }

  // Whether a Gather is one of these: a plane of source for each of destination, enough of them, and rows of which a
  // cache holds several.
  static bool suits(const Gather<T>& gather) {
    if (!std::is_same_v<Sum, float> || gather.source_channels != 1 || gather.dest_channels != 1 ||
        gather.groups < kLanes)
      return false;
    if (gather.grid[0] != 1 || gather.source_size[0] != 1 || gather.dest_size[0] != 1 || gather.grid_pixels() == 0 ||
        gather.n == 0)
      return false;
    for (const GatherPhase& phase : gather.phases)
      if (phase.taps() == 0 || phase.axis[0].offsets.size() != 1 || phase.axis[0].offsets[0] != 0) return false;
    const ChannelPlanes planes(gather);
    return 2 * planes.pitch_ * kLanes <= kLaid && planes.pitch_ <= 2 * std::max(gather.source_size[2], gather.grid[2]);
  }

  int64_t bands() const { return bands_; }
  int64_t blocks() const { return blocks_; }  // of channels
  int64_t pitch() const { return pitch_; }
  int64_t channels(int64_t block) const { return std::min(kLanes, gather_.groups - block * kLanes); }
  // The grid rows of a band.
  int64_t begin(int64_t band) const { return band * band_; }
  int64_t end(int64_t band) const { return std::min(gather_.grid[1], (band + 1) * band_); }

  // The source rows that a band reads.
  int64_t top(int64_t band) const {
    return std::clamp<int64_t>(begin(band) * row_stride() + first_row_, 0, gather_.source_size[1]);
  }
  int64_t bottom(int64_t band) const {
    return std::clamp<int64_t>((end(band) - 1) * row_stride() + first_row_ + row_reach_ + 1, top(band),
                               gather_.source_size[1]);
  }
  // Elements of a laid band.
  int64_t laid_elements() const { return source_rows() * pitch_ * kLanes; }
  // Pixels of the destination in a band, and elements that `turn` writes for a band of source or destination, widened
  // ones with them.
  int64_t band_pixels() const { return band_ * gather_.phases[0].axis[1].step * gather_.dest_size[2]; }
  int64_t turned_elements() const {
    return (std::is_same_v<T, Sum> ? 1 : 2) * std::max(source_rows() * gather_.source_size[2], band_pixels()) * kLanes;
  }
  // Where a tap of this column offset reads for grid column 0, in a laid row.
  int64_t column(int64_t offset) const { return (offset - first_col_) * kLanes; }

  // Lays the source rows of a band of a block of channels of one image; `turned` holds them without what is beside
  // them.
  void lay(const T* source, int64_t image, int64_t block, int64_t band, Sum* turned, Sum* to) const {
    const int64_t width = gather_.source_size[2], first = top(band), rows = bottom(band) - first;
    const Sum* from = turn(source, image, block, gather_.source_pixels(), first * width, rows * width, turned);
    const int64_t lo = std::clamp<int64_t>(-first_col_, 0, pitch_), skipped = std::max<int64_t>(0, first_col_);
    const int64_t hi = std::clamp<int64_t>(width - first_col_, lo, pitch_);
    for (int64_t r = 0; r < rows; r++, from += width * kLanes, to += pitch_ * kLanes) {
      std::fill_n(to, lo * kLanes, Sum{});
      for (int64_t i = lo; i < hi; i++)
        store_vector(to + i * kLanes, load_vector<Vector>(from + (i - lo + skipped) * kLanes));
      std::fill_n(to + hi * kLanes, (pitch_ - hi) * kLanes, Sum{});
    }
  }

  // `count` pixels of a block of planes, each plane `pixels` long, from place `at` on: [pixel][channel], 0 for channels
  // that there are not.
  const Sum* turn(const T* planes, int64_t image, int64_t block, int64_t pixels, int64_t at, int64_t count,
                  Sum* to) const {
    const int64_t present = channels(block);
    const T* from = planes + (image * gather_.groups + block * kLanes) * pixels + at;
    if (present < kLanes) std::fill_n(to, count * kLanes, Sum{});
    if constexpr (std::is_same_v<T, Sum>) {
      transpose_rows(from, pixels, present, count, to, kLanes);
    } else {
      Sum* wide = to + count * kLanes;
      for (int64_t c = 0; c < present; c++) convert_run(wide + c * count, from + c * pixels, count);
      transpose_rows(wide, count, present, count, to, kLanes);
    }
    return to;
  }

 private:
  // Elements of a band that are laid at a time: with the destination's they stay in a second-level cache.
  static constexpr int64_t kLaid = 32768;

  int64_t row_stride() const { return gather_.phases[0].axis[1].stride; }
  // Source rows of a band, at the most.
  int64_t source_rows() const { return std::min(gather_.source_size[1], (band_ - 1) * row_stride() + row_reach_ + 1); }

  const Gather<T>& gather_;
  int64_t first_row_, row_reach_, first_col_;  // of all taps: from the place of a grid pixel
  int64_t pitch_, band_, bands_, blocks_;
};

// to[i] = start + the sum over taps of weight[t] * x[places[t] + i * step], for PIXELS pixels of a vector of channels.
template <class T, int PIXELS>
inline void depthwise_pixels(const typename Multiply<T>::Sum* x, int64_t step, const int64_t* places, int64_t taps,
                             const typename Multiply<T>::Sum* weight, typename Multiply<T>::Sums start,
                             typename Multiply<T>::Sum* to, int64_t to_step) {
  using Vector = typename Multiply<T>::Sums;
  constexpr int64_t kLanes = ChannelPlanes<T>::kLanes;
  Vector sums[PIXELS];
#pragma GCC unroll 8
  for (int i = 0; i < PIXELS; i++) sums[i] = start;
  for (int64_t t = 0; t < taps; t++) {
    const auto w = load_vector<Vector>(weight + t * kLanes);
    const auto* from = x + places[t];
#pragma GCC unroll 8
    for (int i = 0; i < PIXELS; i++) sums[i] += w * load_vector<Vector>(from + i * step);
  }
#pragma GCC unroll 8
  for (int i = 0; i < PIXELS; i++) store_vector(to + i * to_step, sums[i]);
}
template <class T, int PIXELS = 7>
inline void depthwise_rest(int64_t count, const typename Multiply<T>::Sum* x, int64_t step, const int64_t* places,
                           int64_t taps, const typename Multiply<T>::Sum* weight, typename Multiply<T>::Sums start,
                           typename Multiply<T>::Sum* to, int64_t to_step) {
  if (count == PIXELS) {
    depthwise_pixels<T, PIXELS>(x, step, places, taps, weight, start, to, to_step);
  } else if constexpr (PIXELS > 1) {
    depthwise_rest<T, PIXELS - 1>(count, x, step, places, taps, weight, start, to, to_step);
  }
}

// Whether that saves more than it takes to turn the planes: where these are so small, or the destination so strided,
// that vectors along a row are partly idle, the more so the more taps there are. Measured.
template <class T>
bool suits_depthwise(const Gather<T>& gather) {
  constexpr int64_t kFewPixels = 256, kFewPixelsOfManyTaps = 1024, kManyTaps = 16;
  if (!ChannelPlanes<T>::suits(gather)) return false;
  return gather.phases.size() > 1 ||
         gather.grid_pixels() <= (gather.phases[0].taps() >= kManyTaps ? kFewPixelsOfManyTaps : kFewPixels);
}

// A band of a block of channels of one image at a time.
template <class T>
void gather_depthwise(const Gather<T>& gather) {
  using Planes = ChannelPlanes<T>;
  using Sum = typename Planes::Sum;
  using Vector = typename Planes::Vector;
  constexpr int64_t kLanes = Planes::kLanes, kPixels = 8;
  const Planes planes(gather);
  int64_t taps = 0;
  for (const GatherPhase& phase : gather.phases) taps += phase.taps();
  // [block][phase][tap][lane], with a vector for the bias first.
  const int64_t block_weights = (1 + taps) * kLanes;
  const Scratch<Sum> weights(planes.blocks() * block_weights);
  parallel_for(planes.blocks(), grain_of(4096, block_weights), [&](int64_t first, int64_t last) {
    std::fill(weights.get() + first * block_weights, weights.get() + last * block_weights, Sum{});
    for (int64_t group = first * kLanes; group < std::min(gather.groups, last * kLanes); group++) {
      Sum* to = weights.get() + group / kLanes * block_weights + group % kLanes;
      if (gather.bias != nullptr) *to = static_cast<Sum>(gather.bias[group]);
      for (const GatherPhase& phase : gather.phases)
        for (const int64_t at : phase.weights) *(to += kLanes) = static_cast<Sum>(gather.group_weight(group)[at]);
    }
  });
  const int64_t step_h = gather.phases[0].axis[1].step, step_w = gather.phases[0].axis[2].step;
  const int64_t height = gather.dest_size[1], width = gather.dest_size[2],
                stride = gather.phases[0].axis[2].stride * kLanes;
  const int64_t work = taps * planes.end(0) * gather.grid[2] * kLanes;
  parallel_for(gather.n * planes.blocks() * planes.bands(), grain_of(65536, work), [&](int64_t first, int64_t last) {
    const Scratch<Sum> laid(planes.laid_elements()), sums(planes.band_pixels() * kLanes),
        turned(planes.turned_elements());
    std::vector<int64_t> places;
    for (int64_t item = first; item < last; item++) {
      const int64_t band = item % planes.bands(), block = item / planes.bands() % planes.blocks(),
                    image = item / planes.bands() / planes.blocks();
      const int64_t top = planes.top(band), bottom = planes.bottom(band);
      const int64_t row0 = planes.begin(band) * step_h, rows = std::min(height, planes.end(band) * step_h) - row0;
      if (rows <= 0) continue;
      T* dest = gather.dest + (image * gather.groups + block * kLanes) * gather.dest_pixels() + row0 * width;
      const Sum* x = laid.get();
      planes.lay(gather.source, image, block, band, turned.get(), laid.get());
      Sum* out = sums.get();
      const Sum* weight = weights.get() + block * block_weights;
      const auto start = load_vector<Vector>(weight);
      weight += kLanes;
      for (const GatherPhase& phase : gather.phases) {
        const auto &down = phase.axis[1].offsets, &across = phase.axis[2].offsets;
        const int64_t kernel_width = static_cast<int64_t>(across.size());
        const int64_t cols = std::min(gather.grid[2], ceil_div(width - phase.axis[2].start, step_w));
        for (int64_t p = planes.begin(band); p < planes.end(band); p++) {
          const int64_t row = phase.axis[1].start + p * step_h;
          if (row >= height) break;
          // The taps whose rows the source has.
          places.clear();
          int64_t above = 0;
          for (const int64_t offset : down) {
            const int64_t h = p * phase.axis[1].stride + offset;
            if (h < top || h >= bottom) {
              above += places.empty() ? kernel_width : 0;
              continue;
            }
            for (const int64_t place : across)
              places.push_back((h - top) * planes.pitch() * kLanes + planes.column(place));
          }
          Sum* to = out + ((row - row0) * width + phase.axis[2].start) * kLanes;
          const int64_t count = static_cast<int64_t>(places.size());
          const Sum* w = weight + above * kLanes;
          int64_t q = 0;
          for (; q + kPixels <= cols; q += kPixels)
            depthwise_pixels<T, kPixels>(x + q * stride, stride, places.data(), count, w, start,
                                         to + q * step_w * kLanes, step_w * kLanes);
          depthwise_rest<T>(cols - q, x + q * stride, stride, places.data(), count, w, start, to + q * step_w * kLanes,
                            step_w * kLanes);
        }
        weight += phase.taps() * kLanes;
      }
      if constexpr (std::is_same_v<T, Sum>) {
        transpose_rows(out, kLanes, rows * width, planes.channels(block), dest, gather.dest_pixels());
      } else {
        Sum* wide = turned.get();
        transpose_rows(out, kLanes, rows * width, planes.channels(block), wide, rows * width);
        for (int64_t c = 0; c < planes.channels(block); c++)
          convert_run(dest + c * gather.dest_pixels(), wide + c * rows * width, rows * width);
      }
    }
  });
}

// sums[t] += the sum over a row of pixels of gradient * what tap t reads, TAPS taps that are `apart` from each other.
template <class T, int TAPS>
inline void depthwise_dots(const typename Multiply<T>::Sum* gradient, int64_t pixels,
                           const typename Multiply<T>::Sum* x, int64_t step, int64_t apart,
                           typename Multiply<T>::Sum* sums) {
  using Vector = typename Multiply<T>::Sums;
  constexpr int64_t kLanes = ChannelPlanes<T>::kLanes;
  Vector totals[TAPS];
#pragma GCC unroll 8
  for (int t = 0; t < TAPS; t++) totals[t] = load_vector<Vector>(sums + t * kLanes);
  for (int64_t q = 0; q < pixels; q++, x += step) {
    const auto g = load_vector<Vector>(gradient + q * kLanes);
#pragma GCC unroll 8
    for (int t = 0; t < TAPS; t++) totals[t] += g * load_vector<Vector>(x + t * apart);
  }
#pragma GCC unroll 8
  for (int t = 0; t < TAPS; t++) store_vector(sums + t * kLanes, totals[t]);
}
template <class T, int TAPS = 8>
inline void depthwise_dots_of(int64_t taps, const typename Multiply<T>::Sum* gradient, int64_t pixels,
                              const typename Multiply<T>::Sum* x, int64_t step, int64_t apart,
                              typename Multiply<T>::Sum* sums) {
  constexpr int64_t kLanes = ChannelPlanes<T>::kLanes;
  for (; taps >= TAPS; taps -= TAPS, x += TAPS * apart, sums += TAPS * kLanes)
    depthwise_dots<T, TAPS>(gradient, pixels, x, step, apart, sums);
  if constexpr (TAPS > 1) depthwise_dots_of<T, TAPS - 1>(taps, gradient, pixels, x, step, apart, sums);
}

// gradWeight[channel, tap] = sum over images and pixels of gradOutput . x; some images of a block of channels at a
// time, then all of them in order.
template <class T>
void weight_depthwise(const Gather<T>& gather, const T* grad_output, T* grad_weight) {
  using Planes = ChannelPlanes<T>;
  using Sum = typename Planes::Sum;
  using Vector = typename Planes::Vector;
  constexpr int64_t kLanes = Planes::kLanes;
  const Planes planes(gather);
  const GatherPhase& phase = gather.phases[0];
  const int64_t taps = phase.taps(), width = gather.grid[2],
                kernel_width = static_cast<int64_t>(phase.axis[2].offsets.size());
  const int64_t apart = (kernel_width > 1 ? phase.axis[2].offsets[1] - phase.axis[2].offsets[0] : 0) * kLanes;
  // Shares of the images for which there are sums of their own, by the shape alone.
  const int64_t share = ceil_div(gather.n, std::min(gather.n, ceil_div(8, planes.blocks()))),
                shares = ceil_div(gather.n, share);
  const Scratch<Sum> totals(planes.blocks() * shares * taps * kLanes);
  parallel_for(planes.blocks() * shares, 1, [&](int64_t first, int64_t last) {
    const Scratch<Sum> laid(planes.laid_elements()), sums(taps * kLanes), turned(planes.turned_elements()),
        turned_gradient(planes.turned_elements());
    for (int64_t item = first; item < last; item++) {
      const int64_t block = item / shares, image0 = item % shares * share;
      Sum* total = totals.get() + item * taps * kLanes;
      std::fill_n(total, taps * kLanes, Sum{});
      for (int64_t image = image0; image < std::min(gather.n, image0 + share); image++) {
        for (int64_t band = 0; band < planes.bands(); band++) {
          const int64_t top = planes.top(band), bottom = planes.bottom(band), p0 = planes.begin(band),
                        rows = planes.end(band) - p0;
          const Sum* x = laid.get();
          planes.lay(gather.source, image, block, band, turned.get(), laid.get());
          const Sum* gradient = planes.turn(grad_output, image, block, gather.grid_pixels(), p0 * width, rows * width,
                                            turned_gradient.get());
          // Of this band alone, so that long sums are made of short ones.
          Sum* of_band = sums.get();
          std::fill_n(of_band, taps * kLanes, Sum{});
          for (int64_t p = 0; p < rows; p++) {
            for (size_t r = 0; r < phase.axis[1].offsets.size(); r++) {
              const int64_t h = (p0 + p) * phase.axis[1].stride + phase.axis[1].offsets[r];
              if (h < top || h >= bottom) continue;
              depthwise_dots_of<T>(kernel_width, gradient + p * width * kLanes, width,
                                   x + (h - top) * planes.pitch() * kLanes + planes.column(phase.axis[2].offsets[0]),
                                   phase.axis[2].stride * kLanes, apart,
                                   of_band + static_cast<int64_t>(r) * kernel_width * kLanes);
            }
          }
          for (int64_t i = 0; i < taps * kLanes; i += kLanes)
            store_vector(total + i, load_vector<Vector>(total + i) + load_vector<Vector>(of_band + i));
        }
      }
    }
  });
  for (int64_t group = 0; group < gather.groups; group++) {
    for (int64_t t = 0; t < taps; t++) {
      Sum sum{};
      for (int64_t i = 0; i < shares; i++)
        sum += totals[((group / kLanes * shares + i) * taps + t) * kLanes + group % kLanes];
      grad_weight[group * taps + t] = static_cast<T>(sum);
    }
  }
}

}  // namespace nodegrad::NODEGRAD_LEVEL
