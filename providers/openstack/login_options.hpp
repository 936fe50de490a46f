#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/base/secret.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace bailey::openstack {

/// How a login is written down.
enum class LoginForm : std::uint8_t {
  Json,        ///< `{"username": ..., "password": ...}`, flat.
  CloudsYaml,  ///< openstacksdk's file of clouds.
  OpenRc,      ///< `export OS_USERNAME=...`, a line each.
};

struct LoginOption {
  Secret value;
  std::size_t line = 0;  ///< From 1; 0 where the form has no lines.
};

/// What a credential says, under openstacksdk's names for it (`auth_url`, `user_domain_name`),
/// whatever the form. Options without a value are left out.
class LoginOptions {
 public:
  explicit LoginOptions(LoginForm form) : form_(form) {}

  void set(const std::string& name, std::string value, std::size_t line);
  void erase(const std::string& name) { options_.erase(name); }
  /// Empty when it is not there.
  [[nodiscard]] std::string get(const std::string& name) const;
  [[nodiscard]] Secret secret(const std::string& name) const;
  /// The name as its writer spells it, with the line where it stands: `OS_PASSWORD (line 7)`.
  [[nodiscard]] std::string place(const std::string& name) const;

 private:
  LoginForm form_;
  std::map<std::string, LoginOption> options_;
};

/// Reads a credential in whichever form it has. `cloud` chooses among several of a clouds.yaml;
/// other forms refuse it. InvalidArgument, with names and lines and never a value.
[[nodiscard]] Result<LoginOptions> read_login_options(const Secret& credential,
                                                      const std::string& cloud);

/// The assignments of an openrc or env file, of those that begin with `OS_`. Nothing is run: a line
/// that says anything which only a shell could work out is an error, quotes and comments are not.
[[nodiscard]] Result<LoginOptions> read_openrc(std::string_view text);
/// `clouds: {NAME: {auth: {...}, ...}}`, read strictly: no anchors, aliases, tags or duplicate
/// keys. `secure.yaml` and the profiles of vendors are not looked for.
[[nodiscard]] Result<LoginOptions> read_clouds_yaml(std::string_view text,
                                                    const std::string& cloud);

}  // namespace bailey::openstack
