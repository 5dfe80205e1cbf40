// Kernels as Node-API functions: the only code, with addon.cc, that knows JavaScript.
#pragma once

#include <napi.h>

#include "../runtime/registry.h"

namespace nodegrad::bind {

// The kernels as text, since a call of Node's for each takes milliseconds in all: lines of a name and of the dtype
// codes that the kernel has an instance for. A name may come again.
Napi::String kernel_list(Napi::Env env, const Registry& registry);

// The kernel at a place among all instances of that list. V8 takes 700 bytes for a function of C++, so that each is
// made when it is first called. The registry must outlive the environment.
Napi::Function kernel(Napi::Env env, const Registry& registry, size_t place);

}  // namespace nodegrad::bind
