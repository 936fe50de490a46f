#include "orchestrator/serve/engine/log_in_by_id_token.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/serve/engine/records.hpp"
#include "orchestrator/serve/identity/id_token.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace bailey {

namespace {

constexpr std::chrono::hours kJobTime{1};

const std::set<JwsAlgorithm>& algorithms() {
  static const std::set<JwsAlgorithm> kAll{
      JwsAlgorithm::RS256, JwsAlgorithm::RS384, JwsAlgorithm::RS512, JwsAlgorithm::PS256,
      JwsAlgorithm::PS384, JwsAlgorithm::PS512, JwsAlgorithm::ES256, JwsAlgorithm::EdDSA};
  return kAll;
}

tl::unexpected<Error> refused(const std::string& why) {
  return fail(Error(ErrorKind::Unauthenticated, "the id token was not accepted: " + why)
                  .with_hint("A service is recognised by the issuer, audience and claims that the "
                             "Directory has under `oidc`; a token is good once.")
                  .with_code("identity.login-refused"));
}

// What a caller is told; the reason stands in the log.
Error without_reason(const Error& error) {
  if (error.kind() != ErrorKind::Unauthenticated) return error;
  return Error(ErrorKind::Unauthenticated, "the id token was not accepted")
      .with_hint(error.hint())
      .with_code("identity.login-refused");
}

/// As specs write a claim: numbers and truth values by their JSON text.
std::string text_of(const Json& claim) {
  if (claim.is_string()) return claim.get<std::string>();
  return claim.is_number_integer() || claim.is_boolean() ? claim.dump() : std::string();
}

bool carries(const Json& claims, const std::map<std::string, std::string>& wanted) {
  return !wanted.empty() && std::all_of(wanted.begin(), wanted.end(), [&](const auto& each) {
    return claims.contains(each.first) && text_of(member(claims, each.first)) == each.second;
  });
}

struct Recognised {
  Subject service;
  IdToken token;
};

/// Whoever it is, by the issuer's signature and the claims of the Directory.
Result<Recognised> recognise(const Directory& directory, const std::string& id_token,
                             const JwsClaim& said, const JsonWebKeySet& keys, WallTime now) {
  std::vector<Recognised> found;
  std::optional<Error> last;
  for (const auto& [name, service] : directory.services) {
    if (!service.oidc || service.oidc->issuer != said.issuer) continue;
    TokenRules rules{service.oidc->issuer, service.oidc->audience, algorithms()};
    auto token = verify_id_token(id_token, keys, rules, now);
    if (!token) {
      last = std::move(token.error());
      continue;
    }
    if (carries(token->claims, service.oidc->claims)) {
      found.push_back({{SubjectKind::Service, name}, *std::move(token)});
    }
  }
  if (found.size() == 1) return std::move(found.front());
  if (found.size() > 1) return refused("more than one service has these claims");
  if (last) return refused(last->message());
  return refused("no service has these claims");
}

/// Whose hand started the run, as GitHub and GitLab tell it; for the log.
std::string run_of(const Json& claims) {
  std::vector<std::string> parts;
  const auto add = [&](const char* word, const char* claim) {
    const auto text = text_of(member(claims, claim));
    if (!text.empty()) parts.push_back(fmt::format("{} {}", word, text));
  };
  add("actor", "actor_id");
  add("actor", "actor");
  add("actor", "user_id");
  add("actor", "user_login");
  add("repository", "repository_id");
  add("project", "project_id");
  add("run", "run_id");
  add("job", "job_id");
  add("commit", "sha");
  return join(parts, ", ");
}

// Another server may be asked with the same token at this moment: the database decides.
Status use_once(Transaction& transaction, const IdToken& token, const std::string& issuer,
                const std::string& id_token) {
  const auto& unique = token.id.empty() ? id_token : token.id;
  const auto key = "id-token/" + hex(sha256(issuer + "\n" + unique));
  auto stored = transaction.put(
      Collection::Nonce, key,
      {{"expires", format_time(token.expires_at + std::chrono::minutes(2))}}, kAbsent);
  if (stored) return {};
  if (stored.error().kind() == ErrorKind::Conflict) return refused("it was used before");
  return fail(std::move(stored.error()));
}

Result<IssuedToken> log_in(Engine& engine, Issuers& issuers, const Request& request,
                           const std::string& id_token, std::stop_token stop) {
  const auto said = peek_jws(id_token);
  if (!said) return refused("it cannot be read");
  auto bundle = engine.bundle();
  if (!bundle) return fail(std::move(bundle.error()));
  const auto& services = (*bundle)->directory.services;
  // Nobody but an issuer of the bundle is ever asked for keys.
  const bool known = std::any_of(services.begin(), services.end(), [&](const auto& each) {
    return each.second.oidc && each.second.oidc->issuer == said->issuer;
  });
  if (!known) return refused("no service is bound to its issuer");
  auto keys = issuers.of(said->issuer).get(said->key_id, stop);
  if (!keys) return fail(std::move(keys.error()));
  const auto now = engine.clock().wall_now();
  auto who = recognise((*bundle)->directory, id_token, *said, **keys, now);
  if (!who) return fail(std::move(who.error()));
  if (string_member(who->token.claims, "event_name") == "pull_request_target") {
    return refused("a pull_request_target run builds what strangers wrote");
  }
  Request caller = request;
  caller.caller = {who->service, "id-token:" + said->issuer};
  auto entry = entry_for(engine, caller, "identity.login", "subject:" + to_string(who->service));
  return in_transaction(
      engine.store(), Access::Write, [&](Transaction& transaction) -> Result<IssuedToken> {
        if (auto once = use_once(transaction, who->token, said->issuer, id_token); !once) {
          return fail(std::move(once.error()));
        }
        auto issued = issue_token(transaction, who->service, caller.caller.proof, kJobTime, now,
                                  engine.random());
        if (!issued) return fail(std::move(issued.error()));
        entry.detail = fmt::format("token {} until {}; {}", issued->info.id,
                                   issued->info.expires_at, run_of(who->token.claims));
        auto index = append(transaction, entry);
        if (!index) return fail(std::move(index.error()));
        return issued;
      });
}

}  // namespace

Result<IssuedToken> log_in_by_id_token(Engine& engine, Issuers& issuers, const Request& request,
                                       const std::string& id_token, std::stop_token stop) {
  auto issued = audited(engine, request, "identity.login", "server",
                        [&] { return log_in(engine, issuers, request, id_token, stop); });
  if (!issued) return fail(without_reason(issued.error()));
  return issued;
}

}  // namespace bailey
