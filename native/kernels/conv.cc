// Convolutions: im2col of a tile at a time and one BLAS call a tile; thin groups directly. All data are contiguous; three kernels
// serve convolution, transposed convolution and their derivatives in one to three dimensions.
#include "../runtime/registry.h"
#include "../runtime/simd.h"
#include "conv_direct.h"
#include "conv_gather.h"

namespace nodegrad::NODEGRAD_LEVEL {
namespace {

// y at o reads x at o * stride - pad + tap * dilation: one phase, and the weight as it is.
template <class T>
Gather<T> forward_gather(const ConvGeometry& g, const T* x, const T* weight, const T* bias, T* y) {
  Gather<T> gather;
  gather.n = g.n;
  gather.groups = g.groups;
  gather.source_channels = g.c / g.groups;
  gather.dest_channels = g.k / g.groups;
  gather.source = x;
  gather.bias = bias;
  gather.dest = y;
  GatherPhase<T> phase;
  phase.weight = weight;
  for (int d = 0; d < 3; d++) {
    gather.source_size[d] = g.in[d];
    gather.dest_size[d] = gather.grid[d] = g.out[d];
    phase.axis[d].stride = g.stride[d];
    for (int64_t tap = 0; tap < g.kernel[d]; tap++) phase.axis[d].offsets.push_back(tap * g.dilation[d] - g.pad[d]);
  }
  gather.phases.push_back(phase);
  return gather;
}

// y = conv(x, weight) + bias
template <class T>
void conv(Slice<const T> x, Slice<const T> weight, Slice<const T> bias, Slice<T> y, bool has_bias, Slice<const int32_t> words) {
  const ConvGeometry g(words);
  x.at_least(g.input_elements());
  weight.at_least(g.weight_elements());
  y.at_least(g.output_elements());
  const Gather<T> gather = forward_gather<T>(g, x.data, weight.data, has_bias ? bias.at_least(g.k) : nullptr, y.data);
  if (g.thin()) {
    gather_direct(gather);
  } else {
    gather_all(gather);
  }
}

// packed[group][c][k][taps of the phase] from weight[group][k][c][all taps]; `chosen` lists the phase's taps.
template <class T>
void pack_phase(const ConvGeometry& g, const T* weight, const std::vector<int64_t>& chosen, T* packed) {
  const int64_t channels = g.c / g.groups;
  const int64_t outputs = g.k / g.groups;
  const int64_t taps = static_cast<int64_t>(chosen.size());
  constexpr int64_t kBlock = 16;
  const int64_t blocks = ceil_div(channels, kBlock);
  parallel_for(g.groups * blocks, std::max<int64_t>(1, 16384 / (kBlock * std::max<int64_t>(1, outputs * taps))), [&](int64_t first, int64_t last) {
    for (int64_t item = first; item < last; item++) {
      const int64_t group = item / blocks;
      const int64_t c0 = item % blocks * kBlock;
      const int64_t c1 = std::min(channels, c0 + kBlock);
      for (int64_t k = 0; k < outputs; k++) {
        for (int64_t c = c0; c < c1; c++) {
          const T* from = weight + ((group * outputs + k) * channels + c) * g.taps();
          T* to = packed + ((group * channels + c) * outputs + k) * taps;
          for (int64_t tap = 0; tap < taps; tap++) to[tap] = from[chosen[static_cast<size_t>(tap)]];
        }
      }
    }
  });
}

// x at start + i * stride receives from y at i + offset, over the taps for which start + pad - tap * dilation divides by the stride.
GatherAxis backward_axis(const ConvGeometry& g, int d, int64_t start, std::vector<int64_t>& chosen) {
  GatherAxis axis;
  axis.start = start;
  axis.step = g.stride[d];
  for (int64_t tap = 0; tap < g.kernel[d]; tap++) {
    const int64_t distance = start + g.pad[d] - tap * g.dilation[d];
    if (distance % g.stride[d] != 0) continue;
    axis.offsets.push_back(distance / g.stride[d]);
    chosen.push_back(tap);
  }
  return axis;
}

// gradInput = the transposed convolution of gradOutput (+ bias of the input's channels, for convTranspose)
template <class T>
void convBackwardInput(Slice<const T> grad_output, Slice<const T> weight, Slice<const T> bias, Slice<T> grad_input, bool has_bias,
                       Slice<const int32_t> words) {
  const ConvGeometry g(words);
  grad_output.at_least(g.output_elements());
  weight.at_least(g.weight_elements());
  grad_input.at_least(g.input_elements());
  Gather<T> gather;
  gather.n = g.n;
  gather.groups = g.groups;
  gather.source_channels = g.k / g.groups;
  gather.dest_channels = g.c / g.groups;
  gather.source = grad_output.data;
  gather.bias = has_bias ? bias.at_least(g.c) : nullptr;
  gather.dest = grad_input.data;
  for (int d = 0; d < 3; d++) {
    gather.source_size[d] = g.out[d];
    gather.dest_size[d] = g.in[d];
    gather.grid[d] = ceil_div(g.in[d], g.stride[d]);
  }
  const Scratch<T> packed(g.weight_elements());
  T* next = packed.get();
  // A stride beyond the size has phases without a pixel: they are left out.
  for (int64_t a = 0; a < std::min(g.stride[0], g.in[0]); a++) {
    for (int64_t b = 0; b < std::min(g.stride[1], g.in[1]); b++) {
      for (int64_t c = 0; c < std::min(g.stride[2], g.in[2]); c++) {
        GatherPhase<T> phase;
        std::vector<int64_t> taps[3];
        phase.axis[0] = backward_axis(g, 0, a, taps[0]);
        phase.axis[1] = backward_axis(g, 1, b, taps[1]);
        phase.axis[2] = backward_axis(g, 2, c, taps[2]);
        std::vector<int64_t> chosen;
        for (const int64_t t : taps[0])
          for (const int64_t r : taps[1])
            for (const int64_t s : taps[2]) chosen.push_back((t * g.kernel[1] + r) * g.kernel[2] + s);
        pack_phase(g, weight.data, chosen, next);
        phase.weight = next;
        next += g.k * (g.c / g.groups) * static_cast<int64_t>(chosen.size());
        gather.phases.push_back(phase);
      }
    }
  }
  if (g.thin()) {
    gather_direct(gather);
  } else {
    gather_all(gather);
  }
}

// Rows of gradOutput for a tile that spans images: [k of the group][pixels of the tile].
template <class T>
void collect_rows(const ConvGeometry& g, const T* grad_output, int64_t group, int64_t begin, int64_t end, T* rows) {
  const int64_t pixels = g.output_pixels();
  const int64_t outputs = g.k / g.groups;
  for (int64_t k = 0; k < outputs; k++) {
    T* to = rows + k * (end - begin);
    for (int64_t image = begin / pixels; image * pixels < end; image++, to += pixels)
      copy_run(to, grad_output + (image * g.k + group * outputs + k) * pixels, pixels);
  }
}

// gradWeight[k, (c, taps)] = sum over pixels of gradOutput[k, pixel] columns[(c, taps), pixel]. Channels are cut into blocks, and
// tiles into parts where blocks are few; each part sums into memory of its own, and the parts are added up in order.
template <class T>
void convBackwardWeight(Slice<const T> grad_output, Slice<const T> x, Slice<T> grad_weight, Slice<const int32_t> words) {
  const ConvGeometry g(words);
  grad_output.at_least(g.output_elements());
  x.at_least(g.input_elements());
  grad_weight.at_least(g.weight_elements());
  const int64_t channels = g.c / g.groups;
  const int64_t outputs = g.k / g.groups;
  const int64_t taps = g.taps();
  const int64_t elements = g.weight_elements();
  if (elements == 0) return;
  if (g.thin()) {
    weight_direct(g, grad_output.data, x.data, grad_weight.data);
    return;
  }
  const Tiling tiling(g.n, g.out);
  const int64_t tiles = tiling.count();
  if (tiles == 0) {
    std::fill_n(grad_weight.data, elements, T{0});
    return;
  }
  const Gather<T> gather = forward_gather<T>(g, x.data, nullptr, nullptr, nullptr);
  const GatherPhase<T>& phase = gather.phases[0];
  const int64_t blocks = ceil_div(channels, std::max<int64_t>(1, 640 / taps));
  const int64_t block = ceil_div(channels, blocks);
  const int64_t wanted = elements <= 65536 ? 32 : 8;
  const int64_t tiles_a_part = ceil_div(tiles, std::min(tiles, ceil_div(wanted, g.groups * blocks)));
  const int64_t parts = ceil_div(tiles, tiles_a_part);
  const Scratch<T> partial(parts > 1 ? parts * elements : 0);
  parallel_for(g.groups * blocks * parts, 1, [&](int64_t first, int64_t last) {
    thread_local std::vector<Segment> segments;
    thread_local std::vector<T> columns, rows;
    for (int64_t item = first; item < last; item++) {
      const int64_t part = item / (g.groups * blocks);
      const int64_t group = item / blocks % g.groups;
      const int64_t c0 = item % blocks * block;
      const int64_t c1 = std::min(channels, c0 + block);
      if (c0 >= c1) continue;
      T* target = (parts > 1 ? partial.get() + part * elements : grad_weight.data) + group * outputs * channels * taps + c0 * taps;
      const int64_t stop = std::min(tiles, (part + 1) * tiles_a_part);
      for (int64_t t = part * tiles_a_part; t < stop; t++) {
        int64_t begin, end;
        tiling.range(t, begin, end);
        const int64_t length = end - begin;
        const int64_t image = begin / tiling.pixels;
        const bool one_image = (end - 1) / tiling.pixels == image;
        const T* left = grad_output.data + (image * g.k + group * outputs) * tiling.pixels + begin % tiling.pixels;
        int64_t left_step = tiling.pixels;
        if (!one_image) {
          rows.resize(static_cast<size_t>(outputs * length));
          collect_rows(g, grad_output.data, group, begin, end, rows.data());
          left = rows.data();
          left_step = length;
        }
        const T* right = x.data + (image * g.c + group * channels + c0) * tiling.pixels + begin % tiling.pixels;
        int64_t right_step = tiling.pixels;
        if (!one_image || !plain_source(gather, phase)) {
          cut_segments(gather.grid, begin, end, segments);
          columns.resize(static_cast<size_t>((c1 - c0) * taps * length));
          gather_columns(gather, phase, group, c0, c1, segments, columns.data(), length);
          right = columns.data();
          right_step = length;
        }
        const T keep = t == part * tiles_a_part ? T{0} : T{1};
        blas::gemm(false, true, outputs, (c1 - c0) * taps, length, T{1}, left, left_step, right, right_step, keep, target, channels * taps);
      }
    }
    trim(columns);
    trim(rows);
  });
  if (parts == 1) return;
  parallel_for(elements, 16384, [&](int64_t begin, int64_t end) {
    T* to = grad_weight.data;
    for (int64_t i = begin; i < end; i++) to[i] = partial[i];
    for (int64_t part = 1; part < parts; part++) {
      const T* from = partial.get() + part * elements;
      NODEGRAD_SIMD
      for (int64_t i = begin; i < end; i++) to[i] += from[i];
    }
  });
}

// y[n, (c, taps), window] = what each window's tap reads: im2col as an operator of its own.
template <class T>
void unfold(Slice<const T> x, Slice<T> y, Slice<const int32_t> words) {
  const ConvGeometry g(words);
  x.at_least(g.input_elements());
  const int64_t pixels = g.output_pixels();
  y.at_least(g.n * g.c * g.taps() * pixels);
  const Gather<T> gather = forward_gather<T>(g, x.data, nullptr, nullptr, nullptr);
  parallel_for(g.n * g.c, std::max<int64_t>(1, 16384 / std::max<int64_t>(1, g.taps() * pixels)), [&](int64_t first, int64_t last) {
    std::vector<Segment> segments;
    for (int64_t plane = first; plane < last; plane++) {
      const int64_t c = plane % g.c;
      if (plane == first || c == 0) cut_segments(g.out, plane / g.c * pixels, (plane / g.c + 1) * pixels, segments);
      gather_columns(gather, gather.phases[0], 0, c, c + 1, segments, y.data + plane * g.taps() * pixels, pixels);
    }
  });
}

// x = each window's values added where its taps read: the transpose of unfold.
template <class T>
void fold(Slice<const T> y, Slice<T> x, Slice<const int32_t> words) {
  const ConvGeometry g(words);
  x.at_least(g.input_elements());
  const int64_t pixels = g.output_pixels();
  y.at_least(g.n * g.c * g.taps() * pixels);
  parallel_for(g.n * g.c, std::max<int64_t>(1, 16384 / std::max<int64_t>(1, g.taps() * pixels)), [&](int64_t first, int64_t last) {
    for (int64_t plane = first; plane < last; plane++) {
      T* to = x.data + plane * g.input_pixels();
      std::fill_n(to, g.input_pixels(), T{0});
      for (int64_t tap = 0; tap < g.taps(); tap++) {
        const int64_t offset_d = tap / (g.kernel[2] * g.kernel[1]) * g.dilation[0] - g.pad[0];
        const int64_t offset_h = tap / g.kernel[2] % g.kernel[1] * g.dilation[1] - g.pad[1];
        const int64_t offset_w = tap % g.kernel[2] * g.dilation[2] - g.pad[2];
        int64_t lo, hi;
        valid_range(0, g.out[2], g.stride[2], offset_w, g.in[2], lo, hi);
        for (int64_t row = 0; row < g.out[0] * g.out[1]; row++) {
          const int64_t d = row / g.out[1] * g.stride[0] + offset_d;
          const int64_t h = row % g.out[1] * g.stride[1] + offset_h;
          if (d < 0 || d >= g.in[0] || h < 0 || h >= g.in[1]) continue;
          const T* from = y.data + (plane * g.taps() + tap) * pixels + row * g.out[2];
          T* target = to + (d * g.in[1] + h) * g.in[2] + offset_w;
          for (int64_t q = lo; q < hi; q++) target[q * g.stride[2]] += from[q];
        }
      }
    }
  });
}

}  // namespace

void add_conv(Registry& registry) {
  NODEGRAD_ADD(registry, conv, NODEGRAD_FLOATING);
  NODEGRAD_ADD(registry, convBackwardInput, NODEGRAD_FLOATING);
  NODEGRAD_ADD(registry, convBackwardWeight, NODEGRAD_FLOATING);
  NODEGRAD_ADD(registry, unfold, NODEGRAD_FLOATING);
  NODEGRAD_ADD(registry, fold, NODEGRAD_FLOATING);
}

}  // namespace nodegrad::NODEGRAD_LEVEL
