#pragma once

#include "orchestrator/net/http_client.hpp"

#include <memory>

namespace bailey {

struct CurlOptions {
  /// Also how many are kept. No fewer than an account may have requests in flight (1024): its
  /// limits are what holds requests back, and a request that waits here is not seen to wait.
  long max_connections_per_host = 1024;
  std::size_t max_response_bytes = 16U * 1024 * 1024;
  std::string ca_file{};  ///< Instead of the system's, where a request names none; empty for those.
};

/// One libcurl multi loop on a thread of its own: callers hand over and wait, so that all requests
/// share kept-alive connections while calling code reads from top to bottom.
class CurlHttpClient final : public HttpClient {
 public:
  explicit CurlHttpClient(CurlOptions options = {});
  ~CurlHttpClient() override;
  Result<HttpResponse> send(const HttpRequest& request, std::stop_token stop) override;

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace bailey
