# shellcheck shell=bash
# A server of its own for a story, a cloud for it, and grace, who may do everything. Sourced, not run.
: "${BAILEY:?the bailey program}" "${BAILEY_SOURCE_DIR:?the project}"

if [[ ! -x /usr/bin/openstack ]]; then
  echo "skipped: python3-openstackclient is not installed"
  exit 77
fi

work=$(mktemp -d)
# shellcheck disable=SC2034  # Read by services.sh.
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

# tells PATTERN COMMAND...: the command prints it somewhere. A pipe into grep -q would end the command
# before it has ended.
tells() {
  local pattern=$1 said
  shift
  said=$("$@") && grep -q -- "$pattern" <<<"$said"
}

# The embedded cloud; its administrator's login is $openrc.
start_cloud() {
  local port
  openrc=$work/openrc
  port=$(free_port)
  start_service cloud "http://127.0.0.1:$port/v3" \
    "$BAILEY" devcloud --listen "127.0.0.1:$port" --openrc "$openrc"
}

# $work/specs/acme.yaml with grace alone; what else a story needs it appends. An Account reads the
# cloud's login from $work/account: the server gets nothing of it by its environment.
begin_specs() {
  (umask 077 && cp "$openrc" "$work/account")
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
kind: Project
metadata: {name: shop}
spec: {authors: [grace], stages: [shop-dev]}
SPECS
}

# start_server FOLDER [OPTION...]: on the store in that folder, new or not, with grace logged in.
start_server() {
  local folder=$1 port
  shift
  port=$(free_port)
  start_service server "http://127.0.0.1:$port/healthz" \
    "$BAILEY" serve --data "$folder" --listen "127.0.0.1:$port" --origin story.test "$@"
  export XDG_STATE_HOME=$work/state
  export BAILEY_SERVER=http://127.0.0.1:$port BAILEY_KEY=$work/grace
  if [ -e "$folder/bootstrap-token" ]; then
    BAILEY_TOKEN_FILE=$folder/bootstrap-token "$BAILEY" init "$work/specs" >/dev/null
  fi
  export BAILEY_TOKEN_FILE=$work/grace-token
  "$BAILEY" login --as grace >/dev/null
}
