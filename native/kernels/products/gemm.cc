// Who multiplies a product: large ones micro-kernels or BLAS, which gets tiles, one single-threaded call each; vectors
// go to gemv and dot.
#include "gemm.h"

#include <algorithm>
#include <type_traits>
#include <vector>

#include "../../runtime/blas.h"
#include "../../runtime/divide.h"
#include "../../runtime/parallel.h"
#include "../../runtime/scratch.h"
#include "blas_tile.h"
#include "packed_product.h"
#include "tiny_product.h"

namespace nodegrad::NODEGRAD_LEVEL {
namespace {

// Multiply-adds that a tile must hold at least where a product is cut into 2, 4, 8 or 16: the first bound pays for
// another thread's joining in, the later ones for packing the same rows and columns of A and B once more.
constexpr int64_t kTileWork[] = {int64_t{1} << 17, int64_t{1} << 19, int64_t{1} << 25, int64_t{1} << 27};
// Multiply-adds of a product that pays for a sleeping thread's wake-up.
constexpr double kLongWork = 1 << 20;
// Elements of C whose tiles read each row and column of A and B again so seldom that partial sums would cost more.
// Measured.
constexpr int64_t kLargeResult = int64_t{1} << 18;
// Multiply-adds from which packing pays where BLAS packs every product itself; blas_tile.h has them where it does not.
// Measured.
constexpr int64_t kLeastPackedWork = int64_t{1} << 15;
// Elements of a matrix-vector product (bound by memory) or of a dot product that one thread takes at a time.
constexpr int64_t kVectorWork = int64_t{1} << 17;

double multiply_adds(int64_t m, int64_t n, int64_t k) {
  return static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
}

// True where the micro-kernels of this level beat BLAS's: measured for float32 with AVX-512 and AVX2, on products that
// are worth their packing and fill most of their tiles.
template <class T>
bool multiplies_itself(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k) {
  if constexpr (std::is_same_v<T, float> && NODEGRAD_VECTOR_BYTES >= 32) {
    const auto fills = [](int64_t size, int64_t unit) { return 4 * size >= 3 * round_up(size, unit); };
    int64_t rows = 3 * kRows, depth = 16, work = kLeastPackedWork;
    if (blas::has_small_kernels()) {
      rows = transpose_b ? kThinTransposed + 1 : 2 * kRows;
      depth = transpose_b ? 16 : 2 * kThin + 1;
      work = transpose_a ? kPackedWorkOfColumns : kPackedWork;
    }
    return m >= rows && k >= depth && fills(m, kRows) && fills(n, kCols<T>) &&
           multiply_adds(m, n, k) >= static_cast<double>(work);
  }
  return false;
}

// Halves the longest side until the tiles are small enough in number and work. A long k beside a small C is cut too:
// partial sums cost less than packing A and B once more for each tile of C.
Cut cut(int64_t m, int64_t n, int64_t k) {
  Cut tile{m, n, k};
  const double work = multiply_adds(m, n, k);
  double tiles = 2;
  for (const int64_t least : kTileWork) {
    if (work < tiles * static_cast<double>(least)) break;
    tiles *= 2;
    // Partial sums are a second region.
    if (work >= kLongWork && tile.depth >= 1024 && tile.depth > 4 * std::max(tile.rows, tile.cols)) {
      tile.depth = round_up(ceil_div(tile.depth, 2), 64);
    } else if (tile.rows > tile.cols) {
      tile.rows = round_up(ceil_div(tile.rows, 2), 16);
    } else {
      tile.cols = round_up(ceil_div(tile.cols, 2), 32);
    }
  }
  return tile;
}

template <class T>
void scale_rows(int64_t m, int64_t n, T beta, T* c, int64_t ldc) {
  if (beta == 1) return;
  for (int64_t i = 0; i < m; i++) {
    for (int64_t j = 0; j < n; j++) c[i * ldc + j] = beta == 0 ? T{0} : beta * c[i * ldc + j];
  }
}

template <class T>
void copy_bias(int64_t m, int64_t n, const T* bias, T* c, int64_t ldc) {
  for (int64_t i = 0; i < m; i++) std::copy(bias, bias + n, c + i * ldc);
}

// The sum of x[i] y[i], in runs of fixed length added up in order.
template <class T>
T long_dot(int64_t n, const T* x, int64_t step_x, const T* y, int64_t step_y) {
  if (n <= kVectorWork) return blas::dot(n, x, step_x, y, step_y);
  std::vector<T> parts(static_cast<size_t>(ceil_div(n, kVectorWork)));
  parallel_for(n, kVectorWork, [&](int64_t begin, int64_t end) {
    for (int64_t at = begin; at < end; at += kVectorWork) {
      parts[static_cast<size_t>(at / kVectorWork)] =
          blas::dot(std::min(kVectorWork, end - at), x + at * step_x, step_x, y + at * step_y, step_y);
    }
  });
  T total = 0;
  for (const T part : parts) total += part;
  return total;
}

// y = alpha op(A) x + beta y with op(A) of `outputs` x `inputs` elements, cut by outputs.
template <class T>
void gemv(bool transpose, int64_t outputs, int64_t inputs, T alpha, const T* a, int64_t lda, const T* x, int64_t step_x,
          T beta, T* y, int64_t step_y) {
  const int64_t grain = round_up(grain_of(kVectorWork, inputs), 16);
  parallel_for(outputs, grain, [&](int64_t begin, int64_t end) {
    // parallel_for may hand over several grains at once where it does not cut: the calls stay the same.
    for (int64_t at = begin; at < end; at += grain) {
      const int64_t count = std::min(grain, end - at);
      if (transpose) {
        blas::gemv(true, inputs, count, alpha, a + at, lda, x, step_x, beta, y + at * step_y, step_y);
      } else {
        blas::gemv(false, count, inputs, alpha, a + at * lda, lda, x, step_x, beta, y + at * step_y, step_y);
      }
    }
  });
}

// k in parts, each summed into memory of its own; the parts are then added in order.
template <class T>
void gemm_split(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const Cut& tile, T alpha,
                const T* a, int64_t lda, const T* b, int64_t ldb, T beta, T* c, int64_t ldc) {
  const int64_t parts = ceil_div(k, tile.depth);
  const int64_t down = ceil_div(m, tile.rows);
  const int64_t across = ceil_div(n, tile.cols);
  const Scratch<T> partial(parts * m * n);
  parallel_for(parts * down * across, 1, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++) {
      const int64_t part = t / (down * across);
      const int64_t p = part * tile.depth;
      const int64_t i = t / across % down * tile.rows;
      const int64_t j = t % across * tile.cols;
      const int64_t rows = std::min(tile.rows, m - i), cols = std::min(tile.cols, n - j),
                    depth = std::min(tile.depth, k - p);
      const T *left = a + (transpose_a ? p * lda + i : i * lda + p),
              *right = b + (transpose_b ? j * ldb + p : p * ldb + j);
      T* sums = partial.get() + (part * m + i) * n + j;
      if (alpha == 1 && multiplies_itself<T>(transpose_a, transpose_b, rows, cols, depth)) {
        packed_tile(transpose_a, transpose_b, rows, cols, depth, left, lda, right, ldb, sums, n);
      } else {
        blas_tile(transpose_a, transpose_b, rows, cols, depth, multiply_adds(m, n, k), alpha, left, lda, right, ldb,
                  T{0}, sums, n);
      }
    }
  });
  parallel_for(m, grain_of(16384, n * parts), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      T* row = c + i * ldc;
      if (beta == 0) {
        std::fill(row, row + n, T{0});
      } else if (beta != 1) {
        for (int64_t j = 0; j < n; j++) row[j] *= beta;
      }
      for (int64_t part = 0; part < parts; part++) {
        const T* from = partial.get() + (part * m + i) * n;
        for (int64_t j = 0; j < n; j++) row[j] += from[j];
      }
    }
  });
}

