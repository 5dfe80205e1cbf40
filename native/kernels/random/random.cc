// PyTorch's CPU random streams: which words of mt19937 each distribution takes, in which order, and what it makes of
// them. Outputs are contiguous, in the order in which values are drawn; drawing is serial, only what follows it runs in
// parallel.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include "../../runtime/parallel.h"
#include "../../runtime/registry.h"
#include "../../runtime/scratch.h"
#include "../../runtime/simd.h"
#include "mersenne_twister.h"

namespace nodegrad {
namespace {

constexpr double kPi = 3.14159265358979323846;

template <class T>
constexpr bool is_half = std::is_same_v<T, BFloat16> || std::is_same_v<T, Float16>;

// A double as a stored element.
template <class T>
T store(double x) {
  if constexpr (is_half<T>) {
    return T(static_cast<float>(x));
  } else if constexpr (std::is_same_v<T, Bool>) {
    return Bool(x != 0);
  } else {
    return static_cast<T>(x);
  }
}
// An integer as a stored element; wraps as C++ does.
template <class T>
T store_integer(int64_t x) {
  if constexpr (is_half<T>) {
    return T(static_cast<float>(x));
  } else if constexpr (std::is_same_v<T, Bool>) {
    return Bool(x != 0);
  } else {
    return static_cast<T>(x);
  }
}

// Uniform in [from, to): 53 bits for double, 24 for the others. A value that rounds up to `to` becomes `from`.
template <class T>
void uniformFill(Slice<T> out, Slice<uint32_t> state, double from, double to, int64_t n) {
  T* o = out.at_least(n);
  MersenneTwister generator(state);
  if constexpr (std::is_same_v<T, double>) {
    for (int64_t i = 0; i < n; i++) {
      // Rounded once, as PyTorch's build does it; a narrower type's product is exact anyway.
      const double x = std::fma(generator.uniform53(), to - from, from);
      o[i] = x == to ? from : x;
    }
  } else {
    const float low = static_cast<float>(from), high = static_cast<float>(to);
    const double width = static_cast<double>(high - low);
    const T first = store<T>(from), last = store<T>(to);
    for (int64_t i = 0; i < n; i++) {
      const T x = store<T>(generator.uniform24() * width + static_cast<double>(low));
      o[i] = static_cast<float>(x) == static_cast<float>(last) ? first : x;
    }
  }
}

// One normal value by Box and Muller in double; the second of a pair is kept in `cached` ([valid, value]) for the next
// call.
class ScalarNormal {
 public:
  ScalarNormal(MersenneTwister& generator, Slice<double> cached, double mean, double std)
      : generator_(generator), cached_(cached.at_least(2)), mean_(mean), std_(std) {}
  double operator()() {
    if (cached_[0] != 0) {
      cached_[0] = 0;
      return cached_[1] * std_ + mean_;
    }
    const double u1 = generator_.uniform53();
    const double u2 = generator_.uniform53();
    const double radius = std::sqrt(-2.0 * std::log1p(-u2));
    const double theta = 2.0 * kPi * u1;
    cached_[0] = 1;
    cached_[1] = radius * std::sin(theta);
    return radius * std::cos(theta) * std_ + mean_;
  }

