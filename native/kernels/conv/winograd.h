// Runs a Gather of 3x3 taps at distance one by Winograd's minimal filtering: four pixels of the result take 16 products
// for a pair of channels instead of 36, and of bfloat16 sixteen pixels 36 instead of 144.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <vector>

#include "../../runtime/parallel.h"
#include "../../runtime/scratch.h"
#include "../products/pack_rows.h"
#include "winograd_rows.h"

namespace nodegrad::NODEGRAD_LEVEL {

template <class T>
class Winograd {
  using Tiles = WinogradTiles<T>;
  using Rows = WinogradRows<T>;
  static constexpr int kSide = Tiles::kSide, kPoints = Tiles::kPoints, kLanes = Tiles::kLanes;
  static constexpr int64_t kPlaces = Tiles::kPlaces, kWidth = Tiles::kWidth;
  // From a row of pixels of tiles to the next one, with what a vector writes too much; of all rows of a panel's tiles.
  static constexpr int64_t kPitch = kWidth + kLanes, kPanelRows = kPlaces * kPitch;
  // Source channels whose filters for kRows destination channels are transformed in one vector, and of a piece of them
  // that is laid first.
  static constexpr int64_t kTogether = kLanes / kRows, kChannels = 32;
  static_assert(kTogether == 1 || kTogether == 2, "a vector holds the filters of one channel or of two");
  // Bytes of transformed source pixels, and of sums, that a tile of work holds in the second-level cache.
  static constexpr int64_t kSourceBytes = int64_t{1} << 18, kSumBytes = int64_t{1} << 17;
  // Many filters come from another core's cache or from memory for each tile of work, which is then of so many tiles:
  // of their source pixels one place at a time is held, in so many bytes, and more sums beside it. Measured.
  static constexpr int64_t kManyTiles = 128, kPlaceBytes = int64_t{1} << 18;

  // One channel of one image among all of them, which end at `end`.
  struct Plane {
    const T *begin, *end, *pixels;
    int64_t height, width;
  };

  const Gather<T>& gather_;
  const bool reversed_;  // taps read later pixels first
  const int64_t c_, k_, k_padded_;
  const Tiles tiles_;
  const bool many_filters_;          // more of them than of source pixels, when both are transformed
  const int64_t panels_, together_;  // of tiles; of them how many are worked at at a time
  int64_t share_, part_;             // destination channels of a unit of work, and of the sums that it holds at a time

 public:
  // Whether the transforms cost less than the products that they save, in multiply-adds. Measured.
  static bool suits(const Gather<T>& g) {
    if (!Tiles::serves(g)) return false;
    // Beside direct sums as fast as those of pairs it counts that filters of bfloat16 are eight times as large when
    // they are transformed: written to memory and read again where a network's other layers have taken the cache.
    constexpr double kTransform = (kSide == 2 ? 7.5 : 12) * kPlaces, kFilter = (kSide == 2           ? 28
                                                                                : Tiles::kDirect < 1 ? 110
                                                                                                     : 35) *
                                                                               kPlaces;
    const Tiles tiles(g);
    const auto number = [](int64_t count) { return static_cast<double>(count); };
    const double c = number(g.source_channels), k = number(g.dest_channels);
    // The transforms' time goes by tiles for three quarters, and by vectors for the other, which a short row of tiles
    // does not fill.
    const double transformed =
        0.75 * number(tiles.count) + 0.25 * number(tiles.count / tiles.across * round_up(tiles.across, kLanes));
    const double products = kPlaces * c * k * number(round_up(tiles.count, kWidth));
    const double direct = 9 * c * k * number(g.n * g.dest_pixels());
    return products + kTransform * (c + k) * transformed + kFilter * c * k < Tiles::kDirect * direct;
  }

  explicit Winograd(const Gather<T>& gather)
      : gather_(gather),
        reversed_(gather.phases[0].axis[1].offsets[1] < gather.phases[0].axis[1].offsets[0]),
        c_(gather.source_channels),
        k_(gather.dest_channels),
        k_padded_(round_up(k_, kRows)),
        tiles_(gather),
        many_filters_(k_ >= tiles_.count),
        panels_(ceil_div(tiles_.count, kWidth)),
        together_(panels_together()) {
    const int64_t sums = many_filters_ ? 2 * kSumBytes : kSumBytes;
    const int64_t most =
        std::max<int64_t>(kRows, sums / (kPlaces * together_ * kWidth * static_cast<int64_t>(sizeof(float))));
    part_ = equal_part(k_padded_, most / kRows * kRows, kRows);
    // Few tiles are shared out by channels too, each share transforming the source anew; a channel's sums are the same
    // in any share.
    const int64_t shares =
        std::min<int64_t>(ceil_div(thread_count(), ceil_div(panels_, together_) * gather.groups), ceil_div(k_, 64));
    share_ = equal_part(k_padded_, ceil_div(k_padded_, shares), kRows);
  }

