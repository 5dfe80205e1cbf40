// Optimizer updates: one pass over parameter, gradient and state, which are contiguous and of `n` elements each. A
// state that a variant does without comes as an empty slice. Arithmetic is in Wide<T> (float for the 16-bit types), in
// PyTorch's order of operations; TypeScript folds step counts into the scalars.
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "../../runtime/parallel.h"
#include "../../runtime/pass.h"
#include "../../runtime/registry.h"
#include "../../runtime/simd.h"

namespace nodegrad::NODEGRAD_LEVEL {
namespace {

template <class T>
using Wide = std::conditional_t<std::is_same_v<T, double>, double, float>;

// Descends along -direction: every update sees the gradient with its sign and L2 penalty applied.
template <class W, class T>
inline W gradient_of(const T* grad, const T* param, int64_t i, W sign, bool decays, W weight_decay) {
  const W g = sign * static_cast<W>(grad[i]);
  return decays ? g + weight_decay * static_cast<W>(param[i]) : g;
}

template <class W>
struct SgdNumbers {
  W lr, momentum, keep, weight_decay, sign;
  bool decays;
};

// b = momentum * b + (1 - dampening) * g, or g on the first step; p -= lr * (nesterov ? g + momentum * b : b). Branches
// on what is the same for all elements cost more than memory does, so each variant has a loop of its own.
template <bool first, bool nesterov, class T, class W>
void sgd_range(T* p, const T* d, T* b, int64_t begin, int64_t end, const SgdNumbers<W> k) {
  NODEGRAD_SIMD
  for (int64_t i = begin; i < end; i++) {
    const W g = gradient_of<W>(d, p, i, k.sign, k.decays, k.weight_decay);
    W velocity = g;
    if constexpr (!first) velocity = k.momentum * static_cast<W>(b[i]) + k.keep * g;
    b[i] = static_cast<T>(velocity);
    p[i] = static_cast<T>(static_cast<W>(p[i]) - k.lr * (nesterov ? g + k.momentum * velocity : velocity));
  }
}

template <class T>
void sgd(Slice<T> param, Slice<const T> grad, Slice<T> buffer, int64_t n, double lr, double momentum, double dampening,
         double weight_decay, bool nesterov, bool maximize, bool first) {
  using W = Wide<T>;
  T* p = param.at_least(n);
  const T* d = grad.at_least(n);
  const bool moves = momentum != 0;
  T* b = buffer.at_least(moves ? n : 0);
  const SgdNumbers<W> k{static_cast<W>(lr),           static_cast<W>(momentum), static_cast<W>(1 - dampening),
                        static_cast<W>(weight_decay), maximize ? W(-1) : W(1),  weight_decay != 0};
  run_in_pass(n, [=](int64_t begin, int64_t end) {
    if (!moves) {
      NODEGRAD_SIMD
      for (int64_t i = begin; i < end; i++)
        p[i] = static_cast<T>(static_cast<W>(p[i]) - k.lr * gradient_of<W>(d, p, i, k.sign, k.decays, k.weight_decay));
    } else if (first) {
      nesterov ? sgd_range<true, true>(p, d, b, begin, end, k) : sgd_range<true, false>(p, d, b, begin, end, k);
    } else {
      nesterov ? sgd_range<false, true>(p, d, b, begin, end, k) : sgd_range<false, false>(p, d, b, begin, end, k);
    }
  });
}

// Adam's numbers, in the type that the update computes in.
template <class W>
struct AdamNumbers {
  W step_size, correction, beta1, rest1, beta2, rest2, eps, weight_decay, shrink, sign;
  bool decays, light;
};

// m += (1 - beta1) (g - m); v = beta2 v + (1 - beta2) g^2; p -= step_size * m / (sqrt(v) / correction + eps), v
// replaced by its running maximum for amsgrad. Decoupled weight decay shrinks p first: p *= shrink.
template <bool amsgrad, class T, class W>
void adam_range(T* p, const T* d, T* m, T* v, T* x, int64_t begin, int64_t end, const AdamNumbers<W> k) {
  NODEGRAD_SIMD
  for (int64_t i = begin; i < end; i++) {
    const W before = static_cast<W>(p[i]) * k.shrink;
    W g = k.sign * static_cast<W>(d[i]);
    g = k.decays ? g + k.weight_decay * before : g;
    const W old = static_cast<W>(m[i]);
    const W mean = k.light ? old + k.rest1 * (g - old) : g - (g - old) * k.beta1;
    const W variance = k.beta2 * static_cast<W>(v[i]) + k.rest2 * g * g;
    m[i] = static_cast<T>(mean);
    v[i] = static_cast<T>(variance);
    W bound = variance;
    if constexpr (amsgrad) {
      const W highest = static_cast<W>(x[i]);
      bound = variance > highest || variance != variance ? variance : highest;
      x[i] = static_cast<T>(bound);
    }
    p[i] = static_cast<T>(before - k.step_size * mean / (std::sqrt(bound) / k.correction + k.eps));
  }
}

template <class T>
void adam(Slice<T> param, Slice<const T> grad, Slice<T> average, Slice<T> square, Slice<T> maximum, int64_t n,
          double step_size, double correction, double beta1, double beta2, double eps, double weight_decay,
          double shrink, bool maximize) {
  using W = Wide<T>;
  T* p = param.at_least(n);
  const T* d = grad.at_least(n);
  T* m = average.at_least(n);
  T* v = square.at_least(n);
  const bool amsgrad = maximum.size > 0;
  T* x = maximum.at_least(amsgrad ? n : 0);
  const W rest1 = static_cast<W>(1 - beta1);
  const AdamNumbers<W> k{
      static_cast<W>(step_size), static_cast<W>(correction), static_cast<W>(beta1), rest1,
      static_cast<W>(beta2),     static_cast<W>(1 - beta2),  static_cast<W>(eps),   static_cast<W>(weight_decay),
      static_cast<W>(shrink),    maximize ? W(-1) : W(1),    weight_decay != 0,     rest1 < W(0.5)};
  run_in_pass(n, [=](int64_t begin, int64_t end) {
    if (amsgrad) {
      adam_range<true>(p, d, m, v, x, begin, end, k);
    } else {
      adam_range<false>(p, d, m, v, x, begin, end, k);
    }
  });
}

template <class W>
struct RmspropNumbers {
  W lr, alpha, rest, eps, weight_decay, momentum, sign;
  bool decays, light;
};

// v = alpha v + (1 - alpha) g^2; a += (1 - alpha) (g - a) where centered; u = g / (sqrt(v - a^2) + eps);
// with momentum b = momentum b + u, p -= lr b, else p -= lr u.
template <bool centered, bool moves, class T, class W>
void rmsprop_range(T* p, const T* d, T* v, T* a, T* b, int64_t begin, int64_t end, const RmspropNumbers<W> k) {
  NODEGRAD_SIMD
  for (int64_t i = begin; i < end; i++) {
    const W g = gradient_of<W>(d, p, i, k.sign, k.decays, k.weight_decay);
    W variance = k.alpha * static_cast<W>(v[i]) + k.rest * g * g;
    v[i] = static_cast<T>(variance);
    if constexpr (centered) {
      const W old = static_cast<W>(a[i]);
      const W mean = k.light ? old + k.rest * (g - old) : g - (g - old) * k.alpha;
      a[i] = static_cast<T>(mean);
      variance = variance - mean * mean;
    }
    const W scale = std::sqrt(variance) + k.eps;
    if constexpr (moves) {
      const W velocity = k.momentum * static_cast<W>(b[i]) + g / scale;
      b[i] = static_cast<T>(velocity);
      p[i] = static_cast<T>(static_cast<W>(p[i]) - k.lr * velocity);
    } else {
      p[i] = static_cast<T>(static_cast<W>(p[i]) - k.lr * g / scale);
    }
  }
}

template <class T>
void rmsprop(Slice<T> param, Slice<const T> grad, Slice<T> square, Slice<T> average, Slice<T> buffer, int64_t n,
             double lr, double alpha, double eps, double weight_decay, double momentum, bool maximize) {
  using W = Wide<T>;
  T* p = param.at_least(n);
  const T* d = grad.at_least(n);
  T* v = square.at_least(n);
  const bool centered = average.size > 0, moves = momentum > 0;
  T* a = average.at_least(centered ? n : 0);
  T* b = buffer.at_least(moves ? n : 0);
  const W rest = static_cast<W>(1 - alpha);
  const RmspropNumbers<W> k{static_cast<W>(lr),
                            static_cast<W>(alpha),
                            rest,
                            static_cast<W>(eps),
                            static_cast<W>(weight_decay),
                            static_cast<W>(momentum),
                            maximize ? W(-1) : W(1),
                            weight_decay != 0,
                            rest < W(0.5)};
  run_in_pass(n, [=](int64_t begin, int64_t end) {
    if (centered) {
      moves ? rmsprop_range<true, true>(p, d, v, a, b, begin, end, k)
            : rmsprop_range<true, false>(p, d, v, a, b, begin, end, k);
    } else {
      moves ? rmsprop_range<false, true>(p, d, v, a, b, begin, end, k)
            : rmsprop_range<false, false>(p, d, v, a, b, begin, end, k);
    }
  });
}

// s += g^2; p -= lr * g / (sqrt(s) + eps).
template <class T>
void adagrad(Slice<T> param, Slice<const T> grad, Slice<T> sum, int64_t n, double lr_, double eps_,
             double weight_decay_, bool maximize) {
  using W = Wide<T>;
  T* p = param.at_least(n);
  const T* d = grad.at_least(n);
  T* s = sum.at_least(n);
  const W lr = static_cast<W>(lr_), eps = static_cast<W>(eps_), weight_decay = static_cast<W>(weight_decay_),
          sign = maximize ? W(-1) : W(1);
  const bool decays = weight_decay_ != 0;
  run_in_pass(n, [=](int64_t begin, int64_t end) {
    NODEGRAD_SIMD
    for (int64_t i = begin; i < end; i++) {
      const W g = gradient_of<W>(d, p, i, sign, decays, weight_decay);
      const W total = static_cast<W>(s[i]) + g * g;
      s[i] = static_cast<T>(total);
      p[i] = static_cast<T>(static_cast<W>(p[i]) - lr * g / (std::sqrt(total) + eps));
    }
  });
}

// v = rho v + (1 - rho) g^2; u = sqrt(w + eps) / sqrt(v + eps) g; w = rho w + (1 - rho) u^2; p -= lr u.
template <class T>
void adadelta(Slice<T> param, Slice<const T> grad, Slice<T> square, Slice<T> delta, int64_t n, double lr_, double rho_,
              double eps_, double weight_decay_, bool maximize) {
  using W = Wide<T>;
  T* p = param.at_least(n);
  const T* d = grad.at_least(n);
  T* v = square.at_least(n);
  T* w = delta.at_least(n);
  const W lr = static_cast<W>(lr_), rho = static_cast<W>(rho_), rest = static_cast<W>(1 - rho_),
          eps = static_cast<W>(eps_);
  const W weight_decay = static_cast<W>(weight_decay_), sign = maximize ? W(-1) : W(1);
  const bool decays = weight_decay_ != 0;
  run_in_pass(n, [=](int64_t begin, int64_t end) {
    NODEGRAD_SIMD
    for (int64_t i = begin; i < end; i++) {
      const W g = gradient_of<W>(d, p, i, sign, decays, weight_decay);
      const W variance = rho * static_cast<W>(v[i]) + rest * g * g;
      const W step = std::sqrt(static_cast<W>(w[i]) + eps) / std::sqrt(variance + eps) * g;
      v[i] = static_cast<T>(variance);
      w[i] = static_cast<T>(rho * static_cast<W>(w[i]) + rest * step * step);
      p[i] = static_cast<T>(static_cast<W>(p[i]) - lr * step);
    }
  });
}

// m += (1 - beta1) (g - m); u = max(beta2 u, |g| + eps); p -= step_size * m / u.
template <class T>
void adamax(Slice<T> param, Slice<const T> grad, Slice<T> average, Slice<T> infinity, int64_t n, double step_size_,
            double beta1_, double beta2_, double eps_, double weight_decay_, bool maximize) {
  using W = Wide<T>;
  T* p = param.at_least(n);
  const T* d = grad.at_least(n);
  T* m = average.at_least(n);
  T* u = infinity.at_least(n);
  const W step_size = static_cast<W>(step_size_), beta1 = static_cast<W>(beta1_), rest1 = static_cast<W>(1 - beta1_),
          beta2 = static_cast<W>(beta2_);
  const W eps = static_cast<W>(eps_), weight_decay = static_cast<W>(weight_decay_), sign = maximize ? W(-1) : W(1);
  const bool decays = weight_decay_ != 0, light = rest1 < W(0.5);
  run_in_pass(n, [=](int64_t begin, int64_t end) {
    NODEGRAD_SIMD
    for (int64_t i = begin; i < end; i++) {
      const W g = gradient_of<W>(d, p, i, sign, decays, weight_decay);
      const W old = static_cast<W>(m[i]);
      const W mean = light ? old + rest1 * (g - old) : g - (g - old) * beta1;
      const W shrunk = beta2 * static_cast<W>(u[i]), size = std::fabs(g) + eps;
      const W norm = size > shrunk || size != size ? size : shrunk;
      m[i] = static_cast<T>(mean);
      u[i] = static_cast<T>(norm);
      p[i] = static_cast<T>(static_cast<W>(p[i]) - step_size * mean / norm);
    }
  });
}

// m and v as Adam's; p -= (gradient_step * g + average_step * m) / (sqrt(v / correction) + eps). Serves NAdam.
template <class T>
void nadam(Slice<T> param, Slice<const T> grad, Slice<T> average, Slice<T> square, int64_t n, double gradient_step_,
           double average_step_, double correction_, double beta1_, double beta2_, double eps_, double weight_decay_,
           double shrink_, bool maximize) {
  using W = Wide<T>;
  T* p = param.at_least(n);
  const T* d = grad.at_least(n);
  T* m = average.at_least(n);
  T* v = square.at_least(n);
  const W gradient_step = static_cast<W>(gradient_step_), average_step = static_cast<W>(average_step_),
          correction = static_cast<W>(correction_);
  const W beta1 = static_cast<W>(beta1_), rest1 = static_cast<W>(1 - beta1_), beta2 = static_cast<W>(beta2_),
          rest2 = static_cast<W>(1 - beta2_);
  const W eps = static_cast<W>(eps_), weight_decay = static_cast<W>(weight_decay_), shrink = static_cast<W>(shrink_),
          sign = maximize ? W(-1) : W(1);
  const bool decays = weight_decay_ != 0, light = rest1 < W(0.5);
  run_in_pass(n, [=](int64_t begin, int64_t end) {
    NODEGRAD_SIMD
    for (int64_t i = begin; i < end; i++) {
      const W before = static_cast<W>(p[i]) * shrink;
      W g = sign * static_cast<W>(d[i]);
      g = decays ? g + weight_decay * before : g;
      const W old = static_cast<W>(m[i]);
      const W mean = light ? old + rest1 * (g - old) : g - (g - old) * beta1;
      const W variance = beta2 * static_cast<W>(v[i]) + rest2 * g * g;
      const W scale = std::sqrt(variance / correction) + eps;
      m[i] = static_cast<T>(mean);
      v[i] = static_cast<T>(variance);
      p[i] = static_cast<T>(before - gradient_step * g / scale - average_step * mean / scale);
    }
  });
}

// m and v as Adam's; p -= lr * m / correction1 * (rectified ? correction2 / (sqrt(v) + eps) * rectification : 1).
template <class T>
void radam(Slice<T> param, Slice<const T> grad, Slice<T> average, Slice<T> square, int64_t n, double lr_,
           double correction1_, double correction2_, double rectification_, double beta1_, double beta2_, double eps_,
           double weight_decay_, double shrink_, bool maximize) {
  using W = Wide<T>;
  T* p = param.at_least(n);
  const T* d = grad.at_least(n);
  T* m = average.at_least(n);
  T* v = square.at_least(n);
  const W lr = static_cast<W>(lr_), correction1 = static_cast<W>(correction1_),
          correction2 = static_cast<W>(correction2_);
  const W rectification = static_cast<W>(rectification_), beta1 = static_cast<W>(beta1_),
          rest1 = static_cast<W>(1 - beta1_);
  const W beta2 = static_cast<W>(beta2_), rest2 = static_cast<W>(1 - beta2_), eps = static_cast<W>(eps_),
          weight_decay = static_cast<W>(weight_decay_);
  const W shrink = static_cast<W>(shrink_), sign = maximize ? W(-1) : W(1);
  const bool decays = weight_decay_ != 0, light = rest1 < W(0.5), rectified = rectification_ > 0;
  run_in_pass(n, [=](int64_t begin, int64_t end) {
    NODEGRAD_SIMD
    for (int64_t i = begin; i < end; i++) {
      const W before = static_cast<W>(p[i]) * shrink;
      W g = sign * static_cast<W>(d[i]);
      g = decays ? g + weight_decay * before : g;
      const W old = static_cast<W>(m[i]);
      const W mean = light ? old + rest1 * (g - old) : g - (g - old) * beta1;
      const W variance = beta2 * static_cast<W>(v[i]) + rest2 * g * g;
      const W adapted = rectified ? correction2 / (std::sqrt(variance) + eps) * rectification : W(1);
      m[i] = static_cast<T>(mean);
      v[i] = static_cast<T>(variance);
      p[i] = static_cast<T>(before - lr * (mean / correction1) * adapted);
    }
  });
}

// p = p * shrink - eta * g; a += mu * (p - a), or p where mu is 1.
template <class T>
void asgd(Slice<T> param, Slice<const T> grad, Slice<T> average, int64_t n, double eta_, double shrink_, double mu_,
          double weight_decay_, bool maximize) {
  using W = Wide<T>;
  T* p = param.at_least(n);
  const T* d = grad.at_least(n);
  T* a = average.at_least(n);
  const W eta = static_cast<W>(eta_), shrink = static_cast<W>(shrink_), mu = static_cast<W>(mu_),
          weight_decay = static_cast<W>(weight_decay_);
  const W sign = maximize ? W(-1) : W(1);
  const bool decays = weight_decay_ != 0, replaces = mu_ == 1;
  run_in_pass(n, [=](int64_t begin, int64_t end) {
    NODEGRAD_SIMD
    for (int64_t i = begin; i < end; i++) {
      const W g = gradient_of<W>(d, p, i, sign, decays, weight_decay);
      const W after = static_cast<W>(p[i]) * shrink - eta * g;
      const W old = static_cast<W>(a[i]);
      p[i] = static_cast<T>(after);
      a[i] = static_cast<T>(replaces ? after : old + mu * (after - old));
    }
  });
}

// Where g keeps its sign the step grows by eta_plus, where it turns the step shrinks by eta_minus and p rests; p -=
// sign(g) step.
template <class T>
void rprop(Slice<T> param, Slice<const T> grad, Slice<T> previous, Slice<T> step_size, int64_t n, double eta_minus_,
           double eta_plus_, double low_, double high_, bool maximize) {
  using W = Wide<T>;
  T* p = param.at_least(n);
  const T* d = grad.at_least(n);
  T* q = previous.at_least(n);
  T* s = step_size.at_least(n);
  const W eta_minus = static_cast<W>(eta_minus_), eta_plus = static_cast<W>(eta_plus_), low = static_cast<W>(low_),
          high = static_cast<W>(high_);
  const W sign = maximize ? W(-1) : W(1);
  run_in_pass(n, [=](int64_t begin, int64_t end) {
    NODEGRAD_SIMD
    for (int64_t i = begin; i < end; i++) {
      W g = sign * static_cast<W>(d[i]);
      const W agreement = g * static_cast<W>(q[i]);
      W step = static_cast<W>(s[i]) * (agreement > 0 ? eta_plus : agreement < 0 ? eta_minus : W(1));
      // The upper bound wins where the bounds are crossed, as in PyTorch.
      step = step < low ? low : step;
      step = step > high ? high : step;
      g = agreement < 0 ? W(0) : g;
      s[i] = static_cast<T>(step);
      q[i] = static_cast<T>(g);
      p[i] = static_cast<T>(static_cast<W>(p[i]) - (g > 0 ? step : g < 0 ? -step : W(0)));
    }
  });
}

// Multiplies the gradient by the inverse of the loss scale in place; 1 where any element was infinite or NaN, else 0.
template <class T>
double unscale(Slice<T> grad, int64_t n, double inverse_) {
  using W = Wide<T>;
  T* d = grad.at_least(n);
  const W inverse = static_cast<W>(inverse_);
  bool found = false;
  parallel_for(n, kPassGrain, [&](int64_t begin, int64_t end) {
    // x - x is 0 for finite x and NaN else: no branch in the loop.
    int doubt = 0;
    for (int64_t i = begin; i < end; i++) {
      const W x = static_cast<W>(d[i]);
      doubt |= (x - x) != 0;
      d[i] = static_cast<T>(x * inverse);
    }
    // Chunks run at once, and all that do store the same value.
    if (doubt != 0) __atomic_store_n(&found, true, __ATOMIC_RELAXED);
  });
  return found ? 1 : 0;
}

}  // namespace

void add_optim(Registry& registry) {
  NODEGRAD_ADD(registry, sgd, NODEGRAD_FLOATING, NODEGRAD_HALVES);
  NODEGRAD_ADD(registry, adam, NODEGRAD_FLOATING, NODEGRAD_HALVES);
  NODEGRAD_ADD(registry, rmsprop, NODEGRAD_FLOATING, NODEGRAD_HALVES);
  NODEGRAD_ADD(registry, adagrad, NODEGRAD_FLOATING, NODEGRAD_HALVES);
  NODEGRAD_ADD(registry, adadelta, NODEGRAD_FLOATING, NODEGRAD_HALVES);
  NODEGRAD_ADD(registry, adamax, NODEGRAD_FLOATING, NODEGRAD_HALVES);
  NODEGRAD_ADD(registry, nadam, NODEGRAD_FLOATING, NODEGRAD_HALVES);
  NODEGRAD_ADD(registry, radam, NODEGRAD_FLOATING, NODEGRAD_HALVES);
  NODEGRAD_ADD(registry, asgd, NODEGRAD_FLOATING, NODEGRAD_HALVES);
  NODEGRAD_ADD(registry, rprop, NODEGRAD_FLOATING, NODEGRAD_HALVES);
  NODEGRAD_ADD(registry, unscale, NODEGRAD_FLOATING, NODEGRAD_HALVES);
}

}  // namespace nodegrad::NODEGRAD_LEVEL
