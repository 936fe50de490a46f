# shellcheck shell=bash
# An embedded cloud of its own for a story, and the stock `openstack` command on it. Sourced, not run.

# The distribution's own client and its own Python, whatever else is on the PATH.
if [[ ! -x /usr/bin/openstack ]]; then
  echo "skipped: python3-openstackclient is not installed"
  exit 77
fi

work=$(mktemp -d)
cloud=""
finish() {
  [[ -z "$cloud" ]] || kill "$cloud" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

mkfifo "$work/ready"
"$BAILEY" devcloud --listen 127.0.0.1:0 --state "$work/cloud.db" --openrc "$work/openrc" \
  >"$work/ready" 2>"$work/errors" &
cloud=$!
# The first line comes when it listens and the openrc file is written.
read -r first <"$work/ready" || { cat "$work/errors" >&2; fail "the cloud did not start"; }
[[ "$first" == *http://127.0.0.1:* ]] || fail "unexpected first line: $first"
[[ $(stat -c %a "$work/openrc") == 600 ]] || fail "openrc is readable by others"
# shellcheck disable=SC1091
source "$work/openrc"

openstack() { env PATH=/usr/bin:/bin HOME="$work" /usr/bin/openstack "$@"; }
as_ann() { OS_USERNAME=ann OS_PASSWORD=pw-ann OS_PROJECT_NAME=shop openstack "$@"; }
expect() { # expect WANTED command...: the command prints exactly that
  local wanted=$1 got
  shift
  got=$("$@") || fail "$*"
  [[ "$got" == "$wanted" ]] || fail "$*: expected \"$wanted\", got \"$got\""
}
refused() { # refused WORD command...: the command fails and says the word
  local word=$1
  shift
  if "$@" >"$work/out" 2>&1; then fail "$* was not refused"; fi
  grep -q "$word" "$work/out" || { cat "$work/out" >&2; fail "$*: no \"$word\" in the refusal"; }
}
