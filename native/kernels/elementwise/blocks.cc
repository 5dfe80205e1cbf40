// Blocks: how operands come to lie side by side (gathered, widened), and how results go back (scattered, rounded).
// A block is computed whole before it is stored, so an output may be an input of the same layout.
#include "blocks.h"

#include <algorithm>
#include <cstring>

#include "../../runtime/divide.h"
#include "../../runtime/parallel.h"
#include "../simd/halves.h"
#include "walk.h"

namespace nodegrad::NODEGRAD_LEVEL {

namespace {

constexpr int64_t kBlock = 1024;
constexpr int64_t kBufferBytes = kBlock * 8;
// Rows shorter than this are gathered, several to a block.
constexpr int64_t kShortRowBytes = 16;
// Operands whose neighbours lie in different directions are walked in square tiles, a block each.
constexpr int64_t kTileSide = 32;

// Not a multiple of a page apart, which would make the processor take a load of one for a store of another.
struct alignas(64) Buffers {
  char of[kMaxOperands][kBufferBytes + 320];
};

struct Job {
  Run run;
  const void* function;
  const Operand* operands;
  int count;
  bool takes_one;

  char* at(int k, int64_t element) const { return static_cast<char*>(operands[k].data) + element * operands[k].bytes; }
  // Of an element as the function sees it.
  int bytes(int k) const { return operands[k].stored == Stored::Plain ? operands[k].bytes : 4; }
};

template <class T>
void gather_elements(void* to, const void* from, int64_t stride, int64_t n) {
  T* y = static_cast<T*>(to);
  const T* x = static_cast<const T*>(from);
  if (stride == 0) {
    std::fill(y, y + n, *x);
  } else if (stride == 1) {
    for (int64_t i = 0; i < n; i++) y[i] = x[i];
  } else {
    for (int64_t i = 0; i < n; i++) y[i] = x[i * stride];
  }
}
void gather(void* to, const void* from, int bytes, int64_t stride, int64_t n) {
  if (bytes == 4) return gather_elements<uint32_t>(to, from, stride, n);
  if (bytes == 8) return gather_elements<uint64_t>(to, from, stride, n);
  if (bytes == 2) return gather_elements<uint16_t>(to, from, stride, n);
  gather_elements<uint8_t>(to, from, stride, n);
}

template <class T>
void scatter_elements(void* to, int64_t stride, const void* from, int64_t n) {
  T* y = static_cast<T*>(to);
  const T* x = static_cast<const T*>(from);
  for (int64_t i = 0; i < n; i++) y[i * stride] = x[i];
}
void scatter(void* to, int64_t stride, const void* from, int bytes, int64_t n) {
  if (bytes == 4) return scatter_elements<uint32_t>(to, stride, from, n);
  if (bytes == 8) return scatter_elements<uint64_t>(to, stride, from, n);
  if (bytes == 2) return scatter_elements<uint16_t>(to, stride, from, n);
  scatter_elements<uint8_t>(to, stride, from, n);
}

void widen_stored(Stored stored, const void* from, void* to, int64_t n) {
  if (stored == Stored::BFloat16) {
    widen(static_cast<const BFloat16*>(from), static_cast<float*>(to), n);
  } else {
    widen(static_cast<const Float16*>(from), static_cast<float*>(to), n);
  }
}
void narrow_stored(Stored stored, const void* from, void* to, int64_t n) {
  if (stored == Stored::BFloat16) {
    narrow(static_cast<const float*>(from), static_cast<BFloat16*>(to), n);
  } else {
    narrow(static_cast<const float*>(from), static_cast<Float16*>(to), n);
  }
}

// Half-wide elements wait in the upper half of their buffer.
char* waiting(char* buffer) { return buffer + kBufferBytes / 2; }

// Rows of n elements of an operand: `stride` elements apart in a row, `row_stride` from row to row.
struct Grid {
  int64_t n, count, stride, row_stride;

