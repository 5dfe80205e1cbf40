// Batch normalisation of contiguous [n, c, inner], forward and backward. A channel at a time where it has runs of
// elements, so that a later pass finds it in cache: in pieces of at most kRun elements, or of kGathered into which
// short runs are gathered. Where inner is 1 a channel is a column: chunks of rows are summed column by column, and
// chunks added up in order. Inputs and outputs of 16 bits are widened and narrowed piece by piece; weights and
// statistics are then float.
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "../../runtime/divide.h"
#include "../../runtime/parallel.h"
#include "../../runtime/registry.h"
#include "../../runtime/scratch.h"
#include "../../runtime/simd.h"
#include "../simd/halves.h"
#include "../simd/moments.h"
#include "../simd/wide.h"

namespace nodegrad::NODEGRAD_LEVEL {
namespace {

// Elements of a piece of gathered runs: the sums of a piece cost as much as reading some hundred elements, whatever its
// length.
constexpr int64_t kGathered = 4096;
// Rows that a column is summed over in the element type.
constexpr int64_t kRows = 64;

// The pieces of the channels of [n, c, inner].
struct Pieces {
  int64_t n, c, inner;
  bool gathered;

  // Runs are gathered that are short beside what gathering costs, which is nothing where they are widened anyhow.
  Pieces(int64_t n_, int64_t c_, int64_t inner_, bool widens)
      : n(n_), c(c_), inner(inner_), gathered(inner <= kRun / (widens ? 2 : 4)) {}

  int64_t elements() const { return n * c * inner; }
  int64_t grain() const { return grain_of(16384, n * inner); }
  // Whether a channel is one gathered piece, which is still in its buffer when it is asked for again.
  bool held() const { return gathered && n * inner <= kGathered; }

