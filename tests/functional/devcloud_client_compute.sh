#!/usr/bin/env bash
# The stock `openstack` command works against the embedded cloud: servers, images and secrets.
set -euo pipefail

# shellcheck source=tests/functional/lib_cloud.sh
source "$(dirname "$0")/lib_cloud.sh"

openstack project create shop >/dev/null
openstack user create --project shop --password pw-ann ann >/dev/null
openstack role add --user ann --project shop member
openstack role add --user ann --project shop creator

# --- images
printf 'hello image data' >"$work/image.raw"
as_ann image create --disk-format raw --container-format bare --file "$work/image.raw" \
  --property colour=red --tag t1 play >/dev/null
expect active as_ann image show play -f value -c status
expect 826ad52d67c55b1f07cabe148b8146ac as_ann image show play -f value -c checksum
as_ann image set --property colour=blue play
as_ann image list --name play -f value -c Name | grep -x play >/dev/null || fail "image list"
as_ann image save --file "$work/back.raw" play
cmp "$work/image.raw" "$work/back.raw" || fail "the image came back changed"
refused 403 as_ann image set --public play
refused 403 as_ann image delete cirros

# --- flavors and key pairs
openstack flavor create --ram 64 --disk 1 --vcpus 1 tiny >/dev/null
expect 64 as_ann flavor show tiny -f value -c ram
as_ann flavor list -f value -c Name | grep -x small >/dev/null || fail "flavor list"
refused 403 as_ann flavor create --ram 64 --disk 1 --vcpus 1 own
echo "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ me" \
  >"$work/key.pub"
as_ann keypair create --public-key "$work/key.pub" key >/dev/null
expect key as_ann keypair list -f value -c Name

# --- servers
as_ann network create net >/dev/null
as_ann subnet create --network net --subnet-range 10.31.0.0/24 sub >/dev/null
as_ann security group create web >/dev/null
as_ann server create --wait --flavor tiny --image play --network net --key-name key \
  --security-group web --property k=v srv >/dev/null
expect ACTIVE as_ann server show srv -f value -c status
as_ann server show srv -f value -c addresses | grep 10.31.0. >/dev/null || fail "no address"
expect srv as_ann server list -f value -c Name
refused "403" as_ann server list --all-projects
openstack server list --all-projects -f value -c Name | grep -x srv >/dev/null || fail "all projects"
as_ann server set --name srv2 srv
as_ann server set --property a=b srv2
as_ann server show srv2 -f value -c properties | grep b >/dev/null || fail "property"
as_ann --os-compute-api-version 2.90 server create --wait --flavor tiny --image play \
  --nic none --tag t1 bare >/dev/null
refused 409 as_ann network delete net
as_ann server delete --wait srv2 bare
expect "" as_ann server list -f value -c Name
expect "" as_ann port list --device-owner compute:nova -f value -c ID
openstack quota set --instances 0 shop
expect 0 bash -c "$(declare -f openstack); work=$work; openstack quota show shop -f json |
  python3 -c 'import json,sys; q=json.load(sys.stdin); print(q[\"instances\"] if isinstance(q, dict) else next(r[\"Limit\"] for r in q if r[\"Resource\"] == \"instances\"))'"
refused 403 as_ann server create --flavor tiny --image play --network net over
as_ann limits show --absolute -f value | grep "maxTotalInstances 0" >/dev/null || fail "limits"

# --- secrets
ref=$(as_ann secret store --name db --payload geheim --payload-content-type text/plain \
  -f value -c 'Secret href')
[[ "$ref" == http*/v1/secrets/* ]] || fail "no reference to the secret"
expect geheim as_ann secret get --payload "$ref" -f value
expect "$ref" as_ann secret list --name db -f value -c 'Secret href'
refused Forbidden openstack secret get --payload "$ref"
grep -q geheim "$work"/cloud.db* && fail "the payload lies in the state file in plain"
as_ann secret delete "$ref"
refused "Not Found" as_ann secret get "$ref"

# --- and everything goes
as_ann network delete net
as_ann keypair delete key
as_ann image delete play
openstack flavor delete tiny

kill -TERM "$cloud"
wait "$cloud" || fail "the cloud did not stop cleanly"
cloud=""
echo "ok"
