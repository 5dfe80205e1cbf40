#!/usr/bin/env bash
# Sets up, then runs the part of the longer checks that a seed chooses (scripts/sample.ts).
# Usage: scripts/sample.sh [SEED]
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh
exec node --import tsx scripts/sample.ts "$@"
