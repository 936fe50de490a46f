#pragma once

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/file.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "providers/devcloud/devcloud.hpp"
#include "tests/support/fake_clock.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bailey::test {

struct Reply {
  int status = 0;
  Json body;
  ServerResponse raw;
  [[nodiscard]] std::string header(std::string_view name) const {
    for (const auto& [key, value] : raw.headers) {
      if (key == name) return value;
    }
    return {};
  }
  /// The id of the one object in the body.
  [[nodiscard]] std::string id() const {
    return body.is_object() && !body.empty() ? string_member(*body.begin(), "id") : "";
  }
};

/// The embedded cloud without a socket, on time that a test moves.
class TestCloud {
 public:
  explicit TestCloud(DevcloudOptions options = {}) {
    options.clock = &clock;
    auto built = Devcloud::without_socket(options);
    EXPECT_TRUE(built) << (built ? "" : built.error().render());
    if (built) cloud_ = std::move(*built);
    admin = sign_in("admin", std::string(cloud_->admin_password().reveal()), "admin");
  }

  Reply call(const std::string& method, const std::string& target, const std::string& token = "",
             const Json& body = nullptr,
             std::vector<std::pair<std::string, std::string>> headers = {}) {
    ServerRequest request;
    request.method = method;
    request.target = target;
    request.path = target.substr(0, target.find('?'));
    if (const auto mark = target.find('?'); mark != std::string::npos) {
      for (const std::string& each : split(target.substr(mark + 1), '&')) {
        const auto equals = each.find('=');
        const std::string value = equals == std::string::npos ? "" : each.substr(equals + 1);
        request.query.emplace_back(*percent_decode(each.substr(0, equals)), *percent_decode(value));
      }
    }
    request.headers = std::move(headers);
    if (!token.empty()) request.headers.emplace_back("x-auth-token", token);
    if (!body.is_null()) {
      request.headers.emplace_back("content-type", "application/json");
      request.body = body.dump();
    }
    request.peer = "127.0.0.1";
    return send(request);
  }

  Reply send(const ServerRequest& request) {
    Reply reply;
    reply.raw = cloud_->handle(request);
    reply.status = reply.raw.status;
    if (const auto parsed = parse_json(reply.raw.body); parsed) reply.body = *parsed;
    return reply;
  }

  Reply get(const std::string& target) { return call("GET", target, admin); }
  Reply post(const std::string& target, const Json& body) {
    return call("POST", target, admin, body);
  }

  static Json password_login(const std::string& user, const std::string& password) {
    return {{"identity",
             {{"methods", {"password"}},
              {"password",
               {{"user",
                 {{"name", user}, {"domain", {{"id", "default"}}}, {"password", password}}}}}}}};
  }
  Reply login(const std::string& user, const std::string& password, const std::string& project) {
    Json auth = password_login(user, password);
    if (!project.empty()) {
      auth["scope"]["project"] = {{"name", project}, {"domain", {{"id", "default"}}}};
    }
    return call("POST", "/v3/auth/tokens", "", {{"auth", auth}});
  }
  /// A token, or empty.
  std::string sign_in(const std::string& user, const std::string& password,
                      const std::string& project) {
    return login(user, password, project).header("X-Subject-Token");
  }

  /// Creates as administrator and returns the id.
  std::string make(const std::string& target, const Json& body) {
    const Reply reply = post(target, body);
    EXPECT_LT(reply.status, 300) << target << " " << reply.raw.body;
    return reply.id();
  }
  std::string project(const std::string& name) {
    return make("/v3/projects", {{"project", {{"name", name}}}});
  }
  /// A user whose password is `pw-NAME`.
  std::string user(const std::string& name) {
    return make("/v3/users", {{"user", {{"name", name}, {"password", "pw-" + name}}}});
  }
  std::string role(const std::string& name) {
    return string_member(get("/v3/roles?name=" + name).body["roles"][0], "id");
  }
  int assign(const std::string& project, const std::string& user, const std::string& role_name) {
    return call("PUT", "/v3/projects/" + project + "/users/" + user + "/roles/" + role(role_name),
                admin)
        .status;
  }
  /// A project with one user of the same name and role in it; returns that user's token.
  std::string tenant(const std::string& name, const std::string& role_name = "member") {
    assign(project(name), user(name), role_name);
    return sign_in(name, "pw-" + name, name);
  }

  Devcloud& devcloud() { return *cloud_; }

  FakeClock clock;
  std::string admin;  ///< The administrator's token.

 private:
  std::unique_ptr<Devcloud> cloud_;
};

}  // namespace bailey::test
