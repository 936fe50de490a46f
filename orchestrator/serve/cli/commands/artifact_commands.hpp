#pragma once

#include "orchestrator/serve/cli/context.hpp"

#include <filesystem>
#include <string>

namespace bailey {

struct SubmitCommand {
  std::string project;
  std::string artifact;  ///< `NAME=HOST/REPOSITORY@sha256:...`.
  std::filesystem::path git = ".";
  std::string from;  ///< The commit of the release before; empty: the whole history.
  std::string to = "HEAD";
  std::filesystem::path key;
};
/// Records an artifact with who wrote it: the authors of its commits, signed by the caller's key.
[[nodiscard]] int submit_artifact(const Context& context, const SubmitCommand& command);
/// What is known about an artifact, by its digest or reference; for a tag, what it points at now.
[[nodiscard]] int show_artifact(const Context& context, const std::string& named);

/// Prints the receipt of a change, or of a digest; into a file when one is named.
[[nodiscard]] int show_receipt(const Context& context, const std::string& id,
                               const std::filesystem::path& out);
/// Offline: recomputes all that a receipt claims. `key` pins the log's verifier key.
[[nodiscard]] int verify_receipt(const Context& context, const std::filesystem::path& file,
                                 const std::string& key);

}  // namespace bailey
