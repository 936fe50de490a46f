#pragma once

#include "orchestrator/serve/cli/context.hpp"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

namespace bailey {

struct GrantCommand {
  std::string environment;
  std::string role;  ///< Empty: break the glass.
  std::optional<std::chrono::seconds> ttl;
  std::string reason;
  std::string incident;
  bool wait = false;
};
/// Asks for a role for a while, or for the glass to be broken.
[[nodiscard]] int request_grant(const Context& context, const GrantCommand& command);

[[nodiscard]] int list_grants(const Context& context, const std::string& environment, bool all);
[[nodiscard]] int show_grant(const Context& context, const std::string& id);
[[nodiscard]] int revoke_grant(const Context& context, const std::string& id);

struct ReviewCommand {
  std::string grant;
  std::string conclusion;
  std::filesystem::path key;
  bool yes = false;  ///< Do not ask.
};
/// Shows what was done by an emergency access, signs that it was looked at, and hands it in.
[[nodiscard]] int review_grant(const Context& context, const ReviewCommand& command);

}  // namespace bailey
