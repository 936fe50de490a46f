#!/usr/bin/env bash
# The README's promise: the quickstart makes four environments and takes an artifact through them;
# run again it changes nothing; and no secret of the run lies where it must not.
set -euo pipefail
cd "${BAILEY_SOURCE_DIR:?}"

BAILEY_QUICKSTART=$(mktemp -d)
export BAILEY_QUICKSTART BAILEY
run=$BAILEY_QUICKSTART
end() {
  scripts/quickstart --stop >/dev/null || true
  rm -rf "$run"
}
trap end EXIT

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

scripts/quickstart >"$run.first" 2>&1 || { cat "$run.first"; fail "the first run"; }
grep -q "Four environments stand" "$run.first" || fail "the first run does not say what it made"
grep -q "Every crossing was refused by the provider" "$run.first" || fail "the probe"
grep -q "exit code 4" "$run.first" || fail "production did not answer 4"
grep -q "alice is an author of" "$run.first" || fail "the author's approval was not refused as such"

# Processes as they run: nothing secret on their command lines.
ps -eo args >"$run/out/processes"

scripts/quickstart >"$run.second" 2>&1 || { cat "$run.second"; fail "the second run"; }
grep -q "Nothing was changed" "$run.second" || fail "the second run changed something"

# A server that was killed and started again knows everything it knew.
kill -KILL "$(cat "$run/server.pid")"
scripts/quickstart >"$run.third" 2>&1 || { cat "$run.third"; fail "the run after a kill"; }
grep -q "Nothing was changed" "$run.third" || fail "a killed server forgot something"

scripts/quickstart --stop >/dev/null
python3 tests/functional/lib_find_secrets.py "$run" "$run.first" "$run.second" "$run.third"
rm -f "$run.first" "$run.second" "$run.third"
