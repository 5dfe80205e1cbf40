// What the process is told when the first environment loads the addon, and when memory shall be given back.
#pragma once

#include <cstddef>

namespace nodegrad {

// Gives OpenBLAS one thread and lets malloc keep freed pages; may be called by any number of environments.
void prepare_process();

// Asks for large pages behind memory that was never touched: a tenth of the time of a pass over a large array goes into small ones.
void prefer_large_pages(void* memory, size_t bytes);

// Returns to the system what malloc keeps and nobody uses.
void give_back_pages();

}  // namespace nodegrad
