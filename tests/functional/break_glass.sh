#!/usr/bin/env bash
# An emergency, told whole: erin asks and carol agrees; a credential of its own works at the cloud and ends
# there by itself; nothing ordinary goes in until dave, who had no part in it, has signed that he looked.
set -euo pipefail
# shellcheck source=tests/functional/lib_server.sh
. "$BAILEY_SOURCE_DIR/tests/functional/lib_server.sh"

start_cloud
begin_specs
for name in erin carol dave; do ssh-keygen -q -t ed25519 -N '' -C "$name" -f "$work/$name"; done
person() { # person NAME
  echo "    $1: {email: $1@acme.example, keys: [\"$(cut -d' ' -f1,2 "$work/$1.pub") $1\"]}"
}
cat >"$work/specs/acme.yaml" <<SPECS
apiVersion: bailey/v1
kind: Directory
metadata: {name: acme}
spec:
  people:
$(for name in grace erin carol dave; do person "$name"; done)
  groups: {on-call: [erin, carol], security: [dave]}
---
apiVersion: bailey/v1
kind: Organization
metadata: {name: acme}
spec: {administrators: {members: [grace], approvals: 1}}
---
apiVersion: bailey/v1
kind: Project
metadata: {name: shop}
spec: {authors: [grace], stages: [shop-dev]}
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
    doors: {type: security-group, description: front, ingress: [{protocol: tcp, port: 443, from: 0.0.0.0/0}]}
  roles:
    developer: {powers: [read, request], grants: [reader]}
    approver: {powers: [read, approve], grants: [reader]}
    operator: {powers: [read, operate], grants: [member]}
---
apiVersion: bailey/v1
kind: Environment
metadata: {name: shop-dev}
spec:
  project: shop
  class: development
  account: cloud
  template: doors
  bindings: {developer: [grace], approver: [grace, dave]}
  grantable: {operator: {to: [erin], ttl: 10m}}
  breakGlass: {who: [group:on-call], approvals: 1, ttl: 25s, review: {from: group:security, within: 24h}}
SPECS

start_server "$work/data"
as() { # as NAME ARGUMENT...
  local name=$1
  shift
  BAILEY_KEY=$work/$name BAILEY_TOKEN_FILE=$work/$name-token "$BAILEY" "$@"
}
for name in erin carol dave; do as "$name" login --as "$name" >/dev/null; done
refused() { # refused CODE COMMAND...
  local wanted=$1 code=0
  shift
  "$@" >"$work/refusal" 2>&1 || code=$?
  [ "$code" = "$wanted" ] || { cat "$work/refusal" >&2; fail "$* answered $code and not $wanted"; }
}
cloud() { # cloud CREDENTIAL COMMAND...: the stock client with a leased credential
  local file=$1
  shift
  # shellcheck disable=SC2046  # One word a variable: no value of them has a blank.
  env -i PATH=/usr/bin:/bin HOME="$work" $(jq -r '.Variables | to_entries[] | "\(.key)=\(.value)"' "$file") \
    /usr/bin/openstack "$@"
}

"$BAILEY" apply "$work/specs" --env shop-dev --wait || fail "shop-dev could not be made"

echo "== access on request"
refused 4 as dave grant request shop-dev --role operator --reason "I want it"
refused 4 as erin grant request shop-dev --role approver --reason "I want it"
refused 4 as erin grant request shop-dev --role operator --ttl 1h --reason "too long"
refused 64 as erin grant request shop-dev --role operator
refused 3 as erin grant request shop-dev --role operator --ttl 5m --reason "to look" --wait
change=$(as erin grant list shop-dev --json | jq -r '.grants[0].change')
refused 4 as erin approve "$change" --yes
as dave approve "$change" --yes
as erin change follow "$change"
as erin run shop-dev --role operator -- env HOME="$work" PATH=/usr/bin:/bin \
  /usr/bin/openstack security group list -f value -c Name >"$work/groups" || fail "the granted role does nothing"
grep -q . "$work/groups" || fail "the granted role sees nothing"
grant=$(as erin grant list shop-dev --json | jq -r '.grants[0].id')
as dave grant revoke "$grant"
refused 4 as erin run shop-dev --role operator -- true

echo "== the glass is broken"
refused 4 as dave break-glass shop-dev --reason "I want it" --incident INC-7
refused 64 as erin break-glass shop-dev --reason "it burns"
refused 3 as erin break-glass shop-dev --reason "it burns" --incident INC-7 --wait
change=$(as erin grant list shop-dev --json | jq -r '.grants[0].change')
refused 4 as erin approve "$change" --yes
refused 4 as dave approve "$change" --yes
as carol approve "$change" --yes
as erin change follow "$change"
grant=$(as erin grant list shop-dev --json | jq -r '.grants[0].id')
as erin credential lease shop-dev --role break-glass >"$work/leased" || fail "no emergency credential"
cloud "$work/leased" security group create by-hand >/dev/null || fail "the emergency credential does nothing"
refused 4 as carol credential lease shop-dev --role break-glass
refused 1 as dave grant review "$grant" --yes

echo "== nothing ordinary goes in"
sed -i 's/port: 443/port: 8443/' "$work/specs/acme.yaml"
refused 3 "$BAILEY" apply "$work/specs" --env shop-dev --wait
ordinary=$("$BAILEY" change list --env shop-dev --state waiting --json | jq -r '.changes[0].id')
tells "erin broke the glass for INC-7" "$BAILEY" env show shop-dev
"$BAILEY" change why "$ordinary" >"$work/why" || true
grep -qi "can be met by dave" "$work/why" || { cat "$work/why" >&2; fail "why does not say who"; }

echo "== it ends by itself, at the cloud too"
state=""
for _ in $(seq 600); do
  state=$(as erin grant show "$grant" --json | jq -r .state)
  [ "$state" = closed ] && break
  sleep 0.2
done
[ "$state" = closed ] || fail "the emergency access is $state"
refused 1 cloud "$work/leased" security group list
refused 4 as erin credential lease shop-dev --role break-glass
[ "$("$BAILEY" change show "$ordinary" --json | jq -r .state)" = waiting ] || fail "the end of it let something in"

echo "== and is reviewed by who had no part in it"
refused 4 as erin grant review "$grant" --yes
refused 4 as carol grant review "$grant" --yes
refused 4 "$BAILEY" grant review "$grant" --yes
as dave grant review "$grant" --conclusion "a door was opened by hand, and is told" --yes
"$BAILEY" change follow "$ordinary" || fail "the ordinary change does not go on"
tells '"frozen": null' "$BAILEY" env show shop-dev --json

echo "== the record of it"
"$BAILEY" receipt show "$change" --out "$work/receipt.json" >/dev/null
"$BAILEY" receipt verify "$work/receipt.json" || fail "the receipt of the emergency"
"$BAILEY" audit verify || fail "the log"
"$BAILEY" audit list --json >"$work/log"
for action in request open use end close review; do
  jq -e --arg action "break-glass.$action" '[.entries[] | select(.action == $action)] | length > 0' "$work/log" \
    >/dev/null || fail "the log has no break-glass.$action"
done
