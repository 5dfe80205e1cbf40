#!/usr/bin/env bash
# Runs a TypeScript program that imports 'nodegrad' as a user would, from dist/; sets up first. Usage: scripts/example.sh FILE [ARGUMENTS]
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh
TSX_TSCONFIG_PATH=tsconfig.run.json exec node --import tsx "$@"
