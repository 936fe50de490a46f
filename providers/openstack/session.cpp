#include "providers/openstack/session.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/model/account.hpp"
#include "providers/openstack/catalog.hpp"

namespace bailey::openstack {

namespace {

constexpr std::chrono::seconds kRenewBefore{60};
constexpr std::chrono::milliseconds kRevocationGrain{1'100};

Json domain_part(const std::string& id, const std::string& name) {
  return id.empty() ? Json{{"name", name}} : Json{{"id", id}};
}

Json user_part(const LoginUser& user) {
  if (!user.user_id.empty()) return {{"id", user.user_id}};
  return {{"name", user.user_name}, {"domain", domain_part(user.domain_id, user.domain_name)}};
}

Json password_part(const PasswordLogin& login) {
  auto user = user_part(login);
  user["password"] = std::string(login.password.reveal());
  return {{"methods", {"password"}}, {"password", {{"user", std::move(user)}}}};
}

Json application_credential_part(const ApplicationCredentialLogin& login) {
  Json credential{{"secret", std::string(login.secret.reveal())}};
  if (!login.id.empty()) {
    credential["id"] = login.id;
  } else {
    credential["name"] = login.name;
    credential["user"] = user_part(login.user);
  }
  return {{"methods", {"application_credential"}},
          {"application_credential", std::move(credential)}};
}

SessionOptions completed(SessionOptions options) {
  if (!options.microversions) options.microversions = std::make_shared<Microversions>();
  return options;
}

std::string question(const Call& call) {
  const auto path = call.path.substr(0, call.path.find('?'));
  return call.method + " " + std::string(to_string(call.service)) + " " + path;
}

}  // namespace

Json auth_body(const Login& login, const TokenScope& scope) {
  Json auth;
  if (const auto* password = std::get_if<PasswordLogin>(&login)) {
    auth["identity"] = password_part(*password);
  } else {
    // Keystone refuses an application credential that asks for a scope, its own included.
    auth["identity"] = application_credential_part(std::get<ApplicationCredentialLogin>(login));
    return {{"auth", std::move(auth)}};
  }
  if (!scope.project_id.empty()) {
    auth["scope"] = {{"project", {{"id", scope.project_id}}}};
  } else if (!scope.project_name.empty()) {
    auth["scope"] = {{"project",
                      {{"name", scope.project_name},
                       {"domain", domain_part(scope.domain_id, scope.domain_name)}}}};
  } else {
    auth["scope"] = "unscoped";
  }
  return {{"auth", std::move(auth)}};
}

Result<Token> read_token(const HttpResponse& answer, const SessionOptions& options) {
  const auto id = answer.header("x-subject-token");
  if (!id || id->empty()) return fail(ErrorKind::Protocol, "Keystone answered without a token");
  auto body = parse_json(answer.body);
  if (!body) return fail(std::move(body.error()).in("reading a token from Keystone"));
  const auto& facts = member(*body, "token");
  // For an application credential that expires, Keystone leaves the zone away; it means UTC.
  auto until = string_member(facts, "expires_at");
  auto expires = parse_time(until);
  if (!expires) expires = parse_time(until + "Z");
  if (!expires) {
    return fail(ErrorKind::Protocol, "Keystone answered with a token that has no readable expiry");
  }
  const auto& user = member(facts, "user");
  const auto& project = member(facts, "project");
  const auto project_id = string_member(project, "id");
  auto catalog = read_catalog(member(facts, "catalog"), {options.interface, options.region});
  if (!catalog) return fail(std::move(catalog.error()));
  // A project that is shown no service would look like an empty one.
  if (catalog->endpoints.empty() && !project_id.empty()) {
    return fail(ErrorKind::Protocol,
                "the catalogue that Keystone shows to the project " + project_id + " is empty");
  }
  // Whatever the catalogue says of Keystone: the account's address is the one that was agreed on.
  catalog->endpoints[Service::Identity] = with_version(options.auth_url, "/v3");
  return Token{.id = Secret(*id),
               .expires_at = *expires,
               .user_id = string_member(user, "id"),
               .user_domain_id = string_member(member(user, "domain"), "id"),
               .project_id = project_id,
               .project_domain_id = string_member(member(project, "domain"), "id"),
               .region = std::move(catalog->region),
               .endpoints = std::move(catalog->endpoints)};
}

Session::Session(SessionOptions options, Doors doors)
    : options_(completed(std::move(options))), doors_(doors) {}

Result<HttpResponse> Session::transmit(HttpRequest request, Repeat repeat,
                                       std::stop_token stop) const {
  if (crosses_in_clear(request.url)) {
    return fail(Error(ErrorKind::Refused,
                      "the address of this service is not encrypted, and what "
                      "is sent there opens the cloud to who listens")
                    .with_code("openstack.plain-http"));
  }
  request.ca_file = options_.ca_file;
  auto answer = send_with_retry(doors_, request, repeat, RetryPolicy{}, std::move(stop));
  if (answer || answer.error().code() != kBadCertificate) return answer;
  return fail(
      std::move(answer.error())
          .with_hint(options_.ca_file.empty()
                         ? "Name the authority that signed it with \"caFile\" in the account."
                         : "The account trusts the authorities in " + options_.ca_file +
                               " (\"caFile\"), and no others."));
}

Result<std::shared_ptr<const Token>> Session::authenticate(std::stop_token stop) {
  HttpRequest request;
  request.method = "POST";
  request.url = with_version(options_.auth_url, "/v3") + "/auth/tokens";
  request.headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}};
  request.body = auth_body(options_.login, options_.scope).dump();
  const auto answer = transmit(std::move(request), Repeat::Safe, stop);
  const std::string doing = "asking Keystone for a token";
  if (!answer) return fail(Error(answer.error()).in(doing));
  if (answer->status != 201 && answer->status != 200) {
    auto error = error_from(*answer, "POST identity /auth/tokens", Quote::No);
    // An application credential that was deleted is "not found" to Keystone: nobody, all the same.
    if (error.kind() == ErrorKind::NotFound) {
      error = Error(ErrorKind::Unauthenticated, error.message());
    }
    return fail(std::move(error).in(doing));
  }
  auto token = read_token(*answer, options_);
  if (!token) return fail(std::move(token.error()).in(doing));
  token->received = doors_.clock.monotonic_now();
  return std::make_shared<const Token>(std::move(*token));
}

