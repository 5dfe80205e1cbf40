// A layer of a recurrent network over a whole sequence, forward and backward: one product for all steps' inputs, then a
// product and a cell a step. Sequences are (steps, batch, features), contiguous; `reverse` walks them from the last
// step to the first.
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "../../runtime/parallel.h"
#include "../../runtime/registry.h"
#include "../../runtime/scratch.h"
#include "../../runtime/simd.h"
#include "../products/gemm.h"
#include "../products/packed_right.h"
#include "../simd/vector_math.h"

namespace nodegrad::NODEGRAD_LEVEL {
namespace {

enum class Mode { RnnTanh, RnnRelu, Lstm, Gru };

// Sizes of a layer; `outputs` differs from `hidden` where an LSTM projects.
struct Layer {
  Mode mode;
  int64_t steps, batch, inputs, hidden, outputs;
  bool reverse, projected;

  int64_t gates() const { return hidden * (mode == Mode::Lstm ? 4 : mode == Mode::Gru ? 3 : 1); }
  int64_t rows() const { return steps * batch; }
  // The k-th step that is computed.
  int64_t step(int64_t k) const { return reverse ? steps - 1 - k : k; }
};

Layer layer_of(int64_t mode, int64_t steps, int64_t batch, int64_t inputs, int64_t hidden, int64_t outputs,
               bool reverse, bool projected) {
  require(mode >= 0 && mode <= 3 && steps > 0 && batch >= 0 && inputs >= 0 && hidden > 0 && outputs > 0,
          "a recurrent layer has impossible sizes");
  require(projected || outputs == hidden,
          "a recurrent layer without a projection has as many outputs as hidden features");
  return {static_cast<Mode>(mode), steps, batch, inputs, hidden, outputs, reverse, projected};
}

// Calls row(b) for every batch item.
template <class F>
void for_rows(const Layer& layer, const F& row) {
  parallel_for(layer.batch, grain_of(8192, layer.hidden), [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; b++) row(b);
  });
}

// i, f, o = sigmoid, g = tanh; c = f c' + i g; h = o tanh(c). The gates are stored activated, in the order i f g o.
template <class T>
void lstm_cell(int64_t n, T* gates, const T* before, T* cell, T* hidden) {
  T *i = gates, *f = gates + n, *g = gates + 2 * n, *o = gates + 3 * n;
  each_pack<T>(n, [=](int64_t j, auto at) {
    const Pack<T> in = vec::sigmoid(at.load(i + j)), kept = vec::sigmoid(at.load(f + j));
    const Pack<T> fresh = vec::tanh(at.load(g + j)), shown = vec::sigmoid(at.load(o + j));
    const Pack<T> c = kept * at.load(before + j) + in * fresh;
    at.store(i + j, in);
    at.store(f + j, kept);
    at.store(g + j, fresh);
    at.store(o + j, shown);
    at.store(cell + j, c);
    at.store(hidden + j, shown * vec::tanh(c));
  });
}

// r, z = sigmoid(x + y); n = tanh(x + r y); h = n + z (h' - n). `gates` holds the inputs' part x and then r z n, `part`
// the hidden part y; the hidden part of n is kept for backward.
template <class T>
void gru_cell(int64_t n, T* gates, const T* part, const T* before, T* kept, T* hidden) {
  T *r = gates, *z = gates + n, *c = gates + 2 * n;
  each_pack<T>(n, [=](int64_t j, auto at) {
    const Pack<T> reset = vec::sigmoid(at.load(r + j) + at.load(part + j));
    const Pack<T> update = vec::sigmoid(at.load(z + j) + at.load(part + n + j));
    const Pack<T> y = at.load(part + 2 * n + j);
    const Pack<T> fresh = vec::tanh(at.load(c + j) + reset * y);
    at.store(r + j, reset);
    at.store(z + j, update);
    at.store(kept + j, y);
    at.store(c + j, fresh);
    at.store(hidden + j, fresh + update * (at.load(before + j) - fresh));
  });
}

template <class T>
void rnn_cell(int64_t n, bool relu, const T* gates, T* hidden) {
  if (relu) {
    NODEGRAD_SIMD
    for (int64_t j = 0; j < n; j++) hidden[j] = gates[j] < 0 ? T{0} : gates[j];
  } else {
    map_packs(n, [](Pack<T> x) { return vec::tanh(x); }, hidden, gates);
  }
}

// out (steps x batch x outputs) of one layer. gates (.. x gates), cells (.. x hidden: the LSTM's c, the GRU's hidden
// part of n) and hidden (the LSTM's h before a projection) are kept for backward; what a mode does not use may be
// empty. Without biases both are empty.
template <class T>
void recurrent_layer(Slice<const T> x, Slice<const T> h0, Slice<const T> c0, Slice<const T> w_ih, Slice<const T> w_hh,
                     Slice<const T> b_ih, Slice<const T> b_hh, Slice<const T> w_hr, Slice<T> gates, Slice<T> cells,
                     Slice<T> hidden, Slice<T> out, int64_t mode, int64_t steps, int64_t batch, int64_t inputs,
                     int64_t hidden_size, int64_t outputs, bool reverse) {
  const Layer layer = layer_of(mode, steps, batch, inputs, hidden_size, outputs, reverse, w_hr.size > 0);
  const int64_t n = hidden_size, width = layer.gates(), rows = layer.rows(), p = outputs;
  const bool lstm = layer.mode == Mode::Lstm, gru = layer.mode == Mode::Gru, biased = b_ih.size > 0;
  const T* before_all = h0.at_least(batch * p);
  w_ih.at_least(width * inputs);
  w_hh.at_least(width * p);
  x.at_least(rows * inputs);
  T* gate = gates.at_least(rows * width);
  T* to = out.at_least(rows * p);
  T* cell = cells.at_least(lstm || gru ? rows * n : 0);
  T* wide = layer.projected ? hidden.at_least(rows * n) : to;
  if (lstm) c0.at_least(batch * n);
  if (layer.projected) w_hr.at_least(p * n);
  if (batch == 0) return;

  if (biased) {
    // The GRU's hidden bias belongs inside the product with r, so it is added to the hidden part instead.
    const Scratch<T> bias(width);
    const T *from_x = b_ih.at_least(width), *from_h = b_hh.at_least(width);
    for (int64_t j = 0; j < width; j++) bias[j] = gru ? from_x[j] : from_x[j] + from_h[j];
    gemm_bias(false, true, rows, width, inputs, T{1}, x.data, inputs, w_ih.data, inputs, bias.get(), gate, width);
  } else {
    gemm(false, true, rows, width, inputs, T{1}, x.data, inputs, w_ih.data, inputs, T{0}, gate, width);
  }

  const Scratch<T> part(gru ? batch * width : 0);
  const PackedRight<T> recurrent(true, batch, width, p, w_hh.data, p, steps);
  const T* before = before_all;
  const T* cell_before = c0.data;
  for (int64_t k = 0; k < steps; k++) {
    const int64_t at = layer.step(k) * batch;
    T* g = gate + at * width;
    T* h = wide + at * n;
    if (gru && biased) {
      for (int64_t b = 0; b < batch; b++) std::copy(b_hh.data, b_hh.data + width, part.get() + b * width);
    }
    recurrent.multiply(batch, before, p, gru && !biased ? T{0} : T{1}, gru ? part.get() : g, width);
    for_rows(layer, [&](int64_t b) {
      if (lstm) {
        lstm_cell(n, g + b * width, cell_before + b * n, cell + (at + b) * n, h + b * n);
      } else if (gru) {
        gru_cell(n, g + b * width, part.get() + b * width, before + b * p, cell + (at + b) * n, h + b * n);
      } else {
        rnn_cell(n, layer.mode == Mode::RnnRelu, g + b * width, h + b * n);
      }
    });
    if (layer.projected) gemm(false, true, batch, p, n, T{1}, h, n, w_hr.data, n, T{0}, to + at * p, p);
    before = to + at * p;
    cell_before = lstm ? cell + at * n : nullptr;
  }
}

// Gradients of the pre-activations into `slope`; dc goes from that of c to that of the cell before.
template <class T>
void lstm_cell_backward(int64_t n, const T* gates, const T* cell, const T* before, const T* dh, T* dc, T* slope) {
  const T *i = gates, *f = gates + n, *g = gates + 2 * n, *o = gates + 3 * n;
  T *di = slope, *df = slope + n, *dg = slope + 2 * n, *d_o = slope + 3 * n;
  each_pack<T>(n, [=](int64_t j, auto at) {
    const Pack<T> y = vec::tanh(at.load(cell + j));
    const Pack<T> in = at.load(i + j), kept = at.load(f + j), fresh = at.load(g + j), shown = at.load(o + j),
                  h = at.load(dh + j);
    const Pack<T> d = at.load(dc + j) + h * shown * (T{1} - y * y);
    at.store(di + j, d * fresh * in * (T{1} - in));
    at.store(df + j, d * at.load(before + j) * kept * (T{1} - kept));
    at.store(dg + j, d * in * (T{1} - fresh * fresh));
    at.store(d_o + j, h * y * shown * (T{1} - shown));
    at.store(dc + j, d * kept);
  });
}

// Gradients of the inputs' part into `slope`, of the hidden part into `part`; dh becomes what reaches h' beside the
// product.
template <class T>
void gru_cell_backward(int64_t n, const T* gates, const T* kept, const T* before, T* dh, T* slope, T* part) {
  const T *r = gates, *z = gates + n, *c = gates + 2 * n;
  NODEGRAD_SIMD
  for (int64_t j = 0; j < n; j++) {
    const T dn = dh[j] * (T{1} - z[j]) * (T{1} - c[j] * c[j]);
    const T dz = dh[j] * (before[j] - c[j]) * z[j] * (T{1} - z[j]);
    const T dr = dn * kept[j] * r[j] * (T{1} - r[j]);
    slope[j] = dr;
    slope[n + j] = dz;
    slope[2 * n + j] = dn;
    part[j] = dr;
    part[n + j] = dz;
    part[2 * n + j] = dn * r[j];
    dh[j] *= z[j];
  }
}

// The sums of the columns of a rows x n matrix.
template <class T>
void column_sums(int64_t rows, int64_t n, const T* x, T* out) {
  parallel_for(n, 64, [&](int64_t begin, int64_t end) {
    std::fill(out + begin, out + end, T{0});
    for (int64_t i = 0; i < rows; i++) {
      NODEGRAD_SIMD
      for (int64_t j = begin; j < end; j++) out[j] += x[i * n + j];
    }
  });
}

// Gradients of a layer from those of out (may be empty), of the last h and c (may be empty). dx, dw_ih, dw_hh, db_ih,
// db_hh and dw_hr are computed where they are not empty; dh0 and dc0 always (dc0 for an LSTM).
template <class T>
void recurrent_layer_backward(Slice<const T> g_out, Slice<const T> g_h, Slice<const T> g_c, Slice<const T> x,
                              Slice<const T> h0, Slice<const T> c0, Slice<const T> w_ih, Slice<const T> w_hh,
                              Slice<const T> w_hr, Slice<const T> gates, Slice<const T> cells, Slice<const T> hidden,
                              Slice<const T> out, Slice<T> dx, Slice<T> dh0, Slice<T> dc0, Slice<T> dw_ih,
                              Slice<T> dw_hh, Slice<T> db_ih, Slice<T> db_hh, Slice<T> dw_hr, int64_t mode,
                              int64_t steps, int64_t batch, int64_t inputs, int64_t hidden_size, int64_t outputs,
                              bool reverse) {
  const Layer layer = layer_of(mode, steps, batch, inputs, hidden_size, outputs, reverse, w_hr.size > 0);
  const int64_t n = hidden_size, width = layer.gates(), rows = layer.rows(), p = outputs;
  const bool lstm = layer.mode == Mode::Lstm, gru = layer.mode == Mode::Gru, projected = layer.projected;
  if (g_out.size > 0) g_out.at_least(rows * p);
  if (g_h.size > 0) g_h.at_least(batch * p);
  if (g_c.size > 0) g_c.at_least(batch * n);
  x.at_least(rows * inputs);
  h0.at_least(batch * p);
  w_ih.at_least(width * inputs);
  w_hh.at_least(width * p);
  gates.at_least(rows * width);
  cells.at_least(lstm || gru ? rows * n : 0);
  out.at_least(rows * p);
  if (lstm) c0.at_least(batch * n);
  if (projected) {
    w_hr.at_least(p * n);
    hidden.at_least(rows * n);
  }

  const Scratch<T> slopes(rows * width);                   // of the inputs' part of the gates
  const Scratch<T> parts(gru ? rows * width : 0);          // of the hidden part, where it differs
  const Scratch<T> projections(projected ? rows * p : 0);  // of each step's output
  const Scratch<T> dhidden(projected ? batch * n : 0);     // of h before the projection
  T* const part_all = gru ? parts.get() : slopes.get();
  T* dh = dh0.at_least(batch * p);
  T* dc = lstm ? dc0.at_least(batch * n) : nullptr;
  std::fill(dh, dh + batch * p, T{0});
  if (g_h.size > 0) std::copy(g_h.data, g_h.data + batch * p, dh);
  if (lstm) {
    std::fill(dc, dc + batch * n, T{0});
    if (g_c.size > 0) std::copy(g_c.data, g_c.data + batch * n, dc);
  }
  const PackedRight<T> recurrent(false, batch, p, width, w_hh.data, p, steps);
  for (int64_t k = steps - 1; k >= 0; k--) {
    const int64_t at = layer.step(k) * batch;
    const int64_t at_before = k == 0 ? 0 : layer.step(k - 1) * batch;
    const T* before = k == 0 ? h0.data : out.data + at_before * p;
    const T* cell_before = !lstm ? nullptr : k == 0 ? c0.data : cells.data + at_before * n;
    if (g_out.size > 0) {
      const T* g = g_out.data + at * p;
      for (int64_t j = 0; j < batch * p; j++) dh[j] += g[j];
    }
    if (projected) {
      std::copy(dh, dh + batch * p, projections.get() + at * p);
      gemm(false, false, batch, n, p, T{1}, dh, p, w_hr.data, n, T{0}, dhidden.get(), n);
    }
    T* d = projected ? dhidden.get() : dh;
    for_rows(layer, [&](int64_t b) {
      T* slope = slopes.get() + (at + b) * width;
      const T* gate = gates.data + (at + b) * width;
      if (lstm) {
        lstm_cell_backward(n, gate, cells.data + (at + b) * n, cell_before + b * n, d + b * n, dc + b * n, slope);
      } else if (gru) {
        gru_cell_backward(n, gate, cells.data + (at + b) * n, before + b * p, d + b * n, slope,
                          part_all + (at + b) * width);
      } else {
        const T* y = out.data + (at + b) * p;
        const bool relu = layer.mode == Mode::RnnRelu;
        NODEGRAD_SIMD
        for (int64_t j = 0; j < n; j++)
          slope[j] = relu ? (y[j] > 0 ? d[b * n + j] : T{0}) : d[b * n + j] * (T{1} - y[j] * y[j]);
      }
    });
    // What reaches h' through the product; the GRU's h' is reached beside it as well.
    recurrent.multiply(batch, part_all + at * width, width, gru ? T{1} : T{0}, dh, p);
  }

  if (dx.size > 0) {
    gemm(false, false, rows, inputs, width, T{1}, slopes.get(), width, w_ih.data, inputs, T{0},
         dx.at_least(rows * inputs), inputs);
  }
  if (dw_ih.size > 0) {
    gemm(true, false, width, inputs, rows, T{1}, slopes.get(), width, x.data, inputs, T{0},
         dw_ih.at_least(width * inputs), inputs);
  }
  if (dw_hh.size > 0) {
    T* dw = dw_hh.at_least(width * p);
    const int64_t later = (steps - 1) * batch;
    const T* const rest = part_all + (reverse ? 0 : batch * width);
    const T* const earlier = out.data + (reverse ? batch * p : 0);
    gemm(true, false, width, p, later, T{1}, rest, width, earlier, p, T{0}, dw, p);
    gemm(true, false, width, p, batch, T{1}, part_all + layer.step(0) * batch * width, width, h0.data, p, T{1}, dw, p);
  }
  if (db_ih.size > 0) column_sums(rows, width, slopes.get(), db_ih.at_least(width));
  if (db_hh.size > 0) {
    T* sums = db_hh.at_least(width);
    if (part_all == slopes.get() && db_ih.size > 0) {
      std::copy(db_ih.data, db_ih.data + width, sums);
    } else {
      column_sums(rows, width, part_all, sums);
    }
  }
  if (projected && dw_hr.size > 0) {
    gemm(true, false, p, n, rows, T{1}, projections.get(), p, hidden.data, n, T{0}, dw_hr.at_least(p * n), n);
  }
}

}  // namespace

void add_recurrent(Registry& registry) {
  registry.add_each<NODEGRAD_FLOATING>("recurrentLayer",
                                       [](auto tag) { return &recurrent_layer<typename decltype(tag)::type>; });
  registry.add_each<NODEGRAD_FLOATING>(
      "recurrentLayerBackward", [](auto tag) { return &recurrent_layer_backward<typename decltype(tag)::type>; });
}

}  // namespace nodegrad::NODEGRAD_LEVEL
