#!/usr/bin/env bash
# The stock `openstack` command works against the embedded cloud: identity and network.
set -euo pipefail

# shellcheck source=tests/functional/lib_cloud.sh
source "$(dirname "$0")/lib_cloud.sh"

value() { openstack "$@" -f value; }

# --- identity
project=$(value token issue -c project_id)
[[ ${#project} == 32 ]] || fail "no project in the token"
value catalog list -c Type | sort | tr '\n' ' ' | grep -q "identity.*network" || fail "catalog"
openstack project create --domain default --description d --tag t1 shop >/dev/null
expect shop value project list --domain default --tags t1 -c Name
openstack project set --description changed shop
expect changed value project show shop -c description
openstack user create --domain default --project shop --password pw-ann ann >/dev/null
openstack role add --user ann --project shop member
expect member value role assignment list --user ann --project shop --names -c Role
openstack group create crew >/dev/null
openstack group add user crew ann
openstack group contains user crew ann >/dev/null || fail "group membership"
refused 409 openstack project create shop

refused 403 as_ann user list
secret=$(as_ann application credential create --role member ci -f value -c secret)
id=$(as_ann application credential show ci -f value -c id)
[[ -n "$secret" && ${#id} == 32 ]] || fail "application credential"
as_credential() {
  env -u OS_USERNAME -u OS_PASSWORD -u OS_USER_DOMAIN_NAME -u OS_PROJECT_NAME \
    -u OS_PROJECT_DOMAIN_NAME OS_AUTH_TYPE=v3applicationcredential \
    OS_APPLICATION_CREDENTIAL_ID="$id" OS_APPLICATION_CREDENTIAL_SECRET="$secret" \
    PATH=/usr/bin:/bin HOME="$work" /usr/bin/openstack "$@"
}
as_credential network list >/dev/null
refused 403 as_credential application credential create more

# --- network
as_ann network create --description d --tag t1 net >/dev/null
expect net as_ann network list --name net --tags t1 -f value -c Name
as_ann network set --name net2 net
as_ann network set --name net net2
as_ann subnet create --network net --subnet-range 10.31.0.0/24 sub >/dev/null
expect 10.31.0.0/24 as_ann subnet list --network net -f value -c Subnet
as_ann router create r >/dev/null
as_ann router add subnet r sub
as_ann router set --external-gateway public r
as_ann port create --network net p >/dev/null
expect p as_ann port show p -f value -c name
as_ann security group create --description d web >/dev/null
as_ann security group rule create --protocol tcp --dst-port 22 --remote-ip 10.0.0.0/8 web >/dev/null
refused 409 as_ann security group rule create --protocol tcp --dst-port 22 \
  --remote-ip 10.0.0.0/8 web
expect 3 bash -c "$(declare -f openstack as_ann); work=$work; as_ann security group rule list web -f value -c ID | wc -l"
refused 409 as_ann network delete net
as_ann port delete p
as_ann router remove subnet r sub
as_ann router delete r
as_ann subnet delete sub
as_ann network delete net
as_ann security group delete web
expect "" as_ann router list -f value -c Name

# --- and everything goes
as_ann application credential delete ci
refused 404 as_credential network list
openstack user delete ann
openstack project delete shop
refused "No project" openstack project show shop

kill -TERM "$cloud"
wait "$cloud" || fail "the cloud did not stop cleanly"
cloud=""
echo "ok"
