#!/usr/bin/env bash
# Compares the protos with those of the last release, if there is one: what clients of it rely on must stay.
# Usage: tools/breaking.sh (from the top of the repository, after tools/protos.sh)
set -euo pipefail

tag=$(git describe --tags --abbrev=0 --match 'v[0-9]*' 2>/dev/null) || { echo "no release yet: nothing to compare the protos with"; exit 0; }

old=.cache/release
rm -rf "$old"
mkdir -p "$old/.cache"
git archive "$tag" -- proto buf.yaml | tar -x -C "$old"
cp -r .cache/proto "$old/.cache/"
tools/node_modules/.bin/buf breaking --against "$old"
