// Runs a Gather with destination channels in the vectors of tiles and pixels in their rows. Where neighbours along a
// row of pixels do not fill vectors, channels may: a row of any width is cut into nearly equal parts of at most kRows
// pixels, and none is computed for nothing.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "tiles.h"

namespace nodegrad::NODEGRAD_LEVEL {

// A left operand: neighbours along a row of a window, where step p of the depth is `offsets[p]` away.
template <class T>
struct WindowRow {
  const typename Multiply<T>::Unit* place;
  const int32_t* offsets;
  typename Multiply<T>::Unit at(int64_t p, int i) const { return place[offsets[p] + i]; }
  void advance() {}
};
template <class T>
WindowRow<T> moved(const WindowRow<T>& left, const Depth&) {
  return left;
}

// How a Gather is cut for it; a function of the shape alone.
template <class T>
struct ChannelCut {
  int64_t units;          // of source channels
  RowTiles row_tiles;     // of pixels
  int64_t tiles;          // of them
  int64_t block, blocks;  // destination channels in a full block, and blocks

  ChannelCut(const Gather<T>& gather, const GatherCut& cut)
      : units(cut.units), row_tiles(cut.row_tiles), tiles(row_tiles.count(gather.n, gather.grid)) {
    const ChannelBlocks channels(gather.dest_channels, 8, tiles * gather.groups, kCols<T>);
    block = channels.size;
    blocks = channels.count;
  }
  void range(const int64_t* grid, int64_t t, int64_t& begin, int64_t& end) const {
    row_tiles.range(grid, t, begin, end);
  }
};

// What the tiles of one phase share.
template <class T>
struct ChannelPlan {
  const typename Multiply<T>::Unit* weights;  // packed: [group][panel of kCols channels][unit][tap][kCols]
  int64_t step = 1;                           // units of source channels that are multiplied at a time
  Window window;
  std::vector<int32_t> offsets;  // for every tap of `step` units, from a pixel's place in the window

  // Units of depth for which a panel of weights stays in a first-level cache while all pixels of a tile pass it.
  static constexpr int64_t kPanelDepth = 192;

