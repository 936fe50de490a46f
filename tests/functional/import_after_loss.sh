#!/usr/bin/env bash
# A server loses its store. The record of an environment with something of every kind is rebuilt from
# the owner's marks at the cloud, the next plan is empty, and what was imported can be taken down.
# On an embedded cloud of its own, or on the one whose openrc BAILEY_TEST_OPENRC names.
set -euo pipefail
# shellcheck source=tests/functional/lib_server.sh
. "$BAILEY_SOURCE_DIR/tests/functional/lib_server.sh"

if [ -n "${BAILEY_TEST_OPENRC:-}" ]; then
  openrc=$BAILEY_TEST_OPENRC
else
  start_cloud
fi
begin_specs
cp "$BAILEY_SOURCE_DIR/templates/data-service/template.yaml" "$work/specs/"
cat >>"$work/specs/acme.yaml" <<SPECS
---
apiVersion: bailey/v1
kind: Account
metadata: {name: cloud}
spec: {provider: openstack, classes: [development], credential: {file: "$work/account"}}
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

shown() { "$BAILEY" env show shop-dev --json | jq -S '{uid, boundary, resources: [.resources[] | {address, type, provider_id}]}'; }

start_server "$work/first"
"$BAILEY" apply "$work/specs" --wait || fail "the environment could not be made"
shown >"$work/before"
[ "$(jq '.resources | length' "$work/before")" = 10 ] || fail "ten resources were declared"

stop_service server
rm -rf "$work/first"
start_server "$work/second"
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
