#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/base/secret.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bailey {

struct HttpRequest {
  std::string method = "GET";
  std::string url{};
  std::vector<std::pair<std::string, std::string>> headers{};
  /// Headers whose values must never be logged: tokens.
  std::vector<std::pair<std::string, Secret>> secret_headers{};
  std::string body{};
  std::chrono::milliseconds timeout{std::chrono::seconds(60)};
  /// PEM file of the authorities that may vouch for the server, instead of the client's own; empty
  /// for those. A connection made with others is not used again for this request.
  std::string ca_file{};
};

/// The code of the failure that a server's certificate could not be verified, or that the
/// authorities to verify it by could not be read. Protocol: another try would find the same.
inline constexpr std::string_view kBadCertificate = "net.certificate";

struct HttpResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers{};  ///< Names in lower case.
  std::string body{};
  /// The first value of a header (lower-case name), or nothing.
  [[nodiscard]] std::optional<std::string> header(std::string_view name) const;
};

/// The door to other machines. Any answer with a status is a value; failures are transport alone:
/// Unavailable when the request cannot have been acted upon (no connection, name not found),
/// Timeout when it may have (sent, and no whole answer), Cancelled, Protocol, and InvalidArgument
/// for what cannot be sent (method, header, a URL that is malformed or holds user information). A
/// request that is not idempotent (RFC 9110 section 9.2.2) is never sent twice. No redirect is
/// followed, no proxy variable is read, and SendingWithin is kept to. Thread-safe; blocks.
class HttpClient {
 public:
  virtual ~HttpClient() = default;
  virtual Result<HttpResponse> send(const HttpRequest& request, std::stop_token stop) = 0;
};

}  // namespace bailey
