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

/// Reads an account's credential: `{"username", "password", "user_domain_name", "project_name",
/// "project_domain_name"}` or `{"application_credential_id", "application_credential_secret"}`;
/// domains may be given by `..._id` instead.
[[nodiscard]] Result<SessionOptions> session_options(const Account& account,
                                                     const Secret& credential);

/// The tag of an environment's project, and what the descriptions of its users begin with.
[[nodiscard]] std::string owner_tag(const EnvironmentUid& uid);
/// What is random in a uid, for names: its last eight characters.
[[nodiscard]] std::string short_uid(const EnvironmentUid& uid);
/// The owner that a project's tags name, or nothing when it is not one of ours.
[[nodiscard]] std::optional<EnvironmentUid> owner_of(const nlohmann::json& project);

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
  Home(SessionOptions options, Doors doors);

  [[nodiscard]] Api api(std::stop_token stop) { return {session_, std::move(stop)}; }
  [[nodiscard]] Session& session() noexcept { return session_; }
  [[nodiscard]] const Doors& doors() const noexcept { return doors_; }

  /// The domain that projects and users are made in: that of the account's project, else its user.
  [[nodiscard]] Result<std::string> domain(std::stop_token stop);
  /// Fails with InvalidArgument when Keystone knows none of that name.
  [[nodiscard]] Result<std::string> role_id(const std::string& name, std::stop_token stop);
  [[nodiscard]] Result<std::vector<Assignment>> assignments(const std::string& user,
                                                            std::stop_token stop);
  [[nodiscard]] Status assign(const std::string& user, const std::string& project,
                              const std::string& role_id, std::stop_token stop);
  /// By name within the domain; nothing when there is none.
  [[nodiscard]] Result<std::optional<nlohmann::json>> user_named(const std::string& name,
                                                                 std::stop_token stop);
  /// Nothing when there is none.
  [[nodiscard]] Result<std::optional<nlohmann::json>> keystone_project(const std::string& id,
                                                                       std::stop_token stop);

  /// Lets whoever works in the project in. Safe to repeat.
  [[nodiscard]] Status enter(const std::string& project, const EnvironmentUid& uid,
                             std::stop_token stop);
  /// The session inside an environment's project. Fails with NotFound when there is no such
  /// project, and with Refused when the project is not an environment's.
  [[nodiscard]] Result<std::shared_ptr<Project>> project(const std::string& id,
                                                         std::stop_token stop);
  /// Forgets the session and takes the account's worker of this project away.
  [[nodiscard]] Status abandon(const std::string& project, std::stop_token stop);

 private:
  [[nodiscard]] bool by_application_credential() const;
  [[nodiscard]] std::string worker_name(const std::string& project) const;
  [[nodiscard]] Secret worker_password(const std::string& project) const;
  [[nodiscard]] Result<bool> password_fits(const std::string& user, const Secret& password,
                                           std::stop_token stop);
  [[nodiscard]] Result<std::string> ensure_worker(const std::string& project,
                                                  const EnvironmentUid& uid, std::stop_token stop);
  [[nodiscard]] Result<SessionOptions> options_inside(const std::string& project,
                                                      std::stop_token stop);

  const Doors doors_;
  Session session_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Project>> projects_;
  std::map<std::string, std::string> roles_;
};

}  // namespace bailey::openstack
