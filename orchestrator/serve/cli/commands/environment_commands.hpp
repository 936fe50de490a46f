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
/// `sandbox list`: with the time that each has left.
[[nodiscard]] int list_sandboxes(const Context& context);
/// `sandbox extend`: lets one live until `ttl` from now.
[[nodiscard]] int extend_sandbox(const Context& context, const std::string& name,
                                 std::chrono::seconds ttl);

struct DriftCommand {
  std::string environment;          ///< Empty: every one that can be read.
  std::vector<std::string> accept;  ///< Ids of findings.
  std::vector<std::string> restore;
  std::vector<std::string> ignore;
  std::string reason;
  std::chrono::seconds ignore_for = std::chrono::hours(24);
  bool wait = false;
};
/// `drift`: looks now. 0 when all is as it was applied, 2 when something is not, 1 when one could
/// not be looked at. With ids it opens the change that decides about them instead.
[[nodiscard]] int drift(const Context& context, const DriftCommand& command);

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
