#pragma once

#include "orchestrator/serve/cli/context.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace bailey {

[[nodiscard]] int list_environments(const Context& context);
[[nodiscard]] int show_environment(const Context& context, const std::string& name);
/// `uid` says which one, when several boundaries bear the name; empty otherwise.
[[nodiscard]] int import_environment(const Context& context, const std::string& name,
                                     const std::string& uid);
/// Tries every credential against every other environment; 1 when anything was let through.
[[nodiscard]] int probe(const Context& context, const std::string& environment);

struct RunCommand {
  std::string environment;
  std::string role;
  std::chrono::seconds ttl = std::chrono::hours(1);
  std::vector<std::string> command;
};
/// Leases a credential, runs the command with it in its process environment, and revokes it at the
/// end. Exit code: the command's own.
[[nodiscard]] int run_with_credential(const Context& context, const RunCommand& command);
/// `credential lease`: the variables as JSON in the credential_process manner, on stdout.
[[nodiscard]] int lease_credential(const Context& context, const RunCommand& command);
[[nodiscard]] int list_credentials(const Context& context, const std::string& environment);
[[nodiscard]] int rotate_credentials(const Context& context, const std::string& environment);
/// One lease, one role, or with neither the whole environment.
[[nodiscard]] int revoke_credentials(const Context& context, const std::string& environment,
                                     const std::string& lease, const std::string& role);

}  // namespace bailey
