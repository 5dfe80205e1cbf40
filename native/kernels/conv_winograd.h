// Runs a Gather of 3x3 taps at distance one by Winograd's minimal filtering: four pixels of the result take 16 products for a pair of channels
// instead of 36. Rounding errors are those of direct sums and less, as the sums are shorter.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "../runtime/parallel.h"
#include "../runtime/scratch.h"
#include "pack_rows.h"
#include "winograd_tiles.h"

namespace nodegrad::NODEGRAD_LEVEL {

class Winograd {
  using Run = WinogradTiles::Run;
  static constexpr int64_t kPlaces = WinogradTiles::kPlaces, kWidth = WinogradTiles::kWidth;
  static constexpr int kLanes = WinogradTiles::kLanes;
  // Source channels whose filters for kRows destination channels are transformed in one vector, and of a piece of them that is laid first.
  static constexpr int64_t kTogether = kLanes / kRows, kChannels = 32;
  static_assert(kTogether == 1 || kTogether == 2, "a vector holds the filters of one channel or of two");
  // Bytes of transformed source pixels, and of sums, that a tile of work holds in the second-level cache.
  static constexpr int64_t kSourceBytes = int64_t{1} << 18, kSumBytes = int64_t{1} << 17;

  const Gather<float>& gather_;
  const bool reversed_;  // taps read later pixels first
  const int64_t c_, k_, k_padded_;
  const WinogradTiles tiles_;
  const int64_t panels_, together_;  // of tiles; of them how many are worked at at a time
  int64_t share_, part_;             // destination channels of a unit of work, and of the sums that it holds at a time

 public:
  // Whether the transforms cost less than the products that they save, in multiply-adds. Measured.
  static bool suits(const Gather<float>& g) {
    if (!WinogradTiles::serves(g)) return false;
    constexpr double kTransform = 120, kFilter = 450;
    const WinogradTiles tiles(g);
    const auto c = static_cast<double>(g.source_channels), k = static_cast<double>(g.dest_channels);
    const double products = 16 * c * k * static_cast<double>(round_up(tiles.count, kWidth));
    const double direct = 9 * c * k * static_cast<double>(g.n * g.dest_pixels());
    return products + kTransform * (c + k) * tiles.transforms() + kFilter * c * k < direct;
  }

  explicit Winograd(const Gather<float>& gather)
      : gather_(gather),
        reversed_(gather.phases[0].axis[1].offsets[1] < gather.phases[0].axis[1].offsets[0]),
        c_(gather.source_channels),
        k_(gather.dest_channels),
        k_padded_(round_up(k_, kRows)),
        tiles_(gather),
        panels_(ceil_div(tiles_.count, kWidth)),
        together_(std::min<int64_t>(panels_, std::max<int64_t>(1, kSourceBytes / (kPlaces * c_ * kWidth * static_cast<int64_t>(sizeof(float)))))) {
    const int64_t most = std::max<int64_t>(kRows, kSumBytes / (kPlaces * together_ * kWidth * static_cast<int64_t>(sizeof(float))));
    part_ = equal_part(k_padded_, most / kRows * kRows, kRows);
    // Few tiles are shared out by channels too, each share transforming the source anew.
    const int64_t shares = std::min<int64_t>(ceil_div(4, ceil_div(panels_, together_) * gather.groups), ceil_div(k_, 64));
    share_ = equal_part(k_padded_, ceil_div(k_padded_, shares), kRows);
  }

  void run() {
    const Scratch<float> filters(gather_.groups * kPlaces * k_padded_ * c_);
    transform_filters(filters.get());
    const int64_t blocks = ceil_div(panels_, together_), shares = ceil_div(k_padded_, share_);
    parallel_for(blocks * gather_.groups * shares, 1, [&](int64_t first, int64_t last) {
      // Behind the last lanes of each place there is room for what a vector writes too much.
      const Scratch<float> source(kPlaces * (together_ * c_ * kWidth + kWidth)), sums(kPlaces * together_ * part_ * kWidth);
      const Scratch<float> rows(2 * WinogradTiles::kRowsOfPanel);
      std::vector<Run> runs;
      for (int64_t item = first; item < last; item++) {
        const int64_t block = item / shares / gather_.groups, group = item / shares % gather_.groups, k0 = item % shares * share_;
        run_block(block * together_, std::min(panels_, (block + 1) * together_), group, k0, std::min(k_padded_, k0 + share_), filters.get(),
                  source.get(), sums.get(), rows.get(), runs);
      }
    });
  }

