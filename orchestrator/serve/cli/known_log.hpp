#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/serve/cli/api_client.hpp"

#include <filesystem>
#include <string>

namespace bailey {

/// Where the heads of the logs that this person has seen are kept: `$XDG_STATE_HOME/bailey/logs`,
/// or the same under `~/.local/state`.
[[nodiscard]] std::filesystem::path known_logs_folder();

/// The head of the server's log, verified: signed by the key that was first seen for this server,
/// and a continuation of the newest head seen before. It is kept for the next time. The first time
/// the server's word is taken for its key, which `bailey audit verify --key` pins. Refused, code
/// `log.rewritten` or `log.other-key`, when the server shows another history or key than before.
[[nodiscard]] Result<std::string> verified_head(ApiClient& client, const std::string& server,
                                                const std::filesystem::path& folder);

}  // namespace bailey
