#pragma once

#include "orchestrator/serve/cli/context.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace bailey {

struct SubmitCommand {
  std::string project;
  std::string artifact;  ///< `NAME=HOST/REPOSITORY@sha256:...`.
  std::filesystem::path git = ".";
  std::string from;  ///< The commit of the release before; empty: as the server knows it.
  std::string to = "HEAD";
  std::filesystem::path key;
  bool authorship = true;
  std::vector<std::filesystem::path> evidence;  ///< Signed by others.
  std::filesystem::path predicate;              ///< To be signed, as a statement of `type`.
  std::string type;
  bool push = true;                     ///< Into the registry too, beside the artifact.
  std::filesystem::path registry_auth;  ///< A Docker configuration; empty: the caller's own.
};
/// Records an artifact with evidence about it: who wrote it since the release that runs in the
/// project's last stage, signed by the caller's key, and what others have signed. Then pushes the
/// same evidence into the registry, as referrers of the artifact.
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
