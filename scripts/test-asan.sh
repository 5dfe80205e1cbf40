#!/usr/bin/env bash
# Sets up, then runs the suite, or the test files that are named, with the sanitizers.
# Usage: scripts/test-asan.sh [FILE...]
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh
exec node --import tsx scripts/test-asan.ts "$@"
