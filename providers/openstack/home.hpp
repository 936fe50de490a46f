#pragma once

#include "orchestrator/model/account.hpp"
#include "providers/openstack/resource_type.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

namespace bailey::openstack {

/// The tag of an environment's project, and what the descriptions of its users begin with.
[[nodiscard]] std::string owner_tag(const EnvironmentUid& uid);
/// Begins the tag that says which environment a project is to people, and to list_boundaries().
inline constexpr std::string_view kNameTag = "bailey-environment:";
/// What notes at an adopted project that it was there before: it is never deleted.
inline constexpr std::string_view kAdoptedTag = "bailey-adopted";
/// What notes there that an assignment of the account's own user is ours: `...USER:ROLE`.
inline constexpr std::string_view kGrantedTag = "bailey-granted:";
/// What is random in a uid, for names: its last eight characters.
[[nodiscard]] std::string short_uid(const EnvironmentUid& uid);
/// The owner that a project's tags name, or nothing when it is not one of ours.
[[nodiscard]] std::optional<EnvironmentUid> owner_of(const nlohmann::json& project);

/// The same failure, for PermissionDenied with what the account's login lacks.
[[nodiscard]] Error with_needed_rights(Error error);

enum class Adopted : std::uint8_t { No, Yes };

/// Where environments of a class are kept, by name or id of a domain.
using Domains = std::map<EnvironmentClass, std::string>;

struct Assignment {
  std::string role_id;
  std::string project_id;  ///< Empty: on a domain or on the whole system.
  std::string path;        ///< Of the assignment, to delete it.
};

/// The account's own login at Keystone, with the administrator's acts that environments need, and
/// the sessions in their projects. Thread-safe.
///
/// Inside a project works the account's user, who gets the roles `member` and `creator` there (no
/// more than resources need; what `admin` means on one project it means on all). An application
/// credential cannot leave its own project, so such an account works through a user of its own in
/// each project, whose password is derived from the account's secret and hence the same on every
/// machine.
class Home {
 public:
  Home(SessionOptions options, Doors doors, Domains domains = {});

  [[nodiscard]] Api api(std::stop_token stop) { return {session_, std::move(stop)}; }
  [[nodiscard]] Session& session() noexcept { return session_; }
  [[nodiscard]] const Doors& doors() const noexcept { return doors_; }

  /// The domain that projects of a class are made in: the account's for that class; where it names
  /// none at all, that of the account's own project, else of its user.
  [[nodiscard]] Result<std::string> domain(EnvironmentClass of, std::stop_token stop);
  /// The domain that a project is in, and with it whoever works there. NotFound without it.
  [[nodiscard]] Result<std::string> domain_of(const std::string& project, std::stop_token stop);
  /// Fails with InvalidArgument when Keystone knows none of that name.
  [[nodiscard]] Result<std::string> role_id(const std::string& name, std::stop_token stop);
  [[nodiscard]] Result<std::vector<Assignment>> assignments(const std::string& user,
                                                            std::stop_token stop);
  [[nodiscard]] Status assign(const std::string& user, const std::string& project,
                              const std::string& role_id, std::stop_token stop);
  /// By name within the domain; nothing when there is none.
  [[nodiscard]] Result<std::optional<nlohmann::json>> user_named(const std::string& name,
                                                                 const std::string& domain,
                                                                 std::stop_token stop);
  /// Nothing when there is none.
  [[nodiscard]] Result<std::optional<nlohmann::json>> keystone_project(const std::string& id,
                                                                       std::stop_token stop);

  [[nodiscard]] Status tag(const std::string& project, const std::string& text,
                           std::stop_token stop);
  /// Whether who would work in the project is `admin` there, by any way: what that sees in one
  /// project is everybody's.
  [[nodiscard]] Result<bool> rules_in(const std::string& project, std::stop_token stop);
  /// Lets whoever works in the project in; at an adopted one, what it had not before is noted in
  /// the project's tags first. Safe to repeat.
  [[nodiscard]] Status enter(const std::string& project, const EnvironmentUid& uid, Adopted adopted,
                             std::stop_token stop);
  /// The session inside an environment's project. Fails with NotFound when there is no such
  /// project, and with Refused when the project is not an environment's.
  [[nodiscard]] Result<std::shared_ptr<Project>> project(const std::string& id,
                                                         std::stop_token stop);
  /// Forgets the session and takes the account's worker of this project away.
  [[nodiscard]] Status abandon(const std::string& project, std::stop_token stop);

 private:
  [[nodiscard]] bool by_application_credential() const;
  [[nodiscard]] Result<std::string> own_domain(std::stop_token stop);
  [[nodiscard]] Result<std::string> find_domain(const std::string& named, std::stop_token stop);
  [[nodiscard]] Result<std::set<std::string>> domains_where(const std::string& project,
                                                            std::stop_token stop);
  [[nodiscard]] Status note_grant(const std::string& user, const std::string& project,
                                  const std::string& role, std::stop_token stop);
  [[nodiscard]] std::string worker_name(const std::string& project) const;
  [[nodiscard]] Secret worker_password(const std::string& project) const;
  [[nodiscard]] Result<bool> password_fits(const std::string& user, const Secret& password,
                                           std::stop_token stop);
  [[nodiscard]] Result<std::string> ensure_worker(const std::string& project,
                                                  const EnvironmentUid& uid, std::stop_token stop);
  [[nodiscard]] Result<SessionOptions> options_inside(const std::string& project,
                                                      std::stop_token stop);

  const Doors doors_;
  const Domains domains_;
  Session session_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Project>> projects_;
  std::map<std::string, std::string> roles_;
  std::map<std::string, std::string> domain_ids_;
  std::map<std::string, std::string> domain_of_project_;
};

}  // namespace bailey::openstack