  // Calls piece(offset of the first element, elements) for all of a channel; never where it has no elements.
  template <class F>
  void each(int64_t channel, const F& piece) const {
    if (inner == 0) return;
    const int64_t rows = gathered ? kGathered / inner : 1;
    for (int64_t i = 0; i < n; i += rows) {
      const int64_t offset = (i * c + channel) * inner;
      if (gathered) {
        piece(offset, std::min(rows, n - i) * inner);
      } else {
        for (int64_t at = 0; at < inner; at += kRun) piece(offset + at, std::min(kRun, inner - at));
      }
    }
  }
  // The elements of a piece side by side, in the type of the computation: where they are, or in `buffer`.
  template <class T>
  const Wide<T>* read(const T* x, int64_t offset, int64_t size, Wide<T>* buffer) const {
    if (!gathered) return widened(x + offset, size, buffer);
    for (int64_t at = 0; at < size; at += inner, offset += c * inner) {
      if constexpr (is_half<T>) {
        widen(x + offset, buffer + at, inner);
      } else {
        copy_run(x + offset, buffer + at, inner);
      }
    }
    return buffer;
  }
  // Where results for a piece go before `write`.
  template <class T>
  Wide<T>* place(T* y, int64_t offset, Wide<T>* buffer) const {
    return gathered ? buffer : target(y + offset, buffer);
  }
  template <class T>
  void write(const Wide<T>* results, T* y, int64_t offset, int64_t size) const {
    if (!gathered) return narrowed(results, y + offset, size);
    for (int64_t at = 0; at < size; at += inner, offset += c * inner) {
      if constexpr (is_half<T>) {
        narrow(results + at, y + offset, inner);
      } else {
        copy_run(results + at, y + offset, inner);
      }
    }
  }
};

// Chunks of whole rows of [n, c], of a size that depends on the shape alone.
struct Chunks {
  int64_t n, c, rows, count;
  Chunks(int64_t n_, int64_t c_) : n(n_), c(c_) {
    rows = grain_of(65536, c * kRows) * kRows;
    count = ceil_div(n, rows);
  }
  // Calls block(chunk, first row, rows, elements in the type of the computation of each input) for blocks of at most
  // kRows rows.
  template <class T, class F>
  void each(const T* first, const T* second, const F& block) const {
    parallel_for(count, 1, [&](int64_t begin, int64_t end) {
      const Scratch<Wide<T>> a(is_half<T> ? kRows * c : 0), b(is_half<T> && second != nullptr ? kRows * c : 0);
      for (int64_t chunk = begin; chunk < end; chunk++) {
        const int64_t stop = std::min(n, (chunk + 1) * rows);
        for (int64_t row = chunk * rows; row < stop; row += kRows) {
          const int64_t size = std::min(kRows, stop - row);
          const Wide<T>* u = widened(first + row * c, size * c, a.get());
          block(chunk, row, size, u, second == nullptr ? u : widened(second + row * c, size * c, b.get()));
        }
      }
    });
  }
};

// Means and sums of squared deviations of the columns of x; blocks of rows are summed in A.
template <class A, class T>
void column_moments(const T* x, const Chunks& chunks, double* mean, double* squares) {
  using W = Wide<T>;
  const int64_t c = chunks.c;
  const Scratch<double> partial(chunks.count * 2 * c);
  chunks.each(x, static_cast<const T*>(nullptr), [&](int64_t chunk, int64_t row, int64_t size, const W* v, const W*) {
    const Scratch<A> scratch(2 * c);
    A *centre = scratch.get(), *around = centre + c;
    std::fill_n(centre, 2 * c, A{0});
    for (int64_t i = 0; i < size; i++) {
      NODEGRAD_SIMD
      for (int64_t k = 0; k < c; k++) centre[k] += static_cast<A>(v[i * c + k]);
    }
    NODEGRAD_SIMD
    for (int64_t k = 0; k < c; k++) centre[k] /= static_cast<A>(size);
    for (int64_t i = 0; i < size; i++) {
      NODEGRAD_SIMD
      for (int64_t k = 0; k < c; k++)
        around[k] += (static_cast<A>(v[i * c + k]) - centre[k]) * (static_cast<A>(v[i * c + k]) - centre[k]);
    }
    double *m = partial.get() + chunk * 2 * c, *s = m + c;
    const double before = static_cast<double>(row - chunk * chunks.rows), all = before + static_cast<double>(size);
    if (before == 0) {
      NODEGRAD_SIMD
      for (int64_t k = 0; k < c; k++) {
        m[k] = static_cast<double>(centre[k]);
        s[k] = static_cast<double>(around[k]);
      }
      return;
    }
    NODEGRAD_SIMD
    for (int64_t k = 0; k < c; k++) {
      const double delta = static_cast<double>(centre[k]) - m[k];
      m[k] += delta * (static_cast<double>(size) / all);
      s[k] += static_cast<double>(around[k]) + delta * delta * (before * static_cast<double>(size) / all);
    }
  });
  parallel_for(c, 1024, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; k++) {
      Moments all;
      for (int64_t chunk = 0; chunk < chunks.count; chunk++) {
        const double size = static_cast<double>(std::min(chunks.rows, chunks.n - chunk * chunks.rows));
        all.add(size, partial[chunk * 2 * c + k], partial[(chunk * 2 + 1) * c + k]);
      }
      mean[k] = all.mean;
      squares[k] = all.squares;
    }
  });
}

