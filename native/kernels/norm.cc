// Batch normalisation of contiguous [n, c, inner], forward and backward, one channel a step so that its second and third pass find
// the channel in cache; where inner is 1 channels are neighbours in memory, and a block of them is walked row by row.
#include <cmath>
#include <cstdint>
#include <vector>

#include "../runtime/parallel.h"
#include "../runtime/registry.h"
#include "../runtime/simd.h"
#include "norm_sums.h"

namespace nodegrad::NODEGRAD_LEVEL {
namespace {

constexpr int64_t kColumns = 64;

int64_t channel_grain(int64_t n, int64_t inner) { return std::max<int64_t>(1, 16384 / std::max<int64_t>(1, n * inner)); }

// y = scale * x + shift for every element of channel `channel`.
template <class T>
void scale_channel(const T* x, T* y, int64_t n, int64_t c, int64_t inner, int64_t channel, T mean, T scale, T shift) {
  for (int64_t i = 0; i < n; i++) {
    const T* from = x + (i * c + channel) * inner;
    T* to = y + (i * c + channel) * inner;
    NODEGRAD_SIMD
    for (int64_t k = 0; k < inner; k++) to[k] = (from[k] - mean) * scale + shift;
  }
}
// The same for channels begin..end where inner is 1.
template <class T>
void scale_columns(const T* x, T* y, int64_t n, int64_t c, int64_t begin, int64_t end, const T* mean, const T* scale, const T* shift) {
  for (int64_t i = 0; i < n; i++) {
    const T* from = x + i * c + begin;
    T* to = y + i * c + begin;
    NODEGRAD_SIMD
    for (int64_t k = 0; k < end - begin; k++) to[k] = (from[k] - mean[k]) * scale[k] + shift[k];
  }
}

// Calls one(channel) for each channel, or block(begin, end) for blocks of at most kColumns channels where inner is 1.
template <class One, class Block>
void each_channel(int64_t n, int64_t c, int64_t inner, const One& one, const Block& block) {
  if (inner == 1) {
    parallel_for(c, kColumns, [&](int64_t begin, int64_t end) {
      for (int64_t at = begin; at < end; at += kColumns) block(at, std::min(end, at + kColumns));
    });
    return;
  }
  parallel_for(c, channel_grain(n, inner), [&](int64_t begin, int64_t end) {
    for (int64_t channel = begin; channel < end; channel++) one(channel);
  });
}

// y = (x - mean) / sqrt(var + eps) * weight + bias. In training mean and (biased) variance are those of x and are stored, else given;
// rstd is stored always. weight and bias are read only where they are there.
template <class T>
void batchNorm(Slice<const T> x, Slice<const T> weight, Slice<const T> bias, Slice<T> y, Slice<T> mean, Slice<T> variance, Slice<T> rstd, int64_t n,
               int64_t c, int64_t inner, double eps, bool has_weight, bool has_bias, bool training) {
  const T* in = x.at_least(n * c * inner);
  T* out = y.at_least(n * c * inner);
  if (has_weight) weight.at_least(c);
  if (has_bias) bias.at_least(c);
  mean.at_least(c);
  variance.at_least(c);
  rstd.at_least(c);
  const double count = static_cast<double>(n * inner);
  const auto finish = [&](int64_t channel, T& scale, T& shift) {
    rstd.data[channel] = static_cast<T>(1 / std::sqrt(static_cast<double>(variance.data[channel]) + eps));
    scale = has_weight ? rstd.data[channel] * weight.data[channel] : rstd.data[channel];
    shift = has_bias ? bias.data[channel] : T{0};
  };
  each_channel(
      n, c, inner,
      [&](int64_t channel) {
        if (training) {
          double total = 0;
          for (int64_t i = 0; i < n; i++) {
            const T* row = in + (i * c + channel) * inner;
            total += sum_terms<T>(inner, [&](int64_t k) { return row[k]; });
          }
          const T centre = static_cast<T>(total / count);
          double squares = 0;
          for (int64_t i = 0; i < n; i++) {
            const T* row = in + (i * c + channel) * inner;
            squares += sum_terms<T>(inner, [&](int64_t k) { return (row[k] - centre) * (row[k] - centre); });
          }
          mean.data[channel] = centre;
          variance.data[channel] = static_cast<T>(squares / count);
        }
        T scale, shift;
        finish(channel, scale, shift);
        scale_channel(in, out, n, c, inner, channel, mean.data[channel], scale, shift);
      },
      [&](int64_t begin, int64_t end) {
        const int64_t width = end - begin;
        if (training) {
          double total[kColumns] = {};
          for (int64_t i = 0; i < n; i++)
            for (int64_t k = 0; k < width; k++) total[k] += static_cast<double>(in[i * c + begin + k]);
          for (int64_t k = 0; k < width; k++) mean.data[begin + k] = static_cast<T>(total[k] / count);
          double squares[kColumns] = {};
          for (int64_t i = 0; i < n; i++) {
            for (int64_t k = 0; k < width; k++) {
              const double d = static_cast<double>(in[i * c + begin + k]) - static_cast<double>(mean.data[begin + k]);
              squares[k] += d * d;
            }
          }
          for (int64_t k = 0; k < width; k++) variance.data[begin + k] = static_cast<T>(squares[k] / count);
        }
        T scale[kColumns], shift[kColumns];
        for (int64_t k = 0; k < width; k++) finish(begin + k, scale[k], shift[k]);
        scale_columns(in, out, n, c, begin, end, mean.data + begin, scale, shift);
      });
}

// With xh = (x - mean) rstd: gradWeight = sum g xh, gradBias = sum g, and gradInput = weight rstd (g - mean(g) - xh mean(g xh)) in
// training, weight rstd g where the statistics were given.
template <class T>
void batchNormBackward(Slice<const T> g, Slice<const T> x, Slice<const T> weight, Slice<const T> mean, Slice<const T> rstd, Slice<T> grad_input,
                       Slice<T> grad_weight, Slice<T> grad_bias, int64_t n, int64_t c, int64_t inner, bool has_weight, bool training) {
  g.at_least(n * c * inner);
  x.at_least(n * c * inner);
  grad_input.at_least(n * c * inner);
  if (has_weight) weight.at_least(c);
  mean.at_least(c);
  rstd.at_least(c);
  grad_weight.at_least(c);
  grad_bias.at_least(c);
  const double count = static_cast<double>(n * inner);
  // gradInput = a g + b (x - mean) + d
  const auto finish = [&](int64_t channel, double sum, double product, T& a, T& b, T& d) {
    const double r = static_cast<double>(rstd.data[channel]);
    grad_bias.data[channel] = static_cast<T>(sum);
    grad_weight.data[channel] = static_cast<T>(product * r);
    const double scale = has_weight ? r * static_cast<double>(weight.data[channel]) : r;
    a = static_cast<T>(scale);
    b = training ? static_cast<T>(-scale * r * r * product / count) : T{0};
    d = training ? static_cast<T>(-scale * sum / count) : T{0};
  };
  each_channel(
      n, c, inner,
      [&](int64_t channel) {
        double sum = 0, product = 0;
        const T centre = mean.data[channel];
        for (int64_t i = 0; i < n; i++) {
          const T* from = g.data + (i * c + channel) * inner;
          const T* value = x.data + (i * c + channel) * inner;
          sum_pairs<T>(
              inner,
              [&](int64_t k, T& u, T& v) {
                u = from[k];
                v = from[k] * (value[k] - centre);
              },
              sum, product);
        }
        T a, b, d;
        finish(channel, sum, product, a, b, d);
        for (int64_t i = 0; i < n; i++) {
          const T* from = g.data + (i * c + channel) * inner;
          const T* value = x.data + (i * c + channel) * inner;
          T* to = grad_input.data + (i * c + channel) * inner;
          NODEGRAD_SIMD
          for (int64_t k = 0; k < inner; k++) to[k] = a * from[k] + b * (value[k] - centre) + d;
        }
      },
      [&](int64_t begin, int64_t end) {
        const int64_t width = end - begin;
        double sum[kColumns] = {}, product[kColumns] = {};
        const T* centre = mean.data + begin;
        for (int64_t i = 0; i < n; i++) {
          const T* from = g.data + i * c + begin;
          const T* value = x.data + i * c + begin;
          for (int64_t k = 0; k < width; k++) {
            sum[k] += static_cast<double>(from[k]);
            product[k] += static_cast<double>(from[k]) * (static_cast<double>(value[k]) - static_cast<double>(centre[k]));
          }
        }
        T a[kColumns], b[kColumns], d[kColumns];
        for (int64_t k = 0; k < width; k++) finish(begin + k, sum[k], product[k], a[k], b[k], d[k]);
        for (int64_t i = 0; i < n; i++) {
          const T* from = g.data + i * c + begin;
          const T* value = x.data + i * c + begin;
          T* to = grad_input.data + i * c + begin;
          NODEGRAD_SIMD
          for (int64_t k = 0; k < width; k++) to[k] = a[k] * from[k] + b[k] * (value[k] - centre[k]) + d[k];
        }
      });
}

}  // namespace

void add_norm(Registry& registry) {
  NODEGRAD_ADD(registry, batchNorm, NODEGRAD_FLOATING);
  NODEGRAD_ADD(registry, batchNormBackward, NODEGRAD_FLOATING);
}

}  // namespace nodegrad::NODEGRAD_LEVEL
