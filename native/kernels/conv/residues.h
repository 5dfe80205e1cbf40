// Source pixels of a block of a Gather's grid, laid so that every tap of every grid pixel is one distance away from the
// place of that pixel: rows and columns apart by their residues modulo the stride, zeros where the source ends.
// Whatever the stride, a row of grid pixels then reads runs, and rows follow each other at one pitch, so that a block
// is one run of pixels, a few of which between the rows are nobody's.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "gather.h"

namespace nodegrad::NODEGRAD_LEVEL {

// A block of grid pixels: one depth, rows p0..p0 + rows, columns q0..q0 + cols.
struct GridBlock {
  int64_t e, p0, rows, q0, cols;
};

template <class T>
class Residues {
  using Sum = typename Multiply<T>::Sum;
  static constexpr int64_t kLanes = kCols<T> / kVectors;
  // Elements that are laid at a time: with what is read of them they stay in a first-level cache. Columns of a block at
  // the most.
  static constexpr int64_t kLaid = 6144, kMostCols = 1024;

  // What the taps of one dimension read for `size` neighbours of the grid: place i of plane r holds source i * stride +
  // bases[r]. Planes are residues, each of size + extra places that the taps share; or, where that would be more
  // places, one of size for each offset.
  struct Reach {
    int64_t stride, extra = 0;
    std::vector<int64_t> offsets, bases;
    bool shared = false;

    Reach(const std::vector<GatherPhase>& phases, int d) : stride(phases[0].axis[d].stride) {
      for (const GatherPhase& phase : phases)
        offsets.insert(offsets.end(), phase.axis[d].offsets.begin(), phase.axis[d].offsets.end());
      std::sort(offsets.begin(), offsets.end());
      offsets.erase(std::unique(offsets.begin(), offsets.end()), offsets.end());
      bases = offsets;
    }
    void share(int64_t size) {
      if (offsets.empty()) return;
      const int64_t reach = (offsets.back() - offsets.front()) / stride;
      if (stride * (size + reach) > count() * size) return;
      shared = true;
      extra = reach;
      bases.clear();
      for (int64_t residue = 0; residue < stride; residue++) bases.push_back(offsets.front() + residue);
    }
    int64_t count() const { return static_cast<int64_t>(offsets.size()); }
    int64_t planes() const { return static_cast<int64_t>(bases.size()); }
    int64_t plane(int64_t offset) const {
      return shared ? (offset - offsets.front()) % stride
                    : std::lower_bound(offsets.begin(), offsets.end(), offset) - offsets.begin();
    }
    int64_t distance(int64_t offset) const { return shared ? (offset - offsets.front()) / stride : 0; }
  };

  const Gather<T>& gather_;
  Reach depths_, rows_, cols_;
  int64_t block_rows_, block_cols_, down_, across_;  // of a full block, and blocks
  int64_t pitch_, plane_step_;  // from a row to the next one, and from a plane of rows to the next one
  // What the one block of an image lays of each source channel, where an image is one: rows of `length` places each.
  struct Rows {
    int64_t from, to, count, length;
  };
  std::vector<Rows> whole_;

 public:
  explicit Residues(const Gather<T>& gather)
      : gather_(gather), depths_(gather.phases, 0), rows_(gather.phases, 1), cols_(gather.phases, 2) {
    cols_.share(std::min(gather.grid[2], kMostCols));
    block_cols_ = equal_part(gather.grid[2], std::max(kMostCols, cols_.extra), 1);
    pitch_ = block_cols_ + cols_.extra;
    const auto fitting = [&] { return std::max<int64_t>(1, kLaid / std::max<int64_t>(1, pitch_ * planes())); };
    rows_.share(std::min(gather.grid[1], fitting()));
    // What two blocks share is laid for both: a block is no smaller than that.
    block_rows_ = equal_part(gather.grid[1], std::max({int64_t{1}, fitting() - rows_.extra, rows_.extra}), 1);
    plane_step_ = (block_rows_ + rows_.extra) * pitch_ + kLanes;
    across_ = ceil_div(gather.grid[2], block_cols_);
    down_ = ceil_div(gather.grid[1], block_rows_);
    if (blocks() == 1) {
      int64_t to = 0;
      each_plane(block(0), [&](int64_t from, int64_t top, int64_t bottom, int64_t lo, int64_t hi) {
        if (top < bottom && lo < hi)
          whole_.push_back(
              {from + top * row_step() + lo * cols_.stride, to + top * pitch_ + lo, bottom - top, hi - lo});
        to += plane_step_;
      });
    }
  }

