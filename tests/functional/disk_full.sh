#!/usr/bin/env bash
# The disk under the server fills up in the middle of an apply. What cannot be written down is not
# done; what stands is still shown; and once there is room again the change goes on without hands, and
# ends as if nothing had been.
set -euo pipefail

# A disk of its own, in a mount namespace of its own: nothing is left of it afterwards.
if [ -z "${BAILEY_OWN_MOUNTS:-}" ]; then
  export BAILEY_OWN_MOUNTS=1
  unshare --map-root-user --mount true 2>/dev/null || {
    echo "skipped: no mount namespace may be made here"
    exit 77
  }
  exec unshare --map-root-user --mount bash "$0"
fi

# shellcheck source=tests/functional/lib_server.sh
. "$BAILEY_SOURCE_DIR/tests/functional/lib_server.sh"
finish() {
  stop_service server
  stop_service cloud
  umount "$work/disk" 2>/dev/null || true
  rm -rf "$work"
}
mkdir "$work/disk"
mount -t tmpfs -o size=8m tmpfs "$work/disk"

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
metadata: {name: networks}
spec:
  provider: openstack
  parameters: {networks: {type: integer, default: 1}}
  resources:
    net: {type: network, count: "\${parameter.networks}", cidr: 10.20.0.0/24}
  roles:
    developer: {powers: [read, request, operate], grants: [member]}
---
apiVersion: bailey/v1
kind: Environment
metadata: {name: shop-dev}
spec:
  project: shop
  class: development
  account: cloud
  template: networks
  parameters: {networks: 1}
  bindings: {developer: [grace]}
SPECS

start_server "$work/disk/data"
"$BAILEY" apply "$work/specs" --wait || fail "the environment could not be made"

# shellcheck source=/dev/null
. "$openrc"
networks() { /usr/bin/openstack network list -f value -c ID --project "$project" | sort; }
recorded() { "$BAILEY" env show shop-dev --json | jq -r '.resources[].provider_id' | sort; }
project=$("$BAILEY" env show shop-dev --json | jq -r .boundary)

# Just room enough to open the change and to begin.
left_kib() { df --output=avail -k "$work/disk" | tail -1; }
sed -i 's/networks: 1}/networks: 100}/' "$work/specs/acme.yaml"
fallocate -l "$(($(left_kib) - 700))K" "$work/disk/filler"
id=$("$BAILEY" apply "$work/specs" --json | jq -r ".changes[0]")
for _ in $(seq 200); do
  (($(left_kib) > 8)) || break
  sleep 0.1
done
(($(left_kib) <= 8)) || fail "the disk did not fill up"
sleep 1
full=$(networks | wc -l)
((full < 100)) || fail "all of it was made before the disk was full: the test has too much room"
[ "$(recorded | wc -l)" -ge 1 ] || fail "what stands is not shown any more"
sleep 2
[ "$(networks | wc -l)" = "$full" ] || fail "something was made that could not be written down"
if "$BAILEY" apply "$work/specs" 2>"$work/refusal"; then fail "a change was opened on a full disk"; fi
grep -qi 'disk' "$work/refusal" || fail "the refusal does not say why: $(cat "$work/refusal")"

rm "$work/disk/filler"
for _ in $(seq 180); do
  state=$("$BAILEY" change show "$id" --json | jq -r .state)
  [ "$state" != "done" ] || break
  [ "$state" != failed ] || fail "the change failed: $("$BAILEY" change show "$id")"
  sleep 1
done
[ "$state" = "done" ] || fail "with room again the change is still $state"
[ "$(networks | wc -l)" = 100 ] || fail "there are $(networks | wc -l) networks"
diff <(networks) <(recorded) || fail "the record differs from the cloud"
"$BAILEY" plan "$work/specs" --detailed-exitcode >/dev/null || fail "the next plan is not empty"
echo "full after $full of 100; all of them once there was room"