// y = (x - mean) / sqrt(var + eps) * weight + bias. In training mean and (biased) variance are those of x and are
// stored, else given; rstd is stored always. weight and bias are read only where they are there. The statistics of no
// elements are 0.
template <class T>
void batchNorm(Slice<const T> x, Slice<const Wide<T>> weight, Slice<const Wide<T>> bias, Slice<T> y,
               Slice<Wide<T>> mean, Slice<Wide<T>> variance, Slice<Wide<T>> rstd, int64_t n, int64_t c, int64_t inner,
               double eps, bool has_weight, bool has_bias, bool training) {
  using W = Wide<T>;
  const Pieces pieces(n, c, inner, is_half<T>);
  const T* in = x.at_least(pieces.elements());
  T* out = y.at_least(pieces.elements());
  if (has_weight) weight.at_least(c);
  if (has_bias) bias.at_least(c);
  mean.at_least(c);
  variance.at_least(c);
  rstd.at_least(c);
  const double count = static_cast<double>(std::max<int64_t>(1, n * inner));
  // Of a channel whose statistics are known: y = (x - mean) scale + shift.
  const auto finish = [&](int64_t channel, double squared, W& scale, W& shift) {
    rstd.data[channel] = static_cast<W>(1 / std::sqrt(squared + eps));
    scale = has_weight ? rstd.data[channel] * weight.data[channel] : rstd.data[channel];
    shift = has_bias ? bias.data[channel] : W{0};
  };
  if (inner == 1) {
    const Chunks chunks(n, c);
    const Scratch<double> moments(2 * c);
    double *average = moments.get(), *squares = average + c;
    if (training) {
      column_moments<W>(in, chunks, average, squares);
      const auto out_of_range = [&](double s) { return Moments{count, 0, s}.out_of_range(count, eps); };
      if (std::any_of(squares, squares + c, out_of_range)) column_moments<double>(in, chunks, average, squares);
    }
    const Scratch<W> factors(2 * c);
    W *scale = factors.get(), *shift = scale + c;
    for (int64_t k = 0; k < c; k++) {
      if (training) {
        mean.data[k] = static_cast<W>(average[k]);
        variance.data[k] = static_cast<W>(squares[k] / count);
      }
      finish(k, training ? squares[k] / count : static_cast<double>(variance.data[k]), scale[k], shift[k]);
    }
    const W* centre = mean.data;
    chunks.each(in, static_cast<const T*>(nullptr), [&](int64_t, int64_t row, int64_t size, const W* v, const W*) {
      const Scratch<W> buffer(is_half<T> ? size * c : 0);
      W* to = target(out + row * c, buffer.get());
      for (int64_t i = 0; i < size; i++) {
        NODEGRAD_SIMD
        for (int64_t k = 0; k < c; k++) to[i * c + k] = (v[i * c + k] - centre[k]) * scale[k] + shift[k];
      }
      narrowed(to, out + row * c, size * c);
    });
    return;
  }
  parallel_for(c, pieces.grain(), [&](int64_t begin, int64_t end) {
    W a[kGathered];
    for (int64_t channel = begin; channel < end; channel++) {
      Moments moments;
      if (training) {
        pieces.each(channel,
                    [&](int64_t offset, int64_t size) { moments.add_run(pieces.read(in, offset, size, a), size); });
        if (moments.out_of_range(count, eps)) {
          moments = Moments{};
          pieces.each(channel, [&](int64_t offset, int64_t size) {
            moments.add_run_wide(pieces.read(in, offset, size, a), size);
          });
        }
        mean.data[channel] = static_cast<W>(moments.mean);
        variance.data[channel] = static_cast<W>(moments.squares / count);
      }
      W scale, shift;
      finish(channel, training ? moments.squares / count : static_cast<double>(variance.data[channel]), scale, shift);
      const W centre = mean.data[channel];
      pieces.each(channel, [&](int64_t offset, int64_t size) {
        const W* v = training && pieces.held() ? a : pieces.read(in, offset, size, a);
        W* to = pieces.place(out, offset, a);
        map_packs(size, [=](auto u) { return (u - centre) * scale + shift; }, to, v);
        pieces.write(to, out, offset, size);
      });
    }
  });
}

