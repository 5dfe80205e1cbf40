// Normalisation of rows: layer, group, instance and root-mean-square normalisation, forward and backward. A row has `channels` runs
// of `inner` elements, and row r belongs to group r % groups: the weight of run c is weight[(r % groups) * channels + c]. A layer norm
// has one group and runs of one element.
#include <cmath>
#include <cstdint>

#include "../runtime/parallel.h"
#include "../runtime/registry.h"
#include "../runtime/scratch.h"
#include "../runtime/simd.h"
#include "norm_sums.h"

namespace nodegrad::NODEGRAD_LEVEL {
namespace {

int64_t row_grain(int64_t n) { return std::max<int64_t>(1, 8192 / std::max<int64_t>(1, n)); }

// y = (x - mean) * rstd * weight + bias by rows; without `centred` the mean is taken as 0. mean and rstd are stored, one a row.
template <class T>
void rowNorm(Slice<const T> x, Slice<const T> weight, Slice<const T> bias, Slice<T> y, Slice<T> mean, Slice<T> rstd, int64_t rows, int64_t groups,
             int64_t channels, int64_t inner, double eps, bool has_weight, bool has_bias, bool centred) {
  const int64_t n = channels * inner;
  x.at_least(rows * n);
  y.at_least(rows * n);
  mean.at_least(rows);
  rstd.at_least(rows);
  require(groups >= 1, "a row belongs to a group");
  if (has_weight) weight.at_least(groups * channels);
  if (has_bias) bias.at_least(groups * channels);
  parallel_for(rows, row_grain(n), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
      const T* from = x.data + row * n;
      T* to = y.data + row * n;
      const T centre = centred ? static_cast<T>(sum_terms<T>(n, [&](int64_t i) { return from[i]; }) / static_cast<double>(n)) : T{0};
      const double squares = sum_terms<T>(n, [&](int64_t i) { return (from[i] - centre) * (from[i] - centre); });
      const T r = static_cast<T>(1 / std::sqrt(squares / static_cast<double>(n) + eps));
      mean.data[row] = centre;
      rstd.data[row] = r;
      const T* w = weight.data + (has_weight ? row % groups * channels : 0);
      const T* b = bias.data + (has_bias ? row % groups * channels : 0);
      if (inner == 1) {
        if (has_weight && has_bias) {
          NODEGRAD_SIMD
          for (int64_t i = 0; i < n; i++) to[i] = (from[i] - centre) * r * w[i] + b[i];
        } else if (has_weight) {
          NODEGRAD_SIMD
          for (int64_t i = 0; i < n; i++) to[i] = (from[i] - centre) * r * w[i];
        } else {
          for (int64_t i = 0; i < n; i++) to[i] = (from[i] - centre) * r + (has_bias ? b[i] : T{0});
        }
        continue;
      }
      for (int64_t c = 0; c < channels; c++) {
        const T scale = has_weight ? r * w[c] : r;
        const T shift = has_bias ? b[c] : T{0};
        NODEGRAD_SIMD
        for (int64_t i = c * inner; i < (c + 1) * inner; i++) to[i] = (from[i] - centre) * scale + shift;
      }
    }
  });
}

