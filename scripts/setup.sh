#!/usr/bin/env bash
# Installs what is missing (compiler, cmake, OpenBLAS, SLEEF, npm packages), and builds the addon and the library.
# Takes under a second when there is nothing to do.
set -euo pipefail
cd "$(dirname "$0")/.."

stamp=build/.setup
# What a build depends on: any change of these makes the stamp stale.
fingerprint() {
  {
    cat package.json package-lock.json CMakeLists.txt
    find native lib scripts/{build-addon,build-lib,bundle,code-cache}.mjs -type f -printf '%p %T@ %s\n' | sort
    node --version
    uname -m
  } | sha256sum
}
if [ -f "$stamp" ] && [ -f build/Release/nodegrad.node ] && [ -d node_modules ]; then
  if [ "$(fingerprint)" = "$(cat "$stamp")" ]; then exit 0; fi
fi

fail() {
  echo "setup: $1" >&2
  exit 1
}
command -v node >/dev/null || fail "Node.js 20 or newer is needed: https://nodejs.org"
node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)' ||
  fail "Node.js 20 or newer is needed, found $(node --version)"

missing=()
command -v g++ >/dev/null || command -v clang++ >/dev/null || missing+=(g++)
command -v cmake >/dev/null || missing+=(cmake)
command -v make >/dev/null || missing+=(make)
command -v pkg-config >/dev/null || missing+=(pkg-config)
pkg-config --exists openblas 2>/dev/null || missing+=(libopenblas-dev)
pkg-config --exists sleef 2>/dev/null || missing+=(libsleef-dev)

if [ ${#missing[@]} -gt 0 ]; then
  if command -v apt-get >/dev/null; then
    echo "setup: installing ${missing[*]}"
    sudo=()
    if [ "$(id -u)" -ne 0 ]; then sudo=(sudo); fi
    "${sudo[@]}" apt-get update -qq
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  else
    echo "setup: missing: ${missing[*]}. Install them, then run this again:" >&2
    if command -v dnf >/dev/null; then
      echo "  sudo dnf install -y gcc-c++ cmake make pkgconf-pkg-config openblas-devel sleef-devel" >&2
    elif command -v apk >/dev/null; then
      echo "  sudo apk add build-base cmake pkgconf openblas-dev sleef-dev" >&2
    elif command -v brew >/dev/null; then
      echo "  brew install cmake pkg-config openblas sleef" >&2
      echo "  export PKG_CONFIG_PATH=\$(brew --prefix openblas)/lib/pkgconfig" >&2
    else
      echo "  a C++17 compiler, cmake, make, pkg-config, OpenBLAS with its headers, and SLEEF" >&2
    fi
    exit 1
  fi
fi

# The addon is built below, where its output can be seen.
if [ ! -d node_modules ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
fi
log=$(mktemp)
node scripts/build-addon.mjs >"$log" 2>&1 || { cat "$log" >&2; rm -f "$log"; exit 1; }
rm -f "$log"
node scripts/build-lib.mjs
fingerprint >"$stamp"
