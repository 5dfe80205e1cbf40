// Runs a Gather as products of packed tiles: weights packed once a call, columns of a tile of pixels a few channels at
// a time, so that they stay in cache, and micro-kernels over them. No column buffer of a whole image is ever built.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "../../runtime/parallel.h"
#include "../../runtime/scratch.h"
#include "../products/pack_rows.h"
#include "gather.h"
#include "window.h"

namespace nodegrad::NODEGRAD_LEVEL {

// Pieces that a vector may be joined of. Only the longest hold enough for that to take less time than columns.
constexpr int kMostPieces = NODEGRAD_VECTOR_BYTES == 64 ? 4 : 1;

// Whether neighbours along a row or down a column read pixels that are no neighbours.
inline bool strided(const GatherPhase& phase) { return phase.axis[1].stride != 1 || phase.axis[2].stride != 1; }

// Destination channels in blocks of a multiple of `width`: no more than it takes for `pieces` pieces of work where each
// comes `others` times, and none of much less than 64.
struct ChannelBlocks {
  int64_t size, count;

  ChannelBlocks(int64_t channels, int64_t pieces, int64_t others, int64_t width) {
    const int64_t blocks = std::min(most(channels), ceil_div(pieces, std::max<int64_t>(1, others)));
    size = round_up(ceil_div(channels, blocks), width);
    count = ceil_div(channels, size);
  }
  static int64_t most(int64_t channels) { return std::max<int64_t>(1, channels / 64); }
};

// How a Gather is cut; a function of the shape alone.
struct GatherCut {
  int64_t units;          // of source channels
  int64_t pixels;         // of all images together
  int64_t block, blocks;  // destination channels in a full block, and blocks
  int64_t tiles;          // of pixels
  bool aligned;           // whether a tile is made of whole pieces of one row each
  int pieces;             // where aligned: of a vector; runs of neighbours in a row
  bool running;  // whether vectors run on from row to row of a window: what lies between rows is computed too, and
                 // dropped
  int64_t tile;  // pixels of a full tile, at the most
  RowTiles row_tiles;  // where in_rows()

  // Whether a tile is made of whole rows, or of parts of one.
  bool in_rows() const { return aligned || running; }

  template <class T>
  explicit GatherCut(const Gather<T>& gather)
      : units(ceil_div(gather.source_channels, Multiply<T>::kElements)),
        pixels(gather.n * gather.grid_pixels()),
        tile(tile_pixels(gather)),
        row_tiles(gather.grid, tile) {
    constexpr int64_t kLanes = kCols<T> / kVectors;
    const int64_t* grid = gather.grid;
    static_assert(kLanes >= 2 * kMostPieces, "a piece has two elements at least");
    // A piece is part of one row.
    pieces = 1;
    while (pieces < kMostPieces && grid[2] % (kLanes / pieces) != 0) pieces *= 2;
    aligned = grid[2] > 0 && grid[2] % (kLanes / pieces) == 0;
    // An image smaller than a tile is laid into panels together with its neighbours.
    aligned = aligned && grid[1] * grid[2] >= std::min<int64_t>(tile, 2 * kCols<T>);
    running = runs_on(gather);
    aligned = aligned && !running;
    tiles = in_rows() ? row_tiles.count(gather.n, grid) : ceil_div(pixels, tile);
    // Each block of channels lays the tile's pixels again, which costs more as columns than as a window.
    const ChannelBlocks cut(gather.dest_channels, in_rows() ? 8 : 4, tiles * gather.groups, kRows);
    block = cut.size;
    blocks = cut.count;
  }

  // The pixels of tile t among those of all images.
  void range(const int64_t* grid, int64_t t, int64_t& begin, int64_t& end) const {
    if (in_rows()) {
      row_tiles.range(grid, t, begin, end);
    } else {
      begin = t * tile;
      end = std::min(pixels, begin + tile);
    }
  }

