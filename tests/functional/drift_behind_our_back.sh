#!/usr/bin/env bash
# Somebody changes an environment with the stock `openstack` command and Bailey's own credentials. It is
# found field by field, restored and ignored through changes, and the server also looks by itself.
set -euo pipefail
# shellcheck source=tests/functional/lib_server.sh
. "$BAILEY_SOURCE_DIR/tests/functional/lib_server.sh"

start_cloud
begin_specs
cat >>"$work/specs/acme.yaml" <<SPECS
---
apiVersion: bailey/v1
kind: Account
metadata: {name: cloud}
spec: {provider: openstack, classes: [development], credential: {file: "$work/account"}}
---
apiVersion: bailey/v1
kind: Template
metadata: {name: doors}
spec:
  provider: openstack
  resources:
    net: {type: network, cidr: 10.20.0.0/24}
    doors: {type: security-group, description: front, ingress: [{protocol: tcp, port: 443, from: 0.0.0.0/0}]}
  roles:
    developer: {powers: [read, request, operate], grants: [member]}
---
apiVersion: bailey/v1
kind: Environment
metadata: {name: shop-dev}
spec: {project: shop, class: development, account: cloud, template: doors, bindings: {developer: [grace]}}
SPECS

start_server "$work/data" --drift-every never
"$BAILEY" apply "$work/specs" --wait || fail "the environment could not be made"

inside() { # inside openstack-arguments...: with a leased credential of the environment
  "$BAILEY" run shop-dev --role developer -- env HOME="$work" PATH=/usr/bin:/bin /usr/bin/openstack "$@"
}
id_of() { "$BAILEY" env show shop-dev --json | jq -r --arg a "shop-dev/$1" '.resources[] | select(.address == $a).provider_id'; }
look() { # look WANTED-CODE: the report goes to $work/report
  local code=0
  "$BAILEY" drift shop-dev --json >"$work/report" || code=$?
  [ "$code" = "$1" ] || { cat "$work/report" >&2; fail "drift ended with $code instead of $1"; }
}
finding() { jq -r --arg k "$1" '.environments[0].findings[] | select(.kind == $k).id' "$work/report"; }

look 0
doors=$(id_of doors)
inside security group rule create --protocol tcp --dst-port 22 --remote-ip 0.0.0.0/0 "$doors" >/dev/null
inside network create stray >/dev/null
look 2
[ "$(jq '.environments[0].findings | length' "$work/report")" = 2 ] || { cat "$work/report" >&2; fail "two findings"; }
jq -e '.environments[0].findings[] | select(.kind == "changed") | .address == "shop-dev/doors" and .field == "ingress"
  and (.before | length) == 1 and (.after | length) == 2' "$work/report" >/dev/null || fail "the open port is not told"
tells 'shop-dev.* 2 ' "$BAILEY" env list || fail "env list does not show it"
tells drift.found "$BAILEY" audit list || fail "the log does not tell it"

port=$(finding changed)
code=0
"$BAILEY" drift shop-dev --accept "$port" 2>"$work/refusal" || code=$?
[ "$code" = 4 ] && grep -q "specs want another value" "$work/refusal" || fail "accepted against the specs"
"$BAILEY" drift shop-dev --restore "$port" --wait || fail "the restore"
[ -z "$(inside security group rule list "$doors" -f value -c 'Port Range' | grep '^22:' || true)" ] || fail "the port is open"
look 2
stray=$(finding unmanaged)
"$BAILEY" drift shop-dev --ignore "$stray" --reason "a colleague's, until Friday" --for 2h --wait || fail "the ignore"
look 0
tells "a colleague's, until Friday" "$BAILEY" env show shop-dev || fail "the reason is not shown"

# The server looks by itself.
stop_service server
start_server "$work/data" --drift-every 1s
# shellcheck source=/dev/null
. "$work/openrc"
env PATH=/usr/bin:/bin HOME="$work" /usr/bin/openstack security group set --description back "$doors"
for _ in $(seq 300); do
  drifted=$("$BAILEY" env show shop-dev --json | jq .drifted)
  [ "$drifted" = 1 ] && break
  sleep 0.2
done
[ "$drifted" = 1 ] || fail "the server did not look by itself"
