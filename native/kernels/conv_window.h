// The source pixels that a tile of whole rows (or a part of one row) reads, laid out with their zero padding: every tap then reads the
// same memory at an offset of its own, so nothing is copied once a tap. For taps that move by one pixel along rows and columns.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "conv_gather.h"

namespace nodegrad::NODEGRAD_LEVEL {

// A grid cut into tiles of whole rows of one plane, or of parts of one row where that is long.
struct RowTiles {
  int64_t width, height;  // columns and rows of a full tile

  RowTiles(const int64_t* grid, int64_t pixels)
      : width(std::min(grid[2], pixels)), height(width < pixels ? std::min(grid[1], pixels / std::max<int64_t>(1, width)) : 1) {}

  int64_t count(int64_t images, const int64_t* grid) const { return images * grid[0] * ceil_div(grid[1], height) * ceil_div(grid[2], width); }
  // The pixels begin..end, among those of all images, of tile t.
  void range(const int64_t* grid, int64_t t, int64_t& begin, int64_t& end) const {
    const int64_t across = ceil_div(grid[2], width);
    const int64_t down = ceil_div(grid[1], height);
    const int64_t q = t % across * width;
    const int64_t p = t / across % down * height;
    begin = (t / across / down * grid[1] + p) * grid[2] + q;
    end = begin + (height > 1 ? std::min(height, grid[1] - p) * width : std::min(width, grid[2] - q));
  }
};

struct Window {
  int64_t first_h = 0, first_w = 0;  // the least offsets along rows and columns
  int64_t span_h = 0, span_w = 0;    // and how far the largest lie from them
  int64_t rows = 0, pitch = 0;       // of a full tile, for one tap along the depth dimension
  int64_t unit = 0;                  // elements for one unit of channels
  std::vector<int64_t> taps;         // where each tap reads, from the place of a pixel

  // For tiles of at most `height` rows and `width` columns. False where the taps are not of that kind, or lie so far apart that the
  // window would hold mostly pixels that nobody reads.
  bool fit(const GatherPhase& phase, int64_t height, int64_t width) {
    const GatherAxis* axis = phase.axis;
    if (phase.taps() < 2 || axis[1].stride != 1 || axis[2].stride != 1) return false;
    const auto [low_h, high_h] = std::minmax_element(axis[1].offsets.begin(), axis[1].offsets.end());
    const auto [low_w, high_w] = std::minmax_element(axis[2].offsets.begin(), axis[2].offsets.end());
    first_h = *low_h;
    first_w = *low_w;
    span_h = *high_h - first_h;
    span_w = *high_w - first_w;
    rows = height + span_h;
    pitch = width + span_w;
    const int64_t slabs = static_cast<int64_t>(axis[0].offsets.size());
    unit = slabs * rows * pitch;
    if (unit > 2 * phase.taps() * height * width / 3) return false;
    taps.clear();
    for (int64_t slab = 0; slab < slabs; slab++)
      for (const int64_t h : axis[1].offsets)
        for (const int64_t w : axis[2].offsets) taps.push_back((slab * rows + h - first_h) * pitch + w - first_w);
    return true;
  }

  // Writes the window of a unit of channels (`source` its first plane in the tile's image) for grid rows p0..p1 and columns q0..q1 of
  // plane e: as elements, or as pairs with the channel of plane `second` (or none, where it is null).
  template <class T, class U>
  void lay(const Gather<T>& gather, const GatherPhase& phase, const T* source, const T* second, int64_t e, int64_t p0, int64_t p1, int64_t q0,
           int64_t q1, U* to) const {
    const int64_t* size = gather.source_size;
    const int64_t needed = p1 - p0 + span_h;
    const int64_t from_w = q0 + first_w;
    const int64_t length = q1 - q0 + span_w;
    const int64_t lo = std::clamp<int64_t>(-from_w, 0, length), hi = std::clamp<int64_t>(size[2] - from_w, lo, length);
    for (size_t slab = 0; slab < phase.axis[0].offsets.size(); slab++) {
      const int64_t d = e * phase.axis[0].stride + phase.axis[0].offsets[slab];
      auto* row = to + static_cast<int64_t>(slab) * rows * pitch;
      for (int64_t r = 0; r < needed; r++, row += pitch) {
        const int64_t h = p0 + first_h + r;
        const bool inside = d >= 0 && d < size[0] && h >= 0 && h < size[1];
        const int64_t begin = inside ? lo : length, end = inside ? hi : length;
        for (int64_t i = 0; i < begin; i++) row[i] = U{};
        if (end > begin) {
          const int64_t at = (d * size[1] + h) * size[2] + from_w + begin;
          copy_units(row + begin, source + at, second == nullptr ? nullptr : second + at, end - begin);
        }
        for (int64_t i = end; i < length; i++) row[i] = U{};
      }
    }
  }

 private:
  template <class T>
  static void copy_units(T* to, const T* from, const T*, int64_t n) {
    copy_run(to, from, n);
  }
  static void copy_units(uint32_t* to, const BFloat16* first, const BFloat16* second, int64_t n) { pair_run(to, first, second, n); }
};

}  // namespace nodegrad::NODEGRAD_LEVEL
