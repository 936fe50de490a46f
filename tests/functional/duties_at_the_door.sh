#!/usr/bin/env bash
# Duties as people meet them: `duties check` shows the way round them, and the server lets no such
# bundle decide anything.
set -euo pipefail
# shellcheck source=tests/functional/lib_server.sh
. "$(dirname "$0")/lib_server.sh"

examples=$BAILEY_SOURCE_DIR/templates/examples-of-failures

# ends NAME CODE PATH...: `duties check` ends with CODE; its answer is left in $work/proof.json.
ends() {
  local name=$1 wanted=$2 code=0
  shift 2
  "$BAILEY" duties check --json "$@" >"$work/proof.json" 2>"$work/err" || code=$?
  [ "$code" = "$wanted" ] || fail "duties check of $name ended with $code: $(cat "$work/err")"
}

for failure in author-controls-production tester-alters-production operator-passes-approval; do
  ends "$failure" 4 "$examples/$failure"
  python3 - "$work/proof.json" "duty.$failure" <<'PY' || fail "$failure is not told as one"
import json, sys
answer = json.load(open(sys.argv[1]))
assert answer["ok"] is False, answer
[finding] = answer["findings"]
assert set(finding) == {"severity", "code", "summary", "detail", "file", "line", "column", "suggestion", "path"}
assert finding["code"] == sys.argv[2] and finding["severity"] == "error", finding
assert finding["line"] > 0 and all("shop.yaml:" in step for step in finding["path"]), finding
PY
done
ends "the separated shop" 0 "$examples/separated"
ends "the example organization" 0 "$BAILEY_SOURCE_DIR/templates/example-organization" \
  "$BAILEY_SOURCE_DIR/templates/web-service/template.yaml"
echo "kind: Nothing" >"$work/broken.yaml"
ends "what is no spec" 1 "$work/broken.yaml"

openrc=/dev/null # No cloud is asked for anything.
begin_specs
cat >>"$work/specs/acme.yaml" <<'SPECS'
---
apiVersion: bailey/v1
kind: Account
metadata: {name: cloud}
spec: {provider: openstack, classes: [development], endpoint: "http://127.0.0.1:1/v3", credential: {file: /nowhere}}
---
apiVersion: bailey/v1
kind: Template
metadata: {name: net}
spec:
  provider: openstack
  resources: {net: {type: network, cidr: 10.1.0.0/24}}
  roles: {developer: {powers: [read, request, deploy]}}
---
apiVersion: bailey/v1
kind: Environment
metadata: {name: shop-dev}
spec: {project: shop, class: development, account: cloud, template: net, bindings: {developer: [grace]}}
SPECS
start_server "$work/data"

# Grace writes and deploys: a duty against it is one that this bundle breaks.
cat >>"$work/specs/acme.yaml" <<'SPECS'
---
apiVersion: bailey/v1
kind: Duties
metadata: {name: acme}
spec: {exclusive: [{name: author-never-deploys, holds: [author@shop, deploy@shop-dev]}]}
SPECS
"$BAILEY" change list --json >"$work/before.json"
code=0
"$BAILEY" apply "$work/specs" >"$work/out" 2>&1 || code=$?
[ "$code" = 4 ] || fail "apply ended with $code: $(cat "$work/out")"
case $(cat "$work/out") in
  *"duty.exclusive"*"grace holds the role developer in shop-dev"*"acme.yaml:"*) ;;
  *) fail "apply does not tell the way round the duty: $(cat "$work/out")" ;;
esac
"$BAILEY" change list --json >"$work/after.json"
cmp -s "$work/before.json" "$work/after.json" || fail "a change was opened for what is refused"
code=0
"$BAILEY" validate "$work/specs" >"$work/out" 2>&1 || code=$?
[ "$code" = 1 ] || fail "validate ended with $code: $(cat "$work/out")"
case $(cat "$work/out") in *"duty.exclusive"*) ;; *) fail "validate does not tell the duty" ;; esac
