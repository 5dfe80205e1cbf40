// Optimizer updates: one pass over parameter, gradient and state.
#include "kernels.h"

namespace nodegrad::NODEGRAD_LEVEL {

void add_optim(Registry&) {}

}  // namespace nodegrad::NODEGRAD_LEVEL
