#include "orchestrator/net/curl_http_client.hpp"

#include "orchestrator/net/http_server.hpp"
#include "tests/unit/net/scripted_server.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <latch>
#include <mutex>
#include <set>
#include <sys/socket.h>
#include <thread>

namespace bailey {
namespace {

using test::ScriptedServer;
using namespace std::chrono_literals;

class CurlHttpClientTest : public testing::Test {
 protected:
  void serve(ServerHandler handler, ServerOptions options = {}) {
    auto server = HttpServer::listen(options, std::move(handler));
    ASSERT_TRUE(server) << server.error().render();
    server_ = std::move(*server);
  }
  [[nodiscard]] std::string url(std::string_view path) const {
    return "http://127.0.0.1:" + std::to_string(server_->port()) + std::string(path);
  }
  HttpRequest request(std::string method, std::string_view path, std::string body = "") const {
    return {.method = std::move(method), .url = url(path), .body = std::move(body)};
  }
  static std::string url_of(const ScriptedServer& server) {
    return "http://127.0.0.1:" + std::to_string(server.port()) + "/";
  }

  std::unique_ptr<HttpServer> server_;
  CurlHttpClient client_;
};

TEST_F(CurlHttpClientTest, SendsMethodHeadersAndBodyAsTheyAre) {
  std::mutex mutex;
  std::vector<ServerRequest> seen;
  serve([&](const ServerRequest& request) -> ServerResponse {
    const std::lock_guard lock(mutex);
    seen.push_back(request);
    return {.status = 201, .headers = {{"X-Subject-Token", "t"}}, .body = "made"};
  });
  for (const auto* method : {"GET", "POST", "PUT", "PATCH", "DELETE"}) {
    auto sent = request(method, "/a%2Fb//c?q=1%202", "body");
    sent.headers = {{"X-Empty", ""}, {"Content-Type", "application/json"}};
    sent.secret_headers = {{"X-Auth-Token", Secret("hush")}};
    const auto answer = client_.send(sent, {});
    ASSERT_TRUE(answer) << answer.error().render();
    EXPECT_EQ(answer->status, 201);
    EXPECT_EQ(answer->body, "made");
    EXPECT_EQ(answer->header("x-subject-token"), "t");
    EXPECT_EQ(answer->header("x-other"), std::nullopt);
    const auto& got = seen.back();
    EXPECT_EQ(got.method, method);
    EXPECT_EQ(got.target, "/a%2Fb//c?q=1%202");
    EXPECT_EQ(got.body, "body");
    EXPECT_EQ(got.header("x-auth-token"), "hush");
    EXPECT_EQ(got.header("x-empty"), "");
    EXPECT_EQ(got.header("expect"), std::nullopt);
  }
}

TEST_F(CurlHttpClientTest, SaysLengthZeroAndNoTypeForAnEmptyPost) {
  std::vector<ServerRequest> seen;
  serve([&](const ServerRequest& request) -> ServerResponse {
    seen.push_back(request);
    return {};
  });
  ASSERT_TRUE(client_.send(request("POST", "/"), {}));
  EXPECT_EQ(seen.back().header("content-length"), "0");
  EXPECT_EQ(seen.back().header("content-type"), std::nullopt);
}

TEST_F(CurlHttpClientTest, HeadGivesTheLengthAndNoBody) {
  serve([](const ServerRequest&) -> ServerResponse {
    return {.headers = {{"Content-Length", "99000000"}}};
  });
  const auto answer = client_.send(request("HEAD", "/blob"), {});
  ASSERT_TRUE(answer) << answer.error().render();
  EXPECT_EQ(answer->header("content-length"), "99000000");
  EXPECT_EQ(answer->body, "");
}

TEST_F(CurlHttpClientTest, EveryStatusIsAnAnswer) {
  serve([](const ServerRequest& request) -> ServerResponse {
    return {.status = std::stoi(request.path.substr(1)),
            .headers = {{"Location", "http://127.0.0.1:1/"}, {"Retry-After", "3"}},
            .body = ""};
  });
  for (const int status : {204, 301, 302, 307, 401, 404, 409, 429, 500, 503}) {
    const auto answer = client_.send(request("GET", "/" + std::to_string(status)), {});
    ASSERT_TRUE(answer) << answer.error().render();
    EXPECT_EQ(answer->status, status);
  }
}

TEST_F(CurlHttpClientTest, ReadsNoProxyVariable) {
  serve([](const ServerRequest&) { return ServerResponse{}; });
  ::setenv("http_proxy", "http://127.0.0.1:1", 1);
  ::setenv("all_proxy", "http://127.0.0.1:1", 1);
  const auto answer = client_.send(request("GET", "/"), {});
  ::unsetenv("http_proxy");
  ::unsetenv("all_proxy");
  EXPECT_TRUE(answer);
}

TEST_F(CurlHttpClientTest, ARefusedConnectionIsUnavailable) {
  std::uint16_t port = 0;
  {
    const ScriptedServer gone([](test::Peer&) {});
    port = gone.port();
  }
  HttpRequest request{.method = "POST", .url = "http://127.0.0.1:" + std::to_string(port) + "/"};
  EXPECT_EQ(client_.send(request, {}).error().kind(), ErrorKind::Unavailable);
  request.url = "http://nowhere.invalid/";
  EXPECT_EQ(client_.send(request, {}).error().kind(), ErrorKind::Unavailable);
}

TEST_F(CurlHttpClientTest, AConnectionThatEndsBeforeTheAnswerIsATimeout) {
  serve([](const ServerRequest&) -> ServerResponse { return {.cut = true}; });
  for (const auto* method : {"GET", "POST"}) {
    EXPECT_EQ(client_.send(request(method, "/"), {}).error().kind(), ErrorKind::Timeout) << method;
  }
}

TEST_F(CurlHttpClientTest, AnOrderlyEndWithoutAnAnswerIsATimeout) {
  ScriptedServer server([](test::Peer& peer) { peer.read_until("\r\n\r\n"); });
  EXPECT_EQ(client_.send({.method = "POST", .url = url_of(server)}, {}).error().kind(),
            ErrorKind::Timeout);
}

TEST_F(CurlHttpClientTest, HalfAnAnswerIsATimeout) {
  ScriptedServer server([](test::Peer& peer) {
    peer.read_until("\r\n\r\n");
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
  });
  EXPECT_EQ(client_.send({.url = url_of(server)}, {}).error().kind(), ErrorKind::Timeout);
}

TEST_F(CurlHttpClientTest, ASilentServerIsATimeout) {
  ScriptedServer server([](test::Peer& peer) { peer.read_all(); });
  const HttpRequest request{.method = "POST", .url = url_of(server), .timeout = 1000ms};
  EXPECT_EQ(client_.send(request, {}).error().kind(), ErrorKind::Timeout);
}

TEST_F(CurlHttpClientTest, WhatIsNotHttpIsAProtocolFailure) {
  ScriptedServer server([](test::Peer& peer) {
    peer.read_until("\r\n\r\n");
    peer.send("SSH-2.0-OpenSSH_9.2\r\n");
  });
  EXPECT_EQ(client_.send({.url = url_of(server)}, {}).error().kind(), ErrorKind::Protocol);
}

TEST_F(CurlHttpClientTest, LeavesInterimAnswersAndTrailersOut) {
  ScriptedServer server([](test::Peer& peer) {
    peer.read_until("\r\n\r\n");
    peer.send(
        "HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n"
        "HTTP/1.1 200 OK\r\nX-A:  1 \r\nx-a: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
        "2\r\nok\r\n0\r\nX-Trailer: 1\r\n\r\n");
  });
  const auto answer = client_.send({.url = url_of(server)}, {});
  ASSERT_TRUE(answer) << answer.error().render();
  EXPECT_EQ(answer->body, "ok");
  EXPECT_EQ(answer->header("x-a"), "1");
  EXPECT_EQ(answer->header("x-early"), std::nullopt);
  EXPECT_EQ(answer->header("x-trailer"), std::nullopt);
}

TEST_F(CurlHttpClientTest, AKeptConnectionClosedInBetweenIsNoFailure) {
  for (const auto* method : {"GET", "POST"}) {
    std::latch closed(1);
    ScriptedServer server([&, n = 0](test::Peer& peer) mutable {
      peer.read_until("\r\n\r\n");
      peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      if (++n > 1) return;
      peer.close();
      closed.count_down();
    });
    const HttpRequest request{.method = method, .url = url_of(server)};
    ASSERT_TRUE(client_.send(request, {}));
    closed.wait();
    const auto second = client_.send(request, {});
    EXPECT_TRUE(second) << method << ": " << second.error().render();
    EXPECT_EQ(server.accepted(), 2);
  }
}

// The server reads a second request on the same connection and ends it without a word: only for an
// idempotent method may the client ask again by itself.
int requests_seen_after_a_lost_answer(CurlHttpClient& client, const char* method,
                                      std::optional<ErrorKind> expected) {
  std::atomic<int> seen = 0;
  ScriptedServer server([&](test::Peer& peer) {
    while (!peer.read_until("\r\n\r\n").empty()) {
      if (++seen == 2) return;
      peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }
  });
  const HttpRequest request{.method = method,
                            .url = "http://127.0.0.1:" + std::to_string(server.port()) + "/"};
  EXPECT_TRUE(client.send(request, {}));
  const auto second = client.send(request, {});
  EXPECT_EQ(second.has_value(), !expected.has_value()) << method;
  if (!second && expected) {
    EXPECT_EQ(second.error().kind(), *expected);
  }
  return seen;
}

TEST_F(CurlHttpClientTest, NeverSendsACreateTwice) {
  EXPECT_EQ(requests_seen_after_a_lost_answer(client_, "POST", ErrorKind::Timeout), 2);
  EXPECT_EQ(requests_seen_after_a_lost_answer(client_, "PATCH", ErrorKind::Timeout), 2);
  EXPECT_EQ(requests_seen_after_a_lost_answer(client_, "GET", std::nullopt), 3);
}

TEST_F(CurlHttpClientTest, StopEndsAWaitForASlowAnswer) {
  std::latch arrived(1);
  ScriptedServer server([&](test::Peer& peer) {
    peer.read_until("\r\n\r\n");
    arrived.count_down();
    peer.read_all();
  });
  std::stop_source stop;
  std::jthread stopper([&] {
    arrived.wait();
    stop.request_stop();
  });
  const auto answer = client_.send({.url = url_of(server)}, stop.get_token());
  EXPECT_EQ(answer.error().kind(), ErrorKind::Cancelled);
  EXPECT_EQ(client_.send({.url = url_of(server)}, stop.get_token()).error().kind(),
            ErrorKind::Cancelled);
}

TEST_F(CurlHttpClientTest, RefusesAnswersOverTheLimit) {
  CurlHttpClient client({.max_response_bytes = 1000});
  serve([](const ServerRequest& request) -> ServerResponse {
    return {.body = std::string(request.path == "/more" ? 1001 : 1000, 'x')};
  });
  EXPECT_EQ(client.send(request("GET", "/"), {})->body.size(), 1000U);
  EXPECT_EQ(client.send(request("GET", "/more"), {}).error().kind(), ErrorKind::Protocol);
  ScriptedServer endless([](test::Peer& peer) {
    peer.read_until("\r\n\r\n");
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (peer.send("a\r\n0123456789\r\n")) continue;
  });
  EXPECT_EQ(client.send({.url = url_of(endless)}, {}).error().kind(), ErrorKind::Protocol);
  ScriptedServer many_headers([](test::Peer& peer) {
    peer.read_until("\r\n\r\n");
    peer.send("HTTP/1.1 200 OK\r\n");
    while (peer.send("X-Again: 0123456789\r\n")) continue;
  });
  EXPECT_FALSE(client.send({.url = url_of(many_headers)}, {}));
}

TEST_F(CurlHttpClientTest, RefusesWhatCannotBeSent) {
  serve([](const ServerRequest&) { return ServerResponse{}; });
  auto header = request("GET", "/");
  header.headers = {{"X", "a\r\nY: b"}};
  EXPECT_EQ(client_.send(header, {}).error().kind(), ErrorKind::InvalidArgument);
  auto secret = request("GET", "/");
  secret.secret_headers = {{"X", Secret("a\nb")}};
  EXPECT_EQ(client_.send(secret, {}).error().kind(), ErrorKind::InvalidArgument);
  EXPECT_EQ(client_.send(request("GET /x", "/"), {}).error().kind(), ErrorKind::InvalidArgument);
  for (const auto* url : {"", "http://", "file:///etc/passwd", "ftp://a/", "http://u:p@127.0.0.1/",
                          "http://127.0.0.1:99999/"}) {
    EXPECT_EQ(client_.send({.url = url}, {}).error().kind(), ErrorKind::InvalidArgument) << url;
  }
}

TEST_F(CurlHttpClientTest, MessagesHoldNoSecretOfTheUrl) {
  for (const auto* url : {"http://127.0.0.1:1/p?token=hush", "http://user:hush@127.0.0.1:1/p",
                          "http://nowhere.invalid/p?hush", "http://127.0.0.1:1/p#hush"}) {
    const auto message = client_.send({.url = url}, {}).error().render();
    EXPECT_EQ(message.find("hush"), std::string::npos) << message;
    EXPECT_NE(message.find("/p"), std::string::npos) << message;
  }
}

TEST_F(CurlHttpClientTest, CarriesManyRequestsAtOnce) {
  serve([](const ServerRequest& request) -> ServerResponse { return {.body = request.path}; },
        {.threads = 4});
  std::atomic<int> right = 0;
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < 256; ++i) {
      callers.emplace_back([&, path = "/" + std::to_string(i)] {
        const auto answer = client_.send(request("GET", path), {});
        if (answer && answer->body == path) ++right;
      });
    }
  }
  EXPECT_EQ(right, 256);
}

}  // namespace
}  // namespace bailey
