// Cells of recurrent networks, forward and backward.
#include "kernels.h"

namespace nodegrad::NODEGRAD_LEVEL {

void add_rnn(Registry&) {}

}  // namespace nodegrad::NODEGRAD_LEVEL
