// The source pixels that a tile of whole rows (or a part of one row) reads, laid out with their zero padding: every tap
// then reads the same memory at an offset of its own, so nothing is copied once a tap. With strides, rows and columns
// lie apart by their residues.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "gather.h"

namespace nodegrad::NODEGRAD_LEVEL {

// A grid cut into tiles of whole rows of one plane, as equal as they can be, or of parts of one row where that is long.
struct RowTiles {
  int64_t width, height;  // columns and rows of a full tile

  RowTiles(const int64_t* grid, int64_t pixels)
      : width(std::min(grid[2], pixels)),
        height(width < pixels ? equal_part(grid[1], std::max<int64_t>(1, pixels / std::max<int64_t>(1, width)), 1)
                              : 1) {}

  int64_t count(int64_t images, const int64_t* grid) const {
    return images * grid[0] * ceil_div(grid[1], height) * ceil_div(grid[2], width);
  }
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
  // How the taps of one dimension reach from the first of them: by `residues` modulo the stride, each of which has
  // planes of its own, and by places in them, `span` at the most.
  struct Reach {
    int64_t stride = 1, first = 0, span = 0;
    std::vector<int64_t> residues;

    void find(const GatherAxis& axis) {
      stride = axis.stride;
      first = *std::min_element(axis.offsets.begin(), axis.offsets.end());
      span = 0;
      residues.clear();
      for (const int64_t offset : axis.offsets) {
        span = std::max(span, (offset - first) / stride);
        residues.push_back((offset - first) % stride);
      }
      std::sort(residues.begin(), residues.end());
      residues.erase(std::unique(residues.begin(), residues.end()), residues.end());
    }
    int64_t planes() const { return static_cast<int64_t>(residues.size()); }
    int64_t plane(int64_t offset) const {
      return std::lower_bound(residues.begin(), residues.end(), (offset - first) % stride) - residues.begin();
    }
    int64_t place(int64_t offset) const { return (offset - first) / stride; }
  };

  Reach down, across;           // along rows of a column, and along a row
  int64_t rows = 0, pitch = 0;  // of a full tile, for one residue of each dimension
  int64_t unit = 0;             // elements for one unit of channels
  std::vector<int64_t> taps;    // where each tap reads, from the place of a pixel

  // For tiles of at most `height` rows and `width` columns. False where there is no tap, or taps lie so far apart that
  // the window would hold mostly pixels that nobody reads.
  bool fit(const GatherPhase& phase, int64_t height, int64_t width) {
    const GatherAxis* axis = phase.axis;
    if (phase.taps() == 0) return false;
    down.find(axis[1]);
    across.find(axis[2]);
    rows = height + down.span;
    pitch = width + across.span;
    const int64_t slabs = static_cast<int64_t>(axis[0].offsets.size());
    unit = slabs * down.planes() * across.planes() * rows * pitch;
    if (unit > std::max(2 * phase.taps() * height * width / 3, height * width)) return false;
    taps.clear();
    for (int64_t slab = 0; slab < slabs; slab++) {
      for (const int64_t h : axis[1].offsets) {
        for (const int64_t w : axis[2].offsets) {
          const int64_t plane = (slab * down.planes() + down.plane(h)) * across.planes() + across.plane(w);
          taps.push_back((plane * rows + down.place(h)) * pitch + across.place(w));
        }
      }
    }
    return true;
  }

  // Writes the window of a unit of channels (`source` its first plane in the tile's image) for grid rows p0..p1 and
  // columns q0..q1 of plane e: as elements, or as pairs with the channel of plane `second` (or none, where it is null).
  template <class T, class U>
  void lay(const Gather<T>& gather, const GatherPhase& phase, const T* source, const T* second, int64_t e, int64_t p0,
           int64_t p1, int64_t q0, int64_t q1, U* to) const {
    const int64_t* size = gather.source_size;
    const int64_t needed = p1 - p0 + down.span, length = q1 - q0 + across.span;
    for (const int64_t offset_d : phase.axis[0].offsets) {
      const int64_t d = e * phase.axis[0].stride + offset_d;
      for (const int64_t residue_h : down.residues) {
        int64_t top = 0, bottom = 0;
        const int64_t h = p0 * down.stride + down.first + residue_h;
        if (d >= 0 && d < size[0]) valid_range(0, needed, down.stride, h, size[1], top, bottom);
        for (const int64_t residue_w : across.residues) {
          int64_t lo, hi;
          const int64_t w = q0 * across.stride + across.first + residue_w;
          valid_range(0, length, across.stride, w, size[2], lo, hi);
          auto* row = to;
          for (int64_t r = 0; r < needed; r++, row += pitch) {
            const bool inside = r >= top && r < bottom && hi > lo;
            const int64_t begin = inside ? lo : length, end = inside ? hi : length;
            for (int64_t i = 0; i < begin; i++) row[i] = U{};
            if (inside) {
              const int64_t at = (d * size[1] + h + r * down.stride) * size[2] + w + lo * across.stride;
              copy_units(row + lo, source + at, second == nullptr ? nullptr : second + at, hi - lo, across.stride);
            }
            for (int64_t i = end; i < length; i++) row[i] = U{};
          }
          to += rows * pitch;
        }
      }
    }
  }

 private:
  template <class T>
  static void copy_units(T* to, const T* from, const T*, int64_t n, int64_t step) {
    if (step == 1) {
      copy_run(to, from, n);
    } else if (step == 2) {
      NODEGRAD_SIMD
      for (int64_t i = 0; i < n; i++) to[i] = from[2 * i];
    } else {
      for (int64_t i = 0; i < n; i++) to[i] = from[i * step];
    }
  }
  static void copy_units(uint32_t* to, const BFloat16* first, const BFloat16* second, int64_t n, int64_t step) {
    if (step == 1) {
      pair_run(to, first, second, n);
    } else {
      for (int64_t i = 0; i < n; i++)
        to[i] = first[i * step].bits | (second == nullptr ? 0u : static_cast<uint32_t>(second[i * step].bits) << 16);
    }
  }
};

}  // namespace nodegrad::NODEGRAD_LEVEL