  // Whether the result is right. A tile mixes pixels that its results do not all read, so that what is not a finite
  // number would spread to results that are none of its own, or meet its opposite: then the result is to be computed in
  // another way.
  bool run() {
    const Scratch<float> filters(gather_.groups * kPlaces * filter_step());
    transform_filters(filters.get());
    const int64_t blocks = ceil_div(panels_, together_), shares = ceil_div(k_padded_, share_);
    std::atomic<bool> finite = true;
    parallel_for(blocks * gather_.groups * shares, 1, [&](int64_t first, int64_t last) {
      // Behind the last lanes of each place there is room for what a vector writes too much.
      const Scratch<float> source(kPlaces * source_step()), sums(kPlaces * together_ * part_ * kWidth);
      const Scratch<float> rows(2 * kPanelRows);
      std::vector<TileRun> runs;
      for (int64_t item = first; item < last; item++) {
        const int64_t block = item / shares / gather_.groups, group = item / shares % gather_.groups,
                      k0 = item % shares * share_;
        const bool all =
            run_block(block * together_, std::min(panels_, (block + 1) * together_), group, k0,
                      std::min(k_padded_, k0 + share_), filters.get(), source.get(), sums.get(), rows.get(), runs);
        if (!all) finite = false;
      }
    });
    return finite;
  }

 private:
  int64_t panels_together() const {
    const int64_t panel = c_ * kWidth * static_cast<int64_t>(sizeof(float));
    const int64_t held =
        many_filters_ ? std::min(kManyTiles / kWidth, kPlaceBytes / panel) : kSourceBytes / (kPlaces * panel);
    return equal_part(panels_, std::max<int64_t>(1, held), 1);
  }
  // From a place of the filters or of the source to the next one: some elements more than it has, so that what is
  // written together, one vector a place, does not push each other out of the cache.
  int64_t filter_step() const { return k_padded_ * c_ + kWidth; }
  int64_t source_step() const { return together_ * c_ * kWidth + kWidth; }
  // [group][place][panel of kRows channels][source channel][kRows]
  int64_t filter(int64_t group, int64_t place, int64_t k) const {
    return (group * kPlaces + place) * filter_step() + k * c_;
  }

