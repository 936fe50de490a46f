#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/base/secret.hpp"
#include "orchestrator/net/http_client.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>

namespace bailey {

/// Where the server is and who is asking.
struct Connection {
  std::string server;                ///< `http://127.0.0.1:7300`.
  std::filesystem::path token_file;  ///< Holds an API token.
  Secret token;                      ///< Takes precedence over the file.
};

/// `--server` and `--token-file`, else BAILEY_SERVER, BAILEY_TOKEN and BAILEY_TOKEN_FILE, else
/// http://127.0.0.1:7300 and the file `bailey/token` of the user's configuration folder.
[[nodiscard]] Connection find_connection(std::string server, std::filesystem::path token_file);

/// The server's API as the commands use it. A problem that the server answers comes back as the
/// Error it was there.
class ApiClient {
 public:
  explicit ApiClient(Connection connection);
  ~ApiClient();

  /// Cancelled once `stop` is requested.
  [[nodiscard]] Result<nlohmann::json> get(const std::string& path, std::stop_token stop = {});
  [[nodiscard]] Result<nlohmann::json> post(const std::string& path, const nlohmann::json& body);
  [[nodiscard]] Status remove(const std::string& path);

 private:
  Result<nlohmann::json> call(const std::string& method, const std::string& path,
                              const std::string& body, std::stop_token stop = {});

  Connection connection_;
  std::unique_ptr<HttpClient> http_;
};

/// The Error in an `application/problem+json` answer.
[[nodiscard]] Error error_from_problem(int status, const std::string& body);

}  // namespace bailey
