#!/usr/bin/env bash
# Somebody changes an environment with the stock `openstack` command and Bailey's own credentials. It is
# found field by field, restored and ignored through changes, and the server also looks by itself.
set -euo pipefail
: "${BAILEY:?the bailey program}" "${BAILEY_SOURCE_DIR:?the project}"
if [[ ! -x /usr/bin/openstack ]]; then
  echo "skipped: python3-openstackclient is not installed"
  exit 77
fi

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

cloud_port=$(free_port)
start_service cloud "http://127.0.0.1:$cloud_port/v3" \
  "$BAILEY" devcloud --listen "127.0.0.1:$cloud_port" --openrc "$work/openrc"
(umask 077 && cp "$work/openrc" "$work/account")
ssh-keygen -q -t ed25519 -N '' -C grace -f "$work/grace"
mkdir "$work/specs"
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
kind: Project
metadata: {name: shop}
spec: {authors: [grace], stages: [shop-dev]}
---
apiVersion: bailey/v1
kind: Environment
metadata: {name: shop-dev}
spec: {project: shop, class: development, account: cloud, template: doors, bindings: {developer: [grace]}}
SPECS

export BAILEY_KEY=$work/grace
serve() { # serve OPTION...
  local port
  port=$(free_port)
  start_service server "http://127.0.0.1:$port/healthz" \
    "$BAILEY" serve --data "$work/data" --listen "127.0.0.1:$port" --origin drift.test "$@"
  export BAILEY_SERVER=http://127.0.0.1:$port
}
serve --drift-every never
BAILEY_TOKEN_FILE=$work/data/bootstrap-token "$BAILEY" init "$work/specs" >/dev/null
export BAILEY_TOKEN_FILE=$work/grace-token
"$BAILEY" login --as grace >/dev/null
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
"$BAILEY" env list | grep -q 'shop-dev.* 2 ' || fail "env list does not show it"
"$BAILEY" audit list | grep -q drift.found || fail "the log does not tell it"

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
"$BAILEY" env show shop-dev | grep -q "a colleague's, until Friday" || fail "the reason is not shown"

# The server looks by itself.
stop_service server
serve --drift-every 1s
# shellcheck source=/dev/null
. "$work/openrc"
env PATH=/usr/bin:/bin HOME="$work" /usr/bin/openstack security group set --description back "$doors"
for _ in $(seq 300); do
  drifted=$("$BAILEY" env show shop-dev --json | jq .drifted)
  [ "$drifted" = 1 ] && break
  sleep 0.2
done
[ "$drifted" = 1 ] || fail "the server did not look by itself"
