// Variance or standard deviation and mean of contiguous data seen as (outer, n, inner): pieces of n are taken twice
// (mean, then squares about it) while they are in cache, and combined in a fixed order by the formula of Chan, Golub
// and LeVeque (1979). Sums of a piece are of the element type; those that leave its range are taken again in double.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "../../runtime/divide.h"
#include "../../runtime/registry.h"
#include "../../runtime/simd.h"
#include "reduce.h"

namespace nodegrad::NODEGRAD_LEVEL {
namespace {

// squares[i] = sum of (x - mean)^2 over n, by lanes where there is one column.
template <class T>
void squares_about(const T* x, int64_t n, int64_t inner, int64_t width, const T* mean, T* squares) {
  if (inner == 1) {
    constexpr int64_t kLanes = 64;
    T lanes[kLanes] = {};
    const T m = mean[0];
    int64_t k = 0;
    for (; k + kLanes <= n; k += kLanes) {
      for (int64_t l = 0; l < kLanes; l++) lanes[l] += (x[k + l] - m) * (x[k + l] - m);
    }
    for (int64_t l = 0; k + l < n; l++) lanes[l] += (x[k + l] - m) * (x[k + l] - m);
    for (int64_t half = kLanes / 2; half >= 1; half /= 2) {
      for (int64_t l = 0; l < half; l++) lanes[l] += lanes[l + half];
    }
    squares[0] = lanes[0];
    return;
  }
  for (int64_t i = 0; i < width; i++) squares[i] = 0;
  for (int64_t k = 0; k < n; k++) {
    const T* row = x + k * inner;
    NODEGRAD_SIMD
    for (int64_t i = 0; i < width; i++) squares[i] += (row[i] - mean[i]) * (row[i] - mean[i]);
  }
}

// Mean and squares about it of one column, in double.
template <class T>
void column_about(const T* x, int64_t n, int64_t inner, double& mean, double& squares) {
  double sum = 0;
  for (int64_t k = 0; k < n; k++) sum += static_cast<double>(x[k * inner]);
  mean = sum / static_cast<double>(n);
  squares = 0;
  for (int64_t k = 0; k < n; k++) {
    const double d = static_cast<double>(x[k * inner]) - mean;
    squares += d * d;
  }
}

// variance[o, i] = sum of (x - mean)^2 / max(0, n - correction), or its square root where `root`; mean[o, i] beside it.
// NaN where n is 0.
template <class T>
void varMean(Slice<const T> input, Slice<T> variance, Slice<T> mean, int64_t outer, int64_t n, int64_t inner,
             double correction, bool root) {
  require(outer >= 0 && n >= 0 && inner >= 0, "a variance has a negative size");
  const T* x = input.at_least(outer * n * inner);
  T* v = variance.at_least(outer * inner);
  T* m = mean.at_least(outer * inner);
  if (outer * inner == 0) return;
  const double divisor = std::max(0.0, static_cast<double>(n) - correction);
  const int64_t tile = std::min(inner, kFoldWidth);
  const int64_t tiles = ceil_div(inner, tile);
  const int64_t units = outer * tiles;
  const int64_t rows = std::max<int64_t>(1, std::min(n, kFoldPiece / tile));
  const int64_t pieces = std::max<int64_t>(1, ceil_div(n, rows));
  // Mean and sum of squares of every piece.
  const Scratch<double> partial(units * pieces * tile * 2);
  // Below, squares of deviations vanish in float before their root does.
  const double least = std::is_same_v<T, float> && root ? 1e-30 : 0.0;
  parallel_for(
      units * pieces, grain_of(kFoldGrain, rows * tile), wake_for(outer * n * inner, kFoldGrain),
      [&](int64_t begin, int64_t end) {
        for (int64_t task = begin; task < end; task++) {
          const int64_t unit = task / pieces;
          const int64_t first = task % pieces * rows;
          const int64_t size = std::min(rows, n - first);
          const int64_t width = std::min(tile, inner - unit % tiles * tile);
          const T* from = x + (unit / tiles * n + first) * inner + unit % tiles * tile;
          if (size == 0) continue;
          double* piece_mean = partial.get() + task * tile * 2;
          T acc[kFoldWidth], squares[kFoldWidth];
          fold_piece(Total<T>{}, from, size, inner, width, static_cast<T*>(acc));
          for (int64_t i = 0; i < width; i++) acc[i] /= static_cast<T>(size);
          squares_about(from, size, inner, width, static_cast<const T*>(acc), static_cast<T*>(squares));
          for (int64_t i = 0; i < width; i++) {
            piece_mean[i] = static_cast<double>(acc[i]);
            piece_mean[tile + i] = static_cast<double>(squares[i]);
            if (std::is_same_v<T, float> && (!std::isfinite(squares[i]) || static_cast<double>(squares[i]) < least))
              column_about(from + i, size, inner, piece_mean[i], piece_mean[tile + i]);
          }
        }
      });
  parallel_for(units, grain_of(kFoldGrain, pieces * tile), Wake::kInARow, [&](int64_t begin, int64_t end) {
    for (int64_t unit = begin; unit < end; unit++) {
      const int64_t width = std::min(tile, inner - unit % tiles * tile);
      for (int64_t i = 0; i < width; i++) {
        double count = 0;
        double average = 0;
        double squares = 0;
        for (int64_t piece = 0; piece < pieces; piece++) {
          const double* from = partial.get() + (unit * pieces + piece) * tile * 2;
          const auto size = static_cast<double>(std::min(rows, n - piece * rows));
          if (size == 0) continue;
          const double delta = from[i] - average;
          const double total = count + size;
          average = count == 0 ? from[i] : average + delta * size / total;
          squares += from[tile + i] + (count == 0 ? 0.0 : delta * delta * count * size / total);
          count = total;
        }
        const int64_t at = unit / tiles * inner + unit % tiles * tile + i;
        v[at] = static_cast<T>(n == 0 ? NAN : root ? std::sqrt(squares / divisor) : squares / divisor);
        m[at] = static_cast<T>(n == 0 ? NAN : average);
      }
    }
  });
}

}  // namespace

void add_variance(Registry& registry) { NODEGRAD_ADD(registry, varMean, float, double); }

}  // namespace nodegrad::NODEGRAD_LEVEL
