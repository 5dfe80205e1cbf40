// SIMD levels. Kernel files of the vectorised set are compiled once per level, each time into a namespace of its own
// (NODEGRAD_LEVEL), and the addon takes the best level that the processor has. Files never include intrinsics of a
// level unconditionally; plain loops are vectorised by the compiler.
#pragma once

#ifndef NODEGRAD_LEVEL
#define NODEGRAD_LEVEL scalar
#endif

// Marks a loop whose iterations are independent.
#define NODEGRAD_SIMD _Pragma("GCC ivdep")
