#include "providers/openstack/credential.hpp"

#include "orchestrator/base/file.hpp"
#include "orchestrator/base/text.hpp"
#include "providers/openstack/catalog.hpp"
#include "providers/openstack/login_options.hpp"

#include <algorithm>
#include <cctype>
#include <set>

namespace bailey::openstack {

namespace {

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

tl::unexpected<Error> missing(const std::string& what) {
  return fail(ErrorKind::InvalidArgument, "the account's credential lacks " + what);
}

Result<std::string> required(const LoginOptions& said, const std::string& name) {
  auto text = said.get(name);
  if (text.empty()) return missing(said.place(name));
  return text;
}

Result<Secret> required_secret(const LoginOptions& said, const std::string& name) {
  auto secret = said.secret(name);
  if (secret.empty()) return missing(said.place(name));
  return secret;
}

/// The domain of the user or the project, by id or by name.
Status read_domain(const LoginOptions& said, const std::string& whose, std::string& id,
                   std::string& name) {
  for (const auto& prefix : {whose + "_domain", std::string("default_domain")}) {
    id = said.get(prefix + "_id");
    name = said.get(prefix + "_name");
    if (!id.empty() || !name.empty()) return {};
  }
  return missing(said.place(whose + "_domain_name") + " or " + said.place(whose + "_domain_id"));
}

Result<LoginUser> read_user(const LoginOptions& said) {
  LoginUser user;
  user.user_id = said.get("user_id");
  if (!user.user_id.empty()) return user;
  auto name = required(said, "username");
  if (!name) return fail(std::move(name.error()));
  user.user_name = std::move(*name);
  if (auto read = read_domain(said, "user", user.domain_id, user.domain_name); !read) {
    return fail(std::move(read.error()));
  }
  return user;
}

Result<Login> read_application_credential(const LoginOptions& said) {
  auto secret = required_secret(said, "application_credential_secret");
  if (!secret) return fail(std::move(secret.error()));
  ApplicationCredentialLogin login{said.get("application_credential_id"), std::move(*secret)};
  if (!login.id.empty()) return Login(std::move(login));
  auto name = required(said, "application_credential_name");
  if (!name) return fail(std::move(name.error()));
  auto user = read_user(said);
  if (!user) return fail(std::move(user.error()));
  login.name = std::move(*name);
  login.user = std::move(*user);
  return Login(std::move(login));
}

Result<Login> read_password(const LoginOptions& said) {
  auto user = read_user(said);
  if (!user) return fail(std::move(user.error()));
  auto password = required_secret(said, "password");
  if (!password) return fail(std::move(password.error()));
  PasswordLogin login;
  static_cast<LoginUser&>(login) = std::move(*user);
  login.password = std::move(*password);
  return Login(std::move(login));
}

Result<Login> read_login(const LoginOptions& said) {
  const auto type = said.get("auth_type");
  const bool named = !said.get("application_credential_id").empty() ||
                     !said.get("application_credential_name").empty();
  if (type == "v3applicationcredential" || (type.empty() && named)) {
    return read_application_credential(said);
  }
  if (type.empty() || type == "password" || type == "v3password") return read_password(said);
  // A token cannot be had again when it ends; the others ask somebody or something else.
  return fail(Error(ErrorKind::InvalidArgument,
                    said.place("auth_type") + " asks for a kind of login that is not known")
                  .with_hint("Known are password and v3applicationcredential."));
}

Result<TokenScope> read_scope(const LoginOptions& said) {
  TokenScope scope{.project_id = said.get("project_id")};
  if (!scope.project_id.empty()) return scope;
  scope.project_name = said.get("project_name");
  if (scope.project_name.empty()) {
    return missing(said.place("project_name") + " or " + said.place("project_id"));
  }
  auto read = read_domain(said, "project", scope.domain_id, scope.domain_name);
  if (!read) return fail(std::move(read.error()));
  return scope;
}

Status refuse_unverified(const LoginOptions& said) {
  const std::set<std::string> yes{"", "true", "yes", "on", "1"};
  const std::set<std::string> no{"", "false", "no", "off", "0"};
  for (const auto& [name, fine] : {std::pair{"verify", yes}, std::pair{"insecure", no}}) {
    if (fine.contains(lower(said.get(name)))) continue;
    return fail(Error(ErrorKind::Refused,
                      said.place(name) + " turns the verification of certificates off, and whoever "
                                         "stands in between could read the credential")
                    .with_hint("Name the authority that signed the cloud's certificate with "
                               "\"caFile\" in the account."));
  }
  return {};
}

/// Two addresses of one Keystone: the host in any case, with or without the version.
std::string normalized(const std::string& url) {
  auto text = with_version(url, "/v3");
  const auto host = text.find("://");
  const auto path = host == std::string::npos ? host : text.find('/', host + 3);
  return lower(text.substr(0, path)) + (path == std::string::npos ? "" : text.substr(path));
}

Result<std::string> read_auth_url(const Account& account, const LoginOptions& said) {
  const auto theirs = said.get("auth_url");
  const auto place = "the credential's " + said.place("auth_url");
  if (account.endpoint.empty() && theirs.empty()) {
    return fail(ErrorKind::InvalidArgument,
                "neither the account's \"endpoint\" nor " + place + " says where Keystone is");
  }
  if (!account.endpoint.empty() && !theirs.empty() &&
      normalized(account.endpoint) != normalized(theirs)) {
    return fail(Error(ErrorKind::Refused, "the account's \"endpoint\" and " + place +
                                              " name different addresses: the credential would go "
                                              "where it was not made for")
                    .with_code("openstack.endpoint-mismatch"));
  }
  const auto& url = account.endpoint.empty() ? theirs : account.endpoint;
  if (!crosses_in_clear(url)) return url;
  return fail(Error(ErrorKind::Refused,
                    (account.endpoint.empty() ? place : std::string("the account's \"endpoint\"")) +
                        " is no address with \"https://\": the credential would cross the network "
                        "in the clear")
                  .with_code("openstack.plain-http"));
}

Result<std::string> read_interface(const Account& account, const LoginOptions& said) {
  if (!account.interface.empty()) return account.interface;
  auto text = said.get("interface");
  if (text.empty()) return std::string("public");
  if (text.ends_with("URL")) text.resize(text.size() - 3);  // as Keystone v2 had it
  if (text == "public" || text == "internal" || text == "admin") return text;
  return fail(ErrorKind::InvalidArgument,
              said.place("interface") + " is none of public, internal and admin");
}

/// Read once to say now, and with the option's name, what every request would stumble over.
Status check_authorities(const std::string& path, const std::string& option) {
  if (path.empty()) return {};
  constexpr std::size_t kLargest = 4U * 1024 * 1024;
  auto text = read_file(path, kLargest);
  if (!text) return fail(std::move(text.error()).in("reading what " + option + " names"));
  if (text->find("CERTIFICATE-----") != std::string::npos) return {};
  return fail(ErrorKind::InvalidArgument,
              "the file " + path + " that " + option + " names holds no certificate in PEM");
}

}  // namespace

Result<SessionOptions> session_options(const Account& account, const Secret& credential) {
  const auto said = read_login_options(credential, account.credential.cloud);
  if (!said) return fail(Error(said.error()));
  if (auto verified = refuse_unverified(*said); !verified) return fail(std::move(verified.error()));
  SessionOptions options;
  auto auth_url = read_auth_url(account, *said);
  if (!auth_url) return fail(std::move(auth_url.error()));
  options.auth_url = std::move(*auth_url);
  auto interface = read_interface(account, *said);
  if (!interface) return fail(std::move(interface.error()));
  options.interface = std::move(*interface);
  options.region = account.region.empty() ? said->get("region_name") : account.region;
  const bool own_authorities = !account.ca_file.empty();
  options.ca_file = own_authorities ? account.ca_file : said->get("cacert");
  auto readable =
      check_authorities(options.ca_file, own_authorities ? "\"caFile\"" : said->place("cacert"));
  if (!readable) return fail(std::move(readable.error()));
  auto login = read_login(*said);
  if (!login) return fail(std::move(login.error()));
  options.login = std::move(*login);
  if (std::holds_alternative<ApplicationCredentialLogin>(options.login)) return options;
  auto scope = read_scope(*said);
  if (!scope) return fail(std::move(scope.error()));
  options.scope = std::move(*scope);
  return options;
}

}  // namespace bailey::openstack
