// Registers the convolutions of float32 and float64, with unfold and fold, their data movement as operators of their
// own.
#include "conv.h"

#include "../../runtime/registry.h"

namespace nodegrad::NODEGRAD_LEVEL {
namespace {

// y[n, (c, taps), window] = what each window's tap reads: im2col as an operator of its own.
template <class T>
void unfold(Slice<const T> x, Slice<T> y, Slice<const int32_t> words) {
  const ConvGeometry g(words);
  x.at_least(g.input_elements());
  const int64_t pixels = g.output_pixels();
  y.at_least(g.n * g.c * g.taps() * pixels);
  if (pixels == 0) return;
  const Gather<T> gather = forward_gather<T>(g, x.data, nullptr, nullptr, nullptr);
  parallel_for(g.n * g.c, grain_of(16384, g.taps() * pixels), [&](int64_t first, int64_t last) {
    // The moves of the first image's first channel, applied to every plane.
    std::vector<Segment> segments;
    Moves moves;
    cut_segments(g.out, 0, pixels, pixels, segments);
    moves.find(gather, gather.phases[0], segments, pixels, pixels, 0);
    for (int64_t plane = first; plane < last; plane++)
      lay_channel(moves, x.data + plane * g.input_pixels(), y.data + plane * g.taps() * pixels);
  });
}

// x = each window's values added where its taps read: the transpose of unfold.
template <class T>
void fold(Slice<const T> y, Slice<T> x, Slice<const int32_t> words) {
  const ConvGeometry g(words);
  x.at_least(g.input_elements());
  const int64_t pixels = g.output_pixels();
  y.at_least(g.n * g.c * g.taps() * pixels);
  parallel_for(g.n * g.c, grain_of(16384, g.taps() * pixels), [&](int64_t first, int64_t last) {
    for (int64_t plane = first; plane < last; plane++) {
      T* to = x.data + plane * g.input_pixels();
      std::fill_n(to, g.input_pixels(), T{0});
      add_windows(g, y.data + plane * g.taps() * pixels, 0, g.out[0] * g.out[1], to);
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
