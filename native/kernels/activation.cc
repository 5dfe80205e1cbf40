// Activation functions and their derivatives.
#include "kernels.h"

namespace nodegrad::NODEGRAD_LEVEL {

void add_activation(Registry&) {}

}  // namespace nodegrad::NODEGRAD_LEVEL
