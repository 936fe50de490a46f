#pragma once

#include "orchestrator/base/error.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bailey {

struct ServerRequest {
  std::string method;
  std::string target;                                        ///< As sent, origin-form.
  std::string path;                                          ///< Without the query; not decoded.
  std::vector<std::pair<std::string, std::string>> query;    ///< Decoded, in order.
  std::vector<std::pair<std::string, std::string>> headers;  ///< Names in lower case.
  std::string body;
  std::string peer;  ///< Address of the connection's other end.
  [[nodiscard]] std::optional<std::string> header(std::string_view name) const;
  [[nodiscard]] std::optional<std::string> parameter(std::string_view name) const;
};

/// Content-Length, Date and Connection are added; a Content-Length of the handler's own counts in
/// the answer to HEAD alone, which is sent without its body.
struct ServerResponse {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string body{};
  /// Close the connection without answering: for tests of clients.
  bool cut = false;
};

using ServerHandler = std::function<ServerResponse(const ServerRequest&)>;

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;   ///< 0: any free one.
  std::size_t threads = 8;  ///< Handlers that run at once.
  std::size_t max_body_bytes = 4U * 1024 * 1024;
  std::size_t max_header_bytes = 16U * 1024;
  std::size_t max_connections = 1024;  ///< More wait in the accept queue.
  std::chrono::seconds header_timeout{10};
  std::chrono::seconds body_timeout{60};  ///< For the body, and again for the answer.
  std::chrono::seconds idle_timeout{60};
};

/// An HTTP/1.1 server on Boost.Beast. Connections are asynchronous; handlers run on a pool, may
/// block, and must not throw. Refuses what proxies and servers are known to read differently:
/// Transfer-Encoding other than exactly `chunked` or on HTTP/1.0, more than one Content-Length,
/// obs-fold, anything but one Host, trailers, a target that is not origin-form or has dot segments;
/// such a connection is answered once and closed. An encoded slash in a path is let through: the
/// handler splits before it decodes.
class HttpServer {
 public:
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> listen(const ServerOptions& options,
                                                                  ServerHandler handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  [[nodiscard]] std::uint16_t port() const noexcept;
  /// Accepts nothing new, closes what waits for a request, lets running handlers finish and answer,
  /// then returns. Safe to repeat; not to be called from a handler.
  void stop();

 private:
  class Engine;
  explicit HttpServer(std::unique_ptr<Engine> engine);
  std::unique_ptr<Engine> engine_;
};

}  // namespace bailey