 private:
  MersenneTwister& generator_;
  double* cached_;
  double mean_, std_;
};

// ln(x) for normal x > 0: x = m 2^e with m in [sqrt 1/2, sqrt 2), and Cephes' polynomial for ln(m). Branch-free, so
// that loops over it are vectorised.
inline float fast_log(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  const uint32_t mantissa = (bits & 0x007fffffu) | 0x3f000000u;
  float m;
  std::memcpy(&m, &mantissa, 4);
  const bool low = m < 0.707106781186547524f;
  const float e = static_cast<float>(static_cast<int32_t>(bits >> 23) - 126) - (low ? 1.0f : 0.0f);
  m = (low ? m + m : m) - 1.0f;
  const float z = m * m;
  float y = 7.0376836292e-2f;
  y = y * m - 1.1514610310e-1f;
  y = y * m + 1.1676998740e-1f;
  y = y * m - 1.2420140846e-1f;
  y = y * m + 1.4249322787e-1f;
  y = y * m - 1.6668057665e-1f;
  y = y * m + 2.0000714765e-1f;
  y = y * m - 2.4999993993e-1f;
  y = y * m + 3.3333331174e-1f;
  y = y * m * z - 2.12194440e-4f * e - 0.5f * z;
  return m + y + 0.693359375f * e;
}

// sin(x) and cos(x) for x in [0, 2 pi]: the nearest even octant is taken off, then Cephes' polynomials; also
// branch-free.
inline void fast_sincos(float x, float* sine, float* cosine) {
  const int32_t octant = (static_cast<int32_t>(x * 1.27323954473516f) + 1) & ~1;
  const auto y = static_cast<float>(octant);
  const float r = ((x - y * 0.78515625f) - y * 2.4187564849853515625e-4f) - y * 3.77489497744594108e-8f;
  const float z = r * r;
  const float c =
      ((2.443315711809948e-5f * z - 1.388731625493765e-3f) * z + 4.166664568298827e-2f) * z * z - 0.5f * z + 1.0f;
  const float s = ((-1.9515295891e-4f * z + 8.3321608736e-3f) * z - 1.6666654611e-1f) * z * r + r;
  const bool swap = (octant & 2) != 0;
  const float sine_size = swap ? c : s;
  const float cosine_size = swap ? s : c;
  *sine = (octant & 4) != 0 ? -sine_size : sine_size;
  *cosine = ((octant + 2) & 4) != 0 ? -cosine_size : cosine_size;
}

// Sixteen uniform values become sixteen normal ones: element j and j + 8 are the cosine and the sine of one pair.
inline void normal_block(float* x, float mean, float std) {
  NODEGRAD_SIMD
  for (int j = 0; j < 8; j++) {
    const float radius = std::sqrt(-2.0f * fast_log(1.0f - x[j]));
    float sine, cosine;
    fast_sincos(static_cast<float>(2.0 * kPi) * x[j + 8], &sine, &cosine);
    x[j] = radius * cosine * std + mean;
    x[j + 8] = radius * sine * std + mean;
  }
}
inline void normal_block(double* x, double mean, double std) {
  for (int j = 0; j < 8; j++) {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - x[j]));
    const double theta = 2.0 * kPi * x[j + 8];
    x[j] = radius * std::cos(theta) * std + mean;
    x[j + 8] = radius * std::sin(theta) * std + mean;
  }
}

// n >= 16 values in blocks of 16. The last 16 are drawn anew where n is no multiple of 16; 16-bit types draw the
// uniform values of whole blocks only.
template <class T, class F>
void normal_blocks(T* out, F* x, MersenneTwister& generator, F mean, F std, int64_t n) {
  const auto draw = [&](F* to, int64_t count) {
    for (int64_t i = 0; i < count; i++)
      to[i] = static_cast<F>(std::is_same_v<F, double> ? generator.uniform53() : generator.uniform24());
  };
  const int64_t blocks = n / 16, rest = n % 16;
  draw(x, is_half<T> ? blocks * 16 : n);
  parallel_for(blocks, 512, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; b++) normal_block(x + 16 * b, mean, std);
  });
  if (rest != 0) {
    draw(x + n - 16, 16);
    normal_block(x + n - 16, mean, std);
  }
  if constexpr (!std::is_same_v<T, F>) {
    for (int64_t i = 0; i < n; i++) out[i] = T(x[i]);
  }
}