 private:
  // [group][place][panel of kRows channels][source channel][kRows]
  int64_t filter(int64_t group, int64_t place, int64_t k) const { return ((group * kPlaces + place) * k_padded_ + k) * c_; }

  void transform_filters(float* filters) const {
    const int64_t panels = k_padded_ / kRows;
    const std::vector<int64_t>& taps = gather_.phases[0].weights;
    int64_t order[9];
    for (int t = 0; t < 9; t++) order[t] = taps[static_cast<size_t>(reversed_ ? 8 - t : t)];
    parallel_for(gather_.groups * panels, std::max<int64_t>(1, 4096 / c_), [&](int64_t first, int64_t last) {
      // Behind the last row there is room for what a vector reads too much.
      float rows[9 * kChannels * kRows + kLanes] = {};
      for (int64_t item = first; item < last; item++) {
        const int64_t group = item / panels, k0 = item % panels * kRows;
        const int64_t valid = std::min<int64_t>(kRows, k_ - k0);
        const float* weight = gather_.group_weight(group) + k0 * gather_.dest_step;
        if (valid < kRows) std::fill_n(rows, 9 * kChannels * kRows, 0.0f);
        for (int64_t c = 0; c < c_; c += kChannels) {
          const int64_t count = std::min(kChannels, c_ - c);
          lay_filters(weight + c * gather_.source_step, valid, count, rows);
          for (int64_t i = 0; i < count; i += kTogether) {
            transform_filter(rows + 9 * i * kRows, order, std::min(kTogether, count - i), filters + filter(group, 0, k0) + (c + i) * kRows);
          }
        }
      }
    });
  }
  // Weights of `count` source channels for `valid` destination channels: [source channel][tap][kRows].
  void lay_filters(const float* weight, int64_t valid, int64_t count, float* rows) const {
    if (gather_.source_step == 9) {
      transpose_rows(weight, gather_.dest_step, valid, 9 * count, rows, kRows);
      return;
    }
    for (int64_t i = 0; i < count; i++) transpose_rows(weight + i * gather_.source_step, gather_.dest_step, valid, 9, rows + i * 9 * kRows, kRows);
  }
  // G w G^T of `count` source channels, at most kTogether, for kRows destination channels.
  void transform_filter(const float* rows, const int64_t* order, int64_t count, float* to) const {
    // The second of two channels, or the first once more.
    const float* second = rows + (count - 1) * 9 * kRows;
    FloatVector half[4][3];
#pragma GCC unroll 3
    for (int j = 0; j < 3; j++) {
      const FloatVector a = both(rows, second, order[j]), b = both(rows, second, order[3 + j]), d = both(rows, second, order[6 + j]);
      half[0][j] = a;
      half[1][j] = 0.5f * (a + b + d);
      half[2][j] = 0.5f * (a - b + d);
      half[3][j] = d;
    }
    const int64_t step = k_padded_ * c_;
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
      const FloatVector a = half[i][0], b = half[i][1], d = half[i][2];
      put(to + 4 * i * step, a, count);
      put(to + (4 * i + 1) * step, 0.5f * (a + b + d), count);
      put(to + (4 * i + 2) * step, 0.5f * (a - b + d), count);
      put(to + (4 * i + 3) * step, d, count);
    }
  }
  static FloatVector both(const float* first, const float* second, int64_t tap) {
    if constexpr (kTogether == 1) {
      return load_vector<FloatVector>(first + tap * kRows);
    } else {
      typedef float Half __attribute__((vector_size(NODEGRAD_VECTOR_BYTES / 2)));
      return joined<FloatVector>(load_vector<Half>(first + tap * kRows), load_vector<Half>(second + tap * kRows));
    }
  }
  static void put(float* to, FloatVector v, int64_t count) {
    if (count * kRows == kLanes) {
      store_vector(to, v);
      return;
    }
    float lanes[kLanes];
    store_vector(lanes, v);
    std::memcpy(to, lanes, kRows * sizeof(float));
  }

