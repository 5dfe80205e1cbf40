// The gradient of a convolution's weight by Winograd's minimal filtering (winograd_tiles.h): the derivative of the
// result's formula,
//
//     dw = G^T (sum over tiles of (A dy A^T) * (B^T d B)) G.
//
// The sums over tiles are matrix products, one for each place in a tile, with the tiles as depth.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "../../runtime/parallel.h"
#include "../../runtime/scratch.h"
#include "../products/panels.h"
#include "winograd_tiles.h"

namespace nodegrad::NODEGRAD_LEVEL {

template <class T>
class WinogradWeight {
  using Tiles = WinogradTiles<T>;
  static constexpr int kSide = Tiles::kSide, kPoints = Tiles::kPoints, kLanes = Tiles::kLanes;
  static constexpr int64_t kPlaces = Tiles::kPlaces, kWidth = Tiles::kWidth;
  // Destination and source channels of a block of sums; tiles that are transformed at a time.
  static constexpr int64_t kTargets = kSide == 2 ? 128 : 64, kSources = 64, kTiles = (kSide == 2 ? 2 : 1) * kWidth;
  // From a tile's gradients, and from a place to the next one: no multiple of a power of two, which would share places
  // in a cache.
  static constexpr int64_t kPitch = kTargets + 16, kGradientStep = kTiles * kPitch + 16,
                           kSourceStep = kTiles * kSources + 16;
  static constexpr int64_t kSumStep = kTargets * kSources + kWidth;
  // Pixels that so many tiles read in all, at the most.
  static constexpr int64_t kPixels = kPoints * (kSide * kTiles + 2);
  // The least tiles of a part of them that is summed for itself, and parts that there are together at the most.
  static constexpr int64_t kLeastTiles = 1024 / (kSide * kSide), kMostParts = 8;

  const Gather<T>& gather_;
  const T* const gradient_;
  const int64_t c_, k_;
  const Tiles tiles_;
  const int64_t across_, down_;  // blocks of source and of destination channels
  int64_t part_, parts_;         // tiles of a part, and parts

  // A thread's memory. Sums of channels that are not there are dropped.
  struct Memory {
    Scratch<float> pixels{kPixels * kLanes}, source{kPlaces * kSourceStep}, gradient{kPlaces * kGradientStep},
        sums{kPlaces * kSumStep};
    Scratch<uint32_t> pairs{kSide == 2 ? 0 : kPixels / 2 * kLanes};
    std::vector<TileRun> runs;

    Memory() {
      std::fill_n(pixels.get(), kPixels * kLanes, 0.0f);
      if (kSide > 2) std::fill_n(pairs.get(), kPixels / 2 * kLanes, 0u);
    }
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
      return [p = *this, y, x](int i, int j) {
        const bool inside = y + i >= p.y0 && y + i < p.y1 && x + j >= p.x0 && x + j < p.x1;
        return inside ? load_vector<FloatVector>(p.lanes + ((y + i - p.y0) * (p.x1 - p.x0) + x + j - p.x0) * kLanes)
                      : FloatVector{};
      };
    }
  };

 public:
  // Whether the transforms cost less than the products that they save, in multiply-adds. Measured.
  static bool suits(const Gather<T>& g) {
    if (!Tiles::serves(g)) return false;
    // With AVX2, products this short take half as long again as longer ones.
    constexpr double kProduct = NODEGRAD_VECTOR_BYTES == 32 ? 1.5 : 0.9, kFilter = 450, kStart = 2e6;
    constexpr double kSource = kSide == 2 ? 150 : 350, kGradient = kSide == 2 ? 170 : 350;
    const int64_t c = g.source_channels, k = g.dest_channels, tiles = Tiles(g).count;
    const auto number = [](int64_t count) { return static_cast<double>(count); };
    const double products = kProduct * kPlaces * number(round_up(c, kLanes) * round_up(k, kRows) * tiles);
    const double transforms = kSource * number(round_up(c, kLanes) * ceil_div(k, kTargets)) +
                              kGradient * number(round_up(k, kLanes) * ceil_div(c, kSources));
    // Direct sums fill vectors with the channels of one side.
    const double direct =
        9 * number(std::min(round_up(c, kLanes) * k, round_up(k, kLanes) * c) * g.n * g.dest_pixels());
    return products + transforms * number(tiles) + kFilter * number(c * k) + kStart < Tiles::kDirect * direct;
  }