  bool side_by_side() const { return stride == 1 && (count == 1 || row_stride == n); }
};

void gather_rows(char* to, const Job& job, int k, int64_t element, const Grid& grid) {
  const int bytes = job.operands[k].bytes;
  for (int64_t r = 0; r < grid.count; r++)
    gather(to + r * grid.n * bytes, job.at(k, element + r * grid.row_stride), bytes, grid.stride, grid.n);
}
void scatter_rows(const Job& job, int64_t element, const Grid& grid, const char* from) {
  const int bytes = job.operands[0].bytes;
  for (int64_t r = 0; r < grid.count; r++) {
    char* to = job.at(0, element + r * grid.row_stride);
    if (grid.stride == 1) {
      std::memcpy(to, from + r * grid.n * bytes, grid.n * bytes);
    } else {
      scatter(to, grid.stride, from + r * grid.n * bytes, bytes, grid.n);
    }
  }
}

// Puts an operand's rows one after the other into `buffer`, as a function reads them.
void fetch(const Job& job, int k, int64_t element, const Grid& grid, char* buffer) {
  const Operand& from = job.operands[k];
  if (from.stored == Stored::Plain) return gather_rows(buffer, job, k, element, grid);
  const void* source = job.at(k, element);
  if (!grid.side_by_side()) {
    gather_rows(waiting(buffer), job, k, element, grid);
    source = waiting(buffer);
  }
  widen_stored(from.stored, source, buffer, grid.n * grid.count);
}

// Stores rows of results that wait in `buffer`.
void put(const Job& job, int64_t element, const Grid& grid, char* buffer) {
  const Operand& out = job.operands[0];
  if (out.stored == Stored::Plain) return scatter_rows(job, element, grid, buffer);
  if (grid.side_by_side()) return narrow_stored(out.stored, buffer, job.at(0, element), grid.n * grid.count);
  narrow_stored(out.stored, buffer, waiting(buffer), grid.n * grid.count);
  scatter_rows(job, element, grid, waiting(buffer));
}

// `count` rows of n elements of each operand, by its strides in a row and from row to row. What a function can't read
// or write where it is passes through a buffer: as many rows at a time as a block holds, or a part of a row.
void run_rows(const Job& job, const int64_t* at, const int64_t* strides, const int64_t* row_strides, int64_t n,
              int64_t count, Buffers& buffers) {
  bool direct[kMaxOperands];
  bool all_direct = true;
  int one = 0;
  for (int k = 0; k < job.count; k++) {
    const bool plain = job.operands[k].stored == Stored::Plain;
    if (job.takes_one && k > 0 && one == 0 && plain && strides[k] == 0) one = k;
    direct[k] = plain && (strides[k] == 1 || (k > 0 && one == k));
    all_direct = all_direct && direct[k];
  }
  const int64_t length = all_direct ? n : std::min(n, kBlock);
  const int64_t group = all_direct ? count : std::max<int64_t>(1, kBlock / n);
  for (int64_t r = 0; r < count; r += group) {
    for (int64_t i = 0; i < n; i += length) {
      Rows rows{std::min(length, n - i), std::min(group, count - r), {}, one};
      const void* in[kMaxOperands];
      for (int k = 1; k < job.count; k++) {
        const int64_t element = at[k] + r * row_strides[k] + i * strides[k];
        if (direct[k]) {
          in[k - 1] = job.at(k, element);
          rows.step[k] = row_strides[k] * job.operands[k].bytes;
          continue;
        }
        in[k - 1] = buffers.of[k];
        // Rows that are one and the same are held once.
        const bool same = row_strides[k] == 0;
        rows.step[k] = same ? 0 : rows.n * job.bytes(k);
        const bool held = (i > 0 && strides[k] == 0) || (r > 0 && same && (length == n || strides[k] == 0));
        if (!held) fetch(job, k, element, {rows.n, same ? 1 : rows.count, strides[k], row_strides[k]}, buffers.of[k]);
      }
      const int64_t element = at[0] + r * row_strides[0] + i * strides[0];
      rows.step[0] = direct[0] ? row_strides[0] * job.operands[0].bytes : rows.n * job.bytes(0);
      job.run(job.function, direct[0] ? static_cast<void*>(job.at(0, element)) : buffers.of[0], in, rows);
      if (!direct[0]) put(job, element, {rows.n, rows.count, strides[0], row_strides[0]}, buffers.of[0]);
    }
  }
}

// Whether operand k lies in the order of the plan without a gap.
bool is_dense(const Plan& plan, int k) {
  int64_t expected = 1;
  for (int d = plan.ndim() - 1; d >= 0; d--) {
    if (plan.stride(k, d) != expected) return false;
    expected *= plan.size(d);
  }
  return true;
}

// Whether operand k is the same in all outer dimensions.
bool repeats(const Plan& plan, int k) {
  for (int d = 0; d + 1 < plan.ndim(); d++) {
    if (plan.stride(k, d) != 0) return false;
  }
  return true;
}

// Rows [begin, end) of `inner` elements each, short ones: as many as fill a block are gathered, computed and scattered
// together.
void run_short_rows(const Job& job, const Plan& plan, int64_t begin, int64_t end, int64_t inner) {
  Buffers buffers;
  int64_t rows_out[kBlock];
  bool dense[kMaxOperands];
  bool repeated[kMaxOperands];
  for (int k = 0; k < job.count; k++) {
    dense[k] = is_dense(plan, k);
    repeated[k] = repeats(plan, k);
  }
  const int last = plan.ndim() - 1;
  const int64_t group = std::max<int64_t>(1, kBlock / inner);
  Odometer<kMaxOperands> at(plan, begin, job.count);
  for (int64_t row = begin; row < end; row += group) {
    const int64_t rows = std::min(group, end - row);
    const int64_t n = rows * inner;
    const auto gathered = [&](int k) { return !dense[k] && (row == begin || !repeated[k]); };
    for (int64_t r = 0; r < rows; r++, at.next()) {
      rows_out[r] = at.offsets[0];
      for (int k = 1; k < job.count; k++) {
        if (!gathered(k)) continue;
        const Operand& from = job.operands[k];
        char* to = from.stored == Stored::Plain ? buffers.of[k] : waiting(buffers.of[k]);
        gather(to + r * inner * from.bytes, job.at(k, at.offsets[k]), from.bytes, plan.stride(k, last), inner);
      }
    }
    const void* in[kMaxOperands];
    for (int k = 1; k < job.count; k++) {
      const Stored stored = job.operands[k].stored;
      in[k - 1] = buffers.of[k];
      if (dense[k] && stored == Stored::Plain) {
        in[k - 1] = job.at(k, row * inner);
      } else if (stored != Stored::Plain && (dense[k] || gathered(k))) {
        widen_stored(stored, dense[k] ? job.at(k, row * inner) : waiting(buffers.of[k]), buffers.of[k], n);
      }
    }
    const Operand& out = job.operands[0];
    if (dense[0] && out.stored == Stored::Plain) {
      job.run(job.function, job.at(0, row * inner), in, {n, 1, {}});
      continue;
    }
    job.run(job.function, buffers.of[0], in, {n, 1, {}});
    if (dense[0]) {
      put(job, row * inner, {n, 1, 1, 0}, buffers.of[0]);
      continue;
    }
    const char* from = buffers.of[0];
    if (out.stored != Stored::Plain) {
      narrow_stored(out.stored, from, waiting(buffers.of[0]), n);
      from = waiting(buffers.of[0]);
    }
    for (int64_t r = 0; r < rows; r++)
      scatter(job.at(0, rows_out[r]), plan.stride(0, last), from + r * inner * out.bytes, out.bytes, inner);
  }
}

// The outer dimension in which neighbours of some input lie side by side while in the innermost they do not; -1 where
// there is none.
int crossing_dim(const Plan& plan, int count) {
  const int last = plan.ndim() - 1;
  for (int k = 1; k < count; k++) {
    if (plan.stride(k, last) <= 1) continue;
    for (int d = last - 1; d >= 0; d--) {
      if (plan.stride(k, d) == 1 && plan.size(d) >= kTileSide) return d;
    }
  }
  return -1;
}

// A tile of rows x columns of operand k, gathered row by row: along what lies side by side in memory.
void gather_tile(const Job& job, int k, int64_t at, int64_t row_step, int64_t column_step, int64_t rows,
                 int64_t columns, char* buffer) {
  const Operand& from = job.operands[k];
  char* to = from.stored == Stored::Plain ? buffer : waiting(buffer);
  if (row_step == 1 && column_step > 1) {
    for (int64_t j = 0; j < columns; j++)
      scatter(to + j * from.bytes, columns, job.at(k, at + j * column_step), from.bytes, rows);
  } else {
    for (int64_t i = 0; i < rows; i++)
      gather(to + i * columns * from.bytes, job.at(k, at + i * row_step), from.bytes, column_step, columns);
  }
  if (to != buffer) widen_stored(from.stored, to, buffer, rows * columns);
}

// Tiles [begin, end) of the plane of dimension `side` and the innermost one, for all indices of the other dimensions.
void run_tiles(const Job& job, const Plan& plan, int side, int64_t begin, int64_t end) {
  Buffers buffers;
  const int last = plan.ndim() - 1;
  const int64_t height = plan.size(side), width = plan.size(last);
  const int64_t bands = ceil_div(height, kTileSide);
  for (int64_t p = begin; p < end; p++) {
    const int64_t first = p % bands * kTileSide;
    const int64_t rows = std::min(kTileSide, height - first);
    int64_t at[kMaxOperands];
    for (int k = 0; k < job.count; k++) at[k] = first * plan.stride(k, side);
    int64_t rest = p / bands;
    for (int d = last - 1; d >= 0; d--) {
      if (d == side) continue;
      for (int k = 0; k < job.count; k++) at[k] += rest % plan.size(d) * plan.stride(k, d);
      rest /= plan.size(d);
    }
    for (int64_t c = 0; c < width; c += kTileSide) {
      const int64_t columns = std::min(kTileSide, width - c);
      const void* in[kMaxOperands];
      for (int k = 1; k < job.count; k++) {
        const int64_t step = plan.stride(k, last);
        gather_tile(job, k, at[k] + c * step, plan.stride(k, side), step, rows, columns, buffers.of[k]);
        in[k - 1] = buffers.of[k];
      }
      job.run(job.function, buffers.of[0], in, {rows * columns, 1, {}});
      const int64_t step = plan.stride(0, last);
      put(job, at[0] + c * step, {columns, rows, step, plan.stride(0, side)}, buffers.of[0]);
    }
  }
}

// Cuts n into an even number of nearly equal parts of about `grain`, so that two or four threads end together.
int64_t even_grain(int64_t n, int64_t grain) {
  if (n < 2 * grain) return n;
  const int64_t parts = n < 4 * grain ? 2 : (n / grain + 3) / 4 * 4;
  return round_up(ceil_div(n, parts), 64);
}

}  // namespace

void run_blocks(Run run, const void* function, const Plan& plan, const Operand* operands, int count, int64_t grain,
                bool takes_one) {
  int64_t sizes[kMaxOperands];
  for (int k = 0; k < count; k++) sizes[k] = operands[k].size;
  plan.check_sizes(sizes, count);
  const int64_t elements = plan.elements();
  if (elements == 0) return;
  const Job job{run, function, operands, count, takes_one};
  const Wake wake = wake_for(elements, grain);
  // Long runs gain nothing by small parts.
  if (wake == Wake::kAlways) grain *= 4;

  if (plan.contiguous() || plan.ndim() == 1) {
    const int64_t no_rows[kMaxOperands] = {};
    int64_t strides[kMaxOperands];
    for (int k = 0; k < count; k++) strides[k] = plan.contiguous() ? 1 : plan.stride(k, 0);
    parallel_for(elements, even_grain(elements, grain), wake, [&](int64_t begin, int64_t end) {
      Buffers buffers;
      int64_t at[kMaxOperands];
      for (int k = 0; k < count; k++) at[k] = begin * strides[k];
      run_rows(job, at, strides, no_rows, end - begin, 1, buffers);
    });
    return;
  }
  const int last = plan.ndim() - 1;
  const int64_t inner = plan.size(last);
  const int64_t outer = elements / inner;
  const int side = inner >= kTileSide ? crossing_dim(plan, count) : -1;
  if (side >= 0) {
    const int64_t bands = outer / plan.size(side) * ceil_div(plan.size(side), kTileSide);
    parallel_for(bands, grain_of(even_grain(elements, grain), inner * kTileSide), wake,
                 [&](int64_t begin, int64_t end) { run_tiles(job, plan, side, begin, end); });
    return;
  }
  const int64_t part = grain_of(even_grain(elements, grain), inner);
  if (inner * operands[1].bytes < kShortRowBytes) {
    parallel_for(outer, part, wake, [&](int64_t begin, int64_t end) { run_short_rows(job, plan, begin, end, inner); });
    return;
  }
  int64_t strides[kMaxOperands], row_strides[kMaxOperands];
  for (int k = 0; k < count; k++) {
    strides[k] = plan.stride(k, last);
    row_strides[k] = row_step(plan, k);
  }
  // Few long rows: cut within the row.
  const int64_t pieces = inner > 2 * grain ? ceil_div(inner, grain) : 1;
  const int64_t length = ceil_div(inner, pieces);
  parallel_for(outer * pieces, pieces > 1 ? 1 : part, wake, [&](int64_t begin, int64_t end) {
    Buffers buffers;
    Odometer<kMaxOperands> row(plan, begin / pieces, count);
    for (int64_t i = begin; i < end;) {
      int64_t at[kMaxOperands];
      const int64_t from = i % pieces * length;
      for (int k = 0; k < count; k++) at[k] = row.offsets[k] + from * strides[k];
      const int64_t rows = pieces > 1 ? 1 : std::min(end - i, row.in_line());
      if (from < inner) run_rows(job, at, strides, row_strides, std::min(length, inner - from), rows, buffers);
      i += rows;
      if (i % pieces == 0) row.skip(rows);
    }
  });
}

}  // namespace nodegrad::NODEGRAD_LEVEL
