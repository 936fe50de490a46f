#pragma once

#include "orchestrator/net/http_client.hpp"
#include "providers/openstack/service.hpp"

#include <functional>
#include <map>
#include <mutex>
#include <string>

namespace bailey::openstack {

/// GETs an address of a service, with a token or without.
using AskVersion = std::function<Result<HttpResponse>(const std::string& url, bool with_token)>;

/// The microversion in which each service of a cloud is spoken to: the newest that we know and that
/// it offers. It is asked for with the first call to the service and kept, for all sessions that
/// share this; threads that come at once may each ask. Thread-safe.
class Microversions {
 public:
  /// The value of `OpenStack-API-Version`; empty for a service without microversions. Unsupported
  /// when the service offers none that we can use. A service that tells nothing is asked for the
  /// oldest that will do, and refuses that itself if it must.
  [[nodiscard]] Result<std::string> header(Service service, const std::string& endpoint,
                                           const AskVersion& ask);

 private:
  std::mutex mutex_;
  std::map<std::string, std::string> headers_;  ///< By where the service tells its versions.
};

}  // namespace bailey::openstack