// Normal values: in blocks where `blocked` (n is at least 16 then), else one by one.
template <class T>
void normalFill(Slice<T> out, Slice<uint32_t> state, Slice<double> cached, double mean, double std, int64_t n,
                bool blocked) {
  T* o = out.at_least(n);
  MersenneTwister generator(state);
  if (blocked) {
    require(n >= 16, "blocks of normal values need 16 of them");
    if constexpr (is_half<T>) {
      Scratch<float> x(n);
      normal_blocks(o, x.get(), generator, static_cast<float>(mean), static_cast<float>(std), n);
    } else {
      normal_blocks(o, o, generator, static_cast<T>(mean), static_cast<T>(std), n);
    }
    return;
  }
  ScalarNormal normal(generator, cached, mean, std);
  for (int64_t i = 0; i < n; i++) o[i] = store<T>(normal());
}

template <class T>
void logNormalFill(Slice<T> out, Slice<uint32_t> state, Slice<double> cached, double mean, double std, int64_t n) {
  T* o = out.at_least(n);
  MersenneTwister generator(state);
  ScalarNormal normal(generator, cached, mean, std);
  for (int64_t i = 0; i < n; i++) o[i] = store<T>(std::exp(normal()));
}

// Values of a distribution given by its inverse function of a uniform double.
template <class T, class F>
void inverse_fill(Slice<T> out, Slice<uint32_t> state, int64_t n, const F& inverse) {
  T* o = out.at_least(n);
  MersenneTwister generator(state);
  for (int64_t i = 0; i < n; i++) o[i] = store<T>(inverse(generator.uniform53()));
}

template <class T>
void exponentialFill(Slice<T> out, Slice<uint32_t> state, double lambda, int64_t n) {
  inverse_fill(out, state, n, [&](double u) { return -1.0 / lambda * std::log1p(-u); });
}
template <class T>
void cauchyFill(Slice<T> out, Slice<uint32_t> state, double median, double sigma, int64_t n) {
  inverse_fill(out, state, n, [&](double u) { return median + sigma * std::tan(kPi * (u - 0.5)); });
}
template <class T>
void geometricFill(Slice<T> out, Slice<uint32_t> state, double p, int64_t n) {
  inverse_fill(out, state, n, [&](double u) { return std::ceil(std::log(u) / std::log1p(-p)); });
}
// `value` with probability p, else 0: where a uniform double k 2^-53 is less than p. The state's words are taken in
// order, and what becomes of them is decided in parallel: k < p 2^53, which is exact, by the upper and the lower word
// of k.
template <class T>
void bernoulliFill(Slice<T> out, Slice<uint32_t> state, double p, double value, int64_t n) {
  constexpr int64_t block = 65536;
  T* o = out.at_least(n);
  MersenneTwister generator(state);
  const auto bound = static_cast<uint64_t>(std::ceil(std::clamp(p, 0.0, 1.0) * 0x1p53));
  const auto upper = static_cast<uint32_t>(bound >> 32), lower = static_cast<uint32_t>(bound);
  const T kept = store<T>(value), dropped = store<T>(0.0);
  const Scratch<uint32_t> words(2 * std::min(n, block));
  for (int64_t at = 0; at < n; at += block) {
    const int64_t size = std::min(block, n - at);
    generator.raw_words(words.get(), 2 * size);
    const uint32_t* const drawn = words.get();
    T* const to = o + at;
    parallel_for(size, 8192, [&](int64_t begin, int64_t end) {
      NODEGRAD_SIMD
      for (int64_t i = begin; i < end; i++) {
        const uint32_t high = MersenneTwister::tempered(drawn[2 * i]) & 0x1fffffu;
        const uint32_t low = MersenneTwister::tempered(drawn[2 * i + 1]);
        to[i] = (high < upper) | ((high == upper) & (low < lower)) ? kept : dropped;
      }
    });
  }
}

// out[i] = 1 with probability p[i]; 24 bits a value for all types of p but double.
template <class P>
void bernoulliEach(Slice<P> out, Slice<const P> p, Slice<uint32_t> state, int64_t n) {
  P* o = out.at_least(n);
  const P* probability = p.at_least(n);
  MersenneTwister generator(state);
  for (int64_t i = 0; i < n; i++) {
    if constexpr (std::is_same_v<P, double>) {
      o[i] = generator.uniform53() < probability[i] ? 1.0 : 0.0;
    } else {
      o[i] = store<P>(static_cast<float>(generator.uniform24()) < static_cast<float>(probability[i]) ? 1.0 : 0.0);
    }
  }
}

