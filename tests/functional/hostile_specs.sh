#!/usr/bin/env bash
# What a spec must not do to the reader: hang it, exhaust it, or be half understood.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# refused NAME: the file is refused with findings, within five seconds of processor time.
refused() {
  local code=0
  (ulimit -t 5 && "${BAILEY:?}" validate --json "$work/$1" >"$work/out" 2>"$work/err") || code=$?
  [ "$code" = 1 ] || fail "$1 ended with $code"
  python3 - "$work/out" <<'PY' || fail "$1: no findings"
import json, sys
answer = json.load(open(sys.argv[1]))
assert answer["ok"] is False and answer["findings"], answer
for finding in answer["findings"]:
    assert set(finding) == {"severity", "code", "summary", "detail", "file", "line", "column", "suggestion", "path"}
PY
}

printf ',' >"$work/comma.yaml"
python3 -c 'print("[" * (1024 * 1024 - 1))' >"$work/brackets.yaml"
python3 - >"$work/aliases.yaml" <<'PY'
print("a0: &a0 x")
for level in range(1, 41):
    print(f"a{level}: &a{level} [*a{level - 1}, *a{level - 1}]")
PY
printf '%%YAML\xff\xff\xff\xff1.2 foo\n---\n' >"$work/directive.yaml"
printf '&a [1, *a]\n' >"$work/cycle.yaml"
printf 'a: 1\na: 2\n' >"$work/duplicate.yaml"
printf 'a: \xff\n' >"$work/encoding.yaml"
python3 -c 'print("x: " + "y" * (1024 * 1024 + 1))' >"$work/large.yaml"
for name in comma brackets aliases directive cycle duplicate encoding large; do refused "$name.yaml"; done
