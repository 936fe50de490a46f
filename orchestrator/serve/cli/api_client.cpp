#include "orchestrator/serve/cli/api_client.hpp"

#include "orchestrator/base/file.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/net/curl_http_client.hpp"

#include <fmt/format.h>

#include <cstdlib>

namespace bailey {

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::filesystem::path usual_token_file() {
  const auto config = variable("XDG_CONFIG_HOME");
  if (!config.empty()) return std::filesystem::path(config) / "bailey" / "token";
  return std::filesystem::path(variable("HOME")) / ".config" / "bailey" / "token";
}

ErrorKind kind_from(std::string_view word) {
  constexpr auto kLast = static_cast<int>(ErrorKind::Internal);
  for (int i = 0; i <= kLast; ++i) {
    const auto kind = static_cast<ErrorKind>(i);
    if (to_string(kind) == word) return kind;
  }
  return ErrorKind::Protocol;
}

}  // namespace

Connection find_connection(std::string server, std::filesystem::path token_file) {
  Connection connection;
  connection.server = std::move(server);
  if (connection.server.empty()) connection.server = variable("BAILEY_SERVER");
  if (connection.server.empty()) connection.server = "http://127.0.0.1:7300";
  while (connection.server.back() == '/') connection.server.pop_back();
  connection.token_file = std::move(token_file);
  if (connection.token_file.empty()) {
    connection.token = Secret(variable("BAILEY_TOKEN"));
    connection.token_file = variable("BAILEY_TOKEN_FILE");
  }
  if (connection.token_file.empty()) connection.token_file = usual_token_file();
  return connection;
}

Error error_from_problem(int status, const std::string& body) {
  const auto problem = parse_json(body);
  const auto word = problem ? string_member(*problem, "title") : std::string();
  if (word.empty()) {
    return Error(ErrorKind::Protocol, fmt::format("the server answered {}", status));
  }
  Error error(kind_from(word), string_member(*problem, "detail"));
  for (const auto& frame : strings_member(*problem, "frames")) error = std::move(error).in(frame);
  return std::move(error)
      .with_hint(string_member(*problem, "hint"))
      .with_code(string_member(*problem, "code"));
}

ApiClient::ApiClient(Connection connection)
    : connection_(std::move(connection)), http_(std::make_unique<CurlHttpClient>()) {
  if (!connection_.token.empty()) return;
  if (auto text = read_file(connection_.token_file, 4096)) {
    connection_.token = Secret(std::string(trim(*text)));
  }
}

ApiClient::~ApiClient() = default;

Result<nlohmann::json> ApiClient::call(const std::string& method, const std::string& path,
                                       const std::string& body, std::stop_token stop) {
  HttpRequest request;
  request.method = method;
  request.url = connection_.server + path;
  request.body = body;
  request.timeout = std::chrono::minutes(10);
  request.headers = {{"Accept", "application/json"}};
  if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  if (!connection_.token.empty()) {
    request.secret_headers.emplace_back(
        "Authorization", Secret("Bearer " + std::string(connection_.token.reveal())));
  }
  auto response = http_->send(request, std::move(stop));
  if (!response) {
    auto error = std::move(response.error());
    if (error.kind() == ErrorKind::Unavailable) {
      return fail(std::move(error).with_hint(
          "Is a server running there? Start one, or name another with --server:\n"
          "    bailey serve --data FOLDER"));
    }
    return fail(std::move(error));
  }
  if (response->status == 204) return Json();
  const auto type = response->header("content-type").value_or("");
  // Findings come with 422 and an ordinary body.
  const bool answered = response->status < 300 ||
                        (response->status == 422 && type.substr(0, 16) == "application/json");
  if (!answered) return fail(error_from_problem(response->status, response->body));
  return parse_json(response->body);
}

Result<nlohmann::json> ApiClient::get(const std::string& path, std::stop_token stop) {
  return call("GET", path, "", std::move(stop));
}

Result<nlohmann::json> ApiClient::post(const std::string& path, const nlohmann::json& body) {
  return call("POST", path, body.dump(-1, ' ', false, Json::error_handler_t::replace));
}

Status ApiClient::remove(const std::string& path) {
  auto answer = call("DELETE", path, "");
  if (!answer) return fail(std::move(answer.error()));
  return {};
}

}  // namespace bailey
