// Pooling and interpolation, forward and backward.
#include "kernels.h"

namespace nodegrad::NODEGRAD_LEVEL {

void add_pool(Registry&) {}

}  // namespace nodegrad::NODEGRAD_LEVEL
