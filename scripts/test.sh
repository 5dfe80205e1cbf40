#!/usr/bin/env bash
# What `npm test` runs: set-up, types, lint and format, then the whole suite.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh
node node_modules/typescript-7.0/bin/tsc --noEmit
node scripts/lint.mjs
npx --no-install mocha 'test/**/*.test.ts'
