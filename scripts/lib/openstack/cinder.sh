# shellcheck shell=bash
# Cinder with a driver that only writes down what it was asked for (plugins/bailey_cinder.py).

cinder_configure() {
  make_home cinder
  cp /usr/share/cinder-common/api-paste.ini "$etc/cinder/"
  cat >"$etc/cinder/resource_filters.json" <<'CONF'
{"volume": ["name", "status", "metadata", "bootable", "migration_status", "availability_zone",
            "group_id", "size", "created_at", "updated_at"],
 "backup": ["name", "status", "volume_id"],
 "snapshot": ["name", "status", "volume_id", "metadata", "availability_zone"],
 "attachment": ["volume_id", "status", "instance_id", "attach_status"],
 "volume_type": ["is_public", "extra_specs"]}
CONF
  {
    cat <<CONF
[DEFAULT]
host = loopback
my_ip = $host
transport_url = $(queue_url)
auth_strategy = keystone
api_paste_config = $etc/cinder/api-paste.ini
resource_query_filters_file = $etc/cinder/resource_filters.json
state_path = $var/cinder
enabled_backends = fake
default_volume_type = fake
glance_api_servers = $(inside glance)
[fake]
volume_driver = bailey_cinder.RecordDriver
volume_backend_name = fake
[coordination]
backend_url = file://$var/cinder
CONF
    login_section nova nova
    echo "interface = internal"
    login_section service_user cinder
    echo "send_service_user_token = true"
    token_section cinder volumev3
    database_section cinder
  } >"$etc/cinder/cinder.conf"
  uwsgi_settings cinder-api "${port[cinder]}" 1 /usr/bin/cinder-wsgi
}

cinder_prepare() { once cinder-schema /usr/bin/cinder-manage --config-file "$etc/cinder/cinder.conf" db sync; }

cinder_start() {
  start_uwsgi cinder-api
  launch cinder.cmd.scheduler cinder-scheduler --config-file "$etc/cinder/cinder.conf"
  launch cinder.cmd.volume cinder-volume --config-file "$etc/cinder/cinder.conf"
  wait_answer cinder-api "$(inside cinder)/"
}
