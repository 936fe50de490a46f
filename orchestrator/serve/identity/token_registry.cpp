#include "orchestrator/serve/identity/token_registry.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"

#include <fmt/format.h>

namespace bailey {

namespace {

std::string key_of(std::string_view token) {
  return hex(sha256(token));
}

TokenInfo info_from(const Json& body) {
  return {string_member(body, "id"), string_member(body, "subject"),
          string_member(body, "issued_at"), string_member(body, "expires_at"),
          string_member(body, "proof")};
}

tl::unexpected<Error> unknown_token() {
  return fail(Error(ErrorKind::Unauthenticated, "the API token is not known or has expired")
                  .with_hint("Get a new one:\n    bailey login"));
}

}  // namespace

Json to_json(const TokenInfo& info) {
  return {{"id", info.id},
          {"subject", info.subject},
          {"issued_at", info.issued_at},
          {"expires_at", info.expires_at},
          {"proof", info.proof}};
}

Result<IssuedToken> issue_token(Transaction& transaction, const Subject& subject,
                                const std::string& proof, std::chrono::seconds ttl, WallTime now,
                                Random& random) {
  IssuedToken issued;
  issued.info = {base32_lower(random.bytes(5)), to_string(subject), format_time(now),
                 format_time(now + ttl), proof};
  issued.token = Secret(fmt::format("bly_{}_{}", issued.info.id, base64url(random.bytes(32))));
  auto written = transaction.put(Collection::Token, key_of(issued.token.reveal()),
                                 to_json(issued.info), kAbsent);
  if (!written) return fail(std::move(written.error()).in("storing an API token"));
  return issued;
}

Result<Caller> authenticate(Transaction& transaction, std::string_view token, WallTime now) {
  if (token.substr(0, 4) != "bly_" || token.size() > 128) return unknown_token();
  auto record = transaction.get(Collection::Token, key_of(token));
  if (!record) return fail(std::move(record.error()).in("looking up an API token"));
  if (!*record) return unknown_token();
  const auto info = info_from((*record)->body);
  const auto expires = parse_time(info.expires_at);
  auto subject = parse_subject(info.subject);
  if (!expires || *expires <= now || !subject) return unknown_token();
  return Caller{*std::move(subject), "token:" + info.id};
}

Result<std::vector<TokenInfo>> list_tokens(Transaction& transaction) {
  auto records = transaction.list(Collection::Token, {});
  if (!records) return fail(std::move(records.error()));
  std::vector<TokenInfo> infos;
  for (const auto& record : *records) infos.push_back(info_from(record.body));
  return infos;
}

Result<TokenInfo> revoke_token(Transaction& transaction, const std::string& id) {
  auto records = transaction.list(Collection::Token, {});
  if (!records) return fail(std::move(records.error()));
  for (const auto& record : *records) {
    if (string_member(record.body, "id") != id) continue;
    auto erased = transaction.erase(Collection::Token, record.key);
    if (!erased) return fail(std::move(erased.error()));
    return info_from(record.body);
  }
  return fail(ErrorKind::NotFound, fmt::format("there is no API token \"{}\"", id));
}

}  // namespace bailey
