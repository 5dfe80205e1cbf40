// The table of kernels. A kernel is a plain function; its parameters (slices, numbers, one plan) are read off its C++
// type, so that bind/ can call it from JavaScript without a line of its own per kernel. Knows nothing of JavaScript.
#pragma once

#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "dtype.h"
#include "plan.h"
#include "slice.h"

namespace nodegrad {

// How an argument arrives. The typed-array kinds name the JavaScript array that must come.
enum class Kind : uint8_t {
  Number,
  Plan,
  Float32Array,
  Float64Array,
  BigInt64Array,
  Int32Array,
  Int16Array,
  Int8Array,
  Uint8Array,
  Uint16Array,
  Uint32Array
};

// One argument as bind/ found it: a number, or memory of `size` elements.
struct Argument {
  double number;
  void* data;
  int64_t size;
};

constexpr int kMaxArguments = 40;

template <class T>
struct Parameter;  // defined below for everything that a kernel may take

#define NODEGRAD_ARRAY_PARAMETER(T, KIND)                                                             \
  template <>                                                                                         \
  struct Parameter<Slice<T>> {                                                                        \
    static constexpr Kind kind = Kind::KIND;                                                          \
    static Slice<T> read(const Argument& a) { return {static_cast<T*>(a.data), a.size}; }             \
  };                                                                                                  \
  template <>                                                                                         \
  struct Parameter<Slice<const T>> {                                                                  \
    static constexpr Kind kind = Kind::KIND;                                                          \
    static Slice<const T> read(const Argument& a) { return {static_cast<const T*>(a.data), a.size}; } \
  };
NODEGRAD_ARRAY_PARAMETER(float, Float32Array)
NODEGRAD_ARRAY_PARAMETER(double, Float64Array)
NODEGRAD_ARRAY_PARAMETER(int64_t, BigInt64Array)
NODEGRAD_ARRAY_PARAMETER(int32_t, Int32Array)
NODEGRAD_ARRAY_PARAMETER(int16_t, Int16Array)
NODEGRAD_ARRAY_PARAMETER(int8_t, Int8Array)
NODEGRAD_ARRAY_PARAMETER(uint8_t, Uint8Array)
NODEGRAD_ARRAY_PARAMETER(Bool, Uint8Array)
NODEGRAD_ARRAY_PARAMETER(BFloat16, Uint16Array)
NODEGRAD_ARRAY_PARAMETER(Float16, Uint16Array)
NODEGRAD_ARRAY_PARAMETER(uint32_t, Uint32Array)
#undef NODEGRAD_ARRAY_PARAMETER

template <>
struct Parameter<double> {
  static constexpr Kind kind = Kind::Number;
  static double read(const Argument& a) { return a.number; }
};
template <>
struct Parameter<int64_t> {
  static constexpr Kind kind = Kind::Number;
  static int64_t read(const Argument& a) { return static_cast<int64_t>(a.number); }
};
template <>
struct Parameter<bool> {
  static constexpr Kind kind = Kind::Number;
  static bool read(const Argument& a) { return a.number != 0; }
};
template <>
struct Parameter<Plan> {
  static constexpr Kind kind = Kind::Plan;
  static Plan read(const Argument& a) {
    return {static_cast<int64_t>(a.number), static_cast<const int32_t*>(a.data), a.size};
  }
};

struct KernelEntry {
  std::string name;
  DType dtype;
  const Kind* kinds;
  int arity;
  void (*function)();
  double (*invoke)(void (*)(), const Argument*);
  bool returns_number;
};

class Registry {
 public:
  // Adds the instance of a kernel for one dtype.
  template <class R, class... P>
  void add(const char* name, DType dtype, R (*function)(P...)) {
    static_assert(sizeof...(P) <= kMaxArguments, "raise kMaxArguments");
    static_assert(std::is_void_v<R> || std::is_same_v<R, double> || std::is_same_v<R, int64_t>,
                  "a kernel returns nothing or a number");
    static constexpr Kind kinds[] = {Parameter<P>::kind...};
    entries_.push_back({name, dtype, kinds, static_cast<int>(sizeof...(P)), reinterpret_cast<void (*)()>(function),
                        &invoke<R, std::index_sequence_for<P...>, P...>::call, !std::is_void_v<R>});
  }

  // Adds one instance a type: `make` is a generic lambda that takes a Type<T> tag and returns the kernel's address.
  template <class... T, class Make>
  void add_each(const char* name, Make make);

  const std::vector<KernelEntry>& entries() const { return entries_; }

 private:
  template <class R, class Indices, class... P>
  struct invoke;
  template <class R, size_t... I, class... P>
  struct invoke<R, std::index_sequence<I...>, P...> {
    static double call(void (*function)(), const Argument* arguments) {
      auto typed = reinterpret_cast<R (*)(P...)>(function);
      (void)arguments;
      if constexpr (std::is_void_v<R>) {
        typed(Parameter<P>::read(arguments[I])...);
        return 0;
      } else {
        return static_cast<double>(typed(Parameter<P>::read(arguments[I])...));
      }
    }
  };

  std::vector<KernelEntry> entries_;
};

template <class T>
struct Type {
  using type = T;
};

template <class... T, class Make>
void Registry::add_each(const char* name, Make make) {
  (add(name, DTypeOf<T>::value, make(Type<T>{})), ...);
}

}  // namespace nodegrad

// Adds kernel<T> for each of the types under its own name: NODEGRAD_ADD(registry, softmax, float, double).
#define NODEGRAD_ADD(registry, kernel, ...) NODEGRAD_ADD_NAMED(registry, #kernel, kernel, __VA_ARGS__)
// The same under another name, where C++ and TypeScript spell it differently.
#define NODEGRAD_ADD_NAMED(registry, name, kernel, ...) \
  (registry).add_each<__VA_ARGS__>(name, [](auto tag) { \
    using T = typename decltype(tag)::type;             \
    return &kernel<T>;                                  \
  })
#define NODEGRAD_FLOATING float, double
#define NODEGRAD_FLOATS float, double, BFloat16, Float16
#define NODEGRAD_INTEGERS int64_t, int32_t, int16_t, int8_t, uint8_t
#define NODEGRAD_NUMBERS float, double, int64_t, int32_t, int16_t, int8_t, uint8_t
#define NODEGRAD_HALVES BFloat16, Float16
#define NODEGRAD_ALL float, double, int64_t, int32_t, int16_t, int8_t, uint8_t, Bool, BFloat16, Float16
