#pragma once

#include "orchestrator/base/clock.hpp"
#include "orchestrator/base/error.hpp"
#include "orchestrator/base/random.hpp"
#include "orchestrator/base/secret.hpp"
#include "orchestrator/net/retry.hpp"
#include "providers/openstack/errors.hpp"
#include "providers/openstack/microversion.hpp"
#include "providers/openstack/service.hpp"

#include <nlohmann/json_fwd.hpp>

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace bailey::openstack {

/// A user by id, or by name and domain.
struct LoginUser {
  std::string user_id = {};
  std::string user_name = {};
  std::string domain_name = {};  ///< Of the user; used when there is no `domain_id`.
  std::string domain_id = {};
};

struct PasswordLogin : LoginUser {
  Secret password;
};

/// Brings its own project: it takes no scope. By id, or by name and the user that it is of.
struct ApplicationCredentialLogin {
  std::string id;
  Secret secret;
  std::string name = {};  ///< Used when there is no `id`.
  LoginUser user = {};
};

using Login = std::variant<PasswordLogin, ApplicationCredentialLogin>;

/// What a token is good for: a project by id, or by name and domain; nothing of it: unscoped.
struct TokenScope {
  std::string project_id = {};
  std::string project_name = {};
  std::string domain_name = {};  ///< Used when there is no `domain_id`.
  std::string domain_id = {};
};

struct SessionOptions {
  std::string auth_url;
  std::string region;  ///< Empty: the one that the catalogue has.
  std::string interface = "public";
  std::string ca_file;  ///< PEM of the authorities to trust; empty: the system's.
  Login login;
  TokenScope scope;
  /// Shared by all sessions whose options are copied from those of one; made when it is null.
  std::shared_ptr<Microversions> microversions = nullptr;
};

struct Token {
  Secret id;
  WallTime expires_at;
  std::string user_id;
  std::string user_domain_id;
  std::string project_id;
  std::string project_domain_id;
  std::string region;                        ///< Where the endpoints are.
  MonotonicTime received{};                  ///< When it came.
  std::map<Service, std::string> endpoints;  ///< With the version, without a slash at the end.
};

struct Call {
  Service service = Service::Identity;
  std::string method = "GET";
  std::string path = {};  ///< Below the service's version: `/networks`.
  std::string body = {};
  std::string accept = "application/json";
  Repeat repeat = Repeat::Safe;
  Quote quote = Quote::Yes;
  std::vector<std::pair<std::string, std::string>> headers = {};  ///< Beside those of every call.
};

/// One login at one cloud. The token is asked for when it is first needed, shared by all threads,
/// renewed a minute before it expires, and asked for anew, once a call, when a service refuses it;
/// however many threads need one, only one asks. Nothing is sent to an address where it would cross
/// a network unencrypted. Thread-safe.
class Session {
 public:
  Session(SessionOptions options, Doors doors);

  /// The answer, when it is a success (2xx); every other answer is the failure that it means.
  [[nodiscard]] Result<HttpResponse> send(const Call& call, std::stop_token stop);
  [[nodiscard]] Result<std::shared_ptr<const Token>> token(std::stop_token stop);
  [[nodiscard]] const SessionOptions& options() const noexcept { return options_; }

 private:
  Result<std::shared_ptr<const Token>> authenticate(std::stop_token stop);
  Result<HttpResponse> send_once(const Call& call, const Token& token, std::stop_token stop);
  Result<HttpResponse> transmit(HttpRequest request, Repeat repeat, std::stop_token stop) const;
  Status outlast(const Token& refused, std::stop_token stop);
  void forget(const std::shared_ptr<const Token>& refused);

  const SessionOptions options_;
  const Doors doors_;
  std::mutex mutex_;
  std::condition_variable_any settled_;
  bool asking_ = false;
  std::uint64_t asked_ = 0;
  std::optional<Error> refusal_;  ///< Of the last time somebody asked.
  std::shared_ptr<const Token> token_;
};

/// Reads the answer to POST /auth/tokens. Fails with Protocol, and as read_catalog() does.
[[nodiscard]] Result<Token> read_token(const HttpResponse& answer, const SessionOptions& options);
/// The body of POST /auth/tokens. Holds the secret.
[[nodiscard]] nlohmann::json auth_body(const Login& login, const TokenScope& scope);

}  // namespace bailey::openstack
