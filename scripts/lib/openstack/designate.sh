# shellcheck shell=bash
# Designate, whose own mini DNS is the only nameserver: what is asked of the pool's fake backend is
# there at once, and zones answer on FOLDER/ports' designate_dns.

designate_configure() {
  make_home designate
  cp /usr/share/designate-common/api-paste.ini "$etc/designate/"
  {
    # Zero percent: the mini DNS shows a zone until it is removed from the database, so that nothing
    # would ever be removed if the worker waited for it to vanish there.
    cat <<CONF
[DEFAULT]
host = loopback
transport_url = $(queue_url)
state_path = $var/designate
pybasedir = /usr/lib/python3/dist-packages
[service:api]
auth_strategy = keystone
api_paste_config = $etc/designate/api-paste.ini
enable_api_v2 = true
enable_host_header = true
[service:central]
workers = 1
managed_resource_email = hostmaster@example.org
[service:worker]
workers = 1
threads = 8
poll_delay = 0
poll_timeout = 5
poll_retry_interval = 1
poll_max_retries = 3
threshold_percentage = 0
[service:mdns]
workers = 1
listen = $host:${port[designate_dns]}
[storage:sqlalchemy]
connection = $(database_url designate)
[coordination]
backend_url = file://$var/designate
CONF
    token_section designate dns
  } >"$etc/designate/designate.conf"
  cat >"$etc/designate/pools.yaml" <<CONF
- name: default
  description: The mini DNS on loopback
  attributes: {}
  ns_records: [{hostname: ns1.example.org., priority: 1}]
  nameservers: [{host: $host, port: ${port[designate_dns]}}]
  targets:
    - type: fake
      description: Nothing behind it
      masters: [{host: $host, port: ${port[designate_dns]}}]
      options: {host: $host, port: ${port[designate_dns]}}
CONF
  uwsgi_settings designate-api "${port[designate]}" 1 /usr/bin/designate-api-wsgi
}

designate_prepare() {
  once designate-schema /usr/bin/designate-manage --config-file "$etc/designate/designate.conf" database sync
}

designate_start() {
  local part
  for part in central worker mdns; do
    start "designate-$part" "${environment[@]}" "/usr/bin/designate-$part" --config-file "$etc/designate/designate.conf"
  done
  start_uwsgi designate-api
  wait_port designate-mdns "${port[designate_dns]}"
  wait_answer designate-api "$(inside designate)/"
  once designate-pool /usr/bin/designate-manage --config-file "$etc/designate/designate.conf" \
    pool update --file "$etc/designate/pools.yaml"
}
