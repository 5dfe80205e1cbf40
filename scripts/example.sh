#!/usr/bin/env bash
# Sets up, then runs a TypeScript program that imports 'nodegrad' from dist/, as a user would.
# Usage: scripts/example.sh FILE [ARGUMENTS]
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh
TSX_TSCONFIG_PATH=tsconfig.run.json exec node --import tsx "$@"