  // A^T m A of a panel of one channel, whose places are `step` apart: two rows of 2 * kWidth pixels.
  template <int... LANE>
  static void transform_sums(const float* sums, int64_t step, float bias, float* rows, std::integer_sequence<int, LANE...>) {
    for (int v = 0; v < kVectors; v++) {
      FloatVector top[4], bottom[4];
#pragma GCC unroll 4
      for (int j = 0; j < 4; j++) {
        const float* from = sums + j * step + v * kLanes;
        const auto a = load_vector<FloatVector>(from), b = load_vector<FloatVector>(from + 4 * step);
        const auto c = load_vector<FloatVector>(from + 8 * step), d = load_vector<FloatVector>(from + 12 * step);
        top[j] = a + b + c;
        bottom[j] = b - c - d;
      }
      const auto finish = [&](const FloatVector* m, float* to) {
        const FloatVector even = m[0] + m[1] + m[2] + bias, odd = m[1] - m[2] - m[3] + bias;
        store_vector(to, __builtin_shufflevector(even, odd, (LANE / 2 + LANE % 2 * kLanes)...));
        store_vector(to + kLanes, __builtin_shufflevector(even, odd, ((LANE + kLanes) / 2 + LANE % 2 * kLanes)...));
      };
      finish(top, rows + 2 * v * kLanes);
      finish(bottom, rows + 2 * kWidth + 2 * v * kLanes);
    }
  }

  void run_block(int64_t first, int64_t last, int64_t group, int64_t k0, int64_t k1, const float* filters, float* source, float* sums, float* rows,
                 std::vector<Run>& runs) const {
    const int64_t step = together_ * c_ * kWidth + kWidth;
    for (int64_t panel = first; panel < last; panel++) {
      tiles_.lay_source(gather_, group, panel * kWidth, std::min(tiles_.count, (panel + 1) * kWidth), rows, runs,
                        source + (panel - first) * c_ * kWidth, step);
    }
    for (int64_t k = k0; k < k1; k += part_) {
      const int64_t to = std::min(k1, k + part_);
      multiply(first, last, group, k, to, filters, source, step, sums);
      for (int64_t panel = first; panel < last; panel++) {
        tiles_.find_runs(panel * kWidth, std::min(tiles_.count, (panel + 1) * kWidth), runs);
        finish(panel - first, group, k, std::min(k_, to), sums, runs);
      }
    }
  }

  // Sums of channels k0..k1: [place][panel][channel of the part][kWidth]
  void multiply(int64_t first, int64_t last, int64_t group, int64_t k0, int64_t k1, const float* filters, const float* source, int64_t step,
                float* sums) const {
    for (int64_t place = 0; place < kPlaces; place++) {
      for (int64_t k = k0; k < k1; k += kRows) {
        const PackedRows<float> left{filters + filter(group, place, k)};
        for (int64_t panel = 0; panel < last - first; panel++) {
          micro_kernel<float, kRows, kVectors>({c_}, left, Panel<float>{source + place * step + panel * c_ * kWidth},
                                               sums + ((place * together_ + panel) * part_ + k - k0) * kWidth, kWidth, nullptr, false);
        }
      }
    }
  }

  void finish(int64_t panel, int64_t group, int64_t k0, int64_t k1, const float* sums, const std::vector<Run>& runs) const {
    const int64_t height = gather_.dest_size[1], width = gather_.dest_size[2];
    for (int64_t k = k0; k < k1; k++) {
      alignas(64) float pixels[4 * kWidth];
      const int64_t channel = group * k_ + k;
      transform_sums(sums + (panel * part_ + k - k0) * kWidth, together_ * part_ * kWidth, gather_.bias == nullptr ? 0.0f : gather_.bias[channel],
                     pixels, std::make_integer_sequence<int, kLanes>{});
      for (const Run& run : runs) {
        float* to = gather_.dest + ((run.image * gather_.groups * k_ + channel) * height + 2 * run.row) * width + 2 * run.first;
        const int64_t count = std::min(2 * run.count, width - 2 * run.first);
        copy_run(to, pixels + 2 * run.lane, count);
        if (2 * run.row + 1 < height) copy_run(to + width, pixels + 2 * kWidth + 2 * run.lane, count);
      }
    }
  }
};

}  // namespace nodegrad::NODEGRAD_LEVEL
