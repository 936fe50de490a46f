# shellcheck shell=bash
# Glance on files.

glance_configure() {
  make_home glance
  cp /usr/share/glance-common/glance-api-paste.ini /usr/share/glance-common/schema-image.json "$etc/glance/"
  mkdir -p "$var/glance"/{images,staging,tasks}
  {
    cat <<CONF
[DEFAULT]
bind_host = $host
bind_port = ${port[glance]}
workers = 0
enabled_backends = files:file
transport_url = $(queue_url)
[glance_store]
default_backend = files
[files]
filesystem_store_datadir = $var/glance/images
[os_glance_staging_store]
filesystem_store_datadir = $var/glance/staging
[os_glance_tasks_store]
filesystem_store_datadir = $var/glance/tasks
[paste_deploy]
flavor = keystone
config_file = $etc/glance/glance-api-paste.ini
CONF
    token_section glance image
    database_section glance
  } >"$etc/glance/glance-api.conf"
}

glance_prepare() {
  once glance-schema /usr/bin/glance-manage --config-file "$etc/glance/glance-api.conf" db_sync
}

glance_start() {
  launch glance.cmd.api glance-api --config-file "$etc/glance/glance-api.conf"
  wait_answer glance-api "$(inside glance)/"
}
