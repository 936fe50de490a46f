# shellcheck shell=bash
# Daemons, each a session of its own, known by pid and start time: a pid alone may have been given
# to another program since, and many of these programs change their own command line.
# Needs $run, $logs and say, fail of state.sh. Sourced, not run.

# started_at PID: the moment, in ticks since the machine's start; nothing when there is no such process.
started_at() {
  local line
  { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 0
  line=${line##*) }
  # shellcheck disable=SC2086  # Fields are words.
  set -- $line
  # A zombie has ended.
  [ "$1" = Z ] || echo "${20}"
}

# runs NAME: what was started under that name is there.
runs() {
  local pid moment
  { read -r pid moment <"$run/$1.pid"; } 2>/dev/null || return 1
  [ -n "$moment" ] && [ "$(started_at "$pid")" = "$moment" ]
}

# start NAME COMMAND...: starts it unless it runs.
start() {
  local name=$1 pid
  shift
  runs "$name" && return 0
  # Nothing of ours stays open in it, the lock above all.
  setsid "$@" >>"$logs/$name.log" 2>&1 </dev/null 9>&- &
  pid=$!
  echo "$pid $(started_at "$pid")" >"$run/$name.pid"
  : >"$folder/changed"
}

# wait_port NAME PORT: until it accepts a connection.
wait_port() {
  for _ in $(seq 1200); do
    if (exec 3<>"/dev/tcp/$host/$2") 2>/dev/null; then return 0; fi
    runs "$1" || fail "$1 has ended" "$logs/$1.log"
    sleep 0.1
  done
  fail "$1 does not listen on port $2" "$logs/$1.log"
}

# wait_answer NAME URL: until it answers something that is not an error of its own.
wait_answer() {
  local code address=${2#http://}
  address=${address%%/*}
  wait_port "$1" "${address##*:}"
  for _ in $(seq 300); do
    code=$(curl --silent --noproxy '*' --max-time 20 --output /dev/null --write-out '%{http_code}' "$2") || true
    case $code in [234]??) return 0 ;; esac
    runs "$1" || fail "$1 has ended" "$logs/$1.log"
    sleep 0.2
  done
  fail "$1 does not answer at $2" "$logs/$1.log"
}

# stop NAME SECONDS: asks it and its children to end, waits that long, and ends what is still there.
stop() {
  local name=$1 pid moment
  if runs "$name"; then
    read -r pid moment <"$run/$name.pid"
    # setsid made the pid the number of the process group too.
    kill -TERM -- "-$pid" 2>/dev/null || true
    for _ in $(seq $(($2 * 10))); do
      kill -0 -- "-$pid" 2>/dev/null || break
      sleep 0.1
    done
    kill -KILL -- "-$pid" 2>/dev/null || true
  fi
  rm -f "$run/$name.pid"
}
