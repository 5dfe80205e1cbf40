// C = alpha op(A) op(B) + beta C (or + bias) by micro-kernels. Tiles of C in parallel, each packing what it needs for
// itself: memory that another core has just written costs more than to pack it once more. A is read where it stands if
// its rows run along the depth.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "../../runtime/divide.h"
#include "../../runtime/parallel.h"
#include "../../runtime/scratch.h"
#include "panels.h"

namespace nodegrad::NODEGRAD_LEVEL {

// Row major; `a` is m x k (k x m where ta) with row stride lda, `b` k x n (n x k where tb) with row stride ldb.
template <class T>
class PackedProduct {
  using Unit = typename Multiply<T>::Unit;
  using Sum = typename Multiply<T>::Sum;
  static constexpr int64_t kElements = Multiply<T>::kElements;
  static constexpr int64_t kWidth = kCols<T>;
  // Of what is multiplied at a time: rows whose left operand stays in a second-level cache, and columns of C. Measured.
  static constexpr int64_t kBlockRows = 64, kBlockCols = NODEGRAD_VECTOR_BYTES == 32 ? 512 : 256;
  // Multiply-adds from which a tile is cut in two: below, a thread's wake-up and packing once more cost more than they
  // bring.
  static constexpr int64_t kTileWork = int64_t{1} << 20;
  // Rows that are this many bytes apart, or a multiple, share too few places in a cache for a block of them. Measured.
  static constexpr int64_t kSharedPlaces = NODEGRAD_VECTOR_BYTES == 32 ? 4096 : 16384;

  const bool ta_, tb_;
  const int64_t m_, n_, k_, units_;
  const double alpha_, beta_;
  const T *const a_, *const b_, *const bias_;
  const int64_t lda_, ldb_, ldc_;
  T* const c_;
  const bool in_place_;  // A
  const bool direct_;    // sums go to C as they are
  const int64_t depth_;
  int64_t tile_rows_, tile_cols_, block_rows_, block_cols_;

  // So many tiles, if they can be had: sums run along k in the same order in any tile, so results do not depend on
  // their number. Where A is packed tiles are square, where it stands they are tall, which packs less of B.
  void cut_tiles(int64_t wanted) {
    tile_rows_ = round_up(m_, kRows);
    tile_cols_ = round_up(n_, kWidth);
    const int64_t taller = in_place_ ? 8 : 1;
    while (ceil_div(m_, tile_rows_) * ceil_div(n_, tile_cols_) < wanted && tile_rows_ * tile_cols_ * k_ >= kTileWork) {
      if (tile_cols_ > kWidth && (tile_cols_ * taller >= tile_rows_ || tile_rows_ <= 2 * kRows)) {
        tile_cols_ = equal_part(tile_cols_, ceil_div(tile_cols_, 2), kWidth);
      } else if (tile_rows_ > kRows) {
        tile_rows_ = equal_part(tile_rows_, ceil_div(tile_rows_, 2), kRows);
      } else {
        break;
      }
    }
    block_rows_ = equal_part(tile_rows_, kBlockRows, kRows);
    block_cols_ = equal_part(tile_cols_, kBlockCols, kWidth);
  }

  // Rows first..last of op(A) (or columns of op(B)) into panels of WIDTH, units from `unit` on.
  template <int64_t WIDTH>
  void pack(const T* from, int64_t ld, bool along_depth, int64_t first, int64_t last, int64_t unit, int64_t units,
            Unit* to) const {
    const int64_t at = unit * kElements;
    pack_panels<WIDTH>(from + (along_depth ? first * ld + at : at * ld + first), ld, along_depth, last - first,
                       std::min(units * kElements, k_ - at), to);
  }

  // Rows i0..i1 of a block of columns j0..j1, units from `unit` on; `left` and `right` are their packed operands.
  void multiply(int64_t i0, int64_t i1, int64_t j0, int64_t j1, int64_t unit, int64_t units, const Unit* left,
                const Unit* right, Sum* to, int64_t ld, const Addend<Sum>& added) const {
    const Panels<T> panels{right, units, units};
    if (in_place_) {
      rows_by_panels(a_ + i0 * lda_ + unit * kElements, lda_, i1 - i0, panels, j1 - j0, to, ld, added);
    } else {
      packed_by_panels(left, i1 - i0, panels, j1 - j0, to, ld, added);
    }
  }

