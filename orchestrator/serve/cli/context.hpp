#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/serve/cli/api_client.hpp"
#include "orchestrator/serve/cli/command_line.hpp"
#include "orchestrator/serve/cli/exit_code.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace bailey {

/// What every command works with. Results go to stdout, messages to stderr.
class Context {
 public:
  Context(const Programs& programs, Connection connection, bool json)
      : programs_(programs), connection_(std::move(connection)), json_(json) {}

  [[nodiscard]] const Programs& programs() const noexcept { return programs_; }
  [[nodiscard]] const Connection& connection() const noexcept { return connection_; }
  [[nodiscard]] bool json() const noexcept { return json_; }
  [[nodiscard]] ApiClient client() const { return ApiClient(connection_); }

  /// A result as people read it; nothing with --json.
  void print(const std::string& text) const;
  /// The result with --json; nothing without.
  void print_json(const nlohmann::json& value) const;
  /// A message, on stderr.
  void note(const std::string& text) const;
  /// Prints an error on stderr (and with --json `{"error": {...}}` on stdout) and gives its exit
  /// code.
  [[nodiscard]] int fail_with(const Error& error) const;

 private:
  const Programs& programs_;
  Connection connection_;
  bool json_;
};

/// Asks on the terminal; false when there is none.
[[nodiscard]] bool confirmed(const std::string& question);

}  // namespace bailey
