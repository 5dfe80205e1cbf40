// The gradient of a convolution's weight by Winograd's minimal filtering (winograd_tiles.h): the derivative of the result's formula,
//
//     dw = G^T (sum over tiles of (A dy A^T) * (B^T d B)) G.
//
// The sums over tiles are 16 matrix products, one for each place in a tile, with the tiles as depth.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "../runtime/parallel.h"
#include "../runtime/scratch.h"
#include "panels.h"
#include "winograd_tiles.h"

namespace nodegrad::NODEGRAD_LEVEL {

class WinogradWeight {
  using Run = WinogradTiles::Run;
  static constexpr int64_t kPlaces = WinogradTiles::kPlaces, kWidth = WinogradTiles::kWidth;
  static constexpr int kLanes = WinogradTiles::kLanes;
  // Destination and source channels of a block of sums; tiles that are transformed at a time, in so many panels.
  static constexpr int64_t kTargets = 128, kSources = 64, kPanels = 2, kTiles = kPanels * kWidth;
  // From a channel's tiles to the next one's: room for what a vector writes too much.
  static constexpr int64_t kPitch = kTiles + kLanes;
  // From a place to the next one: no multiple of a power of two, which would share places in a cache.
  static constexpr int64_t kGradientStep = kTargets * kPitch + kWidth, kSumStep = kTargets * kSources + kWidth;
  // The least tiles of a part of them that is summed for itself, and parts that there are together at the most.
  static constexpr int64_t kLeastTiles = 256, kMostParts = 8;

  const Gather<float>& gather_;
  const float* const gradient_;
  const int64_t c_, k_;
  const WinogradTiles tiles_;
  const int64_t across_, down_;  // blocks of source and of destination channels
  int64_t part_, parts_;         // tiles of a part, and parts

  // A thread's memory.
  struct Memory {
    Scratch<float> rows{2 * WinogradTiles::kRowsOfPanel}, staged{kPlaces * kWidth * kPitch}, source{kPlaces * kSources * kTiles};
    Scratch<float> gradient{kPlaces * kGradientStep}, sums{kPlaces * kSumStep};
    std::vector<Run> runs;
  };

 public:
  // Whether the transforms cost less than the products that they save, in multiply-adds. Measured.
  static bool suits(const Gather<float>& g) {
    if (!WinogradTiles::serves(g)) return false;
    constexpr bool kWide = NODEGRAD_VECTOR_BYTES == 64;
    constexpr double kProduct = kWide ? 0.9 : 1.5, kSource = kWide ? 270 : 330, kGradient = kWide ? 180 : 200, kFilter = kWide ? 400 : 1200;
    const WinogradTiles tiles(g);
    const auto c = static_cast<double>(g.source_channels), k = static_cast<double>(g.dest_channels);
    const auto blocks = [](int64_t channels, int64_t most) { return static_cast<double>(ceil_div(channels, most)); };
    const double products = kProduct * 16 * static_cast<double>(round_up(g.source_channels, kWidth) * round_up(g.dest_channels, kRows) * tiles.count);
    const double transforms = kSource * c * blocks(g.dest_channels, kTargets) + kGradient * k * blocks(g.source_channels, kSources);
    const double direct = 9 * c * k * static_cast<double>(g.n * g.dest_pixels());
    return products + transforms * tiles.transforms() + kFilter * c * k < direct;
  }

  WinogradWeight(const Gather<float>& gather, const float* gradient)
      : gather_(gather),
        gradient_(gradient),
        c_(gather.source_channels),
        k_(gather.dest_channels),
        tiles_(gather),
        across_(ceil_div(c_, kSources)),
        down_(ceil_div(k_, kTargets)) {
    const int64_t wanted =
        std::clamp<int64_t>(ceil_div(kMostParts, gather.groups * across_ * down_), 1, std::max<int64_t>(1, tiles_.count / kLeastTiles));
    part_ = equal_part(tiles_.count, ceil_div(tiles_.count, wanted), kTiles);
    parts_ = ceil_div(tiles_.count, part_);
  }

