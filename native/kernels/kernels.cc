#include "kernels.h"

#include <cstdlib>
#include <cstring>

namespace nodegrad {
namespace {

enum class Level { scalar, avx2, avx512 };

Level best_level() {
#if defined(NODEGRAD_WITH_avx2) || defined(NODEGRAD_WITH_avx512)
  __builtin_cpu_init();
  [[maybe_unused]] const bool avx2 =
      __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
  [[maybe_unused]] const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                                       __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
#if defined(NODEGRAD_WITH_avx512)
  if (avx2 && avx512) return Level::avx512;
#endif
#if defined(NODEGRAD_WITH_avx2)
  if (avx2) return Level::avx2;
#endif
#endif
  return Level::scalar;
}

Level choose_level() {
  const Level best = best_level();
  const char* asked = std::getenv("NODEGRAD_SIMD");
  if (asked == nullptr) return best;
  const Level wanted = std::strcmp(asked, "scalar") == 0 ? Level::scalar
                       : std::strcmp(asked, "avx2") == 0 ? Level::avx2
                                                         : best;
  return wanted < best ? wanted : best;
}

Level level() {
  static const Level chosen = choose_level();
  return chosen;
}

Registry make_registry() {
  Registry registry;
#define NODEGRAD_CALL(family) add_##family(registry);
  NODEGRAD_FAMILIES(NODEGRAD_CALL)
#undef NODEGRAD_CALL
  switch (level()) {
#if defined(NODEGRAD_WITH_avx512)
#define NODEGRAD_CALL(family) avx512::add_##family(registry);
    case Level::avx512:
      NODEGRAD_LEVEL_FAMILIES(NODEGRAD_CALL)
      if (__builtin_cpu_supports("avx512bf16")) avx512bf16::add_bfloat16(registry);
      break;
#undef NODEGRAD_CALL
#endif
#if defined(NODEGRAD_WITH_avx2)
#define NODEGRAD_CALL(family) avx2::add_##family(registry);
    case Level::avx2:
      NODEGRAD_LEVEL_FAMILIES(NODEGRAD_CALL)
      break;
#undef NODEGRAD_CALL
#endif
#define NODEGRAD_CALL(family) scalar::add_##family(registry);
    default:
      NODEGRAD_LEVEL_FAMILIES(NODEGRAD_CALL)
      break;
#undef NODEGRAD_CALL
  }
  return registry;
}

}  // namespace

const Registry& registry() {
  static const Registry instance = make_registry();
  return instance;
}

const char* simd_level() {
  switch (level()) {
    case Level::avx512:
      return "avx512";
    case Level::avx2:
      return "avx2";
    default:
#if defined(__aarch64__)
      return "neon";
#else
      return "scalar";
#endif
  }
}

}  // namespace nodegrad