  // C = alpha sums + beta C or + bias.
  void finish(int64_t i0, int64_t i1, int64_t j0, int64_t j1, const Sum* sums, int64_t ld) const {
    const auto scale = static_cast<Sum>(alpha_), keep = static_cast<Sum>(beta_);
    const int64_t cols = j1 - j0;
    for (int64_t i = i0; i < i1; i++, sums += ld) {
      T* to = c_ + i * ldc_ + j0;
      if (bias_ != nullptr) {
        NODEGRAD_SIMD
        for (int64_t j = 0; j < cols; j++) to[j] = static_cast<T>(scale * sums[j] + static_cast<Sum>(bias_[j0 + j]));
      } else if (keep != 0) {
        NODEGRAD_SIMD
        for (int64_t j = 0; j < cols; j++) to[j] = static_cast<T>(scale * sums[j] + keep * static_cast<Sum>(to[j]));
      } else {
        NODEGRAD_SIMD
        for (int64_t j = 0; j < cols; j++) to[j] = static_cast<T>(scale * sums[j]);
      }
    }
  }

  void run_tile(int64_t top, int64_t bottom, int64_t j0, int64_t j1, Unit* left, Unit* right, Sum* sums) const {
    int64_t unit = 0;
    do {
      const int64_t units = std::min(depth_, units_ - unit);
      const bool last = unit + units == units_;
      pack<kWidth>(b_, ldb_, tb_, j0, j1, unit, units, right);
      for (int64_t i0 = top; i0 < bottom; i0 += block_rows_) {
        const int64_t i1 = std::min(bottom, i0 + block_rows_);
        if (!in_place_) pack<kRows>(a_, lda_, !ta_, i0, i1, unit, units, left);
        if constexpr (std::is_same_v<T, Sum>) {
          if (direct_) {
            Sum* to = c_ + i0 * ldc_ + j0;
            multiply(i0, i1, j0, j1, unit, units, left, right, to, ldc_,
                     unit == 0 && bias_ != nullptr ? Addend<Sum>{bias_ + j0} : kept(unit > 0 || beta_ != 0, to, ldc_));
            continue;
          }
        }
        Sum* block = sums + (depth_ < units_ ? i0 - top : 0) * block_cols_;
        multiply(i0, i1, j0, j1, unit, units, left, right, block, block_cols_, kept(unit > 0, block, block_cols_));
        if (last) finish(i0, i1, j0, j1, block, block_cols_);
      }
      unit += units;
    } while (unit < units_);
  }

 public:
  PackedProduct(bool ta, bool tb, int64_t m, int64_t n, int64_t k, double alpha, const T* a, int64_t lda, const T* b,
                int64_t ldb, double beta, const T* bias, T* c, int64_t ldc, int64_t tiles)
      : ta_(ta),
        tb_(tb),
        m_(m),
        n_(n),
        k_(k),
        units_(ceil_div(k, kElements)),
        alpha_(alpha),
        beta_(bias != nullptr ? 0 : beta),
        a_(a),
        b_(b),
        bias_(bias),
        lda_(lda),
        ldb_(ldb),
        ldc_(ldc),
        c_(c),
        in_place_(!ta && k % kElements == 0 && lda * static_cast<int64_t>(sizeof(T)) % kSharedPlaces != 0),
        direct_(std::is_same_v<T, Sum> && alpha == 1 && (beta == 0 || beta == 1)),
        depth_(units_ > 0 ? equal_part(units_, kBlockDepth, 1) : 1) {
    cut_tiles(tiles);
  }

  void run() const {
    const int64_t across = ceil_div(n_, tile_cols_);
    parallel_for(ceil_div(m_, tile_rows_) * across, 1, [&](int64_t begin, int64_t end) {
      const Scratch<Unit> left(in_place_ ? 0 : block_rows_ * depth_), right(block_cols_ * depth_);
      const Scratch<Sum> sums(direct_ ? 0 : (depth_ < units_ ? tile_rows_ : block_rows_) * block_cols_);
      for (int64_t tile = begin; tile < end; tile++) {
        const int64_t top = tile / across * tile_rows_, bottom = std::min(m_, top + tile_rows_);
        const int64_t first = tile % across * tile_cols_, last = std::min(n_, first + tile_cols_);
        for (int64_t j0 = first; j0 < last; j0 += block_cols_)
          run_tile(top, bottom, j0, std::min(last, j0 + block_cols_), left.get(), right.get(), sums.get());
      }
    });
  }
};

// In tiles for every thread; a product beside others in one.
template <class T>
void packed_product(bool ta, bool tb, int64_t m, int64_t n, int64_t k, double alpha, const T* a, int64_t lda,
                    const T* b, int64_t ldb, double beta, const T* bias, T* c, int64_t ldc, bool alone) {
  PackedProduct<T>(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, bias, c, ldc, alone ? 2 * thread_count() : 1).run();
}

// In one tile: C = op(A) op(B) on the calling thread.
template <class T>
void packed_tile(bool ta, bool tb, int64_t m, int64_t n, int64_t k, const T* a, int64_t lda, const T* b, int64_t ldb,
                 T* c, int64_t ldc) {
  PackedProduct<T>(ta, tb, m, n, k, 1, a, lda, b, ldb, 0, nullptr, c, ldc, 1).run();
}

}  // namespace nodegrad::NODEGRAD_LEVEL
