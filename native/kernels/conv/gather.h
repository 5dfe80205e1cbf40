// Forward convolution, backward-to-input and transposed convolution as one thing: every destination pixel gathers a
// fixed pattern of source pixels. A strided backward is several such patterns (phases), one for each residue of the
// destination index, so that no multiplication with an inserted zero is made. Also how the source pixels of a tile are
// laid into columns.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "../products/pack_rows.h"
#include "../simd/pack.h"
#include "geometry.h"

namespace nodegrad::NODEGRAD_LEVEL {

// One dimension of a phase: destination start + i * step gathers source i * stride + offset for each offset (a tap).
struct GatherAxis {
  int64_t stride = 1;
  int64_t start = 0;
  int64_t step = 1;
  std::vector<int64_t> offsets;
};

struct GatherPhase {
  GatherAxis axis[3];
  std::vector<int64_t> weights;  // where each tap's weight stands, from that of its channels
  int64_t taps() const { return static_cast<int64_t>(weights.size()); }
};

// source [n, groups * source_channels, source_size...] -> dest [n, groups * dest_channels, dest_size...]. The phases
// cover every destination pixel once; `grid` holds the index range that serves all of them.
template <class T>
struct Gather {
  int64_t n, groups, source_channels, dest_channels;
  int64_t source_size[3], dest_size[3], grid[3];
  const T* source;
  const T* bias;  // [groups * dest_channels], or null
  T* dest;
  const T* weight;
  int64_t dest_step, source_step;  // from the weights of one destination or source channel to those of the next
  std::vector<GatherPhase> phases;

  int64_t source_pixels() const { return source_size[0] * source_size[1] * source_size[2]; }
  int64_t dest_pixels() const { return dest_size[0] * dest_size[1] * dest_size[2]; }
  int64_t grid_pixels() const { return grid[0] * grid[1] * grid[2]; }
  // Weights of one group.
  const T* group_weight(int64_t group) const {
    return weight + group * std::max(dest_channels * dest_step, source_channels * source_step);
  }
};

// A run of grid pixels in one row of one image: columns `column`... of a tile.
struct Segment {
  int64_t image, e, p, q, length, column;
};

// The runs that the pixels begin..end of all images consist of; none crosses a multiple of `width` columns.
inline void cut_segments(const int64_t* grid, int64_t begin, int64_t end, int64_t width,
                         std::vector<Segment>& segments) {
  segments.clear();
  for (int64_t at = begin; at < end;) {
    const int64_t q = at % grid[2];
    const int64_t row = at / grid[2];
    const int64_t column = at - begin;
    const int64_t length = std::min({grid[2] - q, end - at, width - column % width});
    segments.push_back({row / (grid[1] * grid[0]), row / grid[1] % grid[0], row % grid[1], q, length, column});
    at += length;
  }
}

// to[0..n) = from[0..n) with moves of a fixed size, the last of which overlaps the one before.
template <int BYTES>
inline void move_block(char* to, const char* from) {
  std::memcpy(to, from, BYTES);
}
template <class T>
inline void copy_run(T* to_elements, const T* from_elements, int64_t n) {
  char* to = reinterpret_cast<char*>(to_elements);
  const char* from = reinterpret_cast<const char*>(from_elements);
  const int64_t bytes = n * static_cast<int64_t>(sizeof(T));
  const auto run = [&](auto size) {
    constexpr int kSize = decltype(size)::value;
    for (int64_t i = 0; i + kSize <= bytes; i += kSize) {
      move_block<kSize>(to + i, from + i);
      // The compiler would make the loop a call.
      __asm__("" : "+r"(i));
    }
    move_block<kSize>(to + bytes - kSize, from + bytes - kSize);
  };
  if (bytes >= 64) {
    run(std::integral_constant<int, 64>{});
  } else if (bytes >= 32) {
    run(std::integral_constant<int, 32>{});
  } else if (bytes >= 16) {
    run(std::integral_constant<int, 16>{});
  } else if (bytes >= 8) {
    run(std::integral_constant<int, 8>{});
  } else {
    for (int64_t i = 0; i < n; i++) to_elements[i] = from_elements[i];
  }
}

// The same where the types may differ.
template <class To, class From>
inline void convert_run(To* to, const From* from, int64_t n) {
  if constexpr (std::is_same_v<To, From>) {
    copy_run(to, from, n);
  } else {
    NODEGRAD_SIMD
    for (int64_t i = 0; i < n; i++) to[i] = static_cast<To>(from[i]);
  }
}

// to[i * step] = from[i] for i < n.
template <class To, class From>
inline void put_run(To* to, int64_t step, const From* from, int64_t n) {
  if (step == 1) {
    convert_run(to, from, n);
    return;
  }
  if constexpr (std::is_same_v<To, From>) {
    if (step == 2) {
      store_apart(to, from, n);
      return;
    }
  }
  for (int64_t i = 0; i < n; i++) to[i * step] = static_cast<To>(from[i]);
}

// The indices i in [begin, end) for which 0 <= i * stride + offset < size, as [lo, hi); empty ranges have lo == hi.
inline void valid_range(int64_t begin, int64_t end, int64_t stride, int64_t offset, int64_t size, int64_t& lo,
                        int64_t& hi) {
  const auto steps = [&](int64_t distance) { return stride == 1 ? distance : ceil_div(distance, stride); };
  lo = offset >= 0 ? begin : std::max(begin, steps(-offset));
  hi = size - offset <= 0 ? begin : std::min(end, steps(size - offset));
  if (lo >= hi) lo = hi = begin;
}

// What one channel contributes to a tile's columns, as moves that are the same for every channel: found once a tile.
struct Moves {
  struct Copy {
    int64_t from, to, length;
  };
  struct Zero {
    int64_t to, length;
  };
  std::vector<Copy> copies;
  std::vector<Zero> zeros;
  int64_t step = 1;  // between source elements of a copy