 private:
  // Whether vectors run on: where what they compute for nothing takes less time than the other ways do, which are
  // vectors of several pieces, and columns, whose copies are a smaller part of the work the more destination channels
  // read them. Measured.
  template <class T>
  bool runs_on(const Gather<T>& gather) const {
    constexpr double kLeastOfPieces = 0.86, kChannelsOfCopies = 9;
    constexpr int64_t kLanes = kCols<T> / kVectors;
    if (row_tiles.width < gather.grid[2] || (aligned && pieces == 1)) return false;
    int64_t wanted = 0, made = 0;
    for (const GatherPhase& phase : gather.phases) {
      Window window;
      if (phase.taps() < 2 || !window.fit(phase, row_tiles.height, row_tiles.width)) continue;
      wanted += phase.taps() * row_tiles.height * row_tiles.width;
      made += phase.taps() * round_up((row_tiles.height - 1) * window.pitch + row_tiles.width, kLanes);
    }
    const auto channels = static_cast<double>(gather.dest_channels);
    const double least =
        aligned && !strided(gather.phases[0]) ? kLeastOfPieces : channels / (channels + kChannelsOfCopies);
    return made > 0 && static_cast<double>(wanted) >= least * static_cast<double>(made);
  }
  // Channels are cut first where there are few tiles: narrow tiles read all weights again for a few pixels.
  template <class T>
  static int64_t tile_pixels(const Gather<T>& gather) {
    int64_t size = 8 * kCols<T>;
    while (size > kCols<T> &&
           ceil_div(gather.n * gather.grid_pixels(), size) * gather.groups * ChannelBlocks::most(gather.dest_channels) <
               8)
      size /= 2;
    return size;
  }
};

// Whether the phase's pixels are the grid's own, one to one, on the source's side or the destination's.
template <class T>
bool plain_source(const Gather<T>& gather, const GatherPhase& phase) {
  for (int d = 0; d < 3; d++) {
    const GatherAxis& axis = phase.axis[d];
    if (axis.offsets.size() != 1 || axis.offsets[0] != 0 || axis.stride != 1 || gather.source_size[d] != gather.grid[d])
      return false;
  }
  return true;
}
template <class T>
bool plain_dest(const Gather<T>& gather, const GatherPhase& phase) {
  for (int d = 0; d < 3; d++)
    if (phase.axis[d].start != 0 || phase.axis[d].step != 1 || gather.dest_size[d] != gather.grid[d]) return false;
  return true;
}

// What the tiles of one phase share.
template <class T>
struct PhasePlan {
  const typename Multiply<T>::Unit* weights;  // packed, or null where they are read where they stand
  bool gathered;  // whether tiles pack rows of weights that stand scattered, each for all its pixels
  int64_t step;   // units of channels that are multiplied at a time
  bool direct;    // whether pixels are read where they stand: 1x1, stride 1
  bool windowed;  // whether tiles read them from a window
  Window window;
  std::vector<int32_t> offsets;  // for every tap of `step` units, from a pixel's place in the window or in its plane

