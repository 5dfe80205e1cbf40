// What the machine can do, for the fractions that the bench prints: fused multiply-adds in registers, a triad over
// memory, and the matrix products of the OpenBLAS that the addon links, called from C with its own threads. Prints a
// JSON object. Usage: machine THREADS SECONDS [peak] [triad] [MxKxN ...]
#include <cblas.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// The median seconds of one call, over calls for about `budget` seconds.
double median_seconds(double budget, const std::function<void()>& call) {
  call();
  int64_t inner = 1;
  for (;;) {
    const auto start = Clock::now();
    for (int64_t i = 0; i < inner; i++) call();
    const double taken = seconds_since(start);
    if (taken > 2e-3) break;
    inner = std::max(inner + 1,
                     std::min(inner * 10, static_cast<int64_t>(static_cast<double>(inner) * 3e-3 / (taken + 1e-9))));
  }
  std::vector<double> times;
  const auto start = Clock::now();
  while (times.size() < 5 || seconds_since(start) < budget) {
    const auto before = Clock::now();
    for (int64_t i = 0; i < inner; i++) call();
    times.push_back(seconds_since(before) / static_cast<double>(inner));
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

void on_threads(int count, const std::function<void(int)>& body) {
  std::vector<std::thread> threads;
  for (int i = 1; i < count; i++) threads.emplace_back(body, i);
  body(0);
  for (auto& thread : threads) thread.join();
}

#if defined(__AVX512F__)
constexpr int kBytes = 64;
#elif defined(__AVX__)
constexpr int kBytes = 32;
#else
constexpr int kBytes = 16;
#endif
using Vector = float __attribute__((vector_size(kBytes)));
constexpr int kChains = 12;
volatile float sink;

void multiply_add(int64_t rounds) {
  Vector sums[kChains];
  Vector factor;
  Vector addend;
  for (int lane = 0; lane < kBytes / 4; lane++) {
    factor[lane] = 0.999F + sink;
    addend[lane] = 0.001F;
  }
  for (int i = 0; i < kChains; i++) sums[i] = addend * static_cast<float>(i);
  for (int64_t r = 0; r < rounds; r++) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; i++) sums[i] = sums[i] * factor + addend;
  }
  Vector total = sums[0];
  for (int i = 1; i < kChains; i++) total += sums[i];
  sink = total[0] * 0.0F;
}

// GF/s
double peak(int threads, double budget) {
  constexpr int64_t kRounds = 2000000;
  // The best of several: a limit is what was once reached.
  double best = 1e9;
  const auto start = Clock::now();
  while (seconds_since(start) < budget) {
    const auto before = Clock::now();
    on_threads(threads, [](int) { multiply_add(kRounds); });
    best = std::min(best, seconds_since(before));
  }
  return 2.0 * kChains * (kBytes / 4) * kRounds * threads / best * 1e-9;
}

// GB/s of a = b + s c over arrays of 64 MB, each counted once. The median of passes, as what it is a limit for is a
// median of calls.
double triad(int threads, double budget) {
  constexpr int64_t kCount = 16 << 20;
  const std::unique_ptr<float[]> a(new float[kCount]);
  const std::unique_ptr<float[]> b(new float[kCount]);
  const std::unique_ptr<float[]> c(new float[kCount]);
  constexpr int kPasses = 8;
  const auto run = [&](int part, bool first) {
    const int64_t from = kCount * part / threads;
    const int64_t to = kCount * (part + 1) / threads;
    float* __restrict__ out = a.get();
    float* __restrict__ x = b.get();
    float* __restrict__ y = c.get();
    if (first) {
      for (int64_t i = from; i < to; i++) out[i] = x[i] = y[i] = 1.0F;
    } else {
      for (int pass = 0; pass < kPasses; pass++) {
        for (int64_t i = from; i < to; i++) out[i] = x[i] + 3.0F * y[i];
        // Each pass is wanted, though all write the same.
        __asm__ volatile("" : : "r"(out) : "memory");
      }
    }
  };
  on_threads(threads, [&](int part) { run(part, true); });
  std::vector<double> times;
  const auto start = Clock::now();
  while (times.size() < 5 || seconds_since(start) < budget) {
    const auto before = Clock::now();
    on_threads(threads, [&](int part) { run(part, false); });
    times.push_back(seconds_since(before) / kPasses);
  }
  std::sort(times.begin(), times.end());
  sink = a[kCount / 2] * 0.0F;
  return 3.0 * kCount * sizeof(float) / times[times.size() / 2] * 1e-9;
}

double product(int m, int k, int n, double budget) {
  std::vector<float> a(static_cast<size_t>(m) * k, 0.5F);
  std::vector<float> b(static_cast<size_t>(k) * n, 0.25F);
  std::vector<float> c(static_cast<size_t>(m) * n);
  const double taken = median_seconds(budget, [&] {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1.0F, a.data(), k, b.data(), n, 0.0F, c.data(), n);
  });
  return 2.0 * m * k * n / taken * 1e-9;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: machine THREADS SECONDS [peak] [triad] [MxKxN ...]\n");
    return 2;
  }
  const int threads = std::atoi(argv[1]);
  const double budget = std::atof(argv[2]);
  openblas_set_num_threads(threads);
  std::printf("{\"core\": \"%s\", \"config\": \"%s\"", openblas_get_corename(), openblas_get_config());
  for (int i = 3; i < argc; i++) {
    int m = 0;
    int k = 0;
    int n = 0;
    if (std::strcmp(argv[i], "peak") == 0) {
      std::printf(", \"peak\": %.4g", peak(threads, budget));
    } else if (std::strcmp(argv[i], "triad") == 0) {
      std::printf(", \"triad\": %.4g", triad(threads, budget));
    } else if (std::sscanf(argv[i], "%dx%dx%d", &m, &k, &n) == 3) {
      std::printf(", \"%s\": %.4g", argv[i], product(m, k, n, budget));
    }
  }
  std::printf("}\n");
  return 0;
}
