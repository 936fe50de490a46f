# shellcheck shell=bash
# What the configuration files of several services share. Needs state.sh. Sourced, not run.

# Debian's Python and nothing of the caller's environment. oslo.config looks for ~/.PROJECT before
# /etc/PROJECT, so this HOME moves all configuration; the WSGI programs look at variables instead.
clean_environment() {
  environment=(env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin "HOME=$folder/home" LANG=C.UTF-8
    "PYTHONPATH=$here/plugins" PYTHONWARNINGS=ignore PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
    "OS_KEYSTONE_CONFIG_DIR=$etc/keystone" "OS_NOVA_CONFIG_DIR=$etc/nova"
    "OS_PLACEMENT_CONFIG_DIR=$etc/placement" "OS_DESIGNATE_CONFIG_DIR=$etc/designate")
  if preload_chunk_cache; then environment+=("LD_PRELOAD=$var/chunkcache.so"); fi
}

# chunkcache.c tells what it is for. Everything works without it, more slowly.
preload_chunk_cache() {
  [ "${BAILEY_OPENSTACK_CHUNKCACHE:-1}" = 1 ] && command -v gcc >/dev/null || return 1
  [ -s "$var/chunkcache.so" ] && return 0
  gcc -O2 -shared -fPIC -o "$var/chunkcache.so.new" "$here/chunkcache.c" 2>>"$logs/chunkcache.log" &&
    mv "$var/chunkcache.so.new" "$var/chunkcache.so"
}

# logged NAME COMMAND...: its output goes to NAME.log; its failure ends us.
logged() {
  local log=$logs/$1.log
  shift
  "${environment[@]}" "$@" >>"$log" 2>&1 </dev/null || fail "\"${1##*/} ${*: -1}\" failed" "$log"
}

# once NAME COMMAND...: logged, the first time only.
once() {
  is_done "$1" && return 0
  logged "$@"
  mark_done "$1"
}

# launch MODULE PROGRAM ARGUMENT...: for programs whose launcher lies in a Debian package that also
# brings an init script or a hypervisor.
launch() { start "$2" "${environment[@]}" /usr/bin/python3 "$here/launch.py" "$@"; }

make_home() {
  mkdir -p "$etc/$1" "$var/$1/lock"
  ln -sfn "$etc/$1" "$folder/home/.$1"
}

# database_url NAME: the C driver for plain WSGI programs; the one in Python where eventlet must be
# able to switch while a query waits.
database_url() {
  local driver=pymysql
  case $1 in keystone | placement | barbican) driver=mysqldb ;; esac
  if [ "$profile" = lite ]; then
    echo "sqlite:///$var/$1.sqlite?timeout=60"
  else
    echo "mysql+$driver://openstack:${secret[database]}@$host:${port[mariadb]}/$1?charset=utf8"
  fi
}

queue_url() {
  if [ "$profile" = lite ]; then
    echo "fake:/"
  else
    echo "rabbit://openstack:${secret[queue]}@$host:${port[rabbitmq]}/"
  fi
}

database_section() {
  cat <<CONF
[database]
connection = $(database_url "$1")
max_pool_size = 10
max_overflow = 20
CONF
  [ "$profile" = full ] || echo "sqlite_synchronous = false"
}

# login_section SECTION USER: how one service logs in to call another.
login_section() {
  cat <<CONF
[$1]
auth_url = $(inside keystone)/v3
auth_type = password
project_domain_name = Default
user_domain_name = Default
project_name = service
username = $2
password = ${secret[service]}
region_name = RegionOne
CONF
}

# token_section USER TYPE: how a service checks tokens. The type makes access rules of application
# credentials work; the proxy part makes links that clients get lead to the TLS port.
token_section() {
  login_section keystone_authtoken "$1"
  cat <<CONF
www_authenticate_uri = $(outside keystone)/v3
service_type = $2
service_token_roles_required = true
service_token_roles = service,admin
[oslo_middleware]
enable_proxy_headers_parsing = true
[oslo_concurrency]
lock_path = $var/$1/lock
CONF
}

# uwsgi_settings NAME PORT PROCESSES FILE [ARGUMENTS]: one thread in each process, since several of
# these programs and SQLite do not stand threads.
uwsgi_settings() {
  cat >"$etc/$1-uwsgi.ini" <<CONF
[uwsgi]
plugins = python3
http-socket = $host:$2
wsgi-file = $4
${5:+pyargv = $5}
master = true
processes = $3
threads = 1
lazy-apps = true
need-app = true
enable-threads = true
thunder-lock = true
die-on-term = true
no-orphans = true
buffer-size = 65535
listen = 100
wsgi-manage-chunked-input = true
add-header = Connection: close
name = $1
log-date = true
disable-logging = true
CONF
}
start_uwsgi() { start "$1" "${environment[@]}" /usr/bin/uwsgi-core --ini "$etc/$1-uwsgi.ini"; }