  int64_t pitch() const { return pitch_; }
  // Pixels of a full block with those between its rows.
  int64_t pixels() const { return block_rows_ * pitch_; }
  // Elements that `lay` writes.
  int64_t elements() const { return planes() * plane_step_; }
  // Blocks of one image, and the i-th of them.
  int64_t blocks() const { return gather_.grid[0] * down_ * across_; }
  GridBlock block(int64_t i) const {
    const int64_t q0 = i % across_ * block_cols_, p0 = i / across_ % down_ * block_rows_;
    return {i / across_ / down_, p0, std::min(block_rows_, gather_.grid[1] - p0), q0,
            std::min(block_cols_, gather_.grid[2] - q0)};
  }

  // From a block's pixel to what each tap of a phase reads for it, for all source channels of a group: [source
  // channel][tap].
  std::vector<int64_t> places(const GatherPhase& phase) const {
    std::vector<int64_t> found;
    for (int64_t c = 0; c < gather_.source_channels; c++) {
      for (const int64_t d : phase.axis[0].offsets) {
        for (const int64_t h : phase.axis[1].offsets) {
          for (const int64_t w : phase.axis[2].offsets) {
            const int64_t plane =
                ((c * depths_.planes() + depths_.plane(d)) * rows_.planes() + rows_.plane(h)) * cols_.planes() +
                cols_.plane(w);
            found.push_back(plane * plane_step_ + rows_.distance(h) * pitch_ + cols_.distance(w));
          }
        }
      }
    }
    return found;
  }

  // All that a block reads of the source channels of one group of one image. `to` was zero at first and holds no other
  // blocks since: columns that the source does not have are zero still. Behind each plane there is room for what a
  // vector reads too much.
  void lay(int64_t image, int64_t group, const GridBlock& block, Sum* to) const {
    const T* channel =
        gather_.source + (image * gather_.groups + group) * gather_.source_channels * gather_.source_pixels();
    const int64_t step = row_step(), rows = block.rows + rows_.extra;
    if (blocks() == 1) {
      for (int64_t c = 0; c < gather_.source_channels; c++, channel += gather_.source_pixels()) {
        for (const Rows& run : whole_)
          for (int64_t i = 0; i < run.count; i++)
            lay_run(channel + run.from + i * step, cols_.stride, run.length, to + run.to + i * pitch_);
        to += planes_of_channel() * plane_step_;
      }
      return;
    }
    if (across_ > 1) std::fill_n(to, elements(), Sum{});
    for (int64_t c = 0; c < gather_.source_channels; c++, channel += gather_.source_pixels()) {
      each_plane(block, [&](int64_t from, int64_t top, int64_t bottom, int64_t lo, int64_t hi) {
        std::fill_n(to, top * pitch_, Sum{});
        if (lo < hi)
          for (int64_t i = top; i < bottom; i++)
            lay_run(channel + from + i * step + lo * cols_.stride, cols_.stride, hi - lo, to + i * pitch_ + lo);
        std::fill_n(to + bottom * pitch_, (rows - bottom) * pitch_, Sum{});
        to += plane_step_;
      });
    }
  }

 private:
  int64_t planes_of_channel() const { return depths_.planes() * rows_.planes() * cols_.planes(); }
  int64_t planes() const { return gather_.source_channels * planes_of_channel(); }
  // In the source, from what one row of a plane holds to what the next one does.
  int64_t row_step() const { return rows_.stride * gather_.source_size[2]; }

  // Calls plane(source element of its first place, rows top..bottom that the source has, columns lo..hi) for each plane
  // of a source channel.
  template <class F>
  void each_plane(const GridBlock& block, const F& plane) const {
    const int64_t* size = gather_.source_size;
    for (const int64_t base_d : depths_.bases) {
      const int64_t d = block.e * depths_.stride + base_d;
      for (const int64_t base_h : rows_.bases) {
        int64_t top = 0, bottom = 0;
        const int64_t h = block.p0 * rows_.stride + base_h;
        if (d >= 0 && d < size[0]) valid_range(0, block.rows + rows_.extra, rows_.stride, h, size[1], top, bottom);
        for (const int64_t base_w : cols_.bases) {
          int64_t lo, hi;
          const int64_t w = block.q0 * cols_.stride + base_w;
          valid_range(0, pitch_, cols_.stride, w, size[2], lo, hi);
          plane((d * size[1] + h) * size[2] + w, top, bottom, lo, hi);
        }
      }
    }
  }
  static void lay_run(const T* from, int64_t stride, int64_t count, Sum* to) {
    if (stride == 1) {
      convert_run(to, from, count);
    } else if (stride == 2) {
      NODEGRAD_SIMD
      for (int64_t i = 0; i < count; i++) to[i] = static_cast<Sum>(from[2 * i]);
    } else {
      for (int64_t i = 0; i < count; i++) to[i] = static_cast<Sum>(from[i * stride]);
    }
  }
};

}  // namespace nodegrad::NODEGRAD_LEVEL
