# shellcheck shell=bash
# Where a stack keeps what it has, and what is chosen once for it: its ports and its secrets.
# Sourced by scripts/openstack-*. Afterwards: $profile, $folder, $services, $etc, $var, $run, $logs.

host=127.0.0.1
# Services that a client calls. What stands in the catalogue of the second region leads to the same.
lite_services="keystone neutron barbican"
full_services="$lite_services glance placement nova cinder heat swift designate"
# shellcheck disable=SC2034  # For the scripts that source this.
second_region_services="keystone neutron barbican"

# A name that every port has in FOLDER/ports.
port_names="mariadb rabbitmq rabbitmq_peers epmd memcached keystone neutron barbican glance placement nova cinder
  heat swift swift_account swift_container swift_object designate designate_dns
  keystone_tls neutron_tls barbican_tls glance_tls placement_tls nova_tls cinder_tls heat_tls swift_tls designate_tls
  keystone_second neutron_second barbican_second"

# choose_stack [lite|full] [FOLDER]: sets the variables above. Makes nothing.
choose_stack() {
  profile=${1:-full}
  case $profile in
    lite) services=$lite_services ;;
    full) services=$full_services ;;
    *) return 1 ;;
  esac
  folder=$(realpath -m "${2:-${BAILEY_OPENSTACK:-$PWD/.openstack}}")/$profile
  etc=$folder/etc var=$folder/var run=$folder/run logs=$folder/log
}

make_folders() {
  # A path of a Unix socket has at most 107 bytes.
  if [ ${#folder} -gt 80 ]; then
    echo "The path of the folder is too long for the database's socket: $folder" >&2
    exit 1
  fi
  umask 077
  mkdir -p "$etc" "$var" "$run" "$logs" "$folder/home" "$folder/done"
}

say() { printf '%(%H:%M:%S)T  %s\n' -1 "$*"; }

# fail MESSAGE [LOG]: ends this process, or the part of it that runs in a subshell.
fail() {
  echo "openstack-up: $1" >&2
  if [ -n "${2:-}" ]; then
    echo "The end of $2:" >&2
    tail -n 20 "$2" >&2 || true
  fi
  exit 1
}

is_done() { [ -e "$folder/done/$1" ]; }
mark_done() { : >"$folder/done/$1" && : >"$folder/changed"; }
has() { [[ " $services " == *" $1 "* ]]; }

# ---- Ports -------------------------------------------------------------------------------------------

# A block of ports below those that the kernel gives to clients: what is chosen now is still free
# after a restart.
choose_ports() {
  # shellcheck disable=SC2086  # Names are words.
  /usr/bin/python3 - $port_names <<'PYTHON'
import random, socket, sys

names = sys.argv[1:]
with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
    end = int(file.read().split()[0])

def free(port):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True

bases = list(range(10000, min(end, 65536) - len(names), 50))
random.shuffle(bases)
for base in bases:
    ports = range(base, base + len(names))
    if all(map(free, ports)):
        print("\n".join(f"{name}={port}" for name, port in zip(names, ports)))
        sys.exit(0)
sys.exit("no block of free ports")
PYTHON
}

declare -A port
read_ports() {
  if [ ! -s "$folder/ports" ]; then
    choose_ports >"$folder/ports.new" || fail "No block of free ports was found on $host"
    mv "$folder/ports.new" "$folder/ports"
  fi
  local name value
  while IFS='=' read -r name value; do port[$name]=$value; done <"$folder/ports"
}

inside() { echo "http://$host:${port[$1]}"; }
outside() { echo "https://$host:${port[$1_tls]}"; }
outside_second() { echo "https://$host:${port[$1_second]}"; }

# ---- Secrets -----------------------------------------------------------------------------------------

declare -A secret
read_secrets() {
  local line
  if [ ! -s "$folder/secrets" ]; then
    # Heat wants 32 characters for its key, Barbican the base64 of 32 bytes.
    {
      for name in admin service database queue heat_domain swift_hash; do
        echo "$name=$(openssl rand -hex 20)"
      done
      echo "heat_key=$(openssl rand -hex 16)"
      echo "barbican_key=$(openssl rand -base64 32)"
    } >"$folder/secrets.new"
    mv "$folder/secrets.new" "$folder/secrets"
  fi
  # Base64 may end in the sign that separates.
  while read -r line; do secret[${line%%=*}]=${line#*=}; done <"$folder/secrets"
}
