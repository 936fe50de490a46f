#pragma once

#include "orchestrator/base/clock.hpp"
#include "orchestrator/base/error.hpp"
#include "orchestrator/base/random.hpp"
#include "orchestrator/base/secret.hpp"
#include "orchestrator/model/account.hpp"
#include "orchestrator/model/ids.hpp"
#include "orchestrator/model/provider_schema.hpp"
#include "orchestrator/net/http_client.hpp"
#include "orchestrator/provision/provider/marker.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace bailey {

/// The wall around one environment: a project, a namespace, an account.
struct BoundaryRequest {
  EnvironmentUid environment_uid;
  std::string environment;
  std::string project;
  EnvironmentClass environment_class = EnvironmentClass::Production;
  /// Name or id of one that is there already, to be taken over instead of making one; it keeps its
  /// description and tags.
  std::string adopt = {};
  std::string description = {};  ///< Empty: the provider's own words.
  std::vector<std::string> tags = {};
};

/// A boundary as its owner's marks at the provider tell of it.
struct FoundBoundary {
  std::string id;
  EnvironmentUid environment_uid;
  std::string environment;
};

/// What may be left of earlier attempts under the marker of a create().
enum class Earlier : std::uint8_t {
  Perhaps,  ///< create() looks first, and finishes what it finds.
  None,     ///< The caller has made sure that there is nothing: no look is needed.
};

struct ResourceRequest {
  std::string type;
  Marker marker;
  std::string boundary;
  nlohmann::json inputs;  ///< In the words of the spec, every reference resolved.
  Earlier earlier = Earlier::Perhaps;
};

/// One resource as the provider shows it.
struct Observed {
  std::string type;
  std::string provider_id;
  /// The fields that can be read back, in the words of the spec and in the form the spec would use,
  /// so that an unchanged resource compares equal field by field. Fields that cannot be read back
  /// are left out.
  nlohmann::json inputs;
  nlohmann::json attributes;
  std::optional<Marker> marker;  ///< Nothing: not one of ours.
  std::string name;              ///< For listings of what is not ours.
  /// False: made in part, as a crash leaves it. create() for its marker finishes it, remove()
  /// removes it.
  bool complete = true;
};

struct IdentityRequest {
  EnvironmentUid environment_uid;
  std::string environment;
  std::string role;
  std::string boundary;
  std::vector<std::string> grants;  ///< Roles at the provider.
};

/// Who a role of one environment is at the provider. `secret` is what issues its credentials; it is
/// sealed by the caller and handed back in.
struct Identity {
  std::string id;
  Secret secret;
};

struct IssueRequest {
  std::string boundary;
  std::string name;  ///< Unique; tells in the provider's own listings what it is for.
  std::vector<std::string> grants;
  WallTime expires_at;
};

struct IssuedCredential {
  std::string provider_id;
  Secret material;  ///< JSON of the provider's own form; opaque to everybody else.
};

/// What a credential is tried against: another environment's boundary and some things inside it.
struct ProbeTarget {
  std::string boundary;
  struct Thing {
    std::string type;
    std::string provider_id;
  };
  std::vector<Thing> things;
};

enum class ProbeOutcome : std::uint8_t { Refused, Allowed, Unknown };

struct ProbeAttempt {
  std::string operation;  ///< "list networks", "read secret", "delete server".
  ProbeOutcome outcome = ProbeOutcome::Unknown;
  std::string detail;  ///< The provider's answer in a few words.
};

/// What a cloud looks like to the engine. Implementations live in providers/ and see nothing of
/// plans, state or the API. One instance is one account.
///
/// Calls block until done, failed or `stop` is requested; many run at once on pool threads, never
/// two at once for the same resource. Transport retries are the implementation's own; what comes
/// back as Timeout or Unavailable after a mutation means that it may have happened: the caller
/// looks it up by marker before anything else.
class Provider {
 public:
  virtual ~Provider() = default;

