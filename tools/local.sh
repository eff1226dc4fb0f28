#!/usr/bin/env bash
# Runs Faceoff as in production but on loopback: nats-server, redis-server and every service as a process of its own.
# Needs bin/faceoff, bin/nats-server and redis-server; run it from the top of the repository.
#
#   tools/local.sh up              start on the default ports; process ids, logs and data are in .cache/local
#   tools/local.sh down            stop; data stays
#   tools/local.sh with COMMAND    start on free ports with new data, run COMMAND with FACEOFF_E2E_* set, stop
set -euo pipefail

dir=.cache/local
http=127.0.0.1:8080 grpc=127.0.0.1:9090
cohost=127.0.0.1:9101 battle=127.0.0.1:9102 score=127.0.0.1:9103
nats=127.0.0.1:4222 monitor=127.0.0.1:8222
redis=127.0.0.1:6390 # beside a redis-server that the system may run
key=devkey secret=faceoff-development-secret-for-loopback-only

processes=(nats redis battle score cohost gateway) # in the order of starting

alive() { # name: whether its process runs, and is ours
  [ -f "$dir/$1.pid" ] || return 1
  [[ $(ps -o stat= -o command= -p "$(<"$dir/$1.pid")") =~ ^[^Z].*(nats-server|redis-server|faceoff) ]]
}

start() { # name command...
  local name=$1
  shift
  nohup "$@" >"$dir/$name.log" 2>&1 </dev/null &
  echo $! >"$dir/$name.pid"
}

get() { # address path: whether an HTTP GET is answered with 200
  local status
  exec 3<>"/dev/tcp/${1%:*}/${1#*:}" || return 1
  printf 'GET %s HTTP/1.0\r\nHost: %s\r\n\r\n' "$2" "$1" >&3
  read -r -t 2 _ status _ <&3 || true
  exec 3>&-
  [ "${status:-}" = 200 ]
}

await() { # name address path: until it answers; at most 60 s
  local end=$((SECONDS + 60)) name
  until get "$2" "$3" 2>/dev/null; do
    for name in "${processes[@]}"; do
      if [ -f "$dir/$name.pid" ] && ! alive "$name"; then
        fail "$name" "ended"
      fi
    done
    [ $SECONDS -lt $end ] || fail "$1" "is not ready after 60 s"
    sleep 0.1
  done
}

fail() { # name what
  {
    echo "$1 $2; the end of $dir/$1.log:"
    tail -n 20 "$dir/$1.log"
  } >&2
  down
  exit 1
}

up() {
  local name
  for name in "${processes[@]}"; do
    if alive "$name"; then
      echo "$name runs already; make down-local first" >&2
      exit 1
    fi
  done
  for name in http grpc cohost battle score nats monitor redis; do
    if (exec 3<>"/dev/tcp/${!name%:*}/${!name#*:}") 2>/dev/null; then
      echo "${!name} ($name) is taken; does \`make run\` still run?" >&2
      exit 1
    fi
  done
  trap 'down; exit 1' INT TERM
  mkdir -p "$dir/nats" "$dir/redis"
  rm -f "$dir"/*.pid

  cat >"$dir/nats.conf" <<TXT
listen: $nats
http: $monitor
max_payload: 1MB
jetstream {
  store_dir: "$PWD/$dir/nats"
  sync_interval: always
}
TXT
  start nats bin/nats-server -c "$dir/nats.conf"
  start redis redis-server --bind "${redis%:*}" --port "${redis#*:}" --dir "$dir/redis" --save "" --appendonly no
  await nats $monitor /healthz

  export FACEOFF_KEYS="$key=$secret" FACEOFF_NATS_URL="nats://$nats" FACEOFF_NATS_MONITOR_URL="http://$monitor"
  start battle bin/faceoff battle --grpc $battle --min-duration 1s
  start score bin/faceoff score --grpc $score --battle "dns:///$battle" --redis-url "redis://$redis"
  start cohost bin/faceoff cohost --grpc $cohost --battle "dns:///$battle"
  start gateway bin/faceoff gateway --http $http --grpc $grpc \
    --cohost "dns:///$cohost" --battle "dns:///$battle" --score "dns:///$score"
  await gateway $http /readyz
  echo "ready http=http://$http grpc=$grpc nats=nats://$nats key=$key secret=$secret"
}

down() {
  local i name pid end
  for ((i = ${#processes[@]} - 1; i >= 0; i--)); do
    name=${processes[i]}
    if alive "$name"; then
      pid=$(<"$dir/$name.pid")
      kill "$pid"
      end=$((SECONDS + 30))
      while alive "$name"; do
        if [ $SECONDS -ge $end ]; then
          echo "$name did not end in 30 s; killed" >&2
          kill -KILL "$pid"
          break
        fi
        sleep 0.1
      done
    fi
    rm -f "$dir/$name.pid"
  done
}

with() { # command...
  mkdir -p .cache
  dir=$(mktemp -d .cache/with-XXXXXX)
  local address port taken=" "
  for address in http grpc cohost battle score nats monitor redis; do
    while :; do
      port=$((20000 + RANDOM % 10000))
      if [[ $taken != *" $port "* ]] && ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
    done
    taken+="$port "
    printf -v "$address" '127.0.0.1:%s' $port
  done
  trap 'down' EXIT
  up
  FACEOFF_BIN=$PWD/bin/faceoff FACEOFF_E2E_URL=http://$http FACEOFF_E2E_GRPC=$grpc FACEOFF_E2E_NATS=nats://$nats \
    FACEOFF_E2E_REDIS=redis://$redis FACEOFF_E2E_KEY=$key FACEOFF_E2E_SECRET=$secret "$@" || {
    local code=$?
    echo "the logs of the services are in $dir" >&2
    exit $code
  }
  down
  rm -r "$dir"
}

case "${1:-}" in
up | down) "$1" ;;
with)
  shift
  with "$@"
  ;;
*)
  sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
  exit 2
  ;;
esac
