#include "orchestrator/serve/cli/known_log.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/file.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/record/audit/checkpoint.hpp"
#include "orchestrator/record/audit/merkle.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace bailey {

namespace {

namespace fs = std::filesystem;

struct KnownLog {
  std::string key;
  std::string checkpoint;
};

fs::path file_of(const fs::path& folder, const std::string& server) {
  return folder / (digest_of(std::string_view(server)).substr(7, 16) + ".json");
}

Result<std::optional<KnownLog>> load(const fs::path& file) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return std::optional<KnownLog>();
  auto text = read_file(file, 64 * 1024);
  if (!text) return fail(std::move(text.error()));
  auto value = parse_json(*text);
  if (!value) return fail(std::move(value.error()).in("reading " + file.string()));
  return std::optional<KnownLog>(
      KnownLog{string_member(*value, "key"), string_member(*value, "checkpoint")});
}

tl::unexpected<Error> distrust(std::string what, const char* code, const fs::path& file) {
  return fail(Error(ErrorKind::Refused, std::move(what))
                  .with_hint("Sign nothing, and ask your auditors. What was seen before is in " +
                             file.string() +
                             "\nRemove that file only if the server was set up anew.")
                  .with_code(code));
}

Result<std::vector<Sha256>> hashes(const Json& list) {
  std::vector<Sha256> proof;
  for (const auto& each : list) {
    const auto bytes = each.is_string() ? from_base64(each.get<std::string>()) : std::nullopt;
    if (!bytes || bytes->size() != std::tuple_size_v<Sha256>) {
      return fail(ErrorKind::Protocol, "the proof holds something that is no hash");
    }
    std::copy(bytes->begin(), bytes->end(), proof.emplace_back().begin());
  }
  return proof;
}

Status continues(const Checkpoint& before, const Checkpoint& now, const Json& answer) {
  auto proof = hashes(member(answer, "consistency"));
  if (!proof) return fail(std::move(proof.error()));
  if (before.size == 0) return {};
  return verify_consistency(before.size, now.size, before.root, now.root, *proof);
}

}  // namespace

fs::path known_logs_folder() {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && *state != '\0') return fs::path(state) / "bailey" / "logs";
  const char* home = std::getenv("HOME");
  return fs::path(home == nullptr ? "" : home) / ".local" / "state" / "bailey" / "logs";
}

Result<std::string> verified_head(ApiClient& client, const std::string& server,
                                  const fs::path& folder) {
  const auto file = file_of(folder, server);
  auto known = load(file);
  if (!known) return fail(std::move(known.error()));
  std::optional<Checkpoint> before;
  if (*known) {
    auto key = NoteVerifier::parse((*known)->key);
    if (!key) return fail(std::move(key.error()).in("reading " + file.string()));
    auto opened = open_checkpoint((*known)->checkpoint, *key);
    if (!opened) return fail(std::move(opened.error()).in("reading " + file.string()));
    before = *std::move(opened);
  }
  auto answer = client.get(fmt::format("/v1/audit/checkpoint?from={}", before ? before->size : 0));
  if (!answer) {
    if (!before || answer.error().kind() != ErrorKind::InvalidArgument) {
      return fail(std::move(answer.error()));
    }
    return distrust("the server's log is shorter than it was", "log.rewritten", file);
  }
  const auto named = string_member(*answer, "key");
  if (*known && (*known)->key != named) {
    return distrust("the server's log has another key than before", "log.other-key", file);
  }
  auto key = NoteVerifier::parse(named);
  if (!key) return fail(std::move(key.error()));
  auto note = string_member(*answer, "checkpoint");
  auto now = open_checkpoint(note, *key);
  if (!now) return fail(std::move(now.error()).in("verifying the log's head"));
  if (before && !continues(*before, *now, *answer)) {
    return distrust("the server's log does not continue the one that was seen before",
                    "log.rewritten", file);
  }
  std::error_code error;
  fs::create_directories(folder, error);
  auto kept = write_private_file(
      file, pretty(Json{{"server", server}, {"key", named}, {"checkpoint", note}}));
  if (!kept) return fail(std::move(kept.error()).in("keeping the log's head"));
  return note;
}

}  // namespace bailey
