# shellcheck shell=bash
# Placement.

placement_configure() {
  make_home placement
  {
    cat <<CONF
[api]
auth_strategy = keystone
[placement_database]
connection = $(database_url placement)
CONF
    token_section placement placement
  } >"$etc/placement/placement.conf"
  uwsgi_settings placement "${port[placement]}" 1 /usr/bin/placement-api
}

placement_prepare() {
  once placement-schema /usr/bin/placement-manage --config-file "$etc/placement/placement.conf" db sync
}

placement_start() {
  start_uwsgi placement
  wait_answer placement "$(inside placement)/"
}
