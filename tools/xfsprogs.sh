#!/usr/bin/env bash
# Installs xfsprogs, which `make chaos` needs to cut power, where that can be done. Without it power is not cut.
# Usage: tools/xfsprogs.sh
set -euo pipefail

if command -v mkfs.xfs >/dev/null || [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then exit 0; fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq && apt-get install -qq -y --no-install-recommends xfsprogs >/dev/null ||
  echo "xfsprogs cannot be installed; power is not cut" >&2
