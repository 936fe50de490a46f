# shellcheck shell=bash
# What the services stand on: memcached, MariaDB, RabbitMQ, and haproxy as the end of TLS. All run as
# the one who calls. Sourced, not run.

# as_root_needs OPTION...: programs that refuse to stay root unless told so.
as_root() { [ "$(id -u)" -ne 0 ] || printf '%s\n' "$@"; }

start_memcached() {
  local user
  mapfile -t user < <(as_root -u root)
  start memcached /usr/bin/memcached "${user[@]}" -l "$host" -p "${port[memcached]}" -U 0 -m 64 -c 1024
  wait_port memcached "${port[memcached]}"
}

start_mariadb() {
  local user
  user=--user=$(id -un)
  if [ ! -d "$var/mariadb/mysql" ]; then
    rm -rf "$var/mariadb.new"
    mkdir -p "$var/mariadb.new"
    logged mariadb mariadb-install-db --no-defaults "$user" --datadir="$var/mariadb.new" \
      --auth-root-authentication-method=socket --auth-root-socket-user="$(id -un)" --skip-test-db
    mv "$var/mariadb.new" "$var/mariadb"
  fi
  # The server runs this before it listens. What is there already stays.
  {
    for name in keystone glance placement nova nova_api nova_cell0 neutron barbican cinder heat designate; do
      echo "CREATE DATABASE IF NOT EXISTS $name CHARACTER SET utf8mb3;"
    done
    echo "CREATE USER IF NOT EXISTS 'openstack'@'$host' IDENTIFIED BY '${secret[database]}';"
    echo "GRANT ALL ON *.* TO 'openstack'@'$host';"
  } >"$etc/mariadb.sql"
  # What a power cut could lose does not matter here; that every commit waits for the disk does.
  start mariadb "${environment[@]}" /usr/sbin/mariadbd --no-defaults "$user" --datadir="$var/mariadb" \
    --socket="$run/mariadb.sock" --pid-file="$run/mariadbd" --init-file="$etc/mariadb.sql" \
    --bind-address="$host" --port="${port[mariadb]}" --skip-name-resolve --skip-log-bin \
    --max-connections=1000 --character-set-server=utf8mb3 --collation-server=utf8mb3_general_ci \
    --innodb-buffer-pool-size=256M --innodb-log-file-size=64M --innodb-flush-log-at-trx-commit=0 \
    --innodb-doublewrite=0 --performance-schema=0
  wait_port mariadb "${port[mariadb]}"
}

start_rabbitmq() {
  mkdir -p "$var/rabbitmq" "$logs/rabbitmq" "$etc/rabbitmq"
  cat >"$etc/rabbitmq/rabbitmq.conf" <<CONF
listeners.tcp.1 = $host:${port[rabbitmq]}
default_user = openstack
default_pass = ${secret[queue]}
log.file.level = warning
vm_memory_high_watermark.absolute = 1GB
disk_free_limit.absolute = 50MB
CONF
  echo '[].' >"$etc/rabbitmq/enabled_plugins"
  : >"$etc/rabbitmq/rabbitmq-env.conf"
  # Otherwise the node would start one that outlives it.
  start epmd env -i PATH=/usr/bin:/bin /usr/bin/epmd -address "$host" -port "${port[epmd]}"
  wait_port epmd "${port[epmd]}"
  start rabbitmq env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME="$var/rabbitmq" \
    ERL_EPMD_ADDRESS="$host" ERL_EPMD_PORT="${port[epmd]}" \
    RABBITMQ_NODENAME="bailey-${port[rabbitmq]}@localhost" RABBITMQ_DIST_PORT="${port[rabbitmq_peers]}" \
    RABBITMQ_MNESIA_BASE="$var/rabbitmq" RABBITMQ_LOG_BASE="$logs/rabbitmq" \
    RABBITMQ_CONFIG_FILE="$etc/rabbitmq/rabbitmq" \
    RABBITMQ_ENABLED_PLUGINS_FILE="$etc/rabbitmq/enabled_plugins" \
    RABBITMQ_CONF_ENV_FILE="$etc/rabbitmq/rabbitmq-env.conf" \
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none" \
    /usr/lib/rabbitmq/bin/rabbitmq-server
  wait_port rabbitmq "${port[rabbitmq]}"
}

# ---- TLS ---------------------------------------------------------------------------------------------

make_certificates() {
  [ ! -s "$etc/tls/server.pem" ] || return 0
  mkdir -p "$etc/tls"
  logged tls openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/CN=Bailey's OpenStack on loopback: CA" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign \
    -keyout "$etc/tls/ca.key" -out "$folder/ca.pem"
  logged tls openssl req -newkey rsa:2048 -nodes -subj "/CN=$host" \
    -keyout "$etc/tls/server.key" -out "$etc/tls/server.csr"
  cat >"$etc/tls/server.ext" <<CONF
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature,keyEncipherment
extendedKeyUsage = serverAuth
subjectAltName = IP:$host,DNS:localhost
authorityKeyIdentifier = keyid
subjectKeyIdentifier = hash
CONF
  logged tls openssl x509 -req -days 3650 -CA "$folder/ca.pem" -CAkey "$etc/tls/ca.key" -CAcreateserial \
    -in "$etc/tls/server.csr" -extfile "$etc/tls/server.ext" -out "$etc/tls/server.crt"
  cat "$etc/tls/server.crt" "$etc/tls/server.key" >"$etc/tls/server.pem.new"
  mv "$etc/tls/server.pem.new" "$etc/tls/server.pem"
}

# haproxy_frontend SERVICE PORT
haproxy_frontend() {
  cat <<CONF
frontend $1_$2
  bind $host:$2 ssl crt $etc/tls/server.pem
  http-request set-header X-Forwarded-Proto https
  default_backend $1
CONF
}

start_haproxy() {
  local service
  make_certificates
  {
    cat <<CONF
global
  maxconn 1000
  nbthread 1
  ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
  mode http
  log stdout format raw local0 err
  timeout connect 10s
  timeout client 300s
  timeout server 300s
  # A connection kept open to a service could be closed by it just when it is used again.
  option http-server-close
  option forwardfor
CONF
    for service in $services; do
      printf 'backend %s\n  server local %s:%s\n' "$service" "$host" "${port[$service]}"
      haproxy_frontend "$service" "${port[${service}_tls]}"
    done
    for service in $second_region_services; do haproxy_frontend "$service" "${port[${service}_second]}"; done
  } >"$etc/haproxy.cfg"
  start haproxy /usr/sbin/haproxy -db -f "$etc/haproxy.cfg"
  wait_port haproxy "${port[keystone_tls]}"
}
