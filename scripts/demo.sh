#!/usr/bin/env bash
# What `npm run demo` runs: set-up, then the UNet on the slices that ship with the project. Arguments go to the
# training script.
set -euo pipefail
cd "$(dirname "$0")/.."
exec bash scripts/example.sh examples/unet/train.ts "$@"