  void run(float* weight) const {
    const int64_t size = gather_.groups * k_ * c_ * 9, blocks = across_ * down_;
    const Scratch<float> partial(parts_ > 1 ? parts_ * size : 0);
    parallel_for(gather_.groups * blocks * parts_, 1, [&](int64_t first, int64_t last) {
      Memory memory;
      for (int64_t item = first; item < last; item++) {
        const int64_t part = item % parts_, block = item / parts_ % blocks, group = item / parts_ / blocks;
        run_block(group, block / across_ * kTargets, block % across_ * kSources, part * part_, std::min(tiles_.count, (part + 1) * part_), memory,
                  parts_ > 1 ? partial.get() + part * size : weight);
      }
    });
    if (parts_ == 1) return;
    parallel_for(size, 16384, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; i++) weight[i] = partial[i];
      for (int64_t part = 1; part < parts_; part++) {
        const float* from = partial.get() + part * size;
        NODEGRAD_SIMD
        for (int64_t i = first; i < last; i++) weight[i] += from[i];
      }
    });
  }

 private:
  // Destination channels from k0 and source channels from c0 on, summed over tiles begin..end.
  void run_block(int64_t group, int64_t k0, int64_t c0, int64_t begin, int64_t end, Memory& memory, float* weight) const {
    const int64_t k1 = std::min(k_, k0 + kTargets), c1 = std::min(c_, c0 + kSources), panels = ceil_div(c1 - c0, kWidth);
    for (int64_t at = begin; at < end; at += kTiles) {
      const int64_t count = std::min(kTiles, end - at);
      lay_gradient(group, k0, k1, at, count, memory);
      for (int64_t c = c0; c < c1; c += kWidth) lay_source(group, c, std::min(c1, c + kWidth), (c - c0) / kWidth, panels, at, count, memory);
      for (int64_t place = 0; place < kPlaces; place++) {
        const Panels<float> right{memory.source.get() + place * panels * kTiles * kWidth, count, kTiles};
        rows_by_panels(memory.gradient.get() + place * kGradientStep, kPitch, k1 - k0, right, c1 - c0, memory.sums.get() + place * kSumStep, kSources,
                       at > begin);
      }
    }
    for (int64_t k = k0; k < k1; k++) {
      for (int64_t c = c0; c < c1; c += kLanes) {
        finish(memory.sums.get() + (k - k0) * kSources + c - c0, std::min<int64_t>(kLanes, c1 - c), weight + ((group * k_ + k) * c_ + c) * 9);
      }
    }
  }

  // [place][channel][tile], channels k0..k1 of the result's gradient.
  void lay_gradient(int64_t group, int64_t k0, int64_t k1, int64_t at, int64_t count, Memory& memory) const {
    const int64_t size = gather_.dest_pixels();
    const float* const end = gradient_ + gather_.n * gather_.groups * k_ * size;
    for (int64_t from = 0; from < count; from += kWidth) {
      tiles_.find_runs(at + from, at + std::min(count, from + kWidth), memory.runs);
      const auto lay = [&](int64_t k, const Run& run, float* rows) {
        const float* pixels = gradient_ + ((run.image * gather_.groups + group) * k_ + k) * size;
        WinogradTiles::lay_rows({gradient_, end, pixels, gather_.dest_size[1], gather_.dest_size[2]}, 2 * run.row, 2 * run.first, 2, 2 * run.count,
                                rows);
      };
      const auto transform = [&](int64_t k, const Run& run, const float* rows) {
        WinogradTiles::transform_gradient(run, rows, memory.gradient.get() + (k - k0) * kPitch + from + run.lane, kGradientStep);
      };
      WinogradTiles::each_channel(k0, k1, memory.runs, memory.rows.get(), lay, transform);
    }
  }

  // [place][panel of kWidth channels][tile][channel], channels c0..c1 of the source, which are panel `panel` of `panels`.
  void lay_source(int64_t group, int64_t c0, int64_t c1, int64_t panel, int64_t panels, int64_t at, int64_t count, Memory& memory) const {
    for (int64_t from = 0; from < count; from += kWidth) {
      tiles_.lay_source(gather_, group, c0, c1, at + from, at + std::min(count, from + kWidth), memory.rows.get(), memory.runs,
                        memory.staged.get() + from, kPitch, kWidth * kPitch);
    }
    for (int64_t place = 0; place < kPlaces; place++) {
      float* to = memory.source.get() + (place * panels + panel) * kTiles * kWidth;
      if (c1 - c0 < kWidth) std::fill_n(to, kTiles * kWidth, 0.0f);
      transpose_rows(memory.staged.get() + place * kWidth * kPitch, kPitch, c1 - c0, count, to, kWidth);
    }
  }

  // G^T sums G of `count` neighbouring source channels.
  static void finish(const float* sums, int64_t count, float* weight) {
    FloatVector half[3][4];
    for (int j = 0; j < 4; j++) {
      const auto at = [&](int i) { return load_vector<FloatVector>(sums + (4 * i + j) * kSumStep); };
      const FloatVector a = at(0), b = at(1), c = at(2), d = at(3);
      half[0][j] = a + 0.5f * (b + c);
      half[1][j] = 0.5f * (b - c);
      half[2][j] = 0.5f * (b + c) + d;
    }
    alignas(64) float taps[9][kLanes];
    for (int i = 0; i < 3; i++) {
      const FloatVector a = half[i][0], b = half[i][1], c = half[i][2], d = half[i][3];
      store_vector(taps[3 * i], a + 0.5f * (b + c));
      store_vector(taps[3 * i + 1], 0.5f * (b - c));
      store_vector(taps[3 * i + 2], 0.5f * (b + c) + d);
    }
    for (int64_t lane = 0; lane < count; lane++, weight += 9) {
      for (int tap = 0; tap < 9; tap++) weight[tap] = taps[tap][lane];
    }
  }
};

}  // namespace nodegrad::NODEGRAD_LEVEL
