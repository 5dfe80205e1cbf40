// Tells TypeScript which of its objects the collector has taken, in a loop that never returns to the event loop as
// well: FinalizationRegistry and Node-API's finalizers run only there, while a weak reference is cleared by the
// collection itself.
#pragma once

#include <napi.h>

namespace nodegrad::bind {

// An object of functions, with a table of weak references of its own:
//   watch(object) -> place       from now on the object at that place is watched
//   unwatch(place)               the place is free again
//   expect(bytes)                so much memory will be asked for: it shall have large pages
//   firstLine(memory) -> offset  where in memory, a Uint8Array, a cache line begins
//   collected(places) -> count   the places, in an Int32Array, whose objects are gone (as many as fit); they are free
//   again
Napi::Object lifetime(Napi::Env env);

}  // namespace nodegrad::bind
