// Kernels as Node-API functions: the only code, with addon.cc, that knows JavaScript.
#pragma once

#include <napi.h>

#include "../runtime/registry.h"

namespace nodegrad::bind {

// An object of the kernels by name; each is an array indexed by dtype code, with holes where a kernel has no such instance.
// The registry must outlive the environment.
Napi::Object kernels(Napi::Env env, const Registry& registry);

}  // namespace nodegrad::bind
