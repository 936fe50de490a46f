# shellcheck shell=bash
# Keystone, with its catalogue.

keystone_configure() {
  make_home keystone
  {
    cat <<CONF
[DEFAULT]
max_token_size = 512
[cache]
# Without it a token costs about a hundred queries.
enabled = true
backend = dogpile.cache.pymemcache
memcache_servers = $host:${port[memcached]}
[token]
provider = fernet
[fernet_tokens]
key_repository = $etc/keystone/fernet-keys
[fernet_receipts]
key_repository = $etc/keystone/fernet-keys
[credential]
key_repository = $etc/keystone/credential-keys
[identity]
# The least that bcrypt allows; the default of 12 costs 0.2 s for each login.
password_hash_rounds = 4
[oslo_middleware]
enable_proxy_headers_parsing = true
[oslo_concurrency]
lock_path = $var/keystone/lock
CONF
    database_section keystone
  } >"$etc/keystone/keystone.conf"
  # Two writers on one SQLite file are "database is locked".
  uwsgi_settings keystone "${port[keystone]}" "$([ "$profile" = full ] && echo 3 || echo 1)" \
    /usr/bin/keystone-wsgi-public
}

# make_keys FOLDER: a staged key and a primary one, as keystone-manage makes them in four seconds:
# the base64 of 32 bytes, in the alphabet for URLs.
make_keys() {
  [ ! -d "$1" ] || return 0
  rm -rf "$1.new"
  mkdir "$1.new"
  for key in 0 1; do openssl rand -base64 32 | tr '+/' '-_' | tr -d '\n' >"$1.new/$key"; done
  mv "$1.new" "$1"
}

keystone_prepare() {
  local manage=(/usr/bin/keystone-manage --config-file "$etc/keystone/keystone.conf")
  make_keys "$etc/keystone/fernet-keys"
  make_keys "$etc/keystone/credential-keys"
  once keystone-schema "${manage[@]}" db_sync
  # The password is in its environment, not among its arguments.
  once keystone-bootstrap env OS_BOOTSTRAP_PASSWORD="${secret[admin]}" "${manage[@]}" bootstrap \
    --bootstrap-public-url "$(outside keystone)/v3" --bootstrap-internal-url "$(inside keystone)/v3" \
    --bootstrap-admin-url "$(inside keystone)/v3" --bootstrap-region-id RegionOne
}

keystone_start() {
  start_uwsgi keystone
  wait_answer keystone "$(inside keystone)/v3"
  is_done catalogue && return 0
  catalogue | BAILEY_ADMIN_PASSWORD=${secret[admin]} BAILEY_SERVICE_PASSWORD=${secret[service]} \
    BAILEY_HEAT_PASSWORD=${secret[heat_domain]} \
    /usr/bin/python3 "$here/catalogue.py" "$(inside keystone)/v3" >>"$logs/catalogue.log" 2>&1 ||
    fail "The catalogue could not be filled" "$logs/catalogue.log"
  mark_done catalogue
}

# catalogue: lines of REGION, NAME, TYPE, public URL and internal URL. The user of a service is named
# as its configuration is.
catalogue() {
  local service
  for service in $services; do catalogue_line RegionOne "$service" "$(outside "$service")"; done
  for service in $second_region_services; do catalogue_line RegionTwo "$service" "$(outside_second "$service")"; done
}

catalogue_line() {
  local type path=
  case $2 in
    keystone) type=identity path=/v3 ;;
    neutron) type=network ;;
    barbican) type=key-manager ;;
    glance) type=image ;;
    placement) type=placement ;;
    nova) type=compute path=/v2.1 ;;
    cinder) type=volumev3 path='/v3/%(project_id)s' ;;
    heat) type=orchestration path='/v1/%(project_id)s' ;;
    swift) type=object-store path='/v1/AUTH_%(project_id)s' ;;
    designate) type=dns ;;
  esac
  echo "$1 $2 $type $3$path $(inside "$2")$path"
}
