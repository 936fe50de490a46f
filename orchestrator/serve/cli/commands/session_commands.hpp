#pragma once

#include "orchestrator/serve/cli/context.hpp"

#include <chrono>
#include <filesystem>
#include <string>

namespace bailey {

/// Proves who is asking with an SSH key of the Directory and keeps the token it gets, mode 0600, in
/// the token file.
[[nodiscard]] int login(const Context& context, const std::string& subject,
                        const std::filesystem::path& key);
/// The same for a service, by the id token of the job that acts as it.
[[nodiscard]] int login_by_id_token(const Context& context, const std::filesystem::path& id_token);
[[nodiscard]] int who_am_i(const Context& context);
/// Writes a token for somebody else into a file, mode 0600; it is shown nowhere.
[[nodiscard]] int create_token(const Context& context, const std::string& subject,
                               std::chrono::seconds ttl, const std::filesystem::path& out);
[[nodiscard]] int list_tokens(const Context& context);
[[nodiscard]] int revoke_token(const Context& context, const std::string& id);

}  // namespace bailey
