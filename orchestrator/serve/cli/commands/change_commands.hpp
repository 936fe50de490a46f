#pragma once

#include "orchestrator/model/change.hpp"
#include "orchestrator/serve/cli/context.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace bailey {

struct PromoteCommand {
  std::string project;
  std::vector<std::string> artifacts;  ///< `NAME=HOST/REPOSITORY@sha256:...`.
  std::string to;
  bool wait = false;
};
[[nodiscard]] int promote(const Context& context, const PromoteCommand& command);
/// `receipt`: a receipt's digest, or the id of the change that it is of.
[[nodiscard]] int roll_back(const Context& context, const std::string& environment,
                            const std::string& receipt, bool wait);
[[nodiscard]] int destroy(const Context& context, const std::string& environment, bool wait);

[[nodiscard]] int list_changes(const Context& context, const std::string& environment,
                               const std::string& state);
[[nodiscard]] int show_change(const Context& context, const std::string& id);
/// What blocks it, since when, and who can unblock it.
[[nodiscard]] int why(const Context& context, const std::string& id);
[[nodiscard]] int show_plan(const Context& context, const std::string& id);
[[nodiscard]] int execute_change(const Context& context, const std::string& id, bool wait);
/// Until it has ended or waits for people.
[[nodiscard]] int follow_change(const Context& context, const std::string& id);
/// Open intents and the operations of the newest changes: of an environment, of a change
/// (`chg-...`), or of all that the caller may read.
[[nodiscard]] int read_journal(const Context& context, const std::string& subject);
[[nodiscard]] int cancel_change(const Context& context, const std::string& id);

struct DecideCommand {
  std::string change;
  Decision decision = Decision::Approve;
  std::string reason;
  std::filesystem::path key;
  bool yes = false;  ///< Do not ask.
};
/// Shows what would be signed, signs it with the caller's own SSH key, and hands it in.
[[nodiscard]] int decide(const Context& context, const DecideCommand& command);
/// Writes each approval as files that stock `ssh-keygen -Y verify` reads.
[[nodiscard]] int export_approvals(const Context& context, const std::string& change,
                                   const std::filesystem::path& folder);

}  // namespace bailey
