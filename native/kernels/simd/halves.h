// Conversions between 16-bit floats and float.
#pragma once

#include <cstdint>

#include "../../runtime/dtype.h"
#include "../../runtime/simd.h"

namespace nodegrad::NODEGRAD_LEVEL {

// Of n elements that lie side by side, rounded to nearest even; NaN stays NaN.
void widen(const BFloat16* from, float* to, int64_t n);
void widen(const Float16* from, float* to, int64_t n);
void narrow(const float* from, BFloat16* to, int64_t n);
void narrow(const float* from, Float16* to, int64_t n);

}  // namespace nodegrad::NODEGRAD_LEVEL
