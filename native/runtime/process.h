// What the process is told when the first environment loads the addon, and when memory shall be given back.
#pragma once

namespace nodegrad {

// Gives OpenBLAS one thread and lets malloc keep freed pages; may be called by any number of environments.
void prepare_process();

// Returns to the system what malloc keeps and nobody uses.
void give_back_pages();

}  // namespace nodegrad
