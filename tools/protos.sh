#!/usr/bin/env bash
# Lays the protos of others that ours import under .cache/proto, out of the Go module cache.
# Usage: tools/protos.sh (from the top of the repository)
set -euo pipefail

dir() { GOWORK=off go mod download -json "$1" | sed -n 's/^\t"Dir": "\(.*\)",\{0,1\}$/\1/p'; }

gnostic=$(dir github.com/google/gnostic@v0.7.1)
protovalidate=$(dir github.com/bufbuild/protovalidate@v1.2.2)

rm -rf .cache/proto
mkdir -p .cache/proto/google/api .cache/proto/buf/validate
cp "$gnostic"/cmd/protoc-gen-openapi/examples/google/api/{annotations,http}.proto .cache/proto/google/api/
cp "$protovalidate"/proto/protovalidate/buf/validate/validate.proto .cache/proto/buf/validate/
chmod -R u+w .cache/proto
