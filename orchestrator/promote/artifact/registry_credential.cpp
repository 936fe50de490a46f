#include "orchestrator/promote/artifact/registry_credential.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bailey {

namespace {

tl::unexpected<Error> bad(std::string why) {
  return fail(Error(ErrorKind::Protocol, "the credential of the registry: " + std::move(why))
                  .with_hint("Either {\"username\": ..., \"password\": ...}, or a Docker "
                             "config.json with the registry under \"auths\".")
                  .with_code("registry.bad-credential"));
}

// A user with a colon in the name would be another one in the header (RFC 7617).
Result<RegistryCredential> credential(std::string user, std::string password) {
  const auto printable = [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F; };
  if (user.empty() || password.empty()) return bad("user or password is missing");
  if (user.find(':') != std::string::npos || !std::all_of(user.begin(), user.end(), printable) ||
      !std::all_of(password.begin(), password.end(), printable)) {
    return bad("user or password holds a character that cannot be sent");
  }
  return RegistryCredential{std::move(user), Secret(std::move(password))};
}

Result<RegistryCredential> from_entry(const Json& entry) {
  if (!string_member(entry, "identitytoken").empty()) {
    return fail(Error(ErrorKind::Unsupported, "identity tokens of registries are not supported")
                    .with_code("registry.identity-token"));
  }
  const auto joined = string_member(entry, "auth");
  if (joined.empty()) {
    return credential(string_member(entry, "username"), string_member(entry, "password"));
  }
  const auto pair = from_base64(joined);
  const auto colon = pair ? pair->find(':') : std::string::npos;
  if (colon == std::string::npos) return bad("\"auth\" is not the base64 of USER:PASSWORD");
  return credential(pair->substr(0, colon), pair->substr(colon + 1));
}

// `docker login` writes the host alone; older versions an address.
bool is_for(std::string_view entry, std::string_view registry) {
  if (const auto scheme = entry.find("://"); scheme != std::string_view::npos) {
    entry.remove_prefix(scheme + 3);
  }
  return entry.substr(0, entry.find('/')) == registry;
}

}  // namespace

Result<RegistryCredential> parse_registry_credential(const Secret& text,
                                                     std::string_view registry) {
  const auto value = parse_json(text.reveal());
  if (!value || !value->is_object()) return bad("it is no JSON object");
  if (!value->contains("auths")) {
    if (value->contains("credsStore") || value->contains("credHelpers")) {
      return fail(Error(ErrorKind::Unsupported, "credential helpers are not run")
                      .with_hint("Write the entry into the file, or let a command print it.")
                      .with_code("registry.credential-helper"));
    }
    return from_entry(*value);
  }
  for (const auto& [name, entry] : member(*value, "auths").items()) {
    if (is_for(name, registry)) return from_entry(entry);
  }
  return fail(Error(ErrorKind::NotFound,
                    fmt::format("the credential has no entry for the registry {}", registry))
                  .with_code("registry.no-entry"));
}

}  // namespace bailey
