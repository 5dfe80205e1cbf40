// mt19937 over state that JavaScript owns: 624 words, then how many remain before the next twist (PyTorch's `left`),
// then the position of the next word. Knows nothing of distributions.
#pragma once

#include <algorithm>
#include <cstdint>

#include "../../runtime/slice.h"

namespace nodegrad {

class MersenneTwister {
 public:
  static constexpr int kWords = 624;
  static constexpr int kStateLength = kWords + 2;

  // Works on the state in place; position and remainder are written back at the end of the scope.
  explicit MersenneTwister(Slice<uint32_t> state)
      : words_(state.at_least(kStateLength)), left_(words_[kWords]), next_(words_[kWords + 1]) {
    require(left_ >= 1 && left_ <= kWords && next_ <= kWords, "a generator's state is not valid");
  }
  ~MersenneTwister() {
    words_[kWords] = left_;
    words_[kWords + 1] = next_;
  }
  MersenneTwister(const MersenneTwister&) = delete;
  MersenneTwister& operator=(const MersenneTwister&) = delete;

  uint32_t next32() {
    if (--left_ == 0 || next_ >= kWords) twist();
    return tempered(words_[next_++]);
  }
  // The next n words as they stand in the state; `tempered` makes of each what next32 would have given.
  void raw_words(uint32_t* out, int64_t n) {
    while (n > 0) {
      if (left_ == 1 || next_ >= kWords) {
        twist();
        left_++;
      }
      const int64_t count = std::min<int64_t>({n, left_ - 1, kWords - next_});
      std::copy_n(words_ + next_, count, out);
      next_ += static_cast<uint32_t>(count);
      left_ -= static_cast<uint32_t>(count);
      out += count;
      n -= count;
    }
  }
  static uint32_t tempered(uint32_t y) {
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
  }
  // The first word drawn is the upper half.
  uint64_t next64() {
    const uint64_t high = next32();
    return high << 32 | next32();
  }
  // In [0, 1), of 24 and of 53 random bits.
  double uniform24() { return static_cast<double>(next32() & 0xffffffu) * 0x1p-24; }
  double uniform53() { return static_cast<double>(next64() & 0x1fffffffffffffu) * 0x1p-53; }

 private:
  static uint32_t mix(uint32_t upper, uint32_t lower, uint32_t far) {
    return far ^ (((upper & 0x80000000u) | (lower & 0x7fffffffu)) >> 1) ^ ((lower & 1u) ? 0x9908b0dfu : 0u);
  }
  void twist() {
    constexpr int shift = 397;
    for (int i = 0; i < kWords - shift; i++) words_[i] = mix(words_[i], words_[i + 1], words_[i + shift]);
    for (int i = kWords - shift; i < kWords - 1; i++)
      words_[i] = mix(words_[i], words_[i + 1], words_[i + shift - kWords]);
    words_[kWords - 1] = mix(words_[kWords - 1], words_[0], words_[shift - 1]);
    left_ = kWords;
    next_ = 0;
  }

  uint32_t* words_;
  uint32_t left_;
  uint32_t next_;
};

}  // namespace nodegrad