  WinogradWeight(const Gather<T>& gather, const T* gradient)
      : gather_(gather),
        gradient_(gradient),
        c_(gather.source_channels),
        k_(gather.dest_channels),
        tiles_(gather),
        across_(ceil_div(c_, kSources)),
        down_(ceil_div(k_, kTargets)) {
    // Two at the least where there are tiles for two, so that two threads have work.
    const int64_t most =
        std::max({int64_t{1}, tiles_.count / kLeastTiles, std::min<int64_t>(2, tiles_.count / kTiles)});
    const int64_t wanted = std::clamp<int64_t>(ceil_div(kMostParts, gather.groups * across_ * down_), 1, most);
    part_ = equal_part(tiles_.count, ceil_div(tiles_.count, wanted), kTiles);
    parts_ = ceil_div(tiles_.count, part_);
  }

  void run(T* weight) const {
    const int64_t size = gather_.groups * k_ * c_ * 9, blocks = across_ * down_;
    const bool stands = std::is_same_v<T, float> && parts_ == 1;
    const Scratch<float> partial(stands ? 0 : parts_ * size);
    parallel_for(gather_.groups * blocks * parts_, 1, [&](int64_t first, int64_t last) {
      Memory memory;
      for (int64_t item = first; item < last; item++) {
        const int64_t part = item % parts_, block = item / parts_ % blocks, group = item / parts_ / blocks;
        float* to = partial.get() + part * size;
        if constexpr (std::is_same_v<T, float>) to = stands ? weight : to;
        run_block(group, block / across_ * kTargets, block % across_ * kSources, part * part_,
                  std::min(tiles_.count, (part + 1) * part_), memory, to);
      }
    });
    if (stands) return;
    parallel_for(size, 16384, [&](int64_t first, int64_t last) {
      for (int64_t part = 1; part < parts_; part++) {
        const float* from = partial.get() + part * size;
        NODEGRAD_SIMD
        for (int64_t i = first; i < last; i++) partial[i] += from[i];
      }
      convert_run(weight + first, partial.get() + first, last - first);
    });
  }

 private:
  // Destination channels from k0 and source channels from c0 on, summed over tiles begin..end.
  void run_block(int64_t group, int64_t k0, int64_t c0, int64_t begin, int64_t end, Memory& memory,
                 float* weight) const {
    const int64_t k1 = std::min(k_, k0 + kTargets), c1 = std::min(c_, c0 + kSources);
    for (int64_t at = begin; at < end; at += kTiles) {
      const int64_t count = std::min(kTiles, end - at);
      lay_gradient(group, k0, k1, at, count, memory);
      lay_source(group, c0, c1, at, count, memory);
      for (int64_t place = 0; place < kPlaces; place++) {
        const Panels<float> right{memory.source.get() + place * kSourceStep, count, kTiles};
        float* sums = memory.sums.get() + place * kSumStep;
        lines_by_panels(memory.gradient.get() + place * kGradientStep, kPitch, k1 - k0, right, c1 - c0, sums, kSources,
                        kept(at > begin, sums, kSources));
      }
    }
    for (int64_t k = k0; k < k1; k++) {
      for (int64_t c = c0; c < c1; c += kLanes) {
        finish(memory.sums.get() + (k - k0) * kSources + c - c0, std::min<int64_t>(kLanes, c1 - c),
               weight + ((group * k_ + k) * c_ + c) * 9);
      }
    }
  }

  // Calls each(patch) for the tiles at..at + count.
  template <class Each>
  void each_patch(int64_t at, int64_t count, Memory& memory, const Each& each) const {
    tiles_.find_runs(at, at + count, memory.runs);
    for (size_t i = 0; i < memory.runs.size();) {
      const TileRun& run = memory.runs[i++];
      Patch patch{run.image, run.row, 1, run.first, run.count, run.lane};
      while (patch.count == tiles_.across && i < memory.runs.size() && memory.runs[i].image == run.image &&
             memory.runs[i].count == run.count) {
        patch.rows++;
        i++;
      }
      each(patch);
    }
  }

