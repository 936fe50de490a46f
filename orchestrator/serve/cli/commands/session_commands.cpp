#include "orchestrator/serve/cli/commands/session_commands.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/file.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/promote/evidence/sshsig.hpp"
#include "orchestrator/serve/cli/key_file.hpp"
#include "orchestrator/serve/cli/table.hpp"

#include <fmt/format.h>

namespace bailey {

namespace {

namespace fs = std::filesystem;

// What the server hands out to be signed must be a login and nothing else.
Status check_challenge(const std::string& challenge, const std::string& subject) {
  const auto lines = split(challenge, '\n');
  const bool fits = lines.size() == 5 && lines[0] == "bailey login" &&
                    lines[1] == "subject: " + subject && lines[2].substr(0, 7) == "nonce: " &&
                    lines[3].substr(0, 9) == "expires: " && lines[4].empty();
  if (fits) return {};
  return fail(ErrorKind::Refused, "the server asks to sign something that is no login");
}

Status keep_token(const Json& answer, const fs::path& file) {
  std::error_code ignored;
  if (file.has_parent_path()) fs::create_directories(file.parent_path(), ignored);
  return write_private_file(file, string_member(answer, "token") + "\n");
}

Json without_token(Json answer, const fs::path& file) {
  answer.erase("token");
  answer["file"] = file.string();
  return answer;
}

int logged_in(const Context& context, const Result<Json>& answer) {
  if (!answer) return context.fail_with(answer.error());
  const auto& token_file = context.connection().token_file;
  if (auto kept = keep_token(*answer, token_file); !kept) return context.fail_with(kept.error());
  context.print_json(without_token(*answer, token_file));
  context.print(fmt::format("logged in as {} until {}\n", string_member(*answer, "subject"),
                            string_member(*answer, "expires_at")));
  return kDone;
}

}  // namespace

int login(const Context& context, const std::string& subject, const fs::path& key) {
  auto client = context.client();
  auto challenge = client.post("/v1/login/challenge", {{"subject", subject}});
  if (!challenge) return context.fail_with(challenge.error());
  const auto text = string_member(*challenge, "challenge");
  const auto name = string_member(*challenge, "namespace");
  if (auto fine = check_challenge(text, subject); !fine) return context.fail_with(fine.error());
  if (name != "bailey-login") {
    return context.fail_with(
        Error(ErrorKind::Refused, "the server asks for a signature in another namespace"));
  }
  auto file = find_key(key);
  if (!file) return context.fail_with(file.error());
  auto signature = sign_with_ssh_keygen(*file, name, text);
  if (!signature) return context.fail_with(signature.error());
  return logged_in(context,
                   client.post("/v1/login", {{"challenge", text}, {"signature", *signature}}));
}

int login_by_id_token(const Context& context, const fs::path& id_token) {
  auto text = read_file(id_token);
  if (!text) return context.fail_with(text.error());
  return logged_in(context, context.client().post("/v1/login/id-token",
                                                  {{"id_token", std::string(trim(*text))}}));
}

int who_am_i(const Context& context) {
  auto answer = context.client().get("/v1/whoami");
  if (!answer) return context.fail_with(answer.error());
  context.print_json(*answer);
  context.print(fmt::format("{} ({}){}\n", string_member(*answer, "subject"),
                            string_member(*answer, "proof"),
                            member(*answer, "administrator") == true ? ", administrator" : ""));
  std::vector<std::vector<std::string>> rows;
  for (const auto& item : member(*answer, "environments")) {
    const auto roles = strings_member(item, "roles");
    const auto powers = strings_member(item, "powers");
    rows.push_back({string_member(item, "name"), roles.empty() ? "-" : join(roles, ", "),
                    powers.empty() ? "-" : join(powers, ", ")});
  }
  context.print(render_table({"ENVIRONMENT", "ROLES", "POWERS"}, rows));
  return kDone;
}

int create_token(const Context& context, const std::string& subject, std::chrono::seconds ttl,
                 const fs::path& out) {
  auto answer =
      context.client().post("/v1/tokens", {{"subject", subject}, {"ttl_seconds", ttl.count()}});
  if (!answer) return context.fail_with(answer.error());
  if (auto kept = keep_token(*answer, out); !kept) return context.fail_with(kept.error());
  context.print_json(without_token(*answer, out));
  context.print(fmt::format("token {} for {} until {}, in {}\n", string_member(*answer, "id"),
                            subject, string_member(*answer, "expires_at"), out.string()));
  return kDone;
}

int list_tokens(const Context& context) {
  auto answer = context.client().get("/v1/tokens");
  if (!answer) return context.fail_with(answer.error());
  context.print_json(*answer);
  std::vector<std::vector<std::string>> rows;
  for (const auto& token : member(*answer, "tokens")) {
    rows.push_back({string_member(token, "id"), string_member(token, "subject"),
                    string_member(token, "expires_at"), string_member(token, "proof")});
  }
  context.print(render_table({"TOKEN", "SUBJECT", "UNTIL", "BY"}, rows));
  return kDone;
}

int revoke_token(const Context& context, const std::string& id) {
  auto removed = context.client().remove("/v1/tokens/" + percent_encode(id));
  if (!removed) return context.fail_with(removed.error());
  context.print_json({{"revoked", id}});
  context.print(fmt::format("token {} is revoked\n", id));
  return kDone;
}

}  // namespace bailey
