// Normalisation of rows: layer, group, instance and root-mean-square normalisation, forward and backward. A row has
// `channels` runs of `inner` elements, and row r belongs to group r % groups: the weight of run c is weight[(r %
// groups) * channels + c]. A layer norm has one group and runs of one element. Rows of 16 bits are widened and narrowed
// one by one; weights and statistics are then float.
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "../../runtime/divide.h"
#include "../../runtime/parallel.h"
#include "../../runtime/registry.h"
#include "../../runtime/scratch.h"
#include "../../runtime/simd.h"
#include "../simd/moments.h"
#include "../simd/wide.h"

namespace nodegrad::NODEGRAD_LEVEL {
namespace {

int64_t row_grain(int64_t n) { return grain_of(8192, n); }

// Calls run(begin, size) for runs of at most kRun elements of 0..n-1.
template <class F>
void each_run(int64_t n, const F& run) {
  for (int64_t at = 0; at < n; at += kRun) run(at, std::min(kRun, n - at));
}

// y = (x - mean) * rstd * weight + bias by rows; without `centred` the mean is taken as 0. mean and rstd are stored,
// one a row.
template <class T>
void rowNorm(Slice<const T> x, Slice<const Wide<T>> weight, Slice<const Wide<T>> bias, Slice<T> y, Slice<Wide<T>> mean,
             Slice<Wide<T>> rstd, int64_t rows, int64_t groups, int64_t channels, int64_t inner, double eps,
             bool has_weight, bool has_bias, bool centred) {
  using W = Wide<T>;
  const int64_t n = channels * inner;
  x.at_least(rows * n);
  y.at_least(rows * n);
  mean.at_least(rows);
  rstd.at_least(rows);
  require(groups >= 1, "a row belongs to a group");
  if (has_weight) weight.at_least(groups * channels);
  if (has_bias) bias.at_least(groups * channels);
  parallel_for(rows, row_grain(n), [&](int64_t begin, int64_t end) {
    const Scratch<W> buffers(is_half<T> ? 2 * n : 0);
    for (int64_t row = begin; row < end; row++) {
      const W* from = widened(x.data + row * n, n, buffers.get());
      W* to = target(y.data + row * n, buffers.get() + n);
      Moments moments;
      if (centred) {
        each_run(n, [&](int64_t at, int64_t size) { moments.add_run(from + at, size); });
      } else {
        each_run(n, [&](int64_t at, int64_t size) {
          moments.squares += sum_run<W>(size, [](auto v) { return v * v; }, from + at);
        });
      }
      if (moments.out_of_range(static_cast<double>(n), eps)) {
        moments = Moments{};
        if (centred) {
          moments.add_run_wide(from, n);
        } else {
          for (int64_t i = 0; i < n; i++)
            moments.squares += static_cast<double>(from[i]) * static_cast<double>(from[i]);
        }
      }
      const W centre = static_cast<W>(moments.mean);
      const W r = static_cast<W>(1 / std::sqrt(moments.squares / static_cast<double>(n) + eps));
      mean.data[row] = centre;
      rstd.data[row] = r;
      const W* w = weight.data + (has_weight ? row % groups * channels : 0);
      const W* b = bias.data + (has_bias ? row % groups * channels : 0);
      if (inner > 1) {
        for (int64_t c = 0; c < channels; c++) {
          const W scale = has_weight ? r * w[c] : r;
          const W shift = has_bias ? b[c] : W{0};
          map_packs(inner, [=](auto v) { return (v - centre) * scale + shift; }, to + c * inner, from + c * inner);
        }
      } else if (has_weight && has_bias) {
        map_packs(n, [=](auto v, auto scale, auto shift) { return (v - centre) * r * scale + shift; }, to, from, w, b);
      } else if (has_weight) {
        map_packs(n, [=](auto v, auto scale) { return (v - centre) * r * scale; }, to, from, w);
      } else if (has_bias) {
        map_packs(n, [=](auto v, auto shift) { return (v - centre) * r + shift; }, to, from, b);
      } else {
        map_packs(n, [=](auto v) { return (v - centre) * r; }, to, from);
      }
      narrowed(to, y.data + row * n, n);
    }
  });
}

// With xh = (x - mean) rstd and h = g weight: gradInput = rstd (h - mean(h) - xh mean(h xh)), the middle term only
// where centred; gradWeight = sum g xh and gradBias = sum g over rows and runs, where `affine` asks for them. Those are
// summed into one slice a part of the rows, and the slices are added up in order.
template <class T>
void rowNormBackward(Slice<const T> g, Slice<const T> x, Slice<const Wide<T>> weight, Slice<const Wide<T>> mean,
                     Slice<const Wide<T>> rstd, Slice<T> grad_input, Slice<Wide<T>> grad_weight,
                     Slice<Wide<T>> grad_bias, int64_t rows, int64_t groups, int64_t channels, int64_t inner,
                     bool has_weight, bool affine, bool centred) {
  using W = Wide<T>;
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
  const int64_t samples_a_part = std::max<int64_t>(grain_of(8192, n * groups), (samples + 31) / 32);
  const int64_t parts = samples == 0 ? 0 : ceil_div(samples, samples_a_part);
  const Scratch<W> partial(affine ? parts * weights * 2 : 0);
  parallel_for(parts, 1, [&](int64_t first, int64_t last) {
    const Scratch<W> buffers(is_half<T> ? 3 * n : 0);
    for (int64_t part = first; part < last; part++) {
      W* part_weight = partial.get() + (affine ? part * weights * 2 : 0);
      W* part_bias = part_weight + (affine ? weights : 0);
      if (affine) std::fill_n(part_weight, weights * 2, W{0});
      const int64_t stop = std::min(samples, (part + 1) * samples_a_part) * groups;
      for (int64_t row = part * samples_a_part * groups; row < stop; row++) {
        const W* from = widened(g.data + row * n, n, buffers.get());
        const W* value = widened(x.data + row * n, n, buffers.get() + n);
        W* to = target(grad_input.data + row * n, buffers.get() + 2 * n);
        const W centre = mean.data[row];
        const W r = rstd.data[row];
        const int64_t base = row % groups * channels;
        const W* w = weight.data + (has_weight ? base : 0);
        double sum = 0, product = 0;
        if (inner == 1) {
          const auto sums = [&](auto with_weight, auto with_affine) {
            constexpr bool kWeight = decltype(with_weight)::value, kAffine = decltype(with_affine)::value;
            each_run(n, [&](int64_t at, int64_t size) {
              W *gw = part_weight + base + at, *gb = part_bias + base + at;
              const auto both = [&](int64_t i, auto p, auto q, auto h) {
                const auto d = q - centre;
                if constexpr (kAffine) {
                  add_to(gw + i, p * (d * r));
                  add_to(gb + i, p);
                }
                return Two<decltype(p)>{h, h * d};
              };
              if constexpr (kWeight) {
                add_two_sums<W>(
                    size, sum, product, [&](int64_t i, auto p, auto q, auto scale) { return both(i, p, q, p * scale); },
                    from + at, value + at, w + at);
              } else {
                add_two_sums<W>(
                    size, sum, product, [&](int64_t i, auto p, auto q) { return both(i, p, q, p); }, from + at,
                    value + at);
              }
            });
          };
          const std::true_type yes;
          const std::false_type no;
          if (has_weight) {
            affine ? sums(yes, yes) : sums(yes, no);
          } else {
            affine ? sums(no, yes) : sums(no, no);
          }
        } else {
          for (int64_t c = 0; c < channels; c++) {
            double run_sum = 0, run_product = 0;
            each_run(inner, [&](int64_t at, int64_t size) {
              const W *u = from + c * inner + at, *v = value + c * inner + at;
              add_two_sums<W>(
                  size, run_sum, run_product,
                  [centre](int64_t, auto p, auto q) { return Two<decltype(p)>{p, p * (q - centre)}; }, u, v);
            });
            const double scale = has_weight ? static_cast<double>(w[c]) : 1;
            sum += scale * run_sum;
            product += scale * run_product;
            if (affine) {
              part_weight[base + c] += static_cast<W>(run_product * static_cast<double>(r));
              part_bias[base + c] += static_cast<W>(run_sum);
            }
          }
        }
        if (!std::isfinite(product)) {
          sum = product = 0;
          for (int64_t i = 0; i < n; i++) {
            const double h = static_cast<double>(from[i]) * (has_weight ? static_cast<double>(w[i / inner]) : 1);
            sum += h;
            product += h * (static_cast<double>(value[i]) - static_cast<double>(centre));
          }
        }
        const double wide = static_cast<double>(r);
        // The factor of (x - mean) rstd, since that of x - mean may leave the range of the type.
        const W b = static_cast<W>(-wide * (wide * product) / static_cast<double>(n));
        const W d = centred ? static_cast<W>(-wide * sum / static_cast<double>(n)) : W{0};
        if (inner == 1 && has_weight) {
          map_packs(
              n, [=](auto p, auto q, auto scale) { return r * p * scale + b * ((q - centre) * r) + d; }, to, from,
              value, w);
        } else if (inner == 1) {
          map_packs(n, [=](auto p, auto q) { return r * p + b * ((q - centre) * r) + d; }, to, from, value);
        } else {
          for (int64_t c = 0; c < channels; c++) {
            const W a = has_weight ? r * w[c] : r;
            map_packs(
                inner, [=](auto p, auto q) { return a * p + b * ((q - centre) * r) + d; }, to + c * inner,
                from + c * inner, value + c * inner);
          }
        }
        narrowed(to, grad_input.data + row * n, n);
      }
    }
  });
  if (!affine) return;
  parallel_for(weights, 4096, [&](int64_t begin, int64_t end) {
    std::fill(grad_weight.data + begin, grad_weight.data + end, W{0});
    std::fill(grad_bias.data + begin, grad_bias.data + end, W{0});
    for (int64_t part = 0; part < parts; part++) {
      const W* part_weight = partial.get() + part * weights * 2;
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
  NODEGRAD_ADD(registry, rowNorm, NODEGRAD_FLOATING, NODEGRAD_HALVES);
  NODEGRAD_ADD(registry, rowNormBackward, NODEGRAD_FLOATING, NODEGRAD_HALVES);
}

}  // namespace nodegrad::NODEGRAD_LEVEL
