#!/usr/bin/env bash
# A server loses its store. The record of an environment with something of every kind is rebuilt from
# the owner's marks at the cloud, the next plan is empty, and what was imported can be taken down.
# On an embedded cloud of its own, or on the one whose openrc BAILEY_TEST_OPENRC names.
set -euo pipefail
: "${BAILEY:?the bailey program}" "${BAILEY_SOURCE_DIR:?the project}"

work=$(mktemp -d)
run=$work
# shellcheck source=scripts/lib/services.sh
. "$BAILEY_SOURCE_DIR/scripts/lib/services.sh"
finish() {
  stop_service server
  stop_service cloud
  rm -rf "$work"
}
trap finish EXIT
fail() {
  echo "FAILED: $*" >&2
  exit 1
}

openrc=${BAILEY_TEST_OPENRC:-$work/openrc}
if [ -z "${BAILEY_TEST_OPENRC:-}" ]; then
  cloud_port=$(free_port)
  start_service cloud "http://127.0.0.1:$cloud_port/v3" \
    "$BAILEY" devcloud --listen "127.0.0.1:$cloud_port" --openrc "$openrc"
fi
# Bailey reads the openrc itself; the server gets nothing of it by its environment.
(umask 077 && cp "$openrc" "$work/account")

ssh-keygen -q -t ed25519 -N '' -C grace -f "$work/grace"
mkdir "$work/specs"
cp "$BAILEY_SOURCE_DIR/templates/data-service/template.yaml" "$work/specs/"
cat >"$work/specs/acme.yaml" <<SPECS
apiVersion: bailey/v1
kind: Directory
metadata: {name: acme}
spec: {people: {grace: {email: grace@acme.example, keys: ["$(cut -d' ' -f1,2 "$work/grace.pub") grace"]}}}
---
apiVersion: bailey/v1
kind: Organization
metadata: {name: acme}
spec: {administrators: {members: [grace], approvals: 1}}
---
apiVersion: bailey/v1
kind: Account
metadata: {name: cloud}
spec: {provider: openstack, classes: [development], credential: {file: "$work/account"}}
---
apiVersion: bailey/v1
kind: Project
metadata: {name: shop}
spec: {authors: [grace], stages: [shop-dev]}
---
apiVersion: bailey/v1
kind: Environment
metadata: {name: shop-dev}
spec:
  project: shop
  class: development
  account: cloud
  template: data-service
  bindings: {developer: [grace]}
SPECS

export BAILEY_KEY=$work/grace
serve() { # serve FOLDER: a server with that store, new or not
  local port
  port=$(free_port)
  start_service server "http://127.0.0.1:$port/healthz" \
    "$BAILEY" serve --data "$1" --listen "127.0.0.1:$port" --origin import.test
  export BAILEY_SERVER=http://127.0.0.1:$port
  BAILEY_TOKEN_FILE=$1/bootstrap-token "$BAILEY" init "$work/specs" >/dev/null
  export BAILEY_TOKEN_FILE=$1/grace-token
  "$BAILEY" login --as grace >/dev/null
}
shown() { "$BAILEY" env show shop-dev --json | jq -S '{uid, boundary, resources: [.resources[] | {address, type, provider_id}]}'; }

serve "$work/first"
"$BAILEY" apply "$work/specs" --wait || fail "the environment could not be made"
shown >"$work/before"
[ "$(jq '.resources | length' "$work/before")" = 10 ] || fail "ten resources were declared"

stop_service server
rm -rf "$work/first"
serve "$work/second"
[ "$("$BAILEY" env show shop-dev --json | jq -r .status)" = absent ] || fail "the new store knows of it"
"$BAILEY" import shop-dev --from-markers || fail "the import"
shown >"$work/after"
diff "$work/before" "$work/after" || fail "the record is not what it was"
"$BAILEY" plan "$work/specs" --detailed-exitcode || fail "the next plan is not empty"
code=0
"$BAILEY" import shop-dev --from-markers 2>"$work/refusal" || code=$?
[ "$code" = 1 ] && grep -q "has a record" "$work/refusal" || fail "a record would have been overwritten"

# Nothing imported counts as verified: the next change goes through the gate, though it does nothing.
"$BAILEY" apply "$work/specs" --wait || fail "the change after the import"
[ "$("$BAILEY" env show shop-dev --json | jq -r .status)" = ready ] || fail "it is not ready"

"$BAILEY" destroy shop-dev --wait || fail "what was imported could not be taken down"
# shellcheck source=/dev/null
. "$openrc"
left=$(/usr/bin/openstack project list -f value -c Name | grep '^shop-dev' || true)
[ -z "$left" ] || fail "the project is left: $left"
