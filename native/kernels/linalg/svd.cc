// Singular values and vectors of small matrices by one-sided Jacobi rotations (Hestenes), in double: columns are
// rotated pairwise until all are orthogonal; their lengths are then the singular values.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include "../../runtime/parallel.h"
#include "../../runtime/registry.h"

namespace nodegrad {
namespace {

// Columns of length `rows`, one after the other.
struct Columns {
  int64_t rows;
  std::vector<double> data;
  Columns(int64_t rows_, int64_t columns) : rows(rows_), data(static_cast<size_t>(rows_ * columns), 0.0) {}
  double* operator[](int64_t column) { return data.data() + column * rows; }
};

double dot(const double* a, const double* b, int64_t n) { return std::inner_product(a, a + n, b, 0.0); }

void rotate(double* a, double* b, int64_t n, double cosine, double sine) {
  for (int64_t i = 0; i < n; i++) {
    const double x = a[i];
    a[i] = cosine * x - sine * b[i];
    b[i] = sine * x + cosine * b[i];
  }
}

// A column this much shorter than the whole matrix is rounding noise of a zero column, and has no direction of its own.
constexpr double kNoise = 4 * std::numeric_limits<double>::epsilon();

// Makes the k columns of w orthogonal, and applies the same rotations to v. False where that does not end (NaN,
// infinity).
bool orthogonalize(Columns& w, Columns& v, int64_t k) {
  constexpr int kSweeps = 80;
  const double whole = std::inner_product(w.data.begin(), w.data.end(), w.data.begin(), 0.0);
  const double noise = kNoise * kNoise * whole;
  for (int sweep = 0; sweep < kSweeps; sweep++) {
    bool rotated = false;
    for (int64_t i = 0; i < k; i++) {
      for (int64_t j = i + 1; j < k; j++) {
        const double alpha = dot(w[i], w[i], w.rows);
        const double beta = dot(w[j], w[j], w.rows);
        const double gamma = dot(w[i], w[j], w.rows);
        if (!std::isfinite(alpha + beta)) return false;
        if (std::fabs(gamma) <= 1e-15 * std::sqrt(alpha * beta) || std::min(alpha, beta) <= noise) continue;
        rotated = true;
        const double zeta = (beta - alpha) / (2 * gamma);
        const double t = (zeta >= 0 ? 1.0 : -1.0) / (std::fabs(zeta) + std::sqrt(1 + zeta * zeta));
        const double cosine = 1 / std::sqrt(1 + t * t);
        rotate(w[i], w[j], w.rows, cosine, cosine * t);
        rotate(v[i], v[j], v.rows, cosine, cosine * t);
      }
    }
    if (!rotated) return true;
  }
  return false;
}

// Gives the columns from `first` on, whose singular value is 0, unit length and directions orthogonal to all before.
void complete(Columns& u, int64_t first, int64_t k) {
  for (int64_t j = first; j < k; j++) {
    double best = -1;
    std::vector<double> chosen;
    for (int64_t axis = 0; axis < u.rows && best < 0.5; axis++) {
      std::vector<double> trial(static_cast<size_t>(u.rows), 0.0);
      trial[static_cast<size_t>(axis)] = 1;
      for (int pass = 0; pass < 2; pass++) {
        for (int64_t i = 0; i < j; i++) {
          const double along = dot(u[i], trial.data(), u.rows);
          for (int64_t r = 0; r < u.rows; r++) trial[static_cast<size_t>(r)] -= along * u[i][r];
        }
      }
      const double size = std::sqrt(dot(trial.data(), trial.data(), u.rows));
      if (size > best) {
        best = size;
        for (double& x : trial) x /= size;
        chosen = trial;
      }
    }
    std::copy(chosen.begin(), chosen.end(), u[j]);
  }
}

// a (m x n, row major) = u (m x k) diag(s) vh (k x n), k = min(m, n), s falling. False where the rotations do not end.
template <class T>
bool decompose(const T* a, T* u, T* s, T* vh, int64_t m, int64_t n) {
  const bool tall = m >= n;
  const int64_t k = std::min(m, n);
  const int64_t length = std::max(m, n);
  Columns w(length, k);
  Columns v(k, k);
  for (int64_t j = 0; j < k; j++) {
    for (int64_t i = 0; i < length; i++) w[j][i] = static_cast<double>(tall ? a[i * n + j] : a[j * n + i]);
    v[j][j] = 1;
  }
  for (int64_t i = 0; i < m * n; i++) {
    if (!std::isfinite(static_cast<double>(a[i]))) return false;
  }
  if (!orthogonalize(w, v, k)) return false;
  std::vector<double> sizes(static_cast<size_t>(k));
  std::vector<int64_t> order(static_cast<size_t>(k));
  for (int64_t j = 0; j < k; j++) sizes[static_cast<size_t>(j)] = std::sqrt(dot(w[j], w[j], length));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t i, int64_t j) { return sizes[static_cast<size_t>(i)] > sizes[static_cast<size_t>(j)]; });
  Columns directions(length, k);
  int64_t positive = 0;
  const double noise = kNoise * std::sqrt(std::inner_product(sizes.begin(), sizes.end(), sizes.begin(), 0.0));
  for (int64_t j = 0; j < k; j++) {
    const double size = sizes[static_cast<size_t>(order[static_cast<size_t>(j)])];
    s[j] = static_cast<T>(size);
    if (size <= noise || size <= std::numeric_limits<double>::min()) continue;
    positive = j + 1;
    for (int64_t i = 0; i < length; i++) directions[j][i] = w[order[static_cast<size_t>(j)]][i] / size;
  }
  complete(directions, positive, k);
  for (int64_t j = 0; j < k; j++) {
    const double* other = v[order[static_cast<size_t>(j)]];
    for (int64_t i = 0; i < m; i++) u[i * k + j] = static_cast<T>(tall ? directions[j][i] : other[i]);
    for (int64_t i = 0; i < n; i++) vh[j * n + i] = static_cast<T>(tall ? other[i] : directions[j][i]);
  }
  return true;
}

// A batch of matrices; returns how many could not be decomposed.
template <class T>
int64_t svd(Slice<const T> input, Slice<T> left, Slice<T> values, Slice<T> right, int64_t batch, int64_t m, int64_t n) {
  require(batch >= 0 && m >= 0 && n >= 0, "a matrix has a negative size");
  const int64_t k = std::min(m, n);
  const T* a = input.at_least(batch * m * n);
  T* u = left.at_least(batch * m * k);
  T* s = values.at_least(batch * k);
  T* vh = right.at_least(batch * k * n);
  if (k == 0) return 0;
  std::vector<char> failed(static_cast<size_t>(batch), 0);
  parallel_for(batch, 1, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; b++)
      failed[static_cast<size_t>(b)] = decompose(a + b * m * n, u + b * m * k, s + b * k, vh + b * k * n, m, n) ? 0 : 1;
  });
  return std::count(failed.begin(), failed.end(), 1);
}

}  // namespace

void add_svd(Registry& registry) { NODEGRAD_ADD(registry, svd, float, double); }

}  // namespace nodegrad
