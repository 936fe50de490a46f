#!/usr/bin/env bash
# Two sandboxes whose time is over: one holds something that nobody but its owner can take away. The other
# one ends, an ordinary change goes in meanwhile, and the stuck one ends without anybody's hand once it can.
set -euo pipefail
# shellcheck source=tests/functional/lib_server.sh
. "$BAILEY_SOURCE_DIR/tests/functional/lib_server.sh"

start_cloud
begin_specs
sandbox() { # sandbox NAME
  cat <<SPEC
---
apiVersion: bailey/v1
kind: Environment
metadata: {name: $1}
spec: {project: shop, class: sandbox, account: cloud, template: doors, owner: grace, ttl: 30s}
SPEC
}
{
  cat <<SPECS
---
apiVersion: bailey/v1
kind: Account
metadata: {name: cloud}
spec:
  provider: openstack
  classes: [sandbox, development]
  credential: {file: "$work/account"}
  limits: {sandboxesPerOwner: 3, maximumTtl: 1h}
---
apiVersion: bailey/v1
kind: Template
metadata: {name: doors}
spec:
  provider: openstack
  resources:
    doors: {type: security-group, description: front, ingress: [{protocol: tcp, port: 443, from: 0.0.0.0/0}]}
  roles:
    developer: {powers: [read, request, operate], grants: [member]}
---
apiVersion: bailey/v1
kind: Environment
metadata: {name: shop-dev}
spec: {project: shop, class: development, account: cloud, template: doors, bindings: {developer: [grace]}}
SPECS
  sandbox play
  sandbox toy
} >>"$work/specs/acme.yaml"

start_server "$work/data"
for name in play toy; do
  "$BAILEY" apply "$work/specs" --env "$name" --wait || fail "$name could not be made"
done
"$BAILEY" sandbox list
[ "$("$BAILEY" sandbox list --json | jq '[.sandboxes[] | select(.seconds_left != null)] | length')" = 2 ] || fail "two sandboxes with an end"
code=0
"$BAILEY" sandbox extend play --ttl 2h 2>"$work/refusal" || code=$?
[ "$code" = 4 ] && grep -q "at most" "$work/refusal" || fail "extended beyond the account's maximum"
"$BAILEY" sandbox extend play --ttl 40s || fail "the extension"

# shellcheck source=/dev/null
. "$work/openrc"
openstack() { env PATH=/usr/bin:/bin HOME="$work" /usr/bin/openstack "$@"; }
"$BAILEY" run play --role developer -- env HOME="$work" PATH=/usr/bin:/bin /usr/bin/openstack network create stray >/dev/null

status() { "$BAILEY" env show "$1" --json | jq -r .status; }
until_is() { # until_is NAME STATUS
  local is=""
  for _ in $(seq 600); do
    is=$(status "$1")
    [ "$is" = "$2" ] && return
    sleep 0.2
  done
  "$BAILEY" env show "$1" >&2
  fail "$1 is $is and not $2"
}
until_is toy destroyed
until_is play destroying
for _ in $(seq 100); do
  "$BAILEY" env show play >"$work/play"
  grep -q "left .*network" "$work/play" && break
  sleep 0.2
done
grep -q "left .*network" "$work/play" || { cat "$work/play" >&2; fail "what is left is not told"; }
"$BAILEY" apply "$work/specs" --env shop-dev --wait || fail "an ordinary change while a sandbox is stuck"

openstack network delete "$(openstack network list -f value -c ID -c Name | awk '$2 == "stray" {print $1}')"
until_is play destroyed
left=$(openstack project list -f value -c Name | grep -E '^(play|toy)' || true)
[ -z "$left" ] || fail "projects are left: $left"