// bounds is [number of values (0 means 2^64), least value]: 32 bits a value for ranges below 2^28, else 64.
template <class T>
void randomFill(Slice<T> out, Slice<uint32_t> state, Slice<const int64_t> bounds, int64_t n) {
  T* o = out.at_least(n);
  const auto range = static_cast<uint64_t>(bounds.at_least(2)[0]);
  const auto base = static_cast<uint64_t>(bounds.data[1]);
  MersenneTwister generator(state);
  if (range == 0) {
    for (int64_t i = 0; i < n; i++) o[i] = store_integer<T>(static_cast<int64_t>(generator.next64()));
  } else if (range >= (uint64_t{1} << 28)) {
    for (int64_t i = 0; i < n; i++) o[i] = store_integer<T>(static_cast<int64_t>(generator.next64() % range + base));
  } else {
    const auto narrow = static_cast<uint32_t>(range);
    for (int64_t i = 0; i < n; i++) o[i] = store_integer<T>(static_cast<int64_t>(generator.next32() % narrow + base));
  }
}

// All values that the type holds exactly, from 0 on.
template <class T>
void randomFullFill(Slice<T> out, Slice<uint32_t> state, int64_t n) {
  T* o = out.at_least(n);
  MersenneTwister generator(state);
  for (int64_t i = 0; i < n; i++) {
    if constexpr (std::is_same_v<T, Bool>) {
      o[i] = Bool((generator.next32() & 1u) != 0);
    } else if constexpr (std::is_same_v<T, int64_t>) {
      o[i] = static_cast<int64_t>(generator.next64() & 0x7fffffffffffffffu);
    } else if constexpr (std::is_same_v<T, double>) {
      o[i] = static_cast<double>(generator.next64() % ((uint64_t{1} << 53) + 1));
    } else if constexpr (std::is_integral_v<T>) {
      o[i] = static_cast<T>(generator.next32() % (static_cast<uint64_t>(std::numeric_limits<T>::max()) + 1));
    } else {
      constexpr int digits = std::is_same_v<T, float> ? 24 : std::is_same_v<T, Float16> ? 11 : 8;
      o[i] = store_integer<T>(static_cast<int64_t>(generator.next32() % ((uint32_t{1} << digits) + 1)));
    }
  }
}

// 0..n-1 shuffled: element i is exchanged with one of i..n-1, the last excepted.
template <class T>
void randpermFill(Slice<T> out, Slice<uint32_t> state, int64_t n) {
  T* o = out.at_least(n);
  for (int64_t i = 0; i < n; i++) o[i] = store_integer<T>(i);
  MersenneTwister generator(state);
  const bool wide = n >= static_cast<int64_t>(std::numeric_limits<uint32_t>::max() / 20);
  for (int64_t i = 0; i < n - 1; i++) {
    const auto left = static_cast<uint64_t>(n - i);
    const auto step = static_cast<int64_t>((wide ? generator.next64() : generator.next32()) % left);
    std::swap(o[i], o[i + step]);
  }
}

