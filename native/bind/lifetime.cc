#include "lifetime.h"

#include <cstdint>
#include <memory>
#include <vector>

#include "../runtime/process.h"

namespace nodegrad::bind {
namespace {

struct Table {
  std::vector<napi_ref> references;  // null: a free place
  std::vector<int32_t> free;
};

// The call's one argument and the environment's table.
Table* read(napi_env env, napi_callback_info info, napi_value* argument) {
  size_t count = 1;
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &count, argument, nullptr, &data) != napi_ok || count < 1) return nullptr;
  return static_cast<Table*>(data);
}

napi_value refuse(napi_env env, const char* what) {
  napi_throw_error(env, "ERR_NODEGRAD_LIFETIME", what);
  return nullptr;
}

napi_value watch(napi_env env, napi_callback_info info) {
  napi_value object = nullptr;
  Table* table = read(env, info, &object);
  napi_ref reference = nullptr;
  if (table == nullptr || napi_create_reference(env, object, 0, &reference) != napi_ok)
    return refuse(env, "watch: expected an object");
  int32_t place;
  if (table->free.empty()) {
    place = static_cast<int32_t>(table->references.size());
    table->references.push_back(reference);
  } else {
    place = table->free.back();
    table->free.pop_back();
    table->references[static_cast<size_t>(place)] = reference;
  }
  napi_value result = nullptr;
  napi_create_int32(env, place, &result);
  return result;
}

void release(napi_env env, Table& table, size_t place) {
  napi_delete_reference(env, table.references[place]);
  table.references[place] = nullptr;
  table.free.push_back(static_cast<int32_t>(place));
}

napi_value unwatch(napi_env env, napi_callback_info info) {
  napi_value argument = nullptr;
  Table* table = read(env, info, &argument);
  int32_t place = -1;
  if (table == nullptr || napi_get_value_int32(env, argument, &place) != napi_ok || place < 0 ||
      static_cast<size_t>(place) >= table->references.size() ||
      table->references[static_cast<size_t>(place)] == nullptr)
    return refuse(env, "unwatch: expected a place that is watched");
  release(env, *table, static_cast<size_t>(place));
  return nullptr;
}

napi_value collected(napi_env env, napi_callback_info info) {
  napi_value argument = nullptr;
  Table* table = read(env, info, &argument);
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  if (table == nullptr || napi_get_typedarray_info(env, argument, &type, &length, &data, nullptr, nullptr) != napi_ok ||
      type != napi_int32_array)
    return refuse(env, "collected: expected an Int32Array");
  auto* places = static_cast<int32_t*>(data);
  size_t count = 0;
  for (size_t place = 0; place < table->references.size() && count < length; place++) {
    if (table->references[place] == nullptr) continue;
    napi_value object = nullptr;
    if (napi_get_reference_value(env, table->references[place], &object) != napi_ok || object != nullptr) continue;
    release(env, *table, place);
    places[count++] = static_cast<int32_t>(place);
  }
  napi_value result = nullptr;
  napi_create_uint32(env, static_cast<uint32_t>(count), &result);
  return result;
}

napi_value expect(napi_env env, napi_callback_info info) {
  napi_value argument = nullptr;
  double bytes = 0;
  if (read(env, info, &argument) == nullptr || napi_get_value_double(env, argument, &bytes) != napi_ok ||
      !(bytes >= 0 && bytes <= 1e15))
    return refuse(env, "expect: expected a number of bytes");
  expect_memory(static_cast<size_t>(bytes));
  return nullptr;
}

napi_value first_line(napi_env env, napi_callback_info info) {
  constexpr uintptr_t line = 64;
  napi_value argument = nullptr;
  size_t length = 0;
  void* data = nullptr;
  if (read(env, info, &argument) == nullptr ||
      napi_get_typedarray_info(env, argument, nullptr, &length, &data, nullptr, nullptr) != napi_ok)
    return refuse(env, "firstLine: expected a Uint8Array");
  napi_value result = nullptr;
  napi_create_uint32(env, static_cast<uint32_t>((line - reinterpret_cast<uintptr_t>(data) % line) % line), &result);
  return result;
}

}  // namespace

Napi::Object lifetime(Napi::Env env) {
  auto table = std::make_unique<Table>();
  Napi::Object functions = Napi::Object::New(env);
  const auto add = [&](const char* name, napi_callback callback) {
    napi_value function = nullptr;
    if (napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, table.get(), &function) != napi_ok)
      throw Napi::Error::New(env);
    functions.Set(name, Napi::Value(env, function));
  };
  add("watch", watch);
  add("unwatch", unwatch);
  add("collected", collected);
  add("expect", expect);
  add("firstLine", first_line);
  // The references themselves go with the environment.
  if (napi_add_env_cleanup_hook(env, [](void* data) { delete static_cast<Table*>(data); }, table.get()) != napi_ok)
    throw Napi::Error::New(env);
  table.release();
  return functions;
}

}  // namespace nodegrad::bind
