#!/usr/bin/env bash
# Runs the suite on an addon built with AddressSanitizer and UBSan. Leak checking is off: V8 frees nothing at exit.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh
node scripts/build-addon.mjs --sanitize >/dev/null
asan=$(${CXX:-g++} -print-file-name=libasan.so)
ubsan=$(${CXX:-g++} -print-file-name=libubsan.so)
export NODEGRAD_ADDON="$PWD/build-asan/Release/nodegrad.node"
export ASAN_OPTIONS=detect_leaks=0:abort_on_error=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
LD_PRELOAD="$asan $ubsan" npx --no-install mocha "${@:-test/**/*.test.ts}"
