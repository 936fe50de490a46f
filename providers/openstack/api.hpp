#pragma once

#include "orchestrator/base/error.hpp"
#include "providers/openstack/session.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace bailey::openstack {

/// JSON calls through one session, for as long as `stop` is not requested. Cheap to copy.
class Api {
 public:
  Api(Session& session, std::stop_token stop) : session_(&session), stop_(std::move(stop)) {}

  [[nodiscard]] Result<nlohmann::json> get(Service service, const std::string& path) const;
  /// Nothing when the service says that it is not there.
  [[nodiscard]] Result<std::optional<nlohmann::json>> find(Service service,
                                                           const std::string& path) const;
  /// Sent once: a lost answer is the caller's Timeout.
  [[nodiscard]] Result<nlohmann::json> post(Service service, const std::string& path,
                                            const nlohmann::json& body,
                                            Quote quote = Quote::Yes) const;
  [[nodiscard]] Result<nlohmann::json> put(Service service, const std::string& path,
                                           const nlohmann::json& body,
                                           Repeat repeat = Repeat::Safe) const;
  [[nodiscard]] Result<nlohmann::json> patch(Service service, const std::string& path,
                                             const nlohmann::json& body,
                                             Quote quote = Quote::Yes) const;
  /// Absent is success.
  [[nodiscard]] Status remove(Service service, const std::string& path) const;
  /// The members of `collection` over all pages.
  [[nodiscard]] Result<std::vector<nlohmann::json>> list(Service service, const std::string& path,
                                                         const std::string& collection) const;
  [[nodiscard]] Result<HttpResponse> send(const Call& call) const {
    return session_->send(call, stop_);
  }
  [[nodiscard]] Session& session() const noexcept { return *session_; }
  [[nodiscard]] const std::stop_token& stop() const noexcept { return stop_; }

 private:
  [[nodiscard]] Result<nlohmann::json> ask(const Call& call) const;

  Session* session_;
  std::stop_token stop_;
};

}  // namespace bailey::openstack