  // Tap t of column j goes to t * row + (j / width) * panel + j % width.
  template <class T>
  void find(const Gather<T>& gather, const GatherPhase& phase, const std::vector<Segment>& segments, int64_t row,
            int64_t width, int64_t panel) {
    copies.clear();
    zeros.clear();
    step = phase.axis[2].stride;
    const int64_t* size = gather.source_size;
    const int64_t image_step = gather.groups * gather.source_channels * gather.source_pixels();
    for (const Segment& segment : segments) {
      int64_t to = segment.column / width * panel + segment.column % width;
      for (const int64_t offset_d : phase.axis[0].offsets) {
        for (const int64_t offset_h : phase.axis[1].offsets) {
          const int64_t d = segment.e * phase.axis[0].stride + offset_d;
          const int64_t h = segment.p * phase.axis[1].stride + offset_h;
          const bool outside = d < 0 || d >= size[0] || h < 0 || h >= size[1];
          for (const int64_t offset : phase.axis[2].offsets) {
            int64_t lo = segment.q, hi = segment.q;
            if (!outside) valid_range(segment.q, segment.q + segment.length, step, offset, size[2], lo, hi);
            if (lo > segment.q) zeros.push_back({to, lo - segment.q});
            if (hi > lo)
              copies.push_back({segment.image * image_step + (d * size[1] + h) * size[2] + lo * step + offset,
                                to + lo - segment.q, hi - lo});
            if (hi < segment.q + segment.length)
              zeros.push_back({to + hi - segment.q, segment.q + segment.length - hi});
            to += row;
          }
        }
      }
    }
  }
};

// Columns of one channel, as elements; zeros only where they do not stand there yet (`fresh`).
template <class T>
inline void lay_channel(const Moves& moves, const T* source, T* columns, bool fresh = true) {
  if (fresh)
    for (const Moves::Zero& zero : moves.zeros)
      for (int64_t i = 0; i < zero.length; i++) columns[zero.to + i] = T{};
  if (moves.step == 1) {
    for (const Moves::Copy& copy : moves.copies) copy_run(columns + copy.to, source + copy.from, copy.length);
  } else {
    for (const Moves::Copy& copy : moves.copies) {
      const T* from = source + copy.from;
      for (int64_t i = 0; i < copy.length; i++) columns[copy.to + i] = from[i * moves.step];
    }
  }
}

// Columns of two channels as pairs, the first in the low half; `second` is null where there is none.
inline void lay_pair(const Moves& moves, const BFloat16* first, const BFloat16* second, uint32_t* columns, bool fresh) {
  if (fresh)
    for (const Moves::Zero& zero : moves.zeros)
      for (int64_t i = 0; i < zero.length; i++) columns[zero.to + i] = 0;
  const int64_t step = moves.step;
  for (const Moves::Copy& copy : moves.copies) {
    const BFloat16* low = first + copy.from;
    const BFloat16* high = second == nullptr ? nullptr : second + copy.from;
    uint32_t* to = columns + copy.to;
    if (step == 1) {
      pair_run(to, low, high, copy.length);
    } else {
      for (int64_t i = 0; i < copy.length; i++)
        to[i] = low[i * step].bits | (high == nullptr ? 0u : static_cast<uint32_t>(high[i * step].bits) << 16);
    }
  }
}

// Channels c, ... of a group (as many as one unit of depth holds) laid into columns of units.
template <class T>
inline void lay_unit(const Moves& moves, const Gather<T>& gather, int64_t group, int64_t c,
                     typename Multiply<T>::Unit* columns, bool fresh) {
  const int64_t pixels = gather.source_pixels();
  const T* source = gather.source + (group * gather.source_channels + c) * pixels;
  if constexpr (Multiply<T>::kElements == 2) {
    lay_pair(moves, source, c + 1 < gather.source_channels ? source + pixels : nullptr, columns, fresh);
  } else {
    lay_channel(moves, source, columns, fresh);
  }
}

// Gives back what a thread keeps for its next tile, where an unusual shape made that large.
template <class T>
inline void trim(std::vector<T>& kept) {
  constexpr size_t kKept = size_t{1} << 20;
  if (kept.size() > kKept) std::vector<T>().swap(kept);
}
template <class T>
inline T* at_least(std::vector<T>& kept, int64_t count) {
  if (static_cast<int64_t>(kept.size()) < count) kept.resize(static_cast<size_t>(count));
  return kept.data();
}

}  // namespace nodegrad::NODEGRAD_LEVEL
