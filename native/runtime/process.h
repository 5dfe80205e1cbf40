// What the process is told when the first environment loads the addon, and when memory shall be given back.
#pragma once

#include <cstddef>

namespace nodegrad {

// Gives OpenBLAS one thread and lets malloc keep freed pages; may be called by any number of environments.
void prepare_process();

// Told before malloc is asked for a large block, asks for large pages behind it: a tenth of the time of a pass over a
// large array goes into small ones, and each must be fetched by itself.
void expect_memory(size_t bytes);

// Returns to the system what malloc keeps and nobody uses.
void give_back_pages();

}  // namespace nodegrad
