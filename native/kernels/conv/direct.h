// Thin groups (depthwise convolution above all): every tap times a run of pixels, sums in registers, without columns.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "../../runtime/parallel.h"
#include "../../runtime/scratch.h"
#include "residues.h"

namespace nodegrad::NODEGRAD_LEVEL {

// Multiply-adds that a thread takes at a time at the least.
constexpr int64_t kDirectWork = 65536;

// sums[0..VECTORS vectors) = start + the sum over taps of weight * what stands `places` away.
template <class T, int VECTORS>
inline void sum_taps(const typename Multiply<T>::Sum* laid, const int64_t* places,
                     const typename Multiply<T>::Sum* weights, int64_t taps, typename Multiply<T>::Sum start,
                     typename Multiply<T>::Sum* to) {
  using Vector = typename Multiply<T>::Sums;
  constexpr int kLanes = kCols<T> / kVectors;
  Vector sums[VECTORS];
#pragma GCC unroll 8
  for (int v = 0; v < VECTORS; v++) sums[v] = Vector{} + start;
  for (int64_t t = 0; t < taps; t++) {
    const auto* from = laid + places[t];
    const auto weight = weights[t];
#pragma GCC unroll 8
    for (int v = 0; v < VECTORS; v++) sums[v] += weight * load_vector<Vector>(from + v * kLanes);
  }
#pragma GCC unroll 8
  for (int v = 0; v < VECTORS; v++) store_vector(to + v * kLanes, sums[v]);
}

// The same for `count` pixels: as many vectors at a time as hide each other's latency, then as many as are left.
template <class T, int VECTORS = 8>
inline void sum_rest(const typename Multiply<T>::Sum* laid, const int64_t* places,
                     const typename Multiply<T>::Sum* weights, int64_t taps, typename Multiply<T>::Sum start,
                     typename Multiply<T>::Sum* to, int64_t vectors) {
  if (vectors == VECTORS) {
    sum_taps<T, VECTORS>(laid, places, weights, taps, start, to);
  } else if constexpr (VECTORS > 1) {
    sum_rest<T, VECTORS - 1>(laid, places, weights, taps, start, to, vectors);
  }
}
template <class T>
inline void sum_run(const typename Multiply<T>::Sum* laid, const int64_t* places,
                    const typename Multiply<T>::Sum* weights, int64_t taps, typename Multiply<T>::Sum start,
                    typename Multiply<T>::Sum* to, int64_t count) {
  constexpr int64_t kLanes = kCols<T> / kVectors, kMost = 8;
  int64_t vectors = ceil_div(count, kLanes), i = 0;
  for (; vectors >= kMost; vectors -= kMost, i += kMost * kLanes)
    sum_taps<T, kMost>(laid + i, places, weights, taps, start, to + i);
  sum_rest<T>(laid + i, places, weights, taps, start, to + i, vectors);
}

// Sums of a block to where a phase puts them.
template <class T>
void scatter(const GatherPhase& phase, const GridBlock& block, const typename Multiply<T>::Sum* sums, int64_t pitch,
             const int64_t* size, T* dest) {
  const GatherAxis* axis = phase.axis;
  const int64_t d = axis[0].start + block.e * axis[0].step, w = axis[2].start + block.q0 * axis[2].step,
                step = axis[2].step;
  if (d >= size[0] || w >= size[2]) return;
  const int64_t cols = std::min(block.cols, ceil_div(size[2] - w, step));
  for (int64_t p = 0; p < block.rows; p++, sums += pitch) {
    const int64_t h = axis[1].start + (block.p0 + p) * axis[1].step;
    if (h >= size[1]) return;
    put_run(dest + (d * size[1] + h) * size[2] + w, step, sums, cols);
  }
}

// The weights of every destination channel and phase, [source channel][tap]: where they stand, or laid once for all
// images.
template <class T>
class DirectWeights {
  using Sum = typename Multiply<T>::Sum;
  const Gather<T>& gather_;
  const int64_t terms_;
  bool stand_;
  Scratch<Sum> laid_;

  static bool stand(const Gather<T>& gather) {
    if (!std::is_same_v<T, Sum> || gather.phases.size() != 1) return false;
    const std::vector<int64_t>& weights = gather.phases[0].weights;
    if (weights.empty() || weights.back() != static_cast<int64_t>(weights.size()) - 1) return false;
    return gather.source_channels == 1 || gather.source_step == static_cast<int64_t>(weights.size());
  }

