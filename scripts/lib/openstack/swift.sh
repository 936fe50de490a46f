# shellcheck shell=bash
# Swift: a proxy and one server of each kind on a plain folder, one replica of everything. With one
# replica nothing has to be replicated, so none of Swift's background daemons run.

# swift_section KIND: the first part of a server's file.
swift_section() {
  cat <<CONF
[DEFAULT]
bind_ip = $host
bind_port = ${port[$1]}
workers = 0
user = $(id -un)
swift_dir = $etc/swift
devices = $var/swift
mount_check = false
log_level = WARNING
CONF
}

swift_configure() {
  local kind
  mkdir -p "$etc/swift" "$var/swift/disk"
  printf '[swift-hash]\nswift_hash_path_suffix = %s\n' "${secret[swift_hash]}" >"$etc/swift/swift.conf"
  for kind in account container object; do
    {
      swift_section "swift_$kind"
      cat <<CONF
fallocate_reserve = 0
[pipeline:main]
pipeline = $kind-server
[app:$kind-server]
use = egg:swift#$kind
CONF
    } >"$etc/swift/$kind-server.conf"
  done
  {
    swift_section swift
    cat <<CONF
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache listing_formats container_sync bulk authtoken keystoneauth copy container-quotas account-quotas slo dlo versioned_writes symlink proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:authtoken]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory
delay_auth_decision = true
$(login_section authtoken swift | sed 1d)
www_authenticate_uri = $(outside keystone)/v3
service_type = object-store
service_token_roles_required = true
service_token_roles = service,admin
[filter:keystoneauth]
use = egg:swift#keystoneauth
operator_roles = admin, member
project_reader_roles = reader
[filter:cache]
use = egg:swift#memcache
memcache_servers = $host:${port[memcached]}
CONF
    for kind in catch_errors gatekeeper healthcheck listing_formats container_sync bulk copy slo dlo \
      versioned_writes symlink; do
      printf '[filter:%s]\nuse = egg:swift#%s\n' "$kind" "$kind"
    done
    printf '[filter:%s-quotas]\nuse = egg:swift#%s_quotas\n' container container account account
  } >"$etc/swift/proxy-server.conf"
}

swift_prepare() {
  once swift-rings /usr/bin/python3 "$here/swift_rings.py" "$etc/swift" "$host" \
    "account=${port[swift_account]}" "container=${port[swift_container]}" "object=${port[swift_object]}"
}

swift_start() {
  local kind
  for kind in account container object proxy; do
    start "swift-$kind" "${environment[@]}" /usr/bin/python3 "$here/swift_server.py" "$etc/swift/$kind-server.conf"
  done
  for kind in account container object; do wait_port "swift-$kind" "${port[swift_$kind]}"; done
  wait_answer swift-proxy "$(inside swift)/healthcheck"
}
