# shellcheck shell=bash
# Needs $run: the folder of pid files and logs.
# Programs that are started for a while, each known by its pid file. Sourced, not run.

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# service_runs NAME: the pid in NAME.pid is alive and still the program that was started.
service_runs() {
  : "${run:?}"
  local pid
  pid=$(cat "$run/$1.pid" 2>/dev/null) || return 1
  [ "$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)" = "$(cat "$run/$1.command" 2>/dev/null)" ]
}

# start_service NAME URL COMMAND...: starts it unless it runs, and waits until URL answers.
start_service() {
  local name=$1 url=$2
  shift 2
  service_runs "$name" && return 0
  nohup setsid "$@" >>"$run/$name.log" 2>&1 </dev/null &
  echo $! >"$run/$name.pid"
  printf '%s ' "$@" >"$run/$name.command"

  for _ in $(seq 300); do
    if curl --silent --noproxy '*' --max-time 2 --output /dev/null "$url"; then return 0; fi
    kill -0 "$(cat "$run/$name.pid")" 2>/dev/null || break
    sleep 0.1
  done
  echo "$name does not answer at $url; the end of $run/$name.log:" >&2
  tail -5 "$run/$name.log" >&2
  return 1
}

# stop_service NAME: asks it to end, and waits.
stop_service() {
  service_runs "$1" || { rm -f "$run/$1.pid"; return 0; }
  local pid
  pid=$(cat "$run/$1.pid")
  kill "$pid"

  for _ in $(seq 300); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  ! kill -0 "$pid" 2>/dev/null || kill -KILL "$pid"
  rm -f "$run/$1.pid"
}
