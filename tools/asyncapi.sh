#!/usr/bin/env bash
# Makes the description of the stream EVENTS of the protos, and has it validated.
# Usage: tools/asyncapi.sh (from the top of the repository; needs tools/node_modules)
set -euo pipefail

out=services/gateway/internal/asyncapi/asyncapi.json

tools/node_modules/.bin/buf build -o .cache/protos.binpb
GOWORK=off go -C services/gateway run ./internal/asyncapi/generate ../../proto <.cache/protos.binpb >.cache/asyncapi.json
node tools/asyncapi.mjs .cache/asyncapi.json
mv .cache/asyncapi.json "$out"