template <class T>
void multiply(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, T alpha, const T* a, int64_t lda,
              const T* b, int64_t ldb, T beta, const T* bias, T* c, int64_t ldc, bool alone) {
  if (m == 0 || n == 0) return;
  if (bias != nullptr) beta = 1;
  if (k == 0 || alpha == 0) {
    if (bias != nullptr) copy_bias(m, n, bias, c, ldc);
    scale_rows(m, n, beta, c, ldc);
    return;
  }
  if (m == 1 || n == 1) {
    if (bias != nullptr) copy_bias(m, n, bias, c, ldc);
    const int64_t step_a = transpose_a ? lda : 1;  // along k, where m is 1
    const int64_t step_b = transpose_b ? 1 : ldb;  // along k, where n is 1
    if (m == 1 && n == 1) {
      const T product = alpha * long_dot(k, a, step_a, b, step_b);
      *c = beta == 0 ? product : product + beta * *c;
    } else if (m == 1) {
      gemv(!transpose_b, n, k, alpha, b, ldb, a, step_a, beta, c, int64_t{1});
    } else {
      gemv(transpose_a, m, k, alpha, a, lda, b, step_b, beta, c, ldc);
    }
    return;
  }
  if (is_tiny(transpose_b, m, n, k)) {
    if (bias != nullptr) copy_bias(m, n, bias, c, ldc);
    tiny_product(transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    return;
  }
  const Cut tile = alone ? cut(m, n, k) : Cut{m, n, k};
  const bool itself = multiplies_itself<T>(transpose_a, transpose_b, m, n, k);
  if (tile.depth < k && !(itself && m * n >= kLargeResult)) {
    if (bias != nullptr) copy_bias(m, n, bias, c, ldc);
    gemm_split(transpose_a, transpose_b, m, n, k, tile, alpha, a, lda, b, ldb, beta, c, ldc);
    return;
  }
  if (itself) {
    packed_product<T>(transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, bias, c, ldc, alone);
    return;
  }
  const int64_t down = ceil_div(m, tile.rows);
  const int64_t across = ceil_div(n, tile.cols);
  const Wake wake = multiply_adds(m, n, k) < kLongWork ? Wake::kInARow : Wake::kAlways;
  parallel_for(down * across, 1, wake, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++) {
      const int64_t i = t / across * tile.rows;
      const int64_t j = t % across * tile.cols;
      const int64_t rows = std::min(tile.rows, m - i);
      const int64_t cols = std::min(tile.cols, n - j);
      if (bias != nullptr) copy_bias(rows, cols, bias + j, c + i * ldc + j, ldc);
      blas_tile(transpose_a, transpose_b, rows, cols, k, multiply_adds(m, n, k), alpha, a + (transpose_a ? i : i * lda),
                lda, b + (transpose_b ? j * ldb : j), ldb, beta, c + i * ldc + j, ldc);
    }
  });
}

}  // namespace

void gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, float alpha, const float* a, int64_t lda,
          const float* b, int64_t ldb, float beta, float* c, int64_t ldc, bool alone) {
  multiply<float>(transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, nullptr, c, ldc, alone);
}
void gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, double alpha, const double* a,
          int64_t lda, const double* b, int64_t ldb, double beta, double* c, int64_t ldc, bool alone) {
  multiply<double>(transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, nullptr, c, ldc, alone);
}
void gemm_bias(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, float alpha, const float* a,
               int64_t lda, const float* b, int64_t ldb, const float* bias, float* c, int64_t ldc, bool alone) {
  multiply<float>(transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, 1, bias, c, ldc, alone);
}
void gemm_bias(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, double alpha, const double* a,
               int64_t lda, const double* b, int64_t ldb, const double* bias, double* c, int64_t ldc, bool alone) {
  multiply<double>(transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, 1, bias, c, ldc, alone);
}

bool gemm_is_cut(int64_t m, int64_t n, int64_t k) {
  return multiply_adds(m, n, k) >= 4.0 * static_cast<double>(kTileWork[1]);
}

}  // namespace nodegrad::NODEGRAD_LEVEL
