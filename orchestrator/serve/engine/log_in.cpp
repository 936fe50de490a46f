#include "orchestrator/serve/engine/log_in.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/promote/evidence/ssh_key.hpp"
#include "orchestrator/promote/evidence/sshsig.hpp"
#include "orchestrator/serve/engine/records.hpp"
#include "orchestrator/serve/identity/powers.hpp"

#include <fmt/format.h>

namespace bailey {

namespace {

constexpr std::chrono::minutes kChallengeTime{5};
constexpr std::chrono::hours kLoginTime{12};
constexpr std::chrono::hours kMaxTokenTime{24 * 90};

tl::unexpected<Error> not_logged_in() {
  return fail(Error(ErrorKind::Unauthenticated, "the login was not accepted")
                  .with_hint("Sign with a key that the Directory has for you; a challenge is good "
                             "once, for five minutes.")
                  .with_code("identity.login-refused"));
}

std::string challenge_text(const std::string& subject, const std::string& nonce,
                           const std::string& expires) {
  return fmt::format("bailey login\nsubject: {}\nnonce: {}\nexpires: {}\n", subject, nonce,
                     expires);
}

// Takes the challenge out of the store, so that it is good once whatever comes next.
Result<Subject> redeem(Engine& engine, const std::string& challenge) {
  return in_transaction(
      engine.store(), Access::Write, [&](Transaction& transaction) -> Result<Subject> {
        const auto key = "login/" + hex(sha256(challenge));
        auto record = transaction.get(Collection::Nonce, key);
        if (!record) return fail(std::move(record.error()));
        if (!*record) return not_logged_in();
        auto erased = transaction.erase(Collection::Nonce, key);
        if (!erased) return fail(std::move(erased.error()));
        const auto expires = parse_time(string_member((*record)->body, "expires"));
        auto subject = parse_subject(string_member((*record)->body, "subject"));
        // An expired one is erased all the same: the transaction goes through.
        if (!expires || *expires <= engine.clock().wall_now() || !subject) return Subject{};
        return *std::move(subject);
      });
}

Result<IssuedToken> issue(Engine& engine, const Subject& subject, const std::string& proof,
                          std::chrono::seconds ttl, AuditEntry entry) {
  return in_transaction(
      engine.store(), Access::Write, [&](Transaction& transaction) -> Result<IssuedToken> {
        auto issued = issue_token(transaction, subject, proof, ttl, engine.clock().wall_now(),
                                  engine.random());
        if (!issued) return fail(std::move(issued.error()));
        entry.detail = fmt::format("token {} until {}", issued->info.id, issued->info.expires_at);
        auto index = append(transaction, entry);
        if (!index) return fail(std::move(index.error()));
        return issued;
      });
}

}  // namespace

Subject bootstrap_subject() {
  return {SubjectKind::Service, "bootstrap"};
}

Result<std::string> login_challenge(Engine& engine, const Request&, const std::string& subject) {
  const auto parsed = parse_subject(subject);
  if (!parsed || parsed->kind == SubjectKind::Group || subject.size() > 128) {
    return fail(ErrorKind::InvalidArgument, "a login is for a person or service:NAME");
  }
  const auto expires = format_time(engine.clock().wall_now() + kChallengeTime);
  auto text = challenge_text(to_string(*parsed), base64url(engine.random().bytes(24)), expires);
  auto stored = in_transaction(engine.store(), Access::Write, [&](Transaction& transaction) {
    return transaction.put(Collection::Nonce, "login/" + hex(sha256(text)),
                           {{"subject", to_string(*parsed)}, {"expires", expires}}, kAbsent);
  });
  if (!stored) return fail(std::move(stored.error()).in("making a login challenge"));
  return text;
}

Result<IssuedToken> log_in(Engine& engine, const Request& request, const std::string& challenge,
                           const std::string& signature) {
  return audited(engine, request, "identity.login", "server", [&]() -> Result<IssuedToken> {
    auto subject = redeem(engine, challenge);
    if (!subject) return fail(std::move(subject.error()));
    auto bundle = engine.bundle();
    if (!bundle) return fail(std::move(bundle.error()));
    const auto keys = enrolled_keys((*bundle)->directory, *subject);
    auto signer = verify_sshsig(signature, keys, kLoginNamespace, challenge);
    if (!signer) return not_logged_in();
    auto key = parse_ssh_public_key(signer->line);
    if (!key) return not_logged_in();
    Request known = request;
    known.caller = {*subject, "ssh-key:" + fingerprint(*key)};
    return issue(engine, *subject, known.caller.proof, kLoginTime,
                 entry_for(engine, known, "identity.login", "subject:" + to_string(*subject)));
  });
}

Result<IssuedToken> create_token(Engine& engine, const Request& request, const std::string& subject,
                                 std::chrono::seconds ttl) {
  const auto target = "subject:" + subject;
  return audited(engine, request, "token.create", target, [&]() -> Result<IssuedToken> {
    auto bundle = engine.bundle();
    if (!bundle) return fail(std::move(bundle.error()));
    if (auto allowed = require_administrator(**bundle, request.caller); !allowed) {
      return fail(std::move(allowed.error()));
    }
    const auto parsed = parse_subject(subject);
    if (!parsed || parsed->kind == SubjectKind::Group || !(*bundle)->directory.has(*parsed)) {
      return fail(ErrorKind::NotFound,
                  fmt::format("there is no person or service \"{}\" in the Directory", subject));
    }
    if (ttl <= std::chrono::seconds(0) || ttl > kMaxTokenTime) {
      return fail(ErrorKind::InvalidArgument, "a token lives for at most 90 days");
    }
    // Whoever could act under the name of another would stand behind nothing that they do.
    if (!enrolled_keys((*bundle)->directory, *parsed).empty()) {
      return fail(Error(ErrorKind::Refused, subject + " logs in with a key of their own")
                      .with_hint("Tokens are made for people and services without a key.")
                      .with_code("identity.has-a-key"));
    }
    return issue(engine, *parsed, "administrator:" + to_string(request.caller.subject), ttl,
                 entry_for(engine, request, "token.create", target));
  });
}

Result<std::vector<TokenInfo>> list_all_tokens(Engine& engine, const Request& request) {
  return in_transaction(engine.store(), Access::Read,
                        [&](Transaction& transaction) -> Result<std::vector<TokenInfo>> {
                          auto bundle = engine.bundle(transaction);
                          if (!bundle) return fail(std::move(bundle.error()));
                          auto tokens = list_tokens(transaction);
                          if (tokens && !is_administrator(**bundle, request.caller.subject)) {
                            std::erase_if(*tokens, [&](const auto& token) {
                              return token.subject != to_string(request.caller.subject);
                            });
                          }
                          return tokens;
                        });
}

Status remove_token(Engine& engine, const Request& request, const std::string& id) {
  const auto target = "token:" + id;
  return audited(engine, request, "token.revoke", target, [&] {
    return in_transaction(engine.store(), Access::Write, [&](Transaction& transaction) -> Status {
      auto bundle = engine.bundle(transaction);
      if (!bundle) return fail(std::move(bundle.error()));
      auto revoked = revoke_token(transaction, id);
      if (!revoked) return fail(std::move(revoked.error()));
      if (revoked->subject != to_string(request.caller.subject)) {
        if (auto allowed = require_administrator(**bundle, request.caller); !allowed) {
          return fail(std::move(allowed.error()));
        }
      }
      auto index = append(transaction, entry_for(engine, request, "token.revoke", target,
                                                 "of " + revoked->subject));
      if (!index) return fail(std::move(index.error()));
      return {};
    });
  });
}

Result<Json> who_am_i(Engine& engine, const Request& request) {
  auto bundle = engine.bundle();
  if (!bundle) return fail(std::move(bundle.error()));
  const auto& subject = request.caller.subject;
  Json environments = Json::array();
  for (const auto& [name, environment] : (*bundle)->environments) {
    Json powers = Json::array();
    for (const auto power : powers_of(**bundle, environment, request.caller)) {
      powers.push_back(to_string(power));
    }
    environments.push_back({{"name", name},
                            {"roles", roles_of(**bundle, environment, subject)},
                            {"powers", std::move(powers)}});
  }
  return Json{{"subject", to_string(subject)},
              {"proof", request.caller.proof},
              {"administrator", is_administrator(**bundle, subject)},
              {"environments", std::move(environments)}};
}

Result<std::optional<Secret>> bootstrap_token(Engine& engine) {
  return in_transaction(
      engine.store(), Access::Write,
      [&](Transaction& transaction) -> Result<std::optional<Secret>> {
        auto setting = find_setting(transaction, "bundle");
        if (!setting) return fail(std::move(setting.error()));
        if (!setting->is_null()) return std::optional<Secret>();
        auto tokens = list_tokens(transaction);
        if (!tokens) return fail(std::move(tokens.error()));
        for (const auto& token : *tokens) {
          auto revoked = revoke_token(transaction, token.id);
          if (!revoked) return fail(std::move(revoked.error()));
        }
        auto issued = issue_token(transaction, bootstrap_subject(), "bootstrap", kMaxTokenTime,
                                  engine.clock().wall_now(), engine.random());
        if (!issued) return fail(std::move(issued.error()));
        auto index = append(transaction, own_entry(engine, "token.create", "subject:bootstrap"));
        if (!index) return fail(std::move(index.error()));
        return std::optional<Secret>(std::move(issued->token));
      });
}

}  // namespace bailey
