// The export table: the kernels of the chosen SIMD level, and the settings of the process.
#include <napi.h>

#include "bind/bind.h"
#include "bind/lifetime.h"
#include "kernels/kernels.h"
#include "runtime/blas.h"
#include "runtime/crc32c.h"
#include "runtime/parallel.h"
#include "runtime/pass.h"
#include "runtime/process.h"

namespace {

Napi::Object init(Napi::Env env, Napi::Object exports) {
  nodegrad::prepare_process();
  exports.Set("kernelList", nodegrad::bind::kernel_list(env, nodegrad::registry()));
  exports.Set("kernel", Napi::Function::New(env, [](const Napi::CallbackInfo& info) {
                return nodegrad::bind::kernel(info.Env(), nodegrad::registry(),
                                              info[0].As<Napi::Number>().Uint32Value());
              }));
  exports.Set("simdLevel", nodegrad::simd_level());
  exports.Set("lifetime", nodegrad::bind::lifetime(env));
  exports.Set("giveBackPages",
              Napi::Function::New(env, [](const Napi::CallbackInfo&) { nodegrad::give_back_pages(); }));
  exports.Set("crc32c", Napi::Function::New(env, [](const Napi::CallbackInfo& info) -> Napi::Value {
                const auto bytes = info[0].As<Napi::Uint8Array>();
                return Napi::Number::New(info.Env(), nodegrad::crc32c(bytes.Data(), bytes.ByteLength(),
                                                                      info[1].As<Napi::Number>().Uint32Value()));
              }));
  exports.Set("beginPass", Napi::Function::New(env, [](const Napi::CallbackInfo&) { nodegrad::begin_pass(); }));
  exports.Set("endPass", Napi::Function::New(env, [](const Napi::CallbackInfo&) { nodegrad::end_pass(); }));
  exports.Set("getNumThreads", Napi::Function::New(env, [](const Napi::CallbackInfo& info) -> Napi::Value {
                return Napi::Number::New(info.Env(), nodegrad::thread_count());
              }));
  exports.Set("setNumThreads", Napi::Function::New(env, [](const Napi::CallbackInfo& info) {
                nodegrad::set_thread_count(info[0].As<Napi::Number>().Int32Value());
              }));
  return exports;
}

}  // namespace

NODE_API_MODULE(nodegrad, init)