Result<std::shared_ptr<const Token>> Session::token(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  const auto seen = asked_;
  const bool waited = asking_;
  if (!settled_.wait(lock, stop, [this] { return !asking_; })) {
    return fail(ErrorKind::Cancelled, "stopped while waiting for a token");
  }
  if (token_ && token_->expires_at > doors_.clock.wall_now() + kRenewBefore) return token_;
  // Who has waited for an attempt shares its refusal: trying a wrong password again for each
  // thread would lock the account. What only that thread met, such as its own stop, is not shared.
  if (waited && asked_ != seen && refusal_ && refusal_->kind() != ErrorKind::Cancelled) {
    return fail(*refusal_);
  }
  asking_ = true;
  lock.unlock();
  auto fresh = authenticate(stop);
  lock.lock();
  asking_ = false;
  ++asked_;
  token_ = fresh ? *fresh : nullptr;
  refusal_ = fresh ? std::nullopt : std::optional(fresh.error());
  settled_.notify_all();
  return fresh;
}

void Session::forget(const std::shared_ptr<const Token>& refused) {
  const std::lock_guard lock(mutex_);
  if (token_ == refused) token_ = nullptr;
}

Result<HttpResponse> Session::send_once(const Call& call, const Token& token,
                                        std::stop_token stop) {
  const auto endpoint = token.endpoints.find(call.service);
  if (endpoint == token.endpoints.end()) {
    return fail(Error(ErrorKind::Unsupported, "this cloud's catalogue lists no " +
                                                  std::string(to_string(call.service)) +
                                                  " service at this region and interface")
                    .with_code(std::string(kNoService)));
  }
  HttpRequest request;
  request.method = call.method;
  request.url = endpoint->second + call.path;
  request.headers = {{"Accept", call.accept}};
  if (!call.body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  request.headers.insert(request.headers.end(), call.headers.begin(), call.headers.end());
  auto version = options_.microversions->header(
      call.service, endpoint->second, [&](const auto& url, bool named) {
        HttpRequest question;
        question.url = url;
        question.headers = {{"Accept", "application/json"}};
        if (named) question.secret_headers = {{"X-Auth-Token", token.id}};
        return transmit(std::move(question), Repeat::Safe, stop);
      });
  if (!version) return fail(std::move(version.error()));
  if (!version->empty()) request.headers.emplace_back("OpenStack-API-Version", *version);
  request.secret_headers = {{"X-Auth-Token", token.id}};
  request.body = call.body;
  return transmit(std::move(request), call.repeat, stop);
}

/// Keystone revokes by the whole second: a token that was given in the second in which the user got
/// a new password or lost a role is refused with the ones before it, and so is the next one until
/// that second is over.
Status Session::outlast(const Token& refused, std::stop_token stop) {
  if (doors_.clock.monotonic_now() - refused.received > kRevocationGrain) return {};
  if (doors_.clock.sleep_for(kRevocationGrain, stop)) return {};
  return fail(ErrorKind::Cancelled, "stopped while waiting for a token that holds");
}

Result<HttpResponse> Session::send(const Call& call, std::stop_token stop) {
  for (int attempt = 0;; ++attempt) {
    const auto current = token(stop);
    if (!current) return fail(Error(current.error()).in(question(call)));
    auto answer = send_once(call, **current, stop);
    if (!answer) return fail(std::move(answer.error()).in(question(call)));
    if (answer->status >= 200 && answer->status < 300) return answer;
    // A refused token proves that nothing was done, so even a create is safe to send again.
    if (answer->status == 401 && attempt == 0) {
      if (auto rested = outlast(**current, stop); !rested) return fail(std::move(rested.error()));
      forget(*current);
      continue;
    }
    return fail(error_from(*answer, question(call), call.quote));
  }
}

}  // namespace bailey::openstack
