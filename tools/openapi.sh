#!/usr/bin/env bash
# Makes the gateway's API description of the documents that `buf generate` leaves under .cache/openapi, one per service.
# Usage: tools/openapi.sh (from the top of the repository, after `buf generate`; needs bin/openapiv3-merge)
set -euo pipefail

in=.cache/openapi/faceoff
out=services/gateway/internal/openapi/openapi.json

bin/openapiv3-merge "$in"/{cohost/v1/cohost,battle/v1/battle,score/v1/score,gateway/v1/gateway}_service.openapi.json >.cache/openapi/merged.json
GOWORK=off go -C services/gateway run ./internal/openapi/finish <.cache/openapi/merged.json >.cache/openapi/finished.json
mv .cache/openapi/finished.json "$out"