  PhasePlan(const Gather<T>& gather, const GatherPhase& phase, const GatherCut& cut,
            const typename Multiply<T>::Unit* packed)
      : weights(packed), gathered(packed == nullptr && gather.source_step != phase.taps()) {
    constexpr int64_t kWindow = 12 * 1024;  // units of a window that stay in a first-level cache
    windowed = (cut.running || (cut.aligned && (cut.pieces == 1 || !strided(phase)))) && cut.units > 0 &&
               phase.taps() > 1 && window.fit(phase, cut.row_tiles.height, cut.row_tiles.width);
    const int64_t most = windowed ? std::max(kWindow / window.unit, ceil_div(64, phase.taps()))
                                  : std::max<int64_t>(1, kDepth / std::max<int64_t>(1, phase.taps()));
    step = cut.units == 0 ? 1 : ceil_div(cut.units, ceil_div(cut.units, most));
    const int64_t pixels = gather.source_pixels();
    // Planes that lie a multiple of 1 KiB apart push each other out of the first-level cache, where a copy stays.
    direct = Multiply<T>::kElements == 1 && plain_source(gather, phase) && pixels % (kCols<T> / kVectors) == 0 &&
             step * pixels < INT32_MAX && pixels * static_cast<int64_t>(sizeof(T)) % 1024 != 0;
    if (direct)
      for (int64_t unit = 0; unit < step; unit++) offsets.push_back(static_cast<int32_t>(unit * pixels));
    if (!windowed) return;
    for (int64_t unit = 0; unit < step; unit++)
      for (const int64_t tap : window.taps) offsets.push_back(static_cast<int32_t>(unit * window.unit + tap));
  }
};

// The weights of one phase as micro-kernels read them: [group][panel of WIDTH channels][unit of source
// channels][tap][WIDTH].
template <int64_t WIDTH, class T>
void pack_weights(const Gather<T>& gather, const GatherPhase& phase, int64_t units,
                  typename Multiply<T>::Unit* packed) {
  using Unit = typename Multiply<T>::Unit;
  const int64_t panels = ceil_div(gather.dest_channels, WIDTH);
  const int64_t taps = phase.taps();
  const int64_t depth = units * taps;
  if (depth == 0) return;
  parallel_for(gather.groups * panels, grain_of(16384, depth * WIDTH), [&](int64_t first, int64_t last) {
    for (int64_t item = first; item < last; item++) {
      const int64_t k0 = item % panels * WIDTH;
      const int64_t rows = std::min<int64_t>(WIDTH, gather.dest_channels - k0);
      const T* weight = gather.group_weight(item / panels) + k0 * gather.dest_step;
      Unit* to = packed + item * depth * WIDTH;
      if constexpr (Multiply<T>::kElements == 1) {
        // Where a row's weights lie one after the other, for all channels or for each, they are transposed.
        const bool together = gather.source_step == taps;
        if (phase.weights.back() == taps - 1) {
          if (rows < WIDTH) std::fill_n(to, depth * WIDTH, Unit{});
          for (int64_t unit = 0; unit < (together ? 1 : units); unit++)
            transpose_rows(weight + unit * gather.source_step, gather.dest_step, rows, together ? depth : taps,
                           to + unit * taps * WIDTH, WIDTH);
          continue;
        }
      }
      for (int64_t unit = 0; unit < units; unit++) {
        const int64_t c = unit * Multiply<T>::kElements;
        const T* from = weight + c * gather.source_step;
        for (const int64_t tap : phase.weights) {
          for (int64_t r = 0; r < rows; r++) {
            const T* w = from + r * gather.dest_step + tap;
            if constexpr (Multiply<T>::kElements == 2) {
              const uint32_t high = c + 1 < gather.source_channels ? w[gather.source_step].bits : 0u;
              to[r] = w->bits | high << 16;
            } else {
              to[r] = *w;
            }
          }
          for (int64_t r = rows; r < WIDTH; r++) to[r] = Unit{};
          to += WIDTH;
        }
      }
    }
  });
}

// Writes rows k0..k1 of a segment's pixels, computed into `product` (a row a channel, `pitch` apart), to where the
// phase puts them.
template <class T>
void scatter_segment(const Gather<T>& gather, const GatherPhase& phase, int64_t group, int64_t k0, int64_t k1,
                     const Segment& segment, const typename Multiply<T>::Sum* product, int64_t pitch) {
  const int64_t* size = gather.dest_size;
  const GatherAxis* axis = phase.axis;
  const int64_t d = axis[0].start + segment.e * axis[0].step;
  const int64_t h = axis[1].start + segment.p * axis[1].step;
  const int64_t w = axis[2].start + segment.q * axis[2].step;
  if (d >= size[0] || h >= size[1] || w >= size[2]) return;
  const int64_t step = axis[2].step;
  const int64_t length = std::min(segment.length, ceil_div(size[2] - w, step));
  const int64_t pixels = gather.dest_pixels();
  T* to = gather.dest + ((segment.image * gather.groups + group) * gather.dest_channels + k0) * pixels +
          (d * size[1] + h) * size[2] + w;
  for (int64_t k = k0; k < k1; k++, to += pixels, product += pitch) {
    put_run(to, step, product, length);
  }
}

// What a thread keeps from tile to tile.
template <class T>
struct TileMemory {
  std::vector<Segment> segments;
  Moves moves;
  std::vector<typename Multiply<T>::Unit> columns;
  std::vector<typename Multiply<T>::Sum> product;
  std::vector<typename Multiply<T>::Sum>
      turned;  // the product with channels in its rows, where it was made with pixels in them
  std::vector<typename Multiply<T>::Unit> rows;  // of weights that stand: a tile's, packed
};
template <class T>
TileMemory<T>& tile_memory() {
  thread_local TileMemory<T> memory;
  return memory;
}

// Channels k0..k1 of one group for the pixels begin..end of all images, one phase.
template <class T>
void gather_tile(const Gather<T>& gather, const GatherCut& cut, const GatherPhase& phase, const PhasePlan<T>& plan,
                 const typename Multiply<T>::Sum* bias, int64_t group, int64_t k0, int64_t k1, int64_t begin,
                 int64_t end, TileMemory<T>& memory) {
  using Unit = typename Multiply<T>::Unit;
  using Sum = typename Multiply<T>::Sum;
  constexpr int64_t kWidth = kCols<T>, kLanes = kWidth / kVectors;
  const int64_t pixels = gather.grid_pixels();
  // Places of the tile's pixels, with those between rows where vectors run on.
  const bool running = plan.windowed && cut.running;
  const int64_t between = running ? plan.window.across.span : 0;
  const int64_t places = end - begin + between * ((end - begin) / cut.row_tiles.width - 1);
  const int64_t panels = ceil_div(places, kWidth);
  const int64_t rows = round_up(k1 - k0, kRows);
  const int64_t taps = phase.taps();
  const int64_t depth = cut.units * taps;
  const bool in_place = std::is_same_v<T, Sum> && plain_dest(gather, phase);
  // Whether a panel's sums are made where they belong: all of them are one image's.
  const auto stands = [&](int64_t panel) {
    if (running) return false;
    const int64_t from = begin + panel * kWidth;
    return in_place && (std::min(end, from + kWidth) - 1) / pixels == from / pixels;
  };
  const int64_t panel_units = plan.step * taps * kWidth;
  const int64_t width = cut.row_tiles.width;
  // Behind a window there is room for what its last vectors read too much.
  Unit* columns =
      at_least(memory.columns, plan.windowed ? plan.step * plan.window.unit + kWidth : panels * panel_units);
  Sum* product = at_least(memory.product, panels * rows * kWidth);
  const Unit* weights =
      plan.weights == nullptr
          ? nullptr
          : plan.weights + (group * ceil_div(gather.dest_channels, kRows) + k0 / kRows) * depth * kRows;
  const Sum* start = bias == nullptr ? nullptr : bias + group * gather.dest_channels + k0;
  // Where the tile begins in its image.
  const int64_t image = begin / pixels;
  const int64_t q0 = begin % gather.grid[2];
  const int64_t p0 = begin / gather.grid[2] % gather.grid[1];
  const int64_t e = begin / gather.grid[2] / gather.grid[1] % gather.grid[0];
  if (!plan.windowed && !plan.direct) {
    // Columns past the end are computed and dropped; what stands there must be numbers that were written once.
    if (end - begin < panels * kWidth) std::fill(memory.columns.begin(), memory.columns.end(), Unit{});
    memory.moves.find(gather, phase, memory.segments, kWidth, kWidth, panel_units);
  }
  int64_t unit = 0;
  do {
    const int64_t next = std::min(cut.units, unit + plan.step);
    for (int64_t u = unit; u < next && !plan.direct; u++) {
      const int64_t c = u * Multiply<T>::kElements;
      if (plan.windowed) {
        const T* source =
            gather.source + ((image * gather.groups + group) * gather.source_channels + c) * gather.source_pixels();
        const T* second =
            Multiply<T>::kElements == 2 && c + 1 < gather.source_channels ? source + gather.source_pixels() : nullptr;
        plan.window.lay(gather, phase, source, second, e, p0, p0 + ceil_div(end - begin, width), q0,
                        q0 + std::min(width, end - begin), columns + (u - unit) * plan.window.unit);
      } else {
        lay_unit(memory.moves, gather, group, c, columns + (u - unit) * taps * kWidth, unit == 0);
      }
    }
    // All panels for one tile of channels after the other, or all channels for each panel.
    const int64_t column_units =
        plan.windowed ? (next - unit) * plan.window.unit : panels * (next - unit) * taps * kWidth;
    const bool channels_first = plan.gathered || rows / kRows * column_units <= panels * rows * (next - unit) * taps;
    const int64_t chunk = channels_first ? kRows : rows;
    // Of weights that stand: where those of a channel begin, in runs that are source_step apart, and rows of them laid
    // for the micro-kernel.
    const int64_t runs = gather.source_step == taps ? 1 : next - unit;
    const int64_t length = (next - unit) * taps / runs;
    const auto first_weight = [&](int64_t k) {
      return gather.group_weight(group) + k * gather.dest_step + unit * gather.source_step;
    };
    [[maybe_unused]] const auto pack_rows = [&](int64_t k, int64_t count) {
      auto* to = at_least(memory.rows, plan.step * taps * kRows);
      for (int64_t run = 0; run < runs; run++, to += length * kRows)
        transpose_rows(first_weight(k) + run * gather.source_step, gather.dest_step, count, length, to, kRows);
    };
    const auto multiply_panel = [&](int64_t panel, int64_t first, int64_t last) {
      const int64_t from = begin + panel * kWidth;
      const int64_t to = std::min(begin + places, from + kWidth);
      Sum* out = product + (running ? panel * kWidth : panel * rows * kWidth);
      int64_t ldc = running ? panels * kWidth : kWidth, cols = running ? to - from : kWidth;
      if constexpr (std::is_same_v<T, Sum>) {
        if (stands(panel)) {
          out = gather.dest + ((from / pixels * gather.groups + group) * gather.dest_channels + k0) * pixels +
                from % pixels;
          ldc = pixels;
          cols = to - from;
        }
      }
      const auto multiply = [&](const auto& right) {
        for (int64_t k = first; k < last; k += kRows) {
          const int64_t valid = std::min<int64_t>(kRows, last - k);
          const auto rows_of = [&](const auto& left, const Depth& steps) {
            Sum* to = out + (k - k0) * ldc;
            Addend<Sum> added = kept(unit > 0, to, ldc);
            if (unit == 0 && start != nullptr) added.each_row = start + k - k0;
            partial_tile<T, kVectors>(steps, left, right, to, ldc, valid, cols, added);
          };
          if constexpr (Multiply<T>::kElements == 1) {
            if (plan.weights == nullptr) {
              if (valid == kRows && !plan.gathered) {
                rows_of(EvenRows<T>(first_weight(k), gather.dest_step), {length, runs, gather.source_step});
              } else {
                rows_of(PackedRows<T>{memory.rows.data()}, {runs * length});
              }
              continue;
            }
          }
          rows_of(PackedRows<T>{weights + ((k - k0) * depth + unit * taps * kRows)}, {(next - unit) * taps});
        }
      };
      // `place` finds where pixel `at` is read by the first tap.
      const auto look = [&](auto pieces, const auto& place) {
        constexpr int kPieces = decltype(pieces)::value;
        Places<T, kPieces> right{{}, plan.offsets.data()};
        for (int j = 0; j < kVectors * kPieces; j++) {
          // A panel's pieces past the end of the tile read what its first one reads.
          const int64_t lane = j * (kLanes / kPieces);
          right.base[j] = place(from + lane < begin + places ? from + lane : from);
        }
        multiply(right);
      };
      const auto in_window = [&](int64_t at) -> const Unit* {
        return columns + (at - begin) / width * plan.window.pitch + (at - begin) % width;
      };
      if (running) {
        look(std::integral_constant<int, 1>{}, [&](int64_t at) -> const Unit* { return columns + (at - begin); });
      } else if (plan.direct) {
        if constexpr (Multiply<T>::kElements == 1) {
          look(std::integral_constant<int, 1>{}, [&](int64_t at) {
            return gather.source + ((at / pixels * gather.groups + group) * gather.source_channels + unit) * pixels +
                   at % pixels;
          });
        }
      } else if (plan.windowed && cut.pieces == 1) {
        look(std::integral_constant<int, 1>{}, in_window);
      } else if (plan.windowed && cut.pieces == 2) {
        if constexpr (kMostPieces >= 2) look(std::integral_constant<int, 2>{}, in_window);
      } else if (plan.windowed) {
        if constexpr (kMostPieces >= 4) look(std::integral_constant<int, 4>{}, in_window);
      } else {
        multiply(Panel<T>{columns + panel * panel_units});
      }
    };
    for (int64_t k = k0; k < k1; k += chunk) {
      const int64_t last = std::min(k1, k + chunk);
      if constexpr (Multiply<T>::kElements == 1) {
        // What micro-kernels cannot read where it stands is laid once for all panels: rows that are scattered, or fewer
        // than a tile has.
        const int64_t count = plan.weights != nullptr ? 0 : plan.gathered ? last - k : (last - k) % kRows;
        if (count > 0) pack_rows(last - count, count);
      }
      for (int64_t panel = 0; panel < panels; panel++) multiply_panel(panel, k, last);
    }
    unit = next;
  } while (unit < cut.units);
  if (running) {
    for (int64_t row = 0; row < (end - begin) / width; row++)
      scatter_segment(gather, phase, group, k0, k1, {image, e, p0 + row, q0, width, 0},
                      product + row * plan.window.pitch, panels * kWidth);
    return;
  }
  for (const Segment& segment : memory.segments) {
    const int64_t panel = segment.column / kWidth;
    if (!stands(panel))
      scatter_segment(gather, phase, group, k0, k1, segment, product + panel * rows * kWidth + segment.column % kWidth,
                      kWidth);
  }
}

// Whether the weights are multiplied where they stand: where each row of them lies in one piece as the depth runs, or
// in a piece a channel beside the pieces of other rows, and few tiles read it, so that packing would be a large part of
// the work.
template <class T>
bool weights_stand(const Gather<T>& gather, const GatherCut& cut) {
  if (Multiply<T>::kElements != 1 || gather.phases.size() != 1) return false;
  const GatherPhase& phase = gather.phases[0];
  if (gather.source_step != phase.taps() && gather.dest_step != phase.taps()) return false;
  if (phase.weights.empty() || phase.weights.back() != phase.taps() - 1) return false;
  return cut.tiles <= 8;
}

// Calls tile(group, k0, k1, begin, end, memory) for all tiles of all groups and blocks of channels of a cut, in
// parallel.
template <class T, class Cut, class Tile>
void each_tile(const Gather<T>& gather, const Cut& cut, const Tile& tile) {
  parallel_for(cut.tiles * gather.groups * cut.blocks, 1, [&](int64_t first, int64_t last) {
    TileMemory<T>& memory = tile_memory<T>();
    for (int64_t item = first; item < last; item++) {
      const int64_t k0 = item % cut.blocks * cut.block;
      int64_t begin, end;
      cut.range(gather.grid, item / cut.blocks / gather.groups, begin, end);
      tile(item / cut.blocks % gather.groups, k0, std::min(gather.dest_channels, k0 + cut.block), begin, end, memory);
    }
    trim(memory.columns);
    trim(memory.product);
    trim(memory.turned);
  });
}

template <class T>
void gather_tiles(const Gather<T>& gather, const GatherCut& cut) {
  using Unit = typename Multiply<T>::Unit;
  using Sum = typename Multiply<T>::Sum;
  const int64_t padded = round_up(gather.dest_channels, kRows);
  int64_t total = 0;
  for (const GatherPhase& phase : gather.phases) total += gather.groups * padded * cut.units * phase.taps();
  const bool stand = weights_stand(gather, cut);
  const Scratch<Unit> weights(stand ? 0 : total);
  std::vector<PhasePlan<T>> plans;
  Unit* at = weights.get();
  for (const GatherPhase& phase : gather.phases) {
    if (!stand) pack_weights<kRows>(gather, phase, cut.units, at);
    plans.emplace_back(gather, phase, cut, stand ? nullptr : at);
    at += gather.groups * padded * cut.units * phase.taps();
  }
  const Scratch<Sum> bias(gather.bias == nullptr ? 0 : gather.groups * gather.dest_channels);
  if (gather.bias != nullptr)
    for (int64_t k = 0; k < gather.groups * gather.dest_channels; k++) bias[k] = static_cast<Sum>(gather.bias[k]);
  each_tile(gather, cut, [&](int64_t group, int64_t k0, int64_t k1, int64_t begin, int64_t end, TileMemory<T>& memory) {
    cut_segments(gather.grid, begin, end, kCols<T>, memory.segments);
    for (size_t f = 0; f < plans.size(); f++)
      gather_tile(gather, cut, gather.phases[f], plans[f], gather.bias == nullptr ? nullptr : bias.get(), group, k0, k1,
                  begin, end, memory);
  });
}

}  // namespace nodegrad::NODEGRAD_LEVEL
