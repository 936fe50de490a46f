# shellcheck shell=bash
# Nova with its fake driver: servers are ACTIVE and run nothing. They live in nova-compute's memory.

nova_configure() {
  make_home nova
  cp /usr/share/nova-common/api-paste.ini "$etc/nova/"
  mkdir -p "$var/nova/instances"
  {
    cat <<CONF
[DEFAULT]
host = loopback
my_ip = $host
transport_url = $(queue_url)
compute_driver = fake.FakeDriver
state_path = $var/nova
instances_path = $var/nova/instances
enabled_apis = osapi_compute
vif_plugging_is_fatal = false
vif_plugging_timeout = 0
allow_resize_to_same_host = true
ram_allocation_ratio = 16
cpu_allocation_ratio = 16
disk_allocation_ratio = 16
heal_instance_info_cache_interval = 0
sync_power_state_interval = -1
[wsgi]
api_paste_config = $etc/nova/api-paste.ini
[api]
auth_strategy = keystone
[api_database]
connection = $(database_url nova_api)
[glance]
api_servers = $(inside glance)
[cinder]
catalog_info = volumev3:cinder:internalURL
os_region_name = RegionOne
[vnc]
enabled = false
[spice]
enabled = false
[conductor]
workers = 1
[scheduler]
workers = 1
discover_hosts_in_cells_interval = -1
[key_manager]
backend = barbican
[barbican]
barbican_endpoint = $(inside barbican)
auth_endpoint = $(inside keystone)/v3
CONF
    login_section neutron neutron
    login_section placement placement
    login_section service_user nova
    echo "send_service_user_token = true"
    token_section nova compute
    database_section nova
  } >"$etc/nova/nova.conf"
  uwsgi_settings nova-api "${port[nova]}" 2 /usr/bin/nova-api-wsgi
}

nova_prepare() {
  local manage=(/usr/bin/nova-manage --config-file "$etc/nova/nova.conf")
  once nova-api-schema "${manage[@]}" api_db sync
  once nova-cell0 "${manage[@]}" cell_v2 map_cell0 --database_connection "$(database_url nova_cell0)"
  once nova-cell1 "${manage[@]}" cell_v2 create_cell --name cell1
  once nova-schema "${manage[@]}" db sync
}

nova_start() {
  # Nova's daemons look for Placement in the catalogue as they start, and end where they find none.
  await keystone placement
  start_uwsgi nova-api
  start nova-conductor "${environment[@]}" /usr/bin/nova-conductor --config-file "$etc/nova/nova.conf"
  start nova-scheduler "${environment[@]}" /usr/bin/nova-scheduler --config-file "$etc/nova/nova.conf"
  launch nova.cmd.compute nova-compute --config-file "$etc/nova/nova.conf"
  wait_answer nova-api "$(inside nova)/"
}

# The scheduler uses a compute host only when it is mapped into a cell. It is there to be mapped when
# nova-compute has reached Placement.
nova_finish() {
  is_done nova-hosts && return 0
  local manage=("${environment[@]}" /usr/bin/nova-manage --config-file "$etc/nova/nova.conf")
  for _ in $(seq 40); do
    if "${manage[@]}" cell_v2 discover_hosts --strict >>"$logs/nova-hosts.log" 2>&1; then
      mark_done nova-hosts
      return 0
    fi
    runs nova-compute || fail "nova-compute has ended" "$logs/nova-compute.log"
    sleep 0.5
  done
  fail "nova-compute did not register itself" "$logs/nova-compute.log"
}
