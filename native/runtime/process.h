// What the process is told once, when the first environment loads the addon.
#pragma once

namespace nodegrad {

// Gives OpenBLAS one thread and lets malloc keep freed pages; may be called by any number of environments.
void prepare_process();

}  // namespace nodegrad