 public:
  // For phases of at most `taps` taps.
  DirectWeights(const Gather<T>& gather, int64_t taps)
      : gather_(gather),
        terms_(gather.source_channels * taps),
        stand_(stand(gather)),
        laid_(stand_ ? 0 : gather.groups * gather.dest_channels * static_cast<int64_t>(gather.phases.size()) * terms_) {
    if (stand_) return;
    const int64_t phases = static_cast<int64_t>(gather.phases.size());
    parallel_for(
        gather.groups * gather.dest_channels, grain_of(8192, 1 + terms_ * phases), [&](int64_t first, int64_t last) {
          for (int64_t channel = first; channel < last; channel++) {
            const T* weight =
                gather.group_weight(channel / gather.dest_channels) + channel % gather.dest_channels * gather.dest_step;
            for (int64_t i = 0; i < phases; i++) {
              Sum* to = laid_.get() + (channel * phases + i) * terms_;
              for (int64_t c = 0; c < gather.source_channels; c++)
                for (const int64_t at : gather.phases[static_cast<size_t>(i)].weights)
                  *to++ = static_cast<Sum>(weight[c * gather.source_step + at]);
            }
          }
        });
  }
  const Sum* of(int64_t channel, size_t phase) const {
    if constexpr (std::is_same_v<T, Sum>) {
      if (stand_)
        return gather_.group_weight(channel / gather_.dest_channels) +
               channel % gather_.dest_channels * gather_.dest_step;
    }
    return laid_.get() + (channel * static_cast<int64_t>(gather_.phases.size()) + static_cast<int64_t>(phase)) * terms_;
  }
};

// A block of the grid of one group of one image a step.
template <class T>
void gather_direct(const Gather<T>& gather) {
  using Sum = typename Multiply<T>::Sum;
  constexpr int64_t kLanes = kCols<T> / kVectors;
  const Residues<T> residues(gather);
  std::vector<std::vector<int64_t>> places;
  int64_t taps = 0;
  for (const GatherPhase& phase : gather.phases) {
    places.push_back(residues.places(phase));
    taps = std::max(taps, phase.taps());
  }
  const int64_t blocks = residues.blocks(), pitch = residues.pitch(), terms = gather.source_channels * taps;
  const DirectWeights<T> weights(gather, taps);
  const int64_t work =
      gather.dest_channels * (terms + 4) * residues.pixels() * static_cast<int64_t>(gather.phases.size());
  parallel_for(gather.n * gather.groups * blocks, grain_of(kDirectWork, work), [&](int64_t first, int64_t last) {
    // Behind the sums there is room for a vector that begins with the last one.
    const Scratch<Sum> laid(residues.elements()), sums(residues.pixels() + kLanes);
    std::fill_n(laid.get(), residues.elements(), Sum{});
    int64_t image = first / blocks / gather.groups, group = first / blocks % gather.groups, at = first % blocks;
    GridBlock block = residues.block(at);
    for (int64_t item = first; item < last; item++) {
      residues.lay(image, group, block, laid.get());
      for (int64_t k = 0; k < gather.dest_channels; k++) {
        const int64_t channel = group * gather.dest_channels + k;
        T* dest = gather.dest + (image * gather.groups * gather.dest_channels + channel) * gather.dest_pixels();
        const Sum start = gather.bias != nullptr ? static_cast<Sum>(gather.bias[channel]) : Sum{};
        for (size_t i = 0; i < gather.phases.size(); i++) {
          const GatherPhase& phase = gather.phases[i];
          sum_run<T>(laid.get(), places[i].data(), weights.of(channel, i), gather.source_channels * phase.taps(), start,
                     sums.get(), (block.rows - 1) * pitch + block.cols);
          scatter(phase, block, sums.get(), pitch, gather.dest_size, dest);
        }
      }
      if (++at < blocks) {
        block = residues.block(at);
        continue;
      }
      at = 0;
      if (blocks > 1) block = residues.block(at);
      if (++group < gather.groups) continue;
      group = 0;
      image++;
    }
  });
}

// Pixels of some images, of gradients and of what is laid for them: `count` of each in whole vectors, and from an image
// to the next one.
struct ImageRuns {
  int64_t images, count, gradient_step, laid_step;
};

// lanes[t][...] += gradient * what stands places[t] away, for TAPS taps over the pixels of all images.
template <class T, int TAPS>
inline void dot_taps(const typename Multiply<T>::Sum* gradient, const typename Multiply<T>::Sum* laid,
                     const int64_t* places, const ImageRuns& runs, typename Multiply<T>::Sum* lanes) {
  using Vector = typename Multiply<T>::Sums;
  constexpr int kLanes = kCols<T> / kVectors;
  Vector sums[TAPS];
#pragma GCC unroll 9
  for (int t = 0; t < TAPS; t++) sums[t] = load_vector<Vector>(lanes + t * kLanes);
  for (int64_t image = 0; image < runs.images; image++, gradient += runs.gradient_step, laid += runs.laid_step) {
    for (int64_t i = 0; i < runs.count; i += kLanes) {
      const auto g = load_vector<Vector>(gradient + i);
#pragma GCC unroll 9
      for (int t = 0; t < TAPS; t++) sums[t] += g * load_vector<Vector>(laid + places[t] + i);
    }
  }
#pragma GCC unroll 9
  for (int t = 0; t < TAPS; t++) store_vector(lanes + t * kLanes, sums[t]);
}
template <class T, int TAPS = 9>
inline void dot_all(const typename Multiply<T>::Sum* gradient, const typename Multiply<T>::Sum* laid,
                    const int64_t* places, int64_t taps, const ImageRuns& runs, typename Multiply<T>::Sum* lanes) {
  constexpr int64_t kLanes = kCols<T> / kVectors;
  int64_t t = 0;
  for (; t + TAPS <= taps; t += TAPS) dot_taps<T, TAPS>(gradient, laid, places + t, runs, lanes + t * kLanes);
  if constexpr (TAPS > 1) dot_all<T, TAPS / 2>(gradient, laid, places + t, taps - t, runs, lanes + t * kLanes);
}

// A block's gradients at the pitch of its rows, zeros between them and behind.
template <class T>
void lay_gradient(const T* from, int64_t width, const GridBlock& block, int64_t pitch, typename Multiply<T>::Sum* to,
                  int64_t length) {
  using Sum = typename Multiply<T>::Sum;
  Sum* const end = to + length;
  for (int64_t p = 0; p < block.rows; p++, from += width) {
    convert_run(to, from, block.cols);
    Sum* const next = p + 1 < block.rows ? to + pitch : end;
    for (Sum* at = to + block.cols; at < next; at++) *at = Sum{};
    to = next;
  }
}

// gradWeight[k, c, tap] = sum over images and pixels of gradOutput . x; some output channels of one group a step.
template <class T>
void weight_direct(const ConvGeometry& g, const Gather<T>& gather, const T* grad_output, T* grad_weight) {
  using Sum = typename Multiply<T>::Sum;
  constexpr int64_t kLanes = kCols<T> / kVectors;
  // Pixels that are summed before lanes are: few enough for float32, many enough for the lanes to take no time.
  constexpr int64_t kSummed = 4096;
  if (g.n * g.output_pixels() == 0) {
    std::fill_n(grad_weight, g.weight_elements(), T{});
    return;
  }
  const Residues<T> residues(gather);
  const std::vector<int64_t> places = residues.places(gather.phases[0]);
  const int64_t pixels = g.output_pixels(), terms = gather.source_channels * g.taps(), pitch = residues.pitch();
  const int64_t images = std::max<int64_t>(1, kSummed / pixels), run = round_up(residues.pixels(), kLanes);
  // Images of one block that are laid together: their taps' sums stay in registers from one to the next, and all of it
  // in a first-level cache.
  constexpr int64_t kLaidTogether = 4096;
  const int64_t together =
      residues.blocks() > 1 ? 1 : std::clamp<int64_t>(kLaidTogether / (residues.elements() + run), 1, images);
  const int64_t share = ceil_div(gather.dest_channels, std::min(gather.dest_channels, ceil_div(16, g.groups)));
  const int64_t shares = ceil_div(gather.dest_channels, share);
  const int64_t work = share * (terms + 4) * g.n * pixels;
  parallel_for(g.groups * shares, grain_of(kDirectWork, work), [&](int64_t first, int64_t last) {
    const Scratch<Sum> laid(together * residues.elements()), gradient(together * run), totals(share * terms),
        lanes(share * terms * kLanes);
    std::fill_n(laid.get(), together * residues.elements(), Sum{});
    for (int64_t item = first; item < last; item++) {
      const int64_t group = item / shares, k0 = group * gather.dest_channels + item % shares * share;
      const int64_t count = std::min(share, (group + 1) * gather.dest_channels - k0);
      std::fill_n(totals.get(), count * terms, Sum{});
      for (int64_t image0 = 0; image0 < g.n; image0 += images) {
        std::fill_n(lanes.get(), count * terms * kLanes, Sum{});
        const int64_t last_image = std::min(g.n, image0 + images);
        for (int64_t image = image0; image < last_image; image += together) {
          const int64_t beside = std::min(together, last_image - image);
          for (int64_t at = 0; at < residues.blocks(); at++) {
            const GridBlock block = residues.block(at);
            for (int64_t i = 0; i < beside; i++)
              residues.lay(image + i, group, block, laid.get() + i * residues.elements());
            const int64_t length = round_up((block.rows - 1) * pitch + block.cols, kLanes);
            for (int64_t k = 0; k < count; k++) {
              for (int64_t i = 0; i < beside; i++) {
                const T* from = grad_output + (((image + i) * g.k + k0 + k) * g.out[0] + block.e) * g.out[1] * g.out[2];
                lay_gradient(from + block.p0 * g.out[2] + block.q0, g.out[2], block, pitch, gradient.get() + i * run,
                             length);
              }
              dot_all<T>(gradient.get(), laid.get(), places.data(), terms, {beside, length, run, residues.elements()},
                         lanes.get() + k * terms * kLanes);
            }
          }
        }
        for (int64_t i = 0; i < count * terms; i++) {
          Sum* from = lanes.get() + i * kLanes;
          for (int64_t half = kLanes / 2; half > 0; half /= 2)
            for (int64_t lane = 0; lane < half; lane++) from[lane] += from[lane + half];
          totals[i] += *from;
        }
      }
      for (int64_t i = 0; i < count * terms; i++) grad_weight[k0 * terms + i] = static_cast<T>(totals[i]);
    }
  });
}

}  // namespace nodegrad::NODEGRAD_LEVEL
