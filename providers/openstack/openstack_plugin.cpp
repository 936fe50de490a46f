#include "providers/openstack/openstack_plugin.hpp"

#include "orchestrator/base/json.hpp"
#include "providers/openstack/boundary.hpp"
#include "providers/openstack/credential.hpp"
#include "providers/openstack/identity.hpp"
#include "providers/openstack/probe.hpp"
#include "providers/openstack/schema.hpp"

namespace bailey {

namespace openstack {

namespace {

Result<const ResourceType*> type_of(const std::string& name) {
  const auto& types = resource_types();
  const auto found = types.find(name);
  if (found != types.end()) return found->second.get();
  return fail(ErrorKind::Unsupported, "OpenStack has no resource type \"" + name + "\"");
}

/// The first field that differs and that cannot be changed in place, or nothing.
std::optional<std::string> fixed_difference(const ResourceTypeSchema& schema, const Json& before,
                                            const Json& after) {
  for (const auto& field : schema.fields) {
    if (!field.replaces || member(before, field.name).is_null()) continue;
    if (member(before, field.name) != member(after, field.name)) return field.name;
  }
  for (const auto& field : schema.fields) {
    const auto& then = member(before, field.name);
    const auto& now = member(after, field.name);
    if (field.grows && then.is_number() && (!now.is_number() || now < then)) return field.name;
  }
  return std::nullopt;
}

class OpenstackProvider final : public Provider {
 public:
  OpenstackProvider(const ProviderContext& context, SessionOptions options)
      : home_(std::move(options), Doors{context.http, health_, context.clock, context.random},
              context.account.domains) {}

  Result<std::string> ensure_boundary(const BoundaryRequest& request,
                                      std::stop_token stop) override {
    return framed(openstack::ensure_boundary(home_, request, stop),
                  "making the project of environment " + request.environment);
  }
  Result<std::optional<std::string>> find_boundary(const EnvironmentUid& uid,
                                                   std::stop_token stop) override {
    return framed(openstack::find_boundary(home_, uid, stop),
                  "looking for the project of environment " + uid.str());
  }
  Result<std::vector<FoundBoundary>> list_boundaries(std::stop_token stop) override {
    return framed(openstack::list_boundaries(home_, stop), "looking for environments");
  }
  Status remove_boundary(const std::string& boundary, std::stop_token stop) override {
    return framed(openstack::remove_boundary(home_, boundary, stop),
                  "removing the project " + boundary);
  }

  Result<Observed> create(const ResourceRequest& request, std::stop_token stop) override {
    return with<Observed>(
        request.type, request.boundary, stop, "creating " + request.marker.address.str(),
        [&](const auto& type, const Work& work) { return type.create(work, request); });
  }
  Result<std::optional<Observed>> read(const std::string& type, const std::string& boundary,
                                       const std::string& provider_id,
                                       std::stop_token stop) override {
    return absent_without_project(with<std::optional<Observed>>(
        type, boundary, stop, "reading " + type + " " + provider_id,
        [&](const auto& kind, const Work& work) { return kind.read(work, provider_id); }));
  }
  Result<Observed> update(const ResourceRequest& request, const std::string& provider_id,
                          const nlohmann::json& before, std::stop_token stop) override {
    return with<Observed>(
        request.type, request.boundary, stop, "changing " + request.marker.address.str(),
        [&](const auto& type, const Work& work) -> Result<Observed> {
          if (auto name = fixed_difference(type.schema(), before, request.inputs)) {
            return fail(
                ErrorKind::InvalidArgument,
                "the field \"" + *name + "\" of a " + request.type + " cannot be changed in place");
          }
          return type.update(work, request, provider_id, before);
        });
  }
  Status remove(const std::string& type, const std::string& boundary,
                const std::string& provider_id, std::stop_token stop) override {
    auto gone = with<void>(
        type, boundary, stop, "removing " + type + " " + provider_id,
        [&](const auto& kind, const Work& work) { return kind.remove(work, provider_id); });
    if (!gone && gone.error().code() == kNoProject) return {};
    return gone;
  }
  Result<std::vector<Observed>> list(const std::string& type, const std::string& boundary,
                                     std::stop_token stop) override {
    return absent_without_project(with<std::vector<Observed>>(
        type, boundary, stop, "listing what is of type " + type,
        [](const auto& kind, const Work& work) { return list_type(work, kind); }));
  }
  Result<std::vector<Observed>> find(const std::string& type, const std::string& boundary,
                                     const Marker& marker, std::stop_token stop) override {
    auto all = list(type, boundary, stop);
    if (!all) return fail(std::move(all.error()).in("looking for " + marker.str()));
    std::vector<Observed> found;
    for (auto& seen : *all) {
      // The name alone is proof enough: it holds a hash over the marker.
      if (!seen.marker && seen.name == marker.unique_name()) {
        seen.marker = marker;
        seen.complete = false;
      }
      if (seen.marker == marker) found.push_back(std::move(seen));
    }
    return found;
  }

