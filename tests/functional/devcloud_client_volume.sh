#!/usr/bin/env bash
# The stock `openstack` command works against the embedded cloud: volumes, floating IPs, containers and zones.
set -euo pipefail

# shellcheck source=tests/functional/lib_cloud.sh
source "$(dirname "$0")/lib_cloud.sh"
for plugin in cinderclient swiftclient designateclient; do
  if ! PATH=/usr/bin:/bin python3 -c "import $plugin" 2>/dev/null; then
    echo "skipped: python3-$plugin is not installed"
    exit 77
  fi
done

# One process for many commands; each of them must succeed.
commands() {
  "$@" <"$work/commands" >"$work/out" 2>&1 || { cat "$work/out" >&2; fail "commands"; }
  # A command that failed within one process shows by its message alone.
  if grep -E "HTTP [45][0-9][0-9]|HttpException|Exception: [45]|No .* with a name" "$work/out"; then
    fail "a command was refused"
  fi
}
# until_status WANTED command...
until_status() {
  local wanted=$1 tries
  shift
  for tries in $(seq 20); do
    [[ $("$@") == "$wanted" ]] && return
  done
  fail "$*: never \"$wanted\" in $tries tries"
}

cat >"$work/commands" <<'END'
project create --domain default shop
user create --domain default --project shop --password pw-ann ann
role add --user ann --project shop member
quota set --volumes 2 --floating-ips 1 shop
END
commands openstack

cat >"$work/commands" <<'END'
volume create --size 1 --property a=b disk
network create net
subnet create --network net --subnet-range 10.31.0.0/24 sub
router create --external-gateway public r
router add subnet r sub
port create --network net p
floating ip create --port p --description front public
server create --wait --flavor small --image cirros --network net srv
container create box
object create --name greeting box /etc/hostname
zone create --email ann@example.org example.org.
END
commands as_ann
until_status available as_ann volume show disk -f value -c status
as_ann server add volume srv disk >/dev/null
until_status in-use as_ann volume show disk -f value -c status
refused 400 as_ann volume delete disk
refused 413 as_ann volume create --size 2000 large
refused 409 as_ann floating ip create public
refused 409 as_ann container delete box
refused Duplicate as_ann zone create --email ann@example.org example.org.
expect front as_ann floating ip list --long -f value -c Description
expect example.org. as_ann zone list -f value -c name
expect greeting as_ann object list box -f value
refused 403 env OS_PROJECT_NAME=shop bash -c "$(declare -f openstack as_ann); work=$work; as_ann quota set --volumes 9 shop"

cat >"$work/commands" <<'END'
server remove volume srv disk
volume set --name disk2 disk
object delete box greeting
container set --property color=red box
container delete box
zone set --description d example.org.
zone delete example.org.
server delete --wait srv
END
commands as_ann
address=$(as_ann floating ip list -f value -c 'Floating IP Address')
cat >"$work/commands" <<END
floating ip unset --port $address
floating ip delete $address
volume delete disk2
router remove subnet r sub
router delete r
port delete p
network delete net
END
commands as_ann
expect "" as_ann volume list --status in-use -f value -c ID
expect "" as_ann container list -f value
expect "" as_ann floating ip list -f value

kill -TERM "$cloud"
wait "$cloud" || fail "the cloud did not stop cleanly"
cloud=""
echo "ok"
