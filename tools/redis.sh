#!/usr/bin/env bash
# Makes sure that redis-server is there: installs it where that is ours to do, says how otherwise.
# Usage: tools/redis.sh
set -euo pipefail

if command -v redis-server >/dev/null; then exit 0; fi
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -qq -y --no-install-recommends redis-server >/dev/null
  exit 0
fi
cat >&2 <<'TXT'
redis-server (6.2 or later) is needed and not installed. Install it with one of
  sudo apt-get install redis-server
  sudo dnf install redis
  brew install redis
TXT
exit 1