// For each row of k weights, `draws` indices with replacement: binary search in the row's normalised running sum.
template <class T>
void multinomialReplace(Slice<int64_t> out, Slice<const T> weights, Slice<uint32_t> state, int64_t rows, int64_t k,
                        int64_t draws) {
  require(k > 0, "a distribution needs a category");
  int64_t* o = out.at_least(rows * draws);
  const T* w = weights.at_least(rows * k);
  MersenneTwister generator(state);
  Scratch<T> running(k);
  for (int64_t r = 0; r < rows; r++) {
    T sum = 0;
    for (int64_t j = 0; j < k; j++) running[j] = sum += w[r * k + j];
    if (sum > 0) {
      for (int64_t j = 0; j < k; j++) running[j] /= sum;
    }
    running[k - 1] = 1;
    for (int64_t d = 0; d < draws; d++) {
      const double u = generator.uniform53();
      int64_t left = 0, right = k;
      while (right > left) {
        const int64_t middle = left + (right - left) / 2;
        if (static_cast<double>(running[middle]) < u) {
          left = middle + 1;
        } else {
          right = middle;
        }
      }
      o[r * draws + d] = left;
    }
  }
}

// For each row of k weights, `draws` different indices: those of the largest w / e, where e are exponential values
// given by the caller.
template <class T>
void multinomialDistinct(Slice<int64_t> out, Slice<const T> weights, Slice<const T> exponential, int64_t rows,
                         int64_t k, int64_t draws) {
  require(draws <= k, "more different indices than there are");
  int64_t* o = out.at_least(rows * draws);
  const T* w = weights.at_least(rows * k);
  const T* e = exponential.at_least(rows * k);
  using Entry = std::pair<float, int64_t>;
  using Wide = std::pair<double, int64_t>;
  using Item = std::conditional_t<std::is_same_v<T, double>, Wide, Entry>;
  const auto before = [](const Item& a, const Item& b) {
    return (std::isnan(a.first) && !std::isnan(b.first)) || a.first > b.first;
  };
  Scratch<Item> items(k);
  for (int64_t r = 0; r < rows; r++) {
    for (int64_t j = 0; j < k; j++) {
      const T ratio = T(w[r * k + j] / e[r * k + j]);
      items[j] = Item{ratio, j};
    }
    Item* begin = items.get();
    // The same algorithms as topk's, so that equal ratios come in the same order; the first of the largest where one is
    // wanted.
    if (draws == 1) {
      o[r] = std::min_element(begin, begin + k, before)->second;
      continue;
    }
    if (draws * 64 <= k) {
      std::partial_sort(begin, begin + draws, begin + k, before);
    } else if (draws > 0) {
      std::nth_element(begin, begin + draws - 1, begin + k, before);
      std::sort(begin, begin + draws - 1, before);
    }
    for (int64_t d = 0; d < draws; d++) o[r * draws + d] = items[d].second;
  }
}

}  // namespace

void add_random(Registry& registry) {
  NODEGRAD_ADD(registry, uniformFill, NODEGRAD_FLOATING, NODEGRAD_HALVES);
  NODEGRAD_ADD(registry, normalFill, NODEGRAD_FLOATING, NODEGRAD_HALVES);
  NODEGRAD_ADD(registry, logNormalFill, NODEGRAD_FLOATING, NODEGRAD_HALVES);
  NODEGRAD_ADD(registry, exponentialFill, NODEGRAD_FLOATING, NODEGRAD_HALVES);
  NODEGRAD_ADD(registry, cauchyFill, NODEGRAD_FLOATING, NODEGRAD_HALVES);
  NODEGRAD_ADD(registry, geometricFill, NODEGRAD_NUMBERS, NODEGRAD_HALVES);
  NODEGRAD_ADD(registry, bernoulliFill, NODEGRAD_ALL);
  NODEGRAD_ADD(registry, bernoulliEach, NODEGRAD_FLOATING, NODEGRAD_HALVES);
  NODEGRAD_ADD(registry, randomFill, NODEGRAD_ALL);
  NODEGRAD_ADD(registry, randomFullFill, NODEGRAD_ALL);
  NODEGRAD_ADD(registry, randpermFill, NODEGRAD_NUMBERS, NODEGRAD_HALVES);
  NODEGRAD_ADD(registry, multinomialReplace, NODEGRAD_FLOATING);
  NODEGRAD_ADD(registry, multinomialDistinct, NODEGRAD_FLOATING, NODEGRAD_HALVES);
}

}  // namespace nodegrad
