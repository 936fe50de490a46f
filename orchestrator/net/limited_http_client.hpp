#pragma once

#include "orchestrator/base/clock.hpp"
#include "orchestrator/net/http_client.hpp"

#include <memory>

namespace bailey {

/// Holds an account's limits: at most `concurrency` requests in flight and `requests_per_second`
/// started (0: no limit), waiting its turn in the order of arrival.
class LimitedHttpClient final : public HttpClient {
 public:
  LimitedHttpClient(HttpClient& inner, Clock& clock, int concurrency, int requests_per_second);
  ~LimitedHttpClient() override;
  Result<HttpResponse> send(const HttpRequest& request, std::stop_token stop) override;

 private:
  struct State;
  HttpClient& inner_;
  Clock& clock_;
  std::unique_ptr<State> state_;
};

}  // namespace bailey