  Result<Identity> ensure_identity(const IdentityRequest& request,
                                   const std::optional<Identity>& known,
                                   std::stop_token stop) override {
    return framed(openstack::ensure_identity(home_, request, known, stop),
                  "making the user of role " + request.role + " in " + request.environment);
  }
  Status remove_identity(const std::string& identity, std::stop_token stop) override {
    return framed(openstack::remove_identity(home_, identity, stop),
                  "removing the user " + identity);
  }
  Result<IssuedCredential> issue(const Identity& identity, const IssueRequest& request,
                                 std::stop_token stop) override {
    return framed(openstack::issue(home_, identity, request, stop),
                  "issuing the application credential " + request.name);
  }
  Status revoke(const Identity& identity, const std::string& provider_id,
                std::stop_token stop) override {
    return framed(openstack::revoke(home_, identity, provider_id, stop),
                  "revoking the application credential " + provider_id);
  }

  [[nodiscard]] Result<std::map<std::string, Secret>> tool_environment(
      const Secret& material) const override {
    return openstack::tool_environment(material);
  }
  Result<std::vector<ProbeAttempt>> probe(const Secret& material, const ProbeTarget& target,
                                          std::stop_token stop) override {
    auto read = read_material(material);
    if (!read) return fail(std::move(read.error()));
    SessionOptions options;
    options.auth_url = read->auth_url;
    options.region = read->region;
    options.interface = read->interface;
    options.ca_file = read->ca_file;
    options.login = std::move(read->login);
    return framed(openstack::probe(options, target, home_.doors(), stop),
                  "probing the project " + target.boundary);
  }

 private:
  static constexpr auto kNoProject = "openstack.no-project";

  template <class R>
  static R framed(R result, const std::string& frame) {
    if (result) return result;
    return fail(std::move(result.error()).in(frame));
  }

  /// In a project that is gone there is nothing.
  template <class T>
  static Result<T> absent_without_project(Result<T> result) {
    if (!result && result.error().code() == kNoProject) return T();
    return result;
  }

  template <class T, class Act>
  Result<T> with(const std::string& type, const std::string& boundary, const std::stop_token& stop,
                 const std::string& frame, const Act& act) {
    auto kind = type_of(type);
    if (!kind) return fail(std::move(kind.error()));
    auto project = home_.project(boundary, stop);
    if (!project) {
      auto error = std::move(project.error()).in(frame);
      if (error.kind() == ErrorKind::NotFound) error = std::move(error).with_code(kNoProject);
      return fail(std::move(error));
    }
    const Work work{**project, {(*project)->session, stop}, home_.api(stop), home_.doors(), stop};
    return framed(act(**kind, work), frame);
  }

  ServiceHealth health_;
  Home home_;
};

}  // namespace

}  // namespace openstack

ProviderPlugin openstack_plugin() {
  ProviderPlugin plugin;
  plugin.schema = openstack::openstack_schema();
  plugin.schema.account_options = {"/interface", "/caFile", "/domains", "/credential/cloud"};
  plugin.schema.environment_options = {"/boundary"};
  plugin.schema.endpoint_in_credential = true;
  plugin.open = [](const ProviderContext& context) -> Result<std::shared_ptr<Provider>> {
    auto options = openstack::session_options(context.account, context.credential);
    if (!options) return fail(std::move(options.error()));
    return std::make_shared<openstack::OpenstackProvider>(context, std::move(*options));
  };
  return plugin;
}

}  // namespace bailey
