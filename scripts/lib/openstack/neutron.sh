# shellcheck shell=bash
# Neutron without agents: an ML2 driver of ours binds every port at once.

neutron_configure() {
  local api_workers=1 rpc_workers=0
  [ "$profile" = lite ] || { api_workers=2 rpc_workers=1; }
  make_home neutron
  cp /usr/share/neutron-common/api-paste.ini "$etc/neutron/api-paste.ini"
  {
    # The trunk plugin wants to see openvswitch among the drivers.
    cat <<CONF
[DEFAULT]
bind_host = $host
bind_port = ${port[neutron]}
core_plugin = ml2
service_plugins = router,qos,trunk,port_forwarding
auth_strategy = keystone
transport_url = $(queue_url)
api_workers = $api_workers
rpc_workers = $rpc_workers
rpc_state_report_workers = 0
state_path = $var/neutron
api_paste_config = $etc/neutron/api-paste.ini
notify_nova_on_port_status_changes = $(has nova && echo true || echo false)
notify_nova_on_port_data_changes = $(has nova && echo true || echo false)
max_allowed_address_pair = 100
allow_automatic_l3agent_failover = false
dhcp_agent_notification = false
[ml2]
type_drivers = local,flat,vlan,vxlan
tenant_network_types = vxlan
mechanism_drivers = openvswitch,every_port
extension_drivers = port_security,qos
[ml2_type_flat]
flat_networks = *
[ml2_type_vlan]
network_vlan_ranges = physnet1:100:1999
[ml2_type_vxlan]
vni_ranges = 1:65535
[securitygroup]
enable_security_group = true
CONF
    if has nova; then login_section nova nova && echo "endpoint_type = internal"; fi
    if has placement; then login_section placement placement && echo "endpoint_type = internal"; fi
    token_section neutron network
    database_section neutron
  } >"$etc/neutron/neutron.conf"
}

# The tables come from Neutron's models, as its own tests make them: its 200 migrations take long
# and do not run on SQLite.
neutron_prepare() {
  local settings=(--config-file "$etc/neutron/neutron.conf")
  once neutron-tables /usr/bin/python3 "$here/neutron_tables.py" "${settings[@]}"
  once neutron-schema /usr/bin/neutron-db-manage "${settings[@]}" stamp heads
}

neutron_start() {
  start neutron "${environment[@]}" /usr/bin/neutron-server --config-file "$etc/neutron/neutron.conf"
  wait_answer neutron "$(inside neutron)/"
}
