#!/usr/bin/env bash
# A registry that lets nobody in without a login: CI submits, and its evidence lies beside the artifact; a
# promotion copies the artifact into the stage's own repository with the stage's credential; bytes that were
# changed on the way are refused, and nothing of the stage is touched.
set -euo pipefail
# shellcheck source=tests/functional/lib_server.sh
. "$BAILEY_SOURCE_DIR/tests/functional/lib_server.sh"

if [[ ! -x /usr/bin/docker-registry ]]; then
  echo "skipped: docker-registry is not installed"
  exit 77
fi
start_cloud
begin_specs
export REGISTRY_LOGIN=stage:hunter2
registry=$("$BAILEY_SOURCE_DIR/scripts/registry-up" "$work/registry")
end() {
  "$BAILEY_SOURCE_DIR/scripts/registry-down" "$work/registry" || true
  finish
}
trap end EXIT
(umask 077 && echo '{"username":"stage","password":"hunter2"}' >"$work/registry-login")
(umask 077 && printf '{"auths":{"%s":{"auth":"%s"}}}' "$registry" "$(printf %s "$REGISTRY_LOGIN" | base64)" >"$work/docker.json")
ask() { # ask PATH: the status that the registry answers to its user
  curl --config <(printf 'user = "%s"\n' "$REGISTRY_LOGIN") --silent --noproxy '*' --output "$work/answer" \
    --write-out '%{http_code}' --header 'Accept: application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json' \
    "http://$registry/v2/$1"
}
push() { # push TEXT: an artifact with that in it
  echo "$1" >"$work/web"
  "$BAILEY_SOURCE_DIR/scripts/push-artifact" "$registry/shop/web" "$work/web"
}

mkdir -p "$work/specs/checks"
printf '#!/bin/sh\nexit 0\n' >"$work/specs/checks/smoke"
chmod +x "$work/specs/checks/smoke"
sed -i "s|stages: \[shop-dev\]|artifacts: {web: {repository: \"$registry/shop/web\", account: registry-read}}, stages: [shop-dev, shop-test]|" \
  "$work/specs/acme.yaml"
cat >>"$work/specs/acme.yaml" <<SPECS
---
apiVersion: bailey/v1
kind: Account
metadata: {name: cloud}
spec:
  provider: openstack
  classes: [development, test]
  credential: {file: "$work/account"}
---
apiVersion: bailey/v1
kind: Account
metadata: {name: registry-read}
spec:
  provider: oci
  classes: [development]
  endpoint: "http://$registry"
  credential: {file: "$work/docker.json"}
---
apiVersion: bailey/v1
kind: Account
metadata: {name: registry-test}
spec:
  provider: oci
  classes: [test]
  endpoint: "http://$registry"
  credential: {file: "$work/registry-login"}
---
apiVersion: bailey/v1
kind: Template
metadata: {name: doors}
spec:
  provider: openstack
  artifacts: [web]
  resources:
    doors: {type: security-group, description: "\${artifact.web.digest}", ingress: [{protocol: tcp, port: 443, from: 0.0.0.0/0}]}
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
  template: doors
  bindings: {developer: [grace]}
  verify: [{command: [checks/smoke]}]
---
apiVersion: bailey/v1
kind: Environment
metadata: {name: shop-test}
spec:
  project: shop
  class: test
  account: cloud
  template: doors
  bindings: {developer: [grace]}
  repositories: {web: {account: registry-test, repository: "$registry/test/web"}}
  verify: [{command: [checks/smoke]}]
  gate: [{verified: {in: shop-dev}}]
SPECS

commit() { # commit MESSAGE
  git -C "$work/source" -c user.name=Grace -c user.email=grace@acme.example \
    commit --quiet --allow-empty --message "$1"
}
git init --quiet "$work/source"
commit first
start_server "$work/data"
submit() { # submit REFERENCE
  "$BAILEY" artifact submit --project shop --artifact "web=$1" --git "$work/source" \
    --registry-auth "$work/docker.json"
}
promote() { # promote REFERENCE STAGE
  "$BAILEY" promote --project shop --artifact "web=$1" --to "$2" --wait
}
"$BAILEY" apply "$work/specs" --wait || fail "the environments could not be made"

one=$(push one)
digest=${one##*@}
submit "$one" || fail "the submission"
[ "$(ask "shop/web/manifests/sha256-${digest#sha256:}")" = 200 ] || fail "no referrers beside the artifact"
[ "$(jq '.manifests | length' "$work/answer")" = 1 ] || fail "one referrer was expected"
tells "urn:bailey:authorship:v1 signed by grace" "$BAILEY" artifact show "$one" || fail "the evidence is not shown"
promote "$one" shop-dev || fail "the promotion to shop-dev"
[ "$(ask "test/web/manifests/$digest")" = 404 ] || fail "it is in the stage's repository too early"
promote "$one" shop-test || fail "the promotion to shop-test"
[ "$(ask "test/web/manifests/$digest")" = 200 ] || fail "it is not in the stage's repository"
[ "$(ask "test/web/manifests/sha256-${digest#sha256:}")" = 200 ] || fail "the evidence did not go along"
"$BAILEY" env show shop-test --json >"$work/shown"
grep -q "$registry/test/web@$digest" "$work/shown" || { cat "$work/shown"; fail "the record names another repository"; }

# Somebody changes a layer in the registry's own storage, and not its length.
commit second
two=$(push two)
submit "$two" || fail "the second submission"
promote "$two" shop-dev || fail "the second promotion to shop-dev"
ask "shop/web/manifests/${two##*@}" >/dev/null
layer=$(jq -r '.layers[0].digest' "$work/answer")
layer=${layer#sha256:}
stored=$work/registry/storage/docker/registry/v2/blobs/sha256/${layer:0:2}/$layer/data
sed -i 's/two/TWO/' "$stored"
code=0
promote "$two" shop-test >"$work/refusal" 2>&1 || code=$?
[ "$code" != 0 ] || fail "other bytes went in"
grep -q "other bytes than the digest stands for" "$work/refusal" || { cat "$work/refusal"; fail "the reason is not told"; }
"$BAILEY" env show shop-test --json >"$work/shown"
grep -q "$registry/test/web@$digest" "$work/shown" || fail "the stage has something else than before"

# The password is in no log, answer or record.
! grep -rq hunter2 "$work/data" "$work/server.log" "$work/shown" "$work/refusal" || fail "the password lies about"