  /// Finds the boundary of this environment by its uid, or makes it, or takes over the one that it
  /// adopts: Refused when that is another environment's, NotFound when there is none, Conflict when
  /// the environment has another boundary already. Safe to repeat.
  virtual Result<std::string> ensure_boundary(const BoundaryRequest& request,
                                              std::stop_token stop) = 0;
  virtual Result<std::optional<std::string>> find_boundary(const EnvironmentUid& uid,
                                                           std::stop_token stop) = 0;
  /// Every boundary of ours that the account can see, whoever's record it is in: what finds an
  /// environment again when the record is lost.
  virtual Result<std::vector<FoundBoundary>> list_boundaries(std::stop_token stop) = 0;
  /// Deletes the boundary and what the provider itself put into it. Refuses (FailedPrecondition)
  /// while anything else is inside. Absent is success. An adopted one is given back instead, as it
  /// was: what is inside without a marker of ours is no obstacle and not touched, and afterwards
  /// find_boundary() finds nothing.
  virtual Status remove_boundary(const std::string& boundary, std::stop_token stop) = 0;

  /// Makes the resource, marked, and returns once it is usable. Never called twice for a marker
  /// without a lookup between.
  virtual Result<Observed> create(const ResourceRequest& request, std::stop_token stop) = 0;
  /// Nothing when it is not there.
  virtual Result<std::optional<Observed>> read(const std::string& type, const std::string& boundary,
                                               const std::string& provider_id,
                                               std::stop_token stop) = 0;
  /// Changes in place the fields that differ from `before` (the inputs as last applied).
  virtual Result<Observed> update(const ResourceRequest& request, const std::string& provider_id,
                                  const nlohmann::json& before, std::stop_token stop) = 0;
  /// Returns once it is gone. Absent is success.
  virtual Status remove(const std::string& type, const std::string& boundary,
                        const std::string& provider_id, std::stop_token stop) = 0;
  /// Everything of one type inside the boundary, ours or not, in one paged listing.
  virtual Result<std::vector<Observed>> list(const std::string& type, const std::string& boundary,
                                             std::stop_token stop) = 0;
  /// Every resource with exactly this marker.
  virtual Result<std::vector<Observed>> find(const std::string& type, const std::string& boundary,
                                             const Marker& marker, std::stop_token stop) = 0;

  /// Finds or makes the identity of one role and gives it exactly these grants on the boundary.
  /// A found identity whose secret is unknown to the caller gets a new one. `known` is what an
  /// earlier call returned.
  virtual Result<Identity> ensure_identity(const IdentityRequest& request,
                                           const std::optional<Identity>& known,
                                           std::stop_token stop) = 0;
  /// Its credentials end with it. Absent is success.
  virtual Status remove_identity(const std::string& identity, std::stop_token stop) = 0;
  /// A credential of the same name, whose secret nobody has any more, is replaced: that is how one
  /// whose issuing was interrupted is got hold of.
  virtual Result<IssuedCredential> issue(const Identity& identity, const IssueRequest& request,
                                         std::stop_token stop) = 0;
  /// Returns once the provider refuses the credential. Absent is success.
  virtual Status revoke(const Identity& identity, const std::string& provider_id,
                        std::stop_token stop) = 0;

  /// The environment variables of this provider's own tools (`OS_*`, `AWS_*`).
  [[nodiscard]] virtual Result<std::map<std::string, Secret>> tool_environment(
      const Secret& material) const = 0;
  /// Tries what must not work: to reach `target` with a credential of somewhere else.
  virtual Result<std::vector<ProbeAttempt>> probe(const Secret& material, const ProbeTarget& target,
                                                  std::stop_token stop) = 0;
};

/// What a provider is opened with. The references outlive it.
struct ProviderContext {
  const Account& account;
  Secret credential;  ///< Content of the account's credential source.
  HttpClient& http;   ///< Holds the account's limits.
  Clock& clock;
  Random& random;
};

/// One entry of the composition root's table of providers.
struct ProviderPlugin {
  ProviderSchema schema;
  std::function<Result<std::shared_ptr<Provider>>(const ProviderContext&)> open;
};

using ProviderPlugins = std::map<std::string, ProviderPlugin>;

}  // namespace bailey
