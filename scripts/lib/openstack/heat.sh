# shellcheck shell=bash
# Heat: its API and one engine.

heat_configure() {
  make_home heat
  mkdir -p "$etc/heat"/{environment.d,templates}
  # Debian's own file is readable by its user heat only.
  cat >"$etc/heat/api-paste.ini" <<'CONF'
[pipeline:heat-api]
pipeline = cors request_id faultwrap http_proxy_to_wsgi versionnegotiation authurl authtoken context apiv1app
[app:apiv1app]
paste.app_factory = heat.common.wsgi:app_factory
heat.app_factory = heat.api.openstack.v1:API
[filter:versionnegotiation]
paste.filter_factory = heat.common.wsgi:filter_factory
heat.filter_factory = heat.api.openstack:version_negotiation_filter
[filter:cors]
paste.filter_factory = oslo_middleware.cors:filter_factory
oslo_config_project = heat
[filter:faultwrap]
paste.filter_factory = heat.common.wsgi:filter_factory
heat.filter_factory = heat.api.openstack:faultwrap_filter
[filter:context]
paste.filter_factory = heat.common.context:ContextMiddleware_filter_factory
[filter:http_proxy_to_wsgi]
paste.filter_factory = oslo_middleware:HTTPProxyToWSGI.factory
[filter:authurl]
paste.filter_factory = heat.common.auth_url:filter_factory
[filter:authtoken]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory
[filter:request_id]
paste.filter_factory = oslo_middleware.request_id:RequestId.factory
CONF
  # By default nobody may list the stacks of all projects; scripts/openstack-inventory does.
  echo '"stacks:global_index": "role:admin"' >"$etc/heat/policy.yaml"
  {
    cat <<CONF
[DEFAULT]
transport_url = $(queue_url)
auth_encryption_key = ${secret[heat_key]}
stack_user_domain_name = heat
stack_domain_admin = heat_domain_admin
stack_domain_admin_password = ${secret[heat_domain]}
# Nothing listens there: a server only has to be told an address.
heat_metadata_server_url = http://$host:8000
heat_waitcondition_server_url = http://$host:8000/v1/waitcondition
num_engine_workers = 1
environment_dir = $etc/heat/environment.d
template_dir = $etc/heat/templates
region_name_for_services = RegionOne
deferred_auth_method = trusts
[heat_api]
bind_host = $host
bind_port = ${port[heat]}
[paste_deploy]
api_paste_config = $etc/heat/api-paste.ini
[oslo_policy]
policy_file = $etc/heat/policy.yaml
[clients_keystone]
auth_uri = $(inside keystone)
[clients]
endpoint_type = internalURL
CONF
    # A trust brings its own project: a login that names one as well is refused.
    login_section trustee heat | grep -v '^project_'
    token_section heat orchestration
    database_section heat
  } >"$etc/heat/heat.conf"
  uwsgi_settings heat-api "${port[heat]}" 1 /usr/bin/heat-wsgi-api
}

heat_prepare() { once heat-schema /usr/bin/heat-manage --config-file "$etc/heat/heat.conf" db_sync; }

heat_start() {
  start_uwsgi heat-api
  start heat-engine "${environment[@]}" /usr/bin/heat-engine --config-file "$etc/heat/heat.conf"
  wait_answer heat-api "$(inside heat)/"
}
