// One trampoline serves every kernel: it reads the arguments that the kernel's type asks for, calls it, and turns a C++
// exception into a JavaScript one. It uses the C interface on purpose: node-addon-api's CallbackInfo allocates from the
// seventh argument on.
#include "bind.h"

#include <new>
#include <string>

namespace nodegrad::bind {
namespace {

constexpr napi_typedarray_type kExpected[] = {
    napi_uint8_array,  // Number: unused
    napi_int32_array,  // Plan
    napi_float32_array, napi_float64_array, napi_bigint64_array, napi_int32_array,  napi_int16_array,
    napi_int8_array,    napi_uint8_array,   napi_uint16_array,   napi_uint32_array,
};

napi_value throw_error(napi_env env, const KernelEntry& entry, const std::string& what) {
  napi_throw_error(env, "ERR_NODEGRAD_KERNEL", ("kernel " + entry.name + ": " + what).c_str());
  return nullptr;
}

bool read_array(napi_env env, napi_value value, Kind kind, Argument& out) {
  napi_typedarray_type type;
  size_t length = 0;
  if (napi_get_typedarray_info(env, value, &type, &length, &out.data, nullptr, nullptr) != napi_ok) return false;
  out.size = static_cast<int64_t>(length);
  out.number = 0;
  return type == kExpected[static_cast<int>(kind)];
}

napi_value call(napi_env env, napi_callback_info info) {
  napi_value values[kMaxArguments];
  size_t count = kMaxArguments;
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &count, values, nullptr, &data) != napi_ok) return nullptr;
  const KernelEntry& entry = *static_cast<const KernelEntry*>(data);
  if (static_cast<int>(count) != entry.arity) {
    return throw_error(env, entry,
                       "expected " + std::to_string(entry.arity) + " arguments, got " + std::to_string(count));
  }
  Argument arguments[kMaxArguments];
  for (int i = 0; i < entry.arity; i++) {
    Argument& argument = arguments[i];
    const Kind kind = entry.kinds[i];
    bool ok;
    if (kind == Kind::Number || kind == Kind::Plan) {
      argument.data = nullptr;
      argument.size = 0;
      ok = napi_get_value_double(env, values[i], &argument.number) == napi_ok;
      if (!ok && kind == Kind::Plan) ok = read_array(env, values[i], kind, argument);
    } else {
      ok = read_array(env, values[i], kind, argument);
    }
    if (!ok)
      return throw_error(env, entry, "argument " + std::to_string(i) + " is not of the kind that the kernel takes");
  }
  try {
    const double result = entry.invoke(entry.function, arguments);
    if (!entry.returns_number) return nullptr;
    napi_value value = nullptr;
    napi_create_double(env, result, &value);
    return value;
  } catch (const std::bad_alloc&) {
    return throw_error(env, entry, "out of memory");
  } catch (const std::exception& error) {
    return throw_error(env, entry, error.what());
  }
}

}  // namespace

Napi::String kernel_list(Napi::Env env, const Registry& registry) {
  std::string list;
  std::string_view name;
  for (const KernelEntry& entry : registry.entries()) {
    if (entry.name != name) {
      name = entry.name;
      if (!list.empty()) list += '\n';
      list += name;
    }
    list += ' ';
    list += std::to_string(static_cast<int>(entry.dtype));
  }
  return Napi::String::New(env, list);
}

Napi::Function kernel(Napi::Env env, const Registry& registry, size_t place) {
  if (place >= registry.entries().size())
    throw Napi::Error::New(env, "kernel: expected the place of a kernel in the list, got " + std::to_string(place));
  const KernelEntry& entry = registry.entries()[place];
  napi_value function = nullptr;
  if (napi_create_function(env, entry.name.data(), entry.name.size(), call, const_cast<KernelEntry*>(&entry),
                           &function) != napi_ok)
    throw Napi::Error::New(env);
  return {env, function};
}

}  // namespace nodegrad::bind