  // False where the pixels that the taps read don't make a window.
  bool fit(const GatherPhase& phase, const ChannelCut<T>& cut) {
    if (cut.units == 0 || !window.fit(phase, cut.row_tiles.height, cut.row_tiles.width)) return false;
    step = ceil_div(cut.units, ceil_div(cut.units, std::max<int64_t>(1, kPanelDepth / phase.taps())));
    for (int64_t unit = 0; unit < step; unit++)
      for (const int64_t tap : window.taps) offsets.push_back(static_cast<int32_t>(unit * window.unit + tap));
    return true;
  }
};

namespace detail {
// c = (keep ? c : 0) + pixels times a panel of weights, by a kernel of as many rows; what is beyond `rows` is computed
// and dropped.
template <class T, int ROWS, int VECTORS>
__attribute__((noinline)) void multiply_pixels(int64_t depth, const WindowRow<T>& pixels, const Panel<T>& weights,
                                               typename Multiply<T>::Sum* c, int64_t ldc, int64_t rows, bool keep) {
  part_of_tile<T, ROWS, VECTORS>({depth}, pixels, weights, c, ldc, rows, kCols<T> / kVectors * VECTORS,
                                 kept(keep, c, ldc));
}
template <class T, int VECTORS, int ROWS = kRows>
inline void multiply_row_part(int64_t depth, const WindowRow<T>& pixels, const Panel<T>& weights,
                              typename Multiply<T>::Sum* c, int64_t ldc, int64_t rows, bool keep) {
  if constexpr (ROWS > kFewRows) {
    if (rows < ROWS) return multiply_row_part<T, VECTORS, ROWS - 1>(depth, pixels, weights, c, ldc, rows, keep);
  }
  multiply_pixels<T, ROWS, VECTORS>(depth, pixels, weights, c, ldc, rows, keep);
}
}  // namespace detail

// Channels k0..k1 of one group for the pixels begin..end of all images, whole rows or a part of one; one phase.
template <class T>
void channel_tile(const Gather<T>& gather, const ChannelCut<T>& cut, const GatherPhase& phase,
                  const ChannelPlan<T>& plan, int64_t group, int64_t k0, int64_t k1, int64_t begin, int64_t end,
                  TileMemory<T>& memory) {
  using Unit = typename Multiply<T>::Unit;
  using Sum = typename Multiply<T>::Sum;
  constexpr int64_t kWidth = kCols<T>, kLanes = kWidth / kVectors;
  const int64_t pixels = gather.grid_pixels(), count = end - begin;
  const int64_t width = std::min(cut.row_tiles.width, count), height = count / width;
  const int64_t image = begin / pixels, q0 = begin % gather.grid[2], p0 = begin / gather.grid[2] % gather.grid[1];
  const int64_t e = begin / gather.grid[2] / gather.grid[1] % gather.grid[0];
  const int64_t taps = phase.taps(), units = cut.units, ldc = round_up(k1 - k0, kWidth);
  const int64_t part = equal_part(width, kRows, 1);
  // Behind the window there is room for what the rows of its last part read too much.
  Unit* window = at_least(memory.columns, plan.step * plan.window.unit + kRows);
  Sum* product = at_least(memory.product, count * ldc);
  if (gather.bias != nullptr) {
    const T* bias = gather.bias + group * gather.dest_channels;
    for (int64_t i = 0; i < count; i++)
      for (int64_t k = k0; k < k1; k++) product[i * ldc + k - k0] = static_cast<Sum>(bias[k]);
  }
  for (int64_t unit = 0; unit < units; unit += plan.step) {
    const int64_t next = std::min(units, unit + plan.step);
    for (int64_t u = unit; u < next; u++) {
      const int64_t c = u * Multiply<T>::kElements;
      const T* source =
          gather.source + ((image * gather.groups + group) * gather.source_channels + c) * gather.source_pixels();
      const T* second =
          Multiply<T>::kElements == 2 && c + 1 < gather.source_channels ? source + gather.source_pixels() : nullptr;
      plan.window.lay(gather, phase, source, second, e, p0, p0 + height, q0, q0 + width,
                      window + (u - unit) * plan.window.unit);
    }
    const bool keep = unit > 0 || gather.bias != nullptr;
    for (int64_t k = k0; k < k1; k += kWidth) {
      const Panel<T> weights{plan.weights +
                             ((group * ceil_div(gather.dest_channels, kWidth) + k / kWidth) * units + unit) * taps *
                                 kWidth};
      for (int64_t p = 0; p < height; p++) {
        for (int64_t q = 0; q < width; q += part) {
          const WindowRow<T> row{window + p * plan.window.pitch + q, plan.offsets.data()};
          Sum* c = product + (p * width + q) * ldc + k - k0;
          const int64_t rows = std::min(part, width - q);
          if (k1 - k <= kLanes) {
            detail::multiply_row_part<T, 1>((next - unit) * taps, row, weights, c, ldc, rows, keep);
          } else {
            detail::multiply_row_part<T, kVectors>((next - unit) * taps, row, weights, c, ldc, rows, keep);
          }
        }
      }
    }
  }
  if constexpr (std::is_same_v<T, Sum>) {
    if (plain_dest(gather, phase)) {
      transpose_rows(
          product, ldc, count, k1 - k0,
          gather.dest + ((image * gather.groups + group) * gather.dest_channels + k0) * pixels + begin % pixels,
          pixels);
      return;
    }
  }
  Sum* turned = at_least(memory.turned, count * (k1 - k0));
  transpose_rows(product, ldc, count, k1 - k0, turned, count);
  for (int64_t p = 0; p < height; p++)
    scatter_segment(gather, phase, group, k0, k1, {image, e, p0 + p, q0, width, 0}, turned + p * width, count);
}

// Whether channels fill vectors where pixels do not. Measured; a few tiles of whole vectors read their weights where
// they stand, which saves more.
template <class T>
bool suits_channels(const Gather<T>& gather, const GatherCut& cut) {
  constexpr double kLeastFilled = 0.9;
  constexpr int64_t kLanes = kCols<T> / kVectors;
  if (gather.grid[2] < kFewRows || static_cast<double>(gather.dest_channels) <
                                       kLeastFilled * static_cast<double>(round_up(gather.dest_channels, kLanes)))
    return false;
  return !cut.aligned || (cut.pieces > 1 && !weights_stand(gather, cut));
}

// False where a phase's pixels don't make a window.
template <class T>
bool gather_channels(const Gather<T>& gather, const GatherCut& pixels) {
  using Unit = typename Multiply<T>::Unit;
  const ChannelCut<T> cut(gather, pixels);
  std::vector<ChannelPlan<T>> plans(gather.phases.size());
  const int64_t padded = gather.groups * round_up(gather.dest_channels, kCols<T>) * cut.units;
  int64_t total = 0;
  for (size_t f = 0; f < plans.size(); f++) {
    if (!plans[f].fit(gather.phases[f], cut)) return false;
    total += padded * gather.phases[f].taps();
  }
  const Scratch<Unit> weights(total);
  Unit* at = weights.get();
  for (size_t f = 0; f < plans.size(); f++) {
    pack_weights<kCols<T>>(gather, gather.phases[f], cut.units, at);
    plans[f].weights = at;
    at += padded * gather.phases[f].taps();
  }
  each_tile(gather, cut, [&](int64_t group, int64_t k0, int64_t k1, int64_t begin, int64_t end, TileMemory<T>& memory) {
    for (size_t f = 0; f < plans.size(); f++)
      channel_tile(gather, cut, gather.phases[f], plans[f], group, k0, k1, begin, end, memory);
  });
  return true;
}

}  // namespace nodegrad::NODEGRAD_LEVEL