  void transform_filters(float* filters) const {
    const int64_t panels = k_padded_ / kRows;
    const std::vector<int64_t>& taps = gather_.phases[0].weights;
    int64_t order[9];
    for (int t = 0; t < 9; t++) order[t] = taps[static_cast<size_t>(reversed_ ? 8 - t : t)];
    parallel_for(gather_.groups * panels, grain_of(4096, c_), [&](int64_t first, int64_t last) {
      // Behind the last row there is room for what a vector reads too much.
      float rows[9 * kChannels * kRows + kLanes] = {};
      for (int64_t item = first; item < last; item++) {
        const int64_t group = item / panels, k0 = item % panels * kRows;
        const int64_t valid = std::min<int64_t>(kRows, k_ - k0);
        const T* weight = gather_.group_weight(group) + k0 * gather_.dest_step;
        if (valid < kRows) std::fill_n(rows, 9 * kChannels * kRows, 0.0f);
        for (int64_t c = 0; c < c_; c += kChannels) {
          const int64_t count = std::min(kChannels, c_ - c);
          lay_filters(weight + c * gather_.source_step, valid, count, rows);
          for (int64_t i = 0; i < count; i += kTogether) {
            transform_filter(rows + 9 * i * kRows, order, std::min(kTogether, count - i),
                             filters + filter(group, 0, k0) + (c + i) * kRows);
          }
        }
      }
    });
  }
  // Weights of `count` source channels for `valid` destination channels: [source channel][tap][kRows].
  void lay_filters(const T* weight, int64_t valid, int64_t count, float* rows) const {
    const auto turn = [&](const T* from, int64_t step, int64_t length, float* to) {
      if constexpr (std::is_same_v<T, float>) {
        transpose_rows(from, step, valid, length, to, kRows);
      } else {
        float standing[9 * kChannels * kRows];
        for (int64_t r = 0; r < valid; r++) convert_run(standing + r * length, from + r * step, length);
        transpose_rows(standing, length, valid, length, to, kRows);
      }
    };
    if (gather_.source_step == 9) {
      turn(weight, gather_.dest_step, 9 * count, rows);
    } else {
      for (int64_t i = 0; i < count; i++)
        turn(weight + i * gather_.source_step, gather_.dest_step, 9, rows + i * 9 * kRows);
    }
  }
  // G w G^T of `count` source channels, at most kTogether, for kRows destination channels.
  void transform_filter(const float* rows, const int64_t* order, int64_t count, float* to) const {
    // The second of two channels, or the first once more.
    const float* second = rows + (count - 1) * 9 * kRows;
    const int64_t step = filter_step();
    along_both<FloatVector, 3, kPoints>(
        [](const FloatVector* w, FloatVector* made) { Tiles::Line::filter(w, made); },
        [=](int i, int j) { return both(rows, second, order[3 * i + j]); },
        [=](int i, int j, FloatVector v) { put(to + (kPoints * i + j) * step, v, count); });
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

  // `v` without lane `lane`.
  static FloatVector without(FloatVector v, int64_t lane) {
    PairVector numbers;
    for (int i = 0; i < kLanes; i++) numbers[i] = static_cast<uint32_t>(i);
    return reinterpret_cast<FloatVector>(reinterpret_cast<PairVector>(v) &
                                         reinterpret_cast<PairVector>(numbers != static_cast<uint32_t>(lane)));
  }

  // The rows of a run's tiles of a plane, from (top, left) on, zero outside, each times B: place j of row i of the
  // tiles to to[(j * kPoints + i) * kPitch].
  static void lay_rows(const Plane& plane, int64_t top, int64_t left, int64_t count, float* to) {
    constexpr int64_t kStep = kSide * kLanes;  // pixels from a vector's first tile to that of the next one
    const int64_t vectors = ceil_div(count, kLanes), needed = kSide * count + 2,
                  read = (vectors - 1) * kStep + Rows::kReach;
    const int64_t lo = std::clamp<int64_t>(-left, 0, needed), hi = std::clamp<int64_t>(plane.width - left, lo, needed);
    // Where at most the first and the last pixel are not there, they are cleared in their vectors; else the row's
    // pixels are copied out.
    T edge[(kVectors - 1) * kStep + Rows::kReach];
    const bool stands = lo <= 1 && hi >= needed - 1;
    for (int64_t y = top; y < top + kPoints; y++, to += kPitch) {
      if (y < 0 || y >= plane.height) {
        for (int64_t j = 0; j < kPoints; j++)
          for (int64_t v = 0; v < vectors; v++) store_vector(to + j * kPoints * kPitch + v * kLanes, FloatVector{});
        continue;
      }
      const T* row = plane.pixels + y * plane.width + left;
      // The next plane's, which the processor does not foresee.
      for (int64_t at = 0; at < needed; at += 64 / static_cast<int64_t>(sizeof(T)))
        __builtin_prefetch(row + plane.height * plane.width + at);
      if (!stands || row < plane.begin || plane.end - row < read) {
        std::fill_n(edge, lo, T{});
        copy_run(edge + lo, row + lo, hi - lo);
        std::fill(edge + hi, edge + read, T{});
        row = edge;
      }
      for (int64_t v = 0; v < vectors; v++) {
        FloatVector pixels[kPoints], made[kPoints];
        Rows::split(row + v * kStep, pixels);
        if (v == 0 && lo == 1) pixels[0] = without(pixels[0], 0);
        if (v == vectors - 1 && hi == needed - 1)
          pixels[kPoints - 1] = without(pixels[kPoints - 1], (count - 1) % kLanes);
        Tiles::Line::source(pixels, made);
        for (int j = 0; j < kPoints; j++) store_vector(to + j * kPoints * kPitch + v * kLanes, made[j]);
      }
    }
  }

  // B^T d B of the source channels of one group, tiles begin..end, which are a panel at the most: place p of a channel
  // goes to to[channel * kWidth + p * step]. `rows` holds two panels: the rows of one channel are laid while those of
  // the channel before are on their way to the cache. `runs` is used again.
  void lay_source(int64_t group, int64_t begin, int64_t end, float* rows, std::vector<TileRun>& runs, float* to,
                  int64_t step) const {
    const int64_t size = gather_.source_pixels();
    const T* const last = gather_.source + gather_.n * gather_.groups * c_ * size;
    const GatherAxis* axis = gather_.phases[0].axis;
    const int64_t above = std::min(axis[1].offsets[0], axis[1].offsets[2]),
                  before = std::min(axis[2].offsets[0], axis[2].offsets[2]);
    tiles_.find_runs(begin, end, runs);
    // Tiles that are not there are of numbers as well.
    if (end - begin < kWidth) std::fill_n(rows, 2 * kPanelRows, 0.0f);
    const auto lay = [&](int64_t c) {
      for (const TileRun& run : runs) {
        const T* pixels = gather_.source + ((run.image * gather_.groups + group) * c_ + c) * size;
        lay_rows({gather_.source, last, pixels, gather_.source_size[1], gather_.source_size[2]},
                 kSide * run.row + above, kSide * run.first + before, run.count, rows + c % 2 * kPanelRows + run.lane);
      }
    };
    lay(0);
    for (int64_t c = 0; c < c_; c++, to += kWidth) {
      if (c + 1 < c_) lay(c + 1);
      const float* from = rows + c % 2 * kPanelRows;
      for (int j = 0; j < kPoints; j++) {
        for (int v = 0; v < kVectors; v++) {
          FloatVector column[kPoints], made[kPoints];
          for (int i = 0; i < kPoints; i++)
            column[i] = load_vector<FloatVector>(from + (j * kPoints + i) * kPitch + v * kLanes);
          Tiles::Line::source(column, made);
          for (int i = 0; i < kPoints; i++) store_vector(to + (kPoints * i + j) * step + v * kLanes, made[i]);
        }
      }
    }
  }

  // Whether all results are finite.
  bool run_block(int64_t first, int64_t last, int64_t group, int64_t k0, int64_t k1, const float* filters,
                 float* source, float* sums, float* rows, std::vector<TileRun>& runs) const {
    const int64_t step = source_step();
    for (int64_t panel = first; panel < last; panel++) {
      lay_source(group, panel * kWidth, std::min(tiles_.count, (panel + 1) * kWidth), rows, runs,
                 source + (panel - first) * c_ * kWidth, step);
    }
    bool finite = true;
    for (int64_t k = k0; k < k1; k += part_) {
      const int64_t to = std::min(k1, k + part_);
      multiply(first, last, group, k, to, filters, source, step, sums);
      for (int64_t panel = first; panel < last; panel++) {
        tiles_.find_runs(panel * kWidth, std::min(tiles_.count, (panel + 1) * kWidth), runs);
        finite = finish(panel - first, group, k, std::min(k_, to), sums, runs) && finite;
      }
    }
    return finite;
  }

  // Sums of channels k0..k1: [place][panel][channel of the part][kWidth]
  void multiply(int64_t first, int64_t last, int64_t group, int64_t k0, int64_t k1, const float* filters,
                const float* source, int64_t step, float* sums) const {
    for (int64_t place = 0; place < kPlaces; place++) {
      for (int64_t k = k0; k < k1; k += kRows) {
        const PackedRows<float> left{filters + filter(group, place, k)};
        for (int64_t panel = 0; panel < last - first; panel++) {
          micro_kernel<float, kRows, kVectors>({c_}, left, Panel<float>{source + place * step + panel * c_ * kWidth},
                                               sums + ((place * together_ + panel) * part_ + k - k0) * kWidth, kWidth,
                                               {});
        }
      }
    }
  }

  // A^T m A of a panel of one channel, whose places are `step` apart: kSide rows of kSide * kWidth pixels. Adds a NaN
  // to `checked` where one is not finite.
  static void transform_sums(const float* sums, int64_t step, float bias, T* rows, FloatVector& checked) {
    for (int v = 0; v < kVectors; v++) {
      FloatVector pixels[kSide][kSide];
      along_both<FloatVector, kPoints, kSide>(
          [](const FloatVector* m, FloatVector* made) { Tiles::Line::result(m, made); },
          [=](int i, int j) { return load_vector<FloatVector>(sums + (kPoints * i + j) * step + v * kLanes); },
          [&](int i, int j, FloatVector made) { pixels[i][j] = made + bias; });
      for (int i = 0; i < kSide; i++) {
        for (int j = 0; j < kSide; j++) checked += 0.0f * pixels[i][j];
        Rows::merge(pixels[i], rows + (i * kWidth + v * kLanes) * kSide);
      }
    }
  }

  bool finish(int64_t panel, int64_t group, int64_t k0, int64_t k1, const float* sums,
              const std::vector<TileRun>& runs) const {
    const int64_t height = gather_.dest_size[1], width = gather_.dest_size[2];
    FloatVector checked{};
    for (int64_t k = k0; k < k1; k++) {
      alignas(64) T pixels[kSide * kSide * kWidth];
      const int64_t channel = group * k_ + k;
      transform_sums(sums + (panel * part_ + k - k0) * kWidth, together_ * part_ * kWidth,
                     gather_.bias == nullptr ? 0.0f : static_cast<float>(gather_.bias[channel]), pixels, checked);
      for (const TileRun& run : runs) {
        T* to = gather_.dest + ((run.image * gather_.groups * k_ + channel) * height + kSide * run.row) * width +
                kSide * run.first;
        const int64_t count = std::min(kSide * run.count, width - kSide * run.first),
                      rows = std::min<int64_t>(kSide, height - kSide * run.row);
        for (int64_t i = 0; i < rows; i++) copy_run(to + i * width, pixels + (i * kWidth + run.lane) * kSide, count);
      }
    }
    bool finite = true;
    for (int lane = 0; lane < kLanes; lane++) finite = finite && checked[lane] == 0.0f;
    return finite;
  }
};

}  // namespace nodegrad::NODEGRAD_LEVEL
