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
  // Destination and source channels of a block of sums; tiles that are transformed at a time.
  static constexpr int64_t kTargets = 128, kSources = 64, kTiles = 2 * kWidth;
  // From a tile's gradients, and from a place to the next one: no multiple of a power of two, which would share places in a cache.
  static constexpr int64_t kPitch = kTargets + 16, kGradientStep = kTiles * kPitch + 16, kSourceStep = kTiles * kSources + 16;
  static constexpr int64_t kSumStep = kTargets * kSources + kWidth;
  // Pixels that so many tiles read in all: of two rows and columns more than twice as many as they are.
  static constexpr int64_t kPixels = 4 * (2 * kTiles + 2);
  // The least tiles of a part of them that is summed for itself, and parts that there are together at the most.
  static constexpr int64_t kLeastTiles = 256, kMostParts = 8;

  const Gather<float>& gather_;
  const float* const gradient_;
  const int64_t c_, k_;
  const WinogradTiles tiles_;
  const int64_t across_, down_;  // blocks of source and of destination channels
  int64_t part_, parts_;         // tiles of a part, and parts

  // A thread's memory. Sums of channels that are not there are dropped.
  struct Memory {
    Scratch<float> pixels{kPixels * kLanes}, source{kPlaces * kSourceStep}, gradient{kPlaces * kGradientStep}, sums{kPlaces * kSumStep};
    std::vector<Run> runs;

    Memory() { std::fill_n(pixels.get(), kPixels * kLanes, 0.0f); }
  };
  // Neighbouring tiles of one image: `rows` whole rows of them, or a part of one row.
  struct Patch {
    int64_t image, row, rows, first, count, tile;
  };
  // Pixels of kLanes channels of one image that a patch reads, a vector of channels each: rows y0..y1, columns x0..x1.
  struct Pixels {
    const float* lanes;
    int64_t y0, y1, x0, x1;

    // Those of a tile from (y, x) on; zero outside.
    auto of(int64_t y, int64_t x) const {
      return [this, y, x](int i, int j) {
        const bool inside = y + i >= y0 && y + i < y1 && x + j >= x0 && x + j < x1;
        return inside ? load_vector<FloatVector>(lanes + ((y + i - y0) * (x1 - x0) + x + j - x0) * kLanes) : FloatVector{};
      };
    }
  };
  // Places of a tile, `step` apart.
  static auto into(float* to, int64_t step) {
    return [to, step](int place, FloatVector v) { store_vector(to + place * step, v); };
  }

 public:
  // Whether the transforms cost less than the products that they save, in multiply-adds. Measured.
  static bool suits(const Gather<float>& g) {
    if (!WinogradTiles::serves(g)) return false;
    // With AVX2, products this short take half as long again as longer ones.
    constexpr double kProduct = NODEGRAD_VECTOR_BYTES == 32 ? 1.5 : 0.9, kSource = 170, kGradient = 200, kFilter = 400;
    const int64_t c = g.source_channels, k = g.dest_channels, tiles = WinogradTiles(g).count;
    const auto number = [](int64_t count) { return static_cast<double>(count); };
    const double products = kProduct * 16 * number(round_up(c, kWidth) * round_up(k, kRows) * tiles);
    const double transforms =
        kSource * number(round_up(c, kLanes) * ceil_div(k, kTargets)) + kGradient * number(round_up(k, kLanes) * ceil_div(c, kSources));
    // Direct sums fill vectors with the channels of one side.
    const double direct = 9 * number(std::min(round_up(c, kLanes) * k, round_up(k, kLanes) * c) * g.n * g.dest_pixels());
    return products + transforms * number(tiles) + kFilter * number(c * k) < direct;
  }

  WinogradWeight(const Gather<float>& gather, const float* gradient)
      : gather_(gather),
        gradient_(gradient),
        c_(gather.source_channels),
        k_(gather.dest_channels),
        tiles_(gather),
        across_(ceil_div(c_, kSources)),
        down_(ceil_div(k_, kTargets)) {
    // Two at the least where there are tiles for two, so that two threads have work.
    const int64_t most = std::max({int64_t{1}, tiles_.count / kLeastTiles, std::min<int64_t>(2, tiles_.count / kTiles)});
    const int64_t wanted = std::clamp<int64_t>(ceil_div(kMostParts, gather.groups * across_ * down_), 1, most);
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
    const int64_t k1 = std::min(k_, k0 + kTargets), c1 = std::min(c_, c0 + kSources);
    for (int64_t at = begin; at < end; at += kTiles) {
      const int64_t count = std::min(kTiles, end - at);
      lay_gradient(group, k0, k1, at, count, memory);
      lay_source(group, c0, c1, at, count, memory);
      for (int64_t place = 0; place < kPlaces; place++) {
        const Panels<float> right{memory.source.get() + place * kSourceStep, count, kTiles};
        lines_by_panels(memory.gradient.get() + place * kGradientStep, kPitch, k1 - k0, right, c1 - c0, memory.sums.get() + place * kSumStep,
                        kSources, at > begin);
      }
    }
    for (int64_t k = k0; k < k1; k++) {
      for (int64_t c = c0; c < c1; c += kLanes) {
        finish(memory.sums.get() + (k - k0) * kSources + c - c0, std::min<int64_t>(kLanes, c1 - c), weight + ((group * k_ + k) * c_ + c) * 9);
      }
    }
  }

  // Calls each(patch) for the tiles at..at + count.
  template <class Each>
  void each_patch(int64_t at, int64_t count, Memory& memory, const Each& each) const {
    tiles_.find_runs(at, at + count, memory.runs);
    for (size_t i = 0; i < memory.runs.size();) {
      const Run& run = memory.runs[i++];
      Patch patch{run.image, run.row, 1, run.first, run.count, run.lane};
      while (patch.count == tiles_.across && i < memory.runs.size() && memory.runs[i].image == run.image && memory.runs[i].count == run.count) {
        patch.rows++;
        i++;
      }
      each(patch);
    }
  }

  // Rows top..top + height and columns left..left + width of `count` channels, as far as there are any. Whole rows are turned as one.
  static Pixels turn(const float* channel, int64_t count, const int64_t* size, int64_t top, int64_t height, int64_t left, int64_t width, float* to) {
    const Pixels pixels{to, std::clamp<int64_t>(top, 0, size[1]), std::clamp<int64_t>(top + height, 0, size[1]),
                        std::clamp<int64_t>(left, 0, size[2]), std::clamp<int64_t>(left + width, 0, size[2])};
    const int64_t plane = size[1] * size[2], cols = pixels.x1 - pixels.x0, rows = pixels.y1 - pixels.y0;
    const bool whole = cols == size[2];
    for (int64_t y = 0; y < (whole ? std::min<int64_t>(rows, 1) : rows); y++) {
      const float* from = channel + (pixels.y0 + y) * size[2] + pixels.x0;
      transpose_rows(from, plane, count, whole ? rows * cols : cols, to + y * cols * kLanes, kLanes);
    }
    return pixels;
  }

  // A y A^T of channels k0..k1 of the result's gradient: [place][tile][channel].
  void lay_gradient(int64_t group, int64_t k0, int64_t k1, int64_t at, int64_t count, Memory& memory) const {
    each_patch(at, count, memory, [&](const Patch& patch) {
      for (int64_t k = k0; k < k1; k += kLanes) {
        const float* channel = gradient_ + ((patch.image * gather_.groups + group) * k_ + k) * gather_.dest_pixels();
        const Pixels pixels = turn(channel, std::min<int64_t>(kLanes, k1 - k), gather_.dest_size, 2 * patch.row, 2 * patch.rows, 2 * patch.first,
                                   2 * patch.count, memory.pixels.get());
        float* to = memory.gradient.get() + patch.tile * kPitch + k - k0;
        for (int64_t row = patch.row; row < patch.row + patch.rows; row++)
          for (int64_t t = patch.first; t < patch.first + patch.count; t++, to += kPitch)
            WinogradTiles::transform_gradient(pixels.of(2 * row, 2 * t), into(to, kGradientStep));
      }
    });
  }

  // B^T d B of channels c0..c1 of the source: [place][panel of kWidth channels][tile][channel].
  void lay_source(int64_t group, int64_t c0, int64_t c1, int64_t at, int64_t count, Memory& memory) const {
    const GatherAxis* axis = gather_.phases[0].axis;
    const int64_t above = axis[1].offsets[0], before = axis[2].offsets[0];
    each_patch(at, count, memory, [&](const Patch& patch) {
      const int64_t top = 2 * patch.row + above, left = 2 * patch.first + before;
      for (int64_t c = c0; c < c1; c += kLanes) {
        const float* channel = gather_.source + ((patch.image * gather_.groups + group) * c_ + c) * gather_.source_pixels();
        const Pixels pixels = turn(channel, std::min<int64_t>(kLanes, c1 - c), gather_.source_size, top, 2 * patch.rows + 2, left,
                                   2 * patch.count + 2, memory.pixels.get());
        float* to = memory.source.get() + ((c - c0) / kWidth * kTiles + patch.tile) * kWidth + (c - c0) % kWidth;
        for (int64_t row = 0; row < patch.rows; row++)
          for (int64_t t = 0; t < patch.count; t++, to += kWidth)
            WinogradTiles::transform_source(pixels.of(top + 2 * row, left + 2 * t), into(to, kSourceStep));
      }
    });
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