// With xh = (x - mean) rstd: gradWeight = sum g xh, gradBias = sum g, and gradInput = weight rstd (g - mean(g) - xh
// mean(g xh)) in training, weight rstd g where the statistics were given.
template <class T>
void batchNormBackward(Slice<const T> g, Slice<const T> x, Slice<const Wide<T>> weight, Slice<const Wide<T>> mean,
                       Slice<const Wide<T>> rstd, Slice<T> grad_input, Slice<Wide<T>> grad_weight,
                       Slice<Wide<T>> grad_bias, int64_t n, int64_t c, int64_t inner, bool has_weight, bool training) {
  using W = Wide<T>;
  const Pieces pieces(n, c, inner, is_half<T>);
  const T* gradient = g.at_least(pieces.elements());
  const T* in = x.at_least(pieces.elements());
  T* out = grad_input.at_least(pieces.elements());
  if (has_weight) weight.at_least(c);
  mean.at_least(c);
  rstd.at_least(c);
  grad_weight.at_least(c);
  grad_bias.at_least(c);
  const double count = static_cast<double>(std::max<int64_t>(1, n * inner));
  // From sum g and sum g (x - mean) of a channel: gradInput = a g + b (x - mean) rstd + d, since the factor of x - mean
  // may leave the range of W.
  const auto finish = [&](int64_t channel, double sum, double product, W& a, W& b, W& d) {
    const double r = static_cast<double>(rstd.data[channel]);
    grad_bias.data[channel] = static_cast<W>(sum);
    grad_weight.data[channel] = static_cast<W>(product * r);
    const double scale = has_weight ? r * static_cast<double>(weight.data[channel]) : r;
    a = static_cast<W>(scale);
    b = training ? static_cast<W>(-scale * (r * product) / count) : W{0};
    d = training ? static_cast<W>(-scale * sum / count) : W{0};
  };
  if (inner == 1) {
    const Chunks chunks(n, c);
    const W* centre = mean.data;
    const Scratch<double> partial(chunks.count * 2 * c);
    chunks.each(gradient, in, [&](int64_t chunk, int64_t row, int64_t size, const W* u, const W* v) {
      const Scratch<W> scratch(2 * c);
      W *sum = scratch.get(), *product = sum + c;
      std::fill_n(sum, 2 * c, W{0});
      for (int64_t i = 0; i < size; i++) {
        NODEGRAD_SIMD
        for (int64_t k = 0; k < c; k++) {
          sum[k] += u[i * c + k];
          product[k] += u[i * c + k] * (v[i * c + k] - centre[k]);
        }
      }
      double* totals = partial.get() + chunk * 2 * c;
      if (row == chunk * chunks.rows) std::fill_n(totals, 2 * c, 0.0);
      NODEGRAD_SIMD
      for (int64_t k = 0; k < 2 * c; k++) totals[k] += static_cast<double>(sum[k]);
    });
    const Scratch<W> factors(3 * c);
    W *a = factors.get(), *b = a + c, *d = b + c;
    const W* r = rstd.data;
    for (int64_t k = 0; k < c; k++) {
      double sum = 0, product = 0;
      for (int64_t chunk = 0; chunk < chunks.count; chunk++) {
        sum += partial[chunk * 2 * c + k];
        product += partial[(chunk * 2 + 1) * c + k];
      }
      finish(k, sum, product, a[k], b[k], d[k]);
    }
    chunks.each(gradient, in, [&](int64_t, int64_t row, int64_t size, const W* u, const W* v) {
      const Scratch<W> buffer(is_half<T> ? size * c : 0);
      W* to = target(out + row * c, buffer.get());
      for (int64_t i = 0; i < size; i++) {
        NODEGRAD_SIMD
        for (int64_t k = 0; k < c; k++)
          to[i * c + k] = a[k] * u[i * c + k] + b[k] * ((v[i * c + k] - centre[k]) * r[k]) + d[k];
      }
      narrowed(to, out + row * c, size * c);
    });
    return;
  }
  parallel_for(c, pieces.grain(), [&](int64_t begin, int64_t end) {
    W first[kGathered], second[kGathered];
    for (int64_t channel = begin; channel < end; channel++) {
      const W centre = mean.data[channel];
      double sum = 0, product = 0;
      pieces.each(channel, [&](int64_t offset, int64_t size) {
        const W* u = pieces.read(gradient, offset, size, first);
        const W* v = pieces.read(in, offset, size, second);
        add_two_sums<W>(
            size, sum, product, [centre](int64_t, auto p, auto q) { return Two<decltype(p)>{p, p * (q - centre)}; }, u,
            v);
      });
      if (!std::isfinite(product)) {
        sum = product = 0;
        pieces.each(channel, [&](int64_t offset, int64_t size) {
          const W* u = pieces.read(gradient, offset, size, first);
          const W* v = pieces.read(in, offset, size, second);
          for (int64_t i = 0; i < size; i++) {
            sum += static_cast<double>(u[i]);
            product += static_cast<double>(u[i]) * (static_cast<double>(v[i]) - static_cast<double>(centre));
          }
        });
      }
      W a, b, d;
      finish(channel, sum, product, a, b, d);
      const W r = rstd.data[channel];
      pieces.each(channel, [&](int64_t offset, int64_t size) {
        const W* u = pieces.held() ? first : pieces.read(gradient, offset, size, first);
        const W* v = pieces.held() ? second : pieces.read(in, offset, size, second);
        W* to = pieces.place(out, offset, first);
        map_packs(size, [=](auto p, auto q) { return a * p + b * ((q - centre) * r) + d; }, to, u, v);
        pieces.write(to, out, offset, size);
      });
    }
  });
}

}  // namespace

void add_batch_norm(Registry& registry) {
  NODEGRAD_ADD(registry, batchNorm, NODEGRAD_FLOATING, NODEGRAD_HALVES);
  NODEGRAD_ADD(registry, batchNormBackward, NODEGRAD_FLOATING, NODEGRAD_HALVES);
}

}  // namespace nodegrad::NODEGRAD_LEVEL
