# The layers, from the ground up. Includes point up this list and never down.

bailey_layer(base DIR orchestrator/base
  LINK nlohmann_json::nlohmann_json fmt::fmt tl::expected yaml-cpp OpenSSL::Crypto
       Boost::filesystem PkgConfig::SODIUM Threads::Threads)
bailey_layer(model DIR orchestrator/model USES base)
bailey_layer(net DIR orchestrator/net USES base LINK CURL::libcurl Boost::boost)

bailey_layer(spec DIR orchestrator/declare/spec USES base model)
bailey_layer(duties DIR orchestrator/declare/duties USES base model spec)

bailey_layer(audit DIR orchestrator/record/audit USES base model)
bailey_layer(store DIR orchestrator/record/store USES base model audit LINK SQLite::SQLite3)

bailey_layer(provider DIR orchestrator/provision/provider USES base model net)
bailey_layer(plan DIR orchestrator/provision/plan USES base model spec provider)
bailey_layer(credential DIR orchestrator/provision/credential USES base model store provider)
bailey_layer(apply DIR orchestrator/provision/apply USES base model net store provider plan)

bailey_layer(artifact DIR orchestrator/promote/artifact USES base model net)
bailey_layer(evidence DIR orchestrator/promote/evidence USES base model audit)
bailey_layer(gate DIR orchestrator/promote/gate USES base model evidence LINK date::date-tz)

bailey_layer(identity DIR orchestrator/serve/identity USES base model net spec store audit evidence)
bailey_layer(engine DIR orchestrator/serve/engine
  USES base model net spec duties audit store provider plan credential apply artifact evidence gate
       identity)
bailey_layer(api DIR orchestrator/serve/api USES base model net identity engine)
bailey_layer(cli DIR orchestrator/serve/cli
  USES base model net spec duties audit store plan artifact evidence engine api)

bailey_layer(openstack DIR providers/openstack USES base model net provider)
bailey_layer(devcloud DIR providers/devcloud USES base model net provider LINK SQLite::SQLite3)
