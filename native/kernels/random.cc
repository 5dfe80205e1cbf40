// PyTorch's CPU random streams: mt19937 and its transformations.
#include "kernels.h"

namespace nodegrad {

void add_random(Registry&) {}

}  // namespace nodegrad