// With xh = (x - mean) rstd and h = g weight: gradInput = rstd (h - mean(h) - xh mean(h xh)), the middle term only where centred;
// gradWeight = sum g xh and gradBias = sum g over rows and runs, where `affine` asks for them. Those are summed into one slice a part
// of the rows, and the slices are added up in order.
template <class T>
void rowNormBackward(Slice<const T> g, Slice<const T> x, Slice<const T> weight, Slice<const T> mean, Slice<const T> rstd, Slice<T> grad_input,
                     Slice<T> grad_weight, Slice<T> grad_bias, int64_t rows, int64_t groups, int64_t channels, int64_t inner, bool has_weight,
                     bool affine, bool centred) {
  const int64_t n = channels * inner;
  g.at_least(rows * n);
  x.at_least(rows * n);
  grad_input.at_least(rows * n);
  mean.at_least(rows);
  rstd.at_least(rows);
  require(groups >= 1 && rows % groups == 0, "rows do not fit their groups");
  const int64_t weights = groups * channels;
  if (has_weight) weight.at_least(weights);
  if (affine) {
    grad_weight.at_least(weights);
    grad_bias.at_least(weights);
  }
  // A part is some samples, each of `groups` rows.
  const int64_t samples = rows / groups;
  const int64_t samples_a_part = std::max<int64_t>(std::max<int64_t>(1, 8192 / std::max<int64_t>(1, n * groups)), (samples + 31) / 32);
  const int64_t parts = samples == 0 ? 0 : (samples + samples_a_part - 1) / samples_a_part;
  const Scratch<T> partial(affine ? parts * weights * 2 : 0);
  parallel_for(parts, 1, [&](int64_t first, int64_t last) {
    for (int64_t part = first; part < last; part++) {
      T* part_weight = partial.get() + (affine ? part * weights * 2 : 0);
      T* part_bias = part_weight + (affine ? weights : 0);
      if (affine) std::fill_n(part_weight, weights * 2, T{0});
      const int64_t stop = std::min(samples, (part + 1) * samples_a_part) * groups;
      for (int64_t row = part * samples_a_part * groups; row < stop; row++) {
        const T* from = g.data + row * n;
        const T* value = x.data + row * n;
        T* to = grad_input.data + row * n;
        const T centre = mean.data[row];
        const T r = rstd.data[row];
        const int64_t base = row % groups * channels;
        const T* w = weight.data + (has_weight ? base : 0);
        double sum = 0, product = 0;
        if (inner == 1) {
          const auto terms = [&](auto weighted) {
            sum_pairs<T>(
                n,
                [&](int64_t i, T& u, T& v) {
                  u = decltype(weighted)::value ? from[i] * w[i] : from[i];
                  v = u * (value[i] - centre);
                },
                sum, product);
          };
          if (has_weight) {
            terms(std::true_type{});
          } else {
            terms(std::false_type{});
          }
          if (affine) {
            T* gw = part_weight + base;
            T* gb = part_bias + base;
            NODEGRAD_SIMD
            for (int64_t i = 0; i < n; i++) {
              gw[i] += from[i] * ((value[i] - centre) * r);
              gb[i] += from[i];
            }
          }
        } else {
          for (int64_t c = 0; c < channels; c++) {
            const T* run = from + c * inner;
            const T* values = value + c * inner;
            double run_sum = 0, run_product = 0;
            sum_pairs<T>(
                inner,
                [&](int64_t i, T& u, T& v) {
                  u = run[i];
                  v = run[i] * (values[i] - centre);
                },
                run_sum, run_product);
            const double scale = has_weight ? static_cast<double>(w[c]) : 1;
            sum += scale * run_sum;
            product += scale * run_product;
            if (affine) {
              part_weight[base + c] += static_cast<T>(run_product * static_cast<double>(r));
              part_bias[base + c] += static_cast<T>(run_sum);
            }
          }
        }
        const double wide = static_cast<double>(r);
        const T b = static_cast<T>(-wide * wide * wide * product / static_cast<double>(n));
        const T d = centred ? static_cast<T>(-wide * sum / static_cast<double>(n)) : T{0};
        if (inner == 1 && has_weight) {
          NODEGRAD_SIMD
          for (int64_t i = 0; i < n; i++) to[i] = r * from[i] * w[i] + b * (value[i] - centre) + d;
        } else {
          for (int64_t c = 0; c < channels; c++) {
            const T a = has_weight ? r * w[c] : r;
            NODEGRAD_SIMD
            for (int64_t i = c * inner; i < (c + 1) * inner; i++) to[i] = a * from[i] + b * (value[i] - centre) + d;
          }
        }
      }
    }
  });
  if (!affine) return;
  parallel_for(weights, 4096, [&](int64_t begin, int64_t end) {
    std::fill(grad_weight.data + begin, grad_weight.data + end, T{0});
    std::fill(grad_bias.data + begin, grad_bias.data + end, T{0});
    for (int64_t part = 0; part < parts; part++) {
      const T* part_weight = partial.get() + part * weights * 2;
      NODEGRAD_SIMD
      for (int64_t i = begin; i < end; i++) {
        grad_weight.data[i] += part_weight[i];
        grad_bias.data[i] += part_weight[weights + i];
      }
    }
  });
}

}  // namespace

void add_row_norm(Registry& registry) {
  NODEGRAD_ADD(registry, rowNorm, NODEGRAD_FLOATING);
  NODEGRAD_ADD(registry, rowNormBackward, NODEGRAD_FLOATING);
}

}  // namespace nodegrad::NODEGRAD_LEVEL
