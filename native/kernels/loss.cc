// Losses fused with their reduction or log-softmax.
#include "../runtime/registry.h"
#include "../runtime/simd.h"

namespace nodegrad::NODEGRAD_LEVEL {

void add_loss(Registry&) {}

}  // namespace nodegrad::NODEGRAD_LEVEL
