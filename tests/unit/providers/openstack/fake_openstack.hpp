#pragma once

#include "orchestrator/base/json.hpp"
#include "providers/openstack/openstack_plugin.hpp"
#include "providers/openstack/session.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace bailey::openstack {

inline HttpResponse answer(int status, const Json& body = Json::object()) {
  return {.status = status, .headers = {}, .body = body.dump()};
}

/// Answers by `METHOD path` (path with its service, without query) from a script: each answer once,
/// the last one for ever. Logs in whoever asks, with `token-1`, `token-2`... What nobody scripted
/// fails the test, but for the services' version documents. Thread-safe.
class FakeOpenstack final : public HttpClient {
 public:
  using Reply = std::function<Result<HttpResponse>(const HttpRequest&)>;

  FakeOpenstack() {
    project_ = {{"id", "p1"}, {"domain_id", "d1"}, {"tags", {"bailey:env-1"}}};
    on("GET /v3/projects/p1", answer(200, {{"project", project_}}));
  }

  void on(const std::string& what, Reply reply) {
    const std::lock_guard lock(mutex_);
    script_[what].push_back(std::move(reply));
  }
  void on(const std::string& what, HttpResponse response) {
    on(what, [response = std::move(response)](const HttpRequest&) { return response; });
  }
  void on_failure(const std::string& what, ErrorKind kind) {
    on(what, [kind](const HttpRequest&) -> Result<HttpResponse> { return fail(kind, "scripted"); });
  }
  void replace(const std::string& what, HttpResponse response) {
    {
      const std::lock_guard lock(mutex_);
      script_.erase(what);
    }
    on(what, std::move(response));
  }

  Result<HttpResponse> send(const HttpRequest& request, std::stop_token stop) override {
    if (stop.stop_requested()) return fail(ErrorKind::Cancelled, "stopped");
    const auto path = request.url.substr(std::string("https://cloud").size());
    const auto what = request.method + " " + path.substr(0, path.find('?'));
    Reply reply;
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
      const auto found = script_.find(what);
      if (found != script_.end()) {
        reply = found->second.front();
        if (found->second.size() > 1) found->second.pop_front();
      }
    }
    if (reply) return reply(request);
    if (what == "POST /v3/auth/tokens") return log_in();
    if (what.starts_with("GET /") && what.ends_with('/')) return versions("2.93");
    ADD_FAILURE() << "nobody scripted " << what;
    return answer(418);
  }

  [[nodiscard]] std::vector<HttpRequest> requests(const std::string& what) const {
    const std::lock_guard lock(mutex_);
    std::vector<HttpRequest> found;
    for (const auto& request : requests_) {
      const auto path = request.url.substr(std::string("https://cloud").size());
      if (request.method + " " + path.substr(0, path.find('?')) == what) found.push_back(request);
    }
    return found;
  }
  [[nodiscard]] std::size_t count(const std::string& what) const { return requests(what).size(); }

  static HttpResponse versions(const std::string& newest) {
    const auto lead = newest.substr(0, 2);
    return answer(300, {{"versions",
                         {{{"id", "v1.0"}, {"version", ""}, {"min_version", ""}},
                          {{"id", "ours"}, {"version", newest}, {"min_version", lead + "1"}}}}});
  }

  HttpResponse log_in() {
    const std::lock_guard lock(mutex_);
    return token_answer("token-" + std::to_string(++logins_), expires_at);
  }
  static HttpResponse token_answer(const std::string& id, const std::string& until) {
    Json catalog = Json::array();
    for (const auto& [type, url] :
         std::map<std::string, std::string>{{"network", "https://cloud/network"},
                                            {"compute", "https://cloud/compute/v2.1/"},
                                            {"image", "https://cloud/image"},
                                            {"key-manager", "https://cloud/key-manager"}}) {
      catalog.push_back(
          {{"type", type},
           {"endpoints",
            {{{"interface", "internal"}, {"region_id", "here"}, {"url", "http://cloud/inside"}},
             {{"interface", "public"}, {"region_id", "there"}, {"url", "https://cloud/far"}},
             {{"interface", "public"}, {"region_id", "here"}, {"url", url}}}}});
    }
    auto response = answer(201, {{"token",
                                  {{"expires_at", until},
                                   {"user", {{"id", "u-admin"}, {"domain", {{"id", "d1"}}}}},
                                   {"project", {{"id", "p-admin"}, {"domain", {{"id", "d1"}}}}},
                                   {"catalog", std::move(catalog)}}}});
    response.headers = {{"x-subject-token", id}};
    return response;
  }

  std::string expires_at = "2026-03-05T10:00:00.000000Z";

 private:
  mutable std::mutex mutex_;
  Json project_;
  std::map<std::string, std::deque<Reply>> script_;
  std::vector<HttpRequest> requests_;
  int logins_ = 0;
};

/// The provider on a scripted cloud, with one environment: project `p1` of `env-1`.
class OpenstackTest : public ::testing::Test {
 protected:
  OpenstackTest() {
    account_.name = "unit";
    account_.endpoint = "https://cloud/v3";
    account_.region = "here";
    auto opened = openstack_plugin().open(ProviderContext{.account = account_,
                                                          .credential = Secret(credential().dump()),
                                                          .http = cloud,
                                                          .clock = clock,
                                                          .random = random});
    EXPECT_TRUE(opened);
    provider = opened ? *opened : nullptr;
  }

  static Json credential() {
    return {{"username", "admin"},
            {"password", "pass word"},
            {"user_domain_name", "Default"},
            {"project_name", "admin"},
            {"project_domain_name", "Default"}};
  }
  static Marker marker(const std::string& resource) {
    return {EnvironmentUid("env-1"), {"test", resource, std::nullopt}, 1};
  }
  static ResourceRequest ask(const std::string& type, Json inputs) {
    return {type, marker("one"), "p1", std::move(inputs)};
  }
  Doors doors() { return {cloud, health, clock, random}; }
  SessionOptions options() const {
    SessionOptions made;
    made.auth_url = "https://cloud/v3";
    made.region = "here";
    PasswordLogin login;
    login.user_name = "admin";
    login.domain_name = "Default";
    login.password = Secret("pass word");
    made.login = login;
    return made;
  }

  FakeOpenstack cloud;
  ServiceHealth health;
  test::FakeClock clock;
  test::FakeRandom random;
  std::shared_ptr<Provider> provider;

 private:
  Account account_;
};

}  // namespace bailey::openstack