  // Neighbouring pixels of `count` channels, whose planes are `step` apart, as vectors of channels.
  static void turn_run(const T* from, int64_t step, int64_t count, int64_t pixels, Memory& memory, float* to) {
    if constexpr (std::is_same_v<T, float>) {
      transpose_rows(from, step, count, pixels, to, kLanes);
    } else {
      uint32_t* pairs = memory.pairs.get();
      transpose_rows(from, step, count, pixels / 2, pairs, kLanes);
      for (int64_t pair = 0; pair < pixels / 2; pair++, to += 2 * kLanes) {
        const auto both = load_vector<PairVector>(pairs + pair * kLanes);
        store_vector(to, both << 16);
        store_vector(to + kLanes, both & 0xffff0000u);
      }
      if (pixels % 2 != 0)
        for (int64_t r = 0; r < count; r++) to[r] = from[r * step + pixels - 1];
    }
  }
  // Rows top..top + height and columns left..left + width of `count` channels, as far as there are any. Whole rows are
  // turned as one.
  static Pixels turn(const T* channel, int64_t count, const int64_t* size, int64_t top, int64_t height, int64_t left,
                     int64_t width, Memory& memory) {
    const Pixels pixels{memory.pixels.get(), std::clamp<int64_t>(top, 0, size[1]),
                        std::clamp<int64_t>(top + height, 0, size[1]), std::clamp<int64_t>(left, 0, size[2]),
                        std::clamp<int64_t>(left + width, 0, size[2])};
    const int64_t plane = size[1] * size[2], cols = pixels.x1 - pixels.x0, rows = pixels.y1 - pixels.y0;
    const bool whole = cols == size[2];
    for (int64_t y = 0; y < (whole ? std::min<int64_t>(rows, 1) : rows); y++) {
      const T* from = channel + (pixels.y0 + y) * size[2] + pixels.x0;
      turn_run(from, plane, count, whole ? rows * cols : cols, memory, memory.pixels.get() + y * cols * kLanes);
    }
    return pixels;
  }

  // A y A^T of channels k0..k1 of the result's gradient: [place][tile][channel].
  void lay_gradient(int64_t group, int64_t k0, int64_t k1, int64_t at, int64_t count, Memory& memory) const {
    each_patch(at, count, memory, [&](const Patch& patch) {
      for (int64_t k = k0; k < k1; k += kLanes) {
        const T* channel = gradient_ + ((patch.image * gather_.groups + group) * k_ + k) * gather_.dest_pixels();
        const Pixels pixels = turn(channel, std::min<int64_t>(kLanes, k1 - k), gather_.dest_size, kSide * patch.row,
                                   kSide * patch.rows, kSide * patch.first, kSide * patch.count, memory);
        float* to = memory.gradient.get() + patch.tile * kPitch + k - k0;
        for (int64_t row = patch.row; row < patch.row + patch.rows; row++)
          for (int64_t t = patch.first; t < patch.first + patch.count; t++, to += kPitch)
            along_both<FloatVector, kSide, kPoints>(
                [](const FloatVector* dy, FloatVector* made) { Tiles::Line::gradient(dy, made); },
                pixels.of(kSide * row, kSide * t),
                [=](int i, int j, FloatVector v) { store_vector(to + (kPoints * i + j) * kGradientStep, v); });
      }
    });
  }

  // B^T d B of channels c0..c1 of the source: [place][panel of kWidth channels][tile][channel].
  void lay_source(int64_t group, int64_t c0, int64_t c1, int64_t at, int64_t count, Memory& memory) const {
    const GatherAxis* axis = gather_.phases[0].axis;
    const int64_t above = axis[1].offsets[0], before = axis[2].offsets[0];
    each_patch(at, count, memory, [&](const Patch& patch) {
      const int64_t top = kSide * patch.row + above, left = kSide * patch.first + before;
      for (int64_t c = c0; c < c1; c += kLanes) {
        const T* channel = gather_.source + ((patch.image * gather_.groups + group) * c_ + c) * gather_.source_pixels();
        const Pixels pixels = turn(channel, std::min<int64_t>(kLanes, c1 - c), gather_.source_size, top,
                                   kSide * patch.rows + 2, left, kSide * patch.count + 2, memory);
        float* to = memory.source.get() + ((c - c0) / kWidth * kTiles + patch.tile) * kWidth + (c - c0) % kWidth;
        for (int64_t row = 0; row < patch.rows; row++)
          for (int64_t t = 0; t < patch.count; t++, to += kWidth)
            along_both<FloatVector, kPoints, kPoints>(
                [](const FloatVector* d, FloatVector* made) { Tiles::Line::source(d, made); },
                pixels.of(top + kSide * row, left + kSide * t),
                [=](int i, int j, FloatVector v) { store_vector(to + (kPoints * i + j) * kSourceStep, v); });
      }
    });
  }

  // G^T sums G of `count` neighbouring source channels.
  static void finish(const float* sums, int64_t count, float* weight) {
    alignas(64) float taps[9][kLanes];
    along_both<FloatVector, kPoints, 3>(
        [](const FloatVector* m, FloatVector* made) { Tiles::Line::taps(m, made); },
        [=](int i, int j) { return load_vector<FloatVector>(sums + (kPoints * i + j) * kSumStep); },
        [&](int i, int j, FloatVector v) { store_vector(taps[3 * i + j], v); });
    for (int64_t lane = 0; lane < count; lane++, weight += 9) {
      for (int tap = 0; tap < 9; tap++) weight[tap] = taps[tap][lane];
    }
  }
};

}  // namespace nodegrad::NODEGRAD_LEVEL
