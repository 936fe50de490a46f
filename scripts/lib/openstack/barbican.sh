# shellcheck shell=bash
# Barbican with its simple crypto plugin and without its worker: orders stay PENDING.

barbican_configure() {
  make_home barbican
  cp /usr/share/barbican-common/barbican-api-paste.ini "$etc/barbican/"
  {
    # Without host_href a secret's reference leads to where the client asked.
    cat <<CONF
[DEFAULT]
host_href =
sql_connection = $(database_url barbican)
db_auto_create = false
transport_url = $(queue_url)
[queue]
enable = false
[secretstore]
namespace = barbican.secretstore.plugin
enabled_secretstore_plugins = store_crypto
[crypto]
namespace = barbican.crypto.plugin
enabled_crypto_plugins = simple_crypto
[simple_crypto_plugin]
kek = ${secret[barbican_key]}
CONF
    token_section barbican key-manager
  } >"$etc/barbican/barbican.conf"
  # Barbican's own WSGI file names the one in /etc.
  printf 'from paste import deploy\napplication = deploy.loadapp("config:%s")\n' \
    "$etc/barbican/barbican-api-paste.ini" >"$etc/barbican/wsgi.py"
  uwsgi_settings barbican "${port[barbican]}" "$([ "$profile" = full ] && echo 2 || echo 1)" "$etc/barbican/wsgi.py"
}

barbican_prepare() { once barbican-schema /usr/bin/barbican-manage db upgrade; }

barbican_start() {
  start_uwsgi barbican
  wait_answer barbican "$(inside barbican)/"
}
