// Scaled dot product attention, tile by tile: softmax(scale q k^T + mask) v without the whole matrix of weights in
// memory. Forward keeps the logarithm of each row's sum; backward computes the weights of a tile anew from it.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "../../runtime/divide.h"
#include "../../runtime/parallel.h"
#include "../../runtime/registry.h"
#include "../../runtime/scratch.h"
#include "../../runtime/simd.h"
#include "../products/panels.h"
#include "../simd/exp_rows.h"

namespace nodegrad::NODEGRAD_LEVEL {
namespace {

// Keys, in panels, that a tile of queries meets at a time: they and the tile's scores stay in the second-level cache.
// Few queries, as half of a causal tile's last keys are in vain; with many more, the scores would leave the first-level
// cache. Measured.
constexpr int64_t kQueries = 48;
constexpr int64_t kKeys = 256;

// Sizes of one attention: queries, keys, features of q and k, features of v; row strides of q, k, v, and both strides
// of the mask. Rows of `together` items lie side by side in all that is contiguous (but lse): first row 0 of each, then
// row 1 of each.
struct Sizes {
  int64_t queries, keys, features, values;
  int64_t step_q, step_k, step_v, mask_row, mask_col;
  int64_t together;
  bool masked, causal;

  int64_t tiles() const { return ceil_div(queries, kQueries); }
  int64_t block() const { return std::min(keys, kKeys); }
  // From a row of a tile's scores to the next one: room for the last tile of lines, and no power of two, whose
  // multiples share places in a cache.
  int64_t pitch() const { return round_up(block(), 16) + 16; }
  // Where an item's rows of `width` begin, `count` of them an item, and from a row to the next one.
  int64_t first(int64_t item, int64_t count, int64_t width) const {
    return (item / together * count * together + item % together) * width;
  }
  int64_t step_out() const { return together * values; }
  int64_t step_gradient() const { return together * features; }
  // How many of `cols` keys from j0 on query i sees.
  int64_t seen(int64_t i, int64_t j0, int64_t cols) const {
    return causal ? std::clamp<int64_t>(i + 1 - j0, 0, cols) : cols;
  }
};

// Offsets of the operands [index, q, k, v, mask] of one batch item.
struct Place {
  int64_t at[5];
};

Place locate(const Plan& plan, int64_t item) {
  Place place{{item, item, item, item, item}};
  if (plan.contiguous()) return place;
  std::fill(place.at, place.at + 5, int64_t{0});
  for (int d = plan.ndim() - 1; d >= 0; d--) {
    const int64_t i = item % plan.size(d);
    item /= plan.size(d);
    for (int k = 0; k < 5; k++) place.at[k] += i * plan.stride(k, d);
  }
  return place;
}

// Checks that every item's matrices lie inside their slices.
template <class T>
void check(const Plan& plan, const Sizes& s, const Slice<const T>& q, const Slice<const T>& k, const Slice<const T>& v,
           const Slice<const T>& mask) {
  require(s.queries > 0 && s.keys > 0 && s.features > 0 && s.values > 0, "an attention has no elements");
  require(s.step_q >= s.features && s.step_k >= s.features && s.step_v >= s.values, "rows of an attention overlap");
  require(s.together >= 1 && plan.elements() % s.together == 0,
          "items whose rows lie together do not divide the batch");
  require(s.mask_row >= 0 && s.mask_col >= 0, "a mask has a negative stride");
  require(plan.contiguous() || plan.length >= 1 + 6 * static_cast<int64_t>(plan.ndim()),
          "a plan is shorter than its dimensions");
  if (!plan.contiguous()) {
    for (int d = 0; d < plan.ndim(); d++) {
      for (int operand = 0; operand < 5; operand++)
        require(plan.stride(operand, d) >= 0, "a plan has a negative stride");
    }
  }
  const Place last = locate(plan, plan.elements() - 1);
  q.at_least(last.at[1] + (s.queries - 1) * s.step_q + s.features);
  k.at_least(last.at[2] + (s.keys - 1) * s.step_k + s.features);
  v.at_least(last.at[3] + (s.keys - 1) * s.step_v + s.values);
  if (s.masked) mask.at_least(last.at[4] + (s.queries - 1) * s.mask_row + (s.keys - 1) * s.mask_col + 1);
}

// Adds the mask to a tile of scores whose first query and key are (i0, j0).
template <class T>
void add_mask(const Sizes& s, const T* mask, T* scores, int64_t i0, int64_t rows, int64_t j0, int64_t cols) {
  if (!s.masked) return;
  for (int64_t i = 0; i < rows; i++) {
    T* row = scores + i * s.pitch();
    const T* from = mask + (i0 + i) * s.mask_row + j0 * s.mask_col;
    NODEGRAD_SIMD
    for (int64_t j = 0; j < cols; j++) row[j] += from[j * s.mask_col];
  }
}

template <class T>
T dot_row(const T* x, const T* y, int64_t n) {
  constexpr int64_t kLanes = 16;
  T lanes[kLanes] = {};
  int64_t j = 0;
  for (; j + kLanes <= n; j += kLanes) {
    for (int64_t l = 0; l < kLanes; l++) lanes[l] += x[j + l] * y[j + l];
  }
  T total = 0;
  for (; j < n; j++) total += x[j] * y[j];
  for (int64_t l = 0; l < kLanes; l++) total += lanes[l];
  return total;
}

// Keys that queries up to `last` see: all of them, or those before where causal.
int64_t visible(const Sizes& s, int64_t last) { return s.causal ? std::min(s.keys, last + 1) : s.keys; }

// A tile's scores become e^(score - the row's maximum so far); what the maximum, the sum and the weighted values were
// is corrected as larger scores appear (online softmax). Keys from j0 on that no query may see weigh nothing.
template <class T>
void weigh(const Sizes& s, int64_t i0, int64_t rows, int64_t j0, int64_t cols, T* scores, T* top, T* sum, T* out) {
  for (int64_t i = 0; i < rows; i++) {
    T* row = scores + i * s.pitch();
    const T before = top[i];
    const int64_t seen = s.seen(i0 + i, j0, cols);
    std::fill(row + seen, row + cols, T{0});
    if (seen == 0) continue;
    const T now = larger_or_nan(row_top(row, seen), before);
    // Every key so far is masked: nothing is weighted yet, and e^(x - 0) of -infinity is 0.
    const T shift = now == -std::numeric_limits<T>::infinity() ? T{0} : now;
    const T added = row_exps<true>(row, row, seen, shift);
    const T correction = before == -std::numeric_limits<T>::infinity() ? T{0} : std::exp(before - shift);
    sum[i] = sum[i] * correction + added;
    top[i] = now;
    if (j0 > 0 && correction != 1) {
      T* to = out + i * s.step_out();
      NODEGRAD_SIMD
      for (int64_t e = 0; e < s.values; e++) to[e] *= correction;
    }
  }
}

// The keys of a block, or its values, as columns along which the depth runs.
template <class T>
void pack_columns(const T* from, int64_t step, int64_t count, int64_t features, T scale, T* to) {
  pack_panels<kCols<T>>(from, step, true, count, features, to);
  if (scale == 1) return;
  const int64_t length = round_up(count, kCols<T>) * features;
  NODEGRAD_SIMD
  for (int64_t i = 0; i < length; i++) to[i] *= scale;
}

// Every `groups`th tile of queries from `group` on of one batch item, block of keys by block.
template <class T>
void forward_tiles(const Sizes& s, T scale, const T* q, const T* k, const T* v, const T* mask, int64_t group,
                   int64_t groups, T* out, T* lse) {
  const Scratch<T> keys(round_up(s.block(), kCols<T>) * s.features), values(round_up(s.values, kCols<T>) * s.block());
  const Scratch<T> scores(kQueries * s.pitch()), top(s.queries), sum(s.queries);
  std::fill_n(top.get(), s.queries, -std::numeric_limits<T>::infinity());
  std::fill_n(sum.get(), s.queries, T{0});
  for (int64_t j0 = 0; j0 < visible(s, s.queries - 1); j0 += kKeys) {
    const int64_t count = std::min(kKeys, s.keys - j0);
    pack_columns(k + j0 * s.step_k, s.step_k, count, s.features, scale, keys.get());
    pack_panels<kCols<T>>(v + j0 * s.step_v, s.step_v, false, s.values, count, values.get());
    for (int64_t i0 = group * kQueries; i0 < s.queries; i0 += groups * kQueries) {
      const int64_t rows = std::min(kQueries, s.queries - i0), cols = std::min(kKeys, visible(s, i0 + rows - 1) - j0);
      if (cols <= 0) continue;
      rows_by_panels(q + i0 * s.step_q, s.step_q, rows, Panels<T>{keys.get(), s.features, s.features}, cols,
                     scores.get(), s.pitch(), {});
      add_mask(s, mask, scores.get(), i0, rows, j0, cols);
      T* to = out + i0 * s.step_out();
      weigh(s, i0, rows, j0, cols, scores.get(), top.get() + i0, sum.get() + i0, to);
      rows_by_panels(scores.get(), s.pitch(), rows, Panels<T>{values.get(), cols, count}, s.values, to, s.step_out(),
                     kept(j0 > 0, to, s.step_out()));
    }
  }
  for (int64_t i0 = group * kQueries; i0 < s.queries; i0 += groups * kQueries) {
    for (int64_t i = i0; i < std::min(s.queries, i0 + kQueries); i++) {
      T* to = out + i * s.step_out();
      // A query whose keys are all masked attends to nothing; infinity makes its weights 0 in backward as well.
      const bool nothing = sum[i] == 0;
      const T factor = nothing ? T{0} : T{1} / sum[i];
      for (int64_t e = 0; e < s.values; e++) to[e] = nothing ? T{0} : to[e] * factor;
      lse[i] = nothing ? std::numeric_limits<T>::infinity() : top[i] + std::log(sum[i]);
    }
  }
}

// out[b] = softmax(scale q[b] k[b]^T + mask[b]) v[b]; lse[b, i] is the logarithm of row i's sum. The plan [index, q, k,
// v, mask] walks the batch; out and lse are contiguous, the rows of `together` items of out side by side. Tiles of
// queries in parallel.
template <class T>
void attention(Slice<const T> q, Slice<const T> k, Slice<const T> v, Slice<const T> mask, Slice<T> out, Slice<T> lse,
               Plan plan, int64_t queries, int64_t keys, int64_t features, int64_t values, int64_t step_q,
               int64_t step_k, int64_t step_v, int64_t mask_row, int64_t mask_col, int64_t together, bool masked,
               bool causal, double scale) {
  const Sizes s{queries, keys, features, values, step_q, step_k, step_v, mask_row, mask_col, together, masked, causal};
  const int64_t batch = plan.elements();
  if (batch == 0) return;
  check(plan, s, q, k, v, mask);
  T* to = out.at_least(batch * queries * values);
  T* sums = lse.at_least(batch * queries);
  // Tiles of one item share its packed keys; they are dealt in turn where the items are too few for the threads, as the
  // last causal ones see most.
  const int64_t groups = std::min(s.tiles(), ceil_div(2 * thread_count(), batch));
  const int64_t work = ceil_div(queries, groups) * keys * (features + values);
  parallel_for(batch * groups, grain_of(int64_t{1} << 19, work), [&](int64_t begin, int64_t end) {
    for (int64_t unit = begin; unit < end; unit++) {
      const int64_t item = unit / groups;
      const Place place = locate(plan, item);
      forward_tiles(s, static_cast<T>(scale), q.data + place.at[1], k.data + place.at[2], v.data + place.at[3],
                    mask.data + (masked ? place.at[4] : 0), unit % groups, groups, to + s.first(item, queries, values),
                    sums + item * queries);
    }
  });
}

// One batch item, tile by tile: P = e^(scores - lse), dv += P^T g, dS = scale P (g v^T - rowsum(g out)), dq += dS k, dk
// += dS^T q.
template <class T>
void backward_item(const Sizes& s, T scale, const T* g, const T* q, const T* k, const T* v, const T* mask, const T* out,
                   const T* lse, T* dq, T* dk, T* dv) {
  constexpr int64_t kWidth = kCols<T>;
  const int64_t block = s.block(), pitch = s.pitch();
  // Of a block of keys: as columns, scaled; its values as columns; as rows. Of a tile of queries: gradients and queries
  // as rows.
  const Scratch<T> keys(round_up(block, kWidth) * s.features), values(round_up(block, kWidth) * s.values),
      key_rows(round_up(s.features, kWidth) * block);
  const Scratch<T> gradients(round_up(s.values, kWidth) * kQueries), queries(round_up(s.features, kWidth) * kQueries);
  const Scratch<T> weights(kQueries * pitch), slopes(kQueries * pitch), inner(s.queries);
  const int64_t step_out = s.step_out(), step_gradient = s.step_gradient();
  for (int64_t i = 0; i < s.queries; i++) {
    inner[i] = dot_row(g + i * step_out, out + i * step_out, s.values);
    std::fill_n(dq + i * step_gradient, s.features, T{0});
  }
  for (int64_t j = 0; j < s.keys; j++) {
    std::fill_n(dk + j * step_gradient, s.features, T{0});
    std::fill_n(dv + j * step_out, s.values, T{0});
  }
  for (int64_t j0 = 0; j0 < visible(s, s.queries - 1); j0 += kKeys) {
    const int64_t count = std::min(kKeys, s.keys - j0);
    pack_columns(k + j0 * s.step_k, s.step_k, count, s.features, scale, keys.get());
    pack_columns(v + j0 * s.step_v, s.step_v, count, s.values, T{1}, values.get());
    pack_panels<kWidth>(k + j0 * s.step_k, s.step_k, false, s.features, count, key_rows.get());
    for (int64_t i0 = 0; i0 < s.queries; i0 += kQueries) {
      const int64_t rows = std::min(kQueries, s.queries - i0), cols = std::min(kKeys, visible(s, i0 + rows - 1) - j0);
      if (cols <= 0) continue;
      rows_by_panels(q + i0 * s.step_q, s.step_q, rows, Panels<T>{keys.get(), s.features, s.features}, cols,
                     weights.get(), pitch, {});
      add_mask(s, mask, weights.get(), i0, rows, j0, cols);
      rows_by_panels(g + i0 * step_out, step_out, rows, Panels<T>{values.get(), s.values, s.values}, cols, slopes.get(),
                     pitch, {});
      for (int64_t i = 0; i < rows; i++) {
        T* p = weights.get() + i * pitch;
        T* slope = slopes.get() + i * pitch;
        const T shift = lse[i0 + i], mean = inner[i0 + i];
        const int64_t seen = s.seen(i0 + i, j0, cols);
        map_packs(seen, [=](auto x) { return exp_below(x - shift); }, p, static_cast<const T*>(p));
        map_packs(
            seen, [=](auto x, auto w) { return scale * w * (x - mean); }, slope, static_cast<const T*>(slope),
            static_cast<const T*>(p));
        // Also what the last tile of lines reads and drops.
        std::fill(p + seen, p + round_up(cols, kRows), T{0});
        std::fill(slope + seen, slope + round_up(cols, kRows), T{0});
      }
      pack_panels<kWidth>(g + i0 * step_out, step_out, false, s.values, rows, gradients.get());
      pack_panels<kWidth>(q + i0 * s.step_q, s.step_q, false, s.features, rows, queries.get());
      T *values_to = dv + j0 * step_out, *keys_to = dk + j0 * step_gradient, *queries_to = dq + i0 * step_gradient;
      lines_by_panels(weights.get(), pitch, cols, Panels<T>{gradients.get(), rows, rows}, s.values, values_to, step_out,
                      {values_to, step_out});
      lines_by_panels(slopes.get(), pitch, cols, Panels<T>{queries.get(), rows, rows}, s.features, keys_to,
                      step_gradient, {keys_to, step_gradient});
      rows_by_panels(slopes.get(), pitch, rows, Panels<T>{key_rows.get(), cols, count}, s.features, queries_to,
                     step_gradient, {queries_to, step_gradient});
    }
  }
}

// Gradients of q, k and v of the whole (broadcast) batch, all contiguous, as are g, out and lse; rows of `together`
// items side by side in all but lse. Batch items in parallel.
template <class T>
void attention_backward(Slice<const T> g, Slice<const T> q, Slice<const T> k, Slice<const T> v, Slice<const T> mask,
                        Slice<const T> out, Slice<const T> lse, Slice<T> dq, Slice<T> dk, Slice<T> dv, Plan plan,
                        int64_t queries, int64_t keys, int64_t features, int64_t values, int64_t step_q, int64_t step_k,
                        int64_t step_v, int64_t mask_row, int64_t mask_col, int64_t together, bool masked, bool causal,
                        double scale) {
  const Sizes s{queries, keys, features, values, step_q, step_k, step_v, mask_row, mask_col, together, masked, causal};
  const int64_t batch = plan.elements();
  if (batch == 0) return;
  check(plan, s, q, k, v, mask);
  g.at_least(batch * queries * values);
  out.at_least(batch * queries * values);
  lse.at_least(batch * queries);
  dq.at_least(batch * queries * features);
  dk.at_least(batch * keys * features);
  dv.at_least(batch * keys * values);
  parallel_for(batch, grain_of(int64_t{1} << 18, queries * keys * (features + values)),
               [&](int64_t begin, int64_t end) {
                 for (int64_t item = begin; item < end; item++) {
                   const Place place = locate(plan, item);
                   const int64_t row = s.first(item, queries, values);
                   backward_item(s, static_cast<T>(scale), g.data + row, q.data + place.at[1], k.data + place.at[2],
                                 v.data + place.at[3], mask.data + (masked ? place.at[4] : 0), out.data + row,
                                 lse.data + item * queries, dq.data + s.first(item, queries, features),
                                 dk.data + s.first(item, keys, features), dv.data + s.first(item, keys, values));
                 }
               });
}

}  // namespace

void add_attention(Registry& registry) {
  NODEGRAD_ADD(registry, attention, NODEGRAD_FLOATING);
  registry.add_each<NODEGRAD_FLOATING>("attentionBackward",
                                       [](auto tag) { return &attention_backward<typename decltype(tag)::type>; });
}

}  // namespace nodegrad::NODEGRAD_LEVEL
