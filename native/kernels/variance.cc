// Variance and mean of contiguous data seen as (outer, n, inner): pieces of n are taken twice (mean, then squares about it) while they
// are in cache, and combined in a fixed order by the formula of Chan, Golub and LeVeque (1979).
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "../runtime/divide.h"
#include "../runtime/registry.h"
#include "../runtime/simd.h"
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

// variance[o, i] = sum of (x - mean)^2 / max(0, n - correction); mean[o, i] beside it. NaN where n is 0.
template <class T>
void varMean(Slice<const T> input, Slice<T> variance, Slice<T> mean, int64_t outer, int64_t n, int64_t inner, double correction) {
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
  const Scratch<T> partial(units * pieces * tile * 2);
  parallel_for(units * pieces, grain_of(kFoldGrain, rows * tile), wake_for(outer * n * inner, kFoldGrain), [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; task++) {
      const int64_t unit = task / pieces;
      const int64_t first = task % pieces * rows;
      const int64_t size = std::min(rows, n - first);
      const int64_t width = std::min(tile, inner - unit % tiles * tile);
      const T* from = x + (unit / tiles * n + first) * inner + unit % tiles * tile;
      T* piece_mean = partial.get() + task * tile * 2;
      T acc[kFoldWidth];
      if (size > 0) fold_piece(Total<T>{}, from, size, inner, width, static_cast<T*>(acc));
      for (int64_t i = 0; i < width; i++) piece_mean[i] = size > 0 ? acc[i] / static_cast<T>(size) : T{0};
      squares_about(from, size, inner, width, piece_mean, piece_mean + tile);
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
          const T* from = partial.get() + (unit * pieces + piece) * tile * 2;
          const auto size = static_cast<double>(std::min(rows, n - piece * rows));
          if (size == 0) continue;
          const double delta = static_cast<double>(from[i]) - average;
          const double total = count + size;
          average = count == 0 ? static_cast<double>(from[i]) : average + delta * size / total;
          squares += static_cast<double>(from[tile + i]) + (count == 0 ? 0.0 : delta * delta * count * size / total);
          count = total;
        }
        const int64_t at = unit / tiles * inner + unit % tiles * tile + i;
        v[at] = static_cast<T>(n == 0 ? NAN : squares / divisor);
        m[at] = static_cast<T>(n == 0 ? NAN : average);
      }
    }
  });
}

}  // namespace

void add_variance(Registry& registry) { NODEGRAD_ADD(registry, varMean, float, double); }

}  // namespace nodegrad::NODEGRAD_LEVEL
