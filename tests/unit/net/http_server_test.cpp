#include "orchestrator/net/http_server.hpp"

#include "tests/unit/net/raw_connection.hpp"

#include <gtest/gtest.h>

#include <future>
#include <latch>
#include <thread>

namespace bailey {
namespace {

using test::RawConnection;
using test::status_in;

ServerResponse echo(const ServerRequest& request) {
  if (request.path == "/cut") return {.cut = true};
  if (request.path == "/throw") throw 1;
  if (request.path == "/empty") return {.status = 204, .body = "dropped"};
  if (request.path == "/bad-header") return {.headers = {{"X", "a\r\nY: b"}}};
  if (request.path == "/length") return {.headers = {{"Content-Length", "77"}}, .body = "four"};
  std::string body = request.method + " " + request.path;
  for (const auto& [name, value] : request.query) body += " " + name + "=" + value;
  if (!request.body.empty()) body += " [" + request.body + "]";
  return {.headers = {{"X-Peer", request.peer}}, .body = body};
}

std::unique_ptr<HttpServer> serve(ServerOptions options = {}, ServerHandler handler = echo) {
  options.threads = 2;
  auto server = HttpServer::listen(options, std::move(handler));
  if (!server) ADD_FAILURE() << server.error().render();
  return std::move(*server);
}

// Sends on a connection of its own and reads until the server closes.
std::string ask(const HttpServer& server, std::string_view bytes) {
  RawConnection connection(server.port());
  EXPECT_TRUE(connection.send(bytes));
  connection.finish_sending();
  return connection.read_all();
}

std::string body_of(const std::string& answer) {
  const auto end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}

TEST(HttpServer, AnswersWithLengthAndDateAndWithoutItsName) {
  const auto server = serve();
  const auto answer = ask(*server, "GET /a%2Fb?x=1&y=two+words HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(status_in(answer), 200);
  EXPECT_EQ(body_of(answer), "GET /a%2Fb x=1 y=two words");
  EXPECT_NE(answer.find("\r\nContent-Length: 26\r\n"), std::string::npos) << answer;
  EXPECT_NE(answer.find("\r\nDate: "), std::string::npos);
  EXPECT_NE(answer.find("\r\nX-Peer: 127.0.0.1\r\n"), std::string::npos);
  EXPECT_EQ(answer.find("Server:"), std::string::npos);
}

TEST(HttpServer, ReadsBodiesByLengthAndByChunk) {
  const auto server = serve();
  EXPECT_EQ(body_of(ask(*server, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")),
            "POST / [abc]");
  EXPECT_EQ(body_of(ask(*server,
                        "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                        "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n")),
            "PUT / [abcde]");
}

TEST(HttpServer, RefusesAmbiguousFramingOnceAndCloses) {
  const auto server = serve();
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\n";
  const std::string next = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::vector<std::pair<std::string, int>> probes{
      {post + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400},
      {post + "Content-Length: 3, 3\r\n\r\nabc", 400},
      {post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {post + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", 400},
      {post + "Transfer-Encoding: identity\r\n\r\n", 501},
      {post + "Transfer-Encoding: xchunked\r\n\r\n", 501},
      {post + "X: 1\r\n folded\r\n\r\n", 400},
      {"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET / HTTP/1.1\nHost: a\n\n", 400},
      {"nonsense\r\n\r\n", 400},
      {post + "Transfer-Encoding: chunked\r\n\r\n-1\r\nabc\r\n", 400},
      {post + "Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n", 400},
      {post + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc\r\n", 400},
      {post + "Transfer-Encoding: chunked\r\n\r\n3;" + std::string(100, 'e') +
           "\r\nabc\r\n0\r\n\r\n",
       400},
      {post + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Trailer: 1\r\n\r\n", 400},
  };
  for (const auto& [bytes, status] : probes) {
    const auto answer = ask(*server, bytes + next);
    EXPECT_EQ(status_in(answer), status) << bytes;
    EXPECT_EQ(answer.find("HTTP/1.", 1), std::string::npos) << "answered twice: " << bytes;
    EXPECT_NE(answer.find("\r\nConnection: close\r\n"), std::string::npos) << bytes;
  }
}

TEST(HttpServer, RefusesAHeadOverTheLimit) {
  const auto server = serve();
  const std::string start = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
  EXPECT_EQ(status_in(ask(*server, start + std::string(15U * 1024, 'x') + "\r\n\r\n")), 200);
  EXPECT_EQ(status_in(ask(*server, start + std::string(17U * 1024, 'x') + "\r\n\r\n")), 431);
  EXPECT_EQ(status_in(ask(*server, start + std::string(400U * 1024, 'x'))), 431);
}

TEST(HttpServer, RefusesABodyOverTheLimit) {
  ServerOptions options;
  options.max_body_bytes = 1000;
  const auto server = serve(options);
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\n";
  EXPECT_EQ(status_in(ask(*server, post + "Content-Length: 1000\r\n\r\n" + std::string(1000, 'x'))),
            200);
  EXPECT_EQ(status_in(ask(*server, post + "Content-Length: 1001\r\n\r\n" + std::string(1001, 'x'))),
            413);
  EXPECT_EQ(status_in(ask(*server, post + "Transfer-Encoding: chunked\r\n\r\n3e9\r\n" +
                                       std::string(1001, 'x') + "\r\n0\r\n\r\n")),
            413);
  std::string dribble;
  for (int i = 0; i < 20'000; ++i) dribble += "1\r\nx\r\n";
  EXPECT_EQ(status_in(ask(*server, post + "Transfer-Encoding: chunked\r\n\r\n" + dribble)), 413);
}

TEST(HttpServer, CloseAfterAHeadThatDoesNotEndInTime) {
  ServerOptions options;
  options.header_timeout = std::chrono::seconds(1);
  const auto server = serve(options);
  RawConnection silent(server->port());
  RawConnection slow(server->port());
  ASSERT_TRUE(slow.send("GET / HTTP/1.1\r\nHost: a\r\nX-"));
  EXPECT_EQ(slow.read_all(), "");
  EXPECT_EQ(silent.read_all(), "");
}

TEST(HttpServer, ClosesAKeptConnectionThatStaysIdle) {
  ServerOptions options;
  options.idle_timeout = std::chrono::seconds(1);
  const auto server = serve(options);
  RawConnection connection(server->port());
  ASSERT_TRUE(connection.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_EQ(status_in(connection.read_all()), 200);
}

TEST(HttpServer, ClosesAfterABodyThatDoesNotEndInTime) {
  ServerOptions options;
  options.body_timeout = std::chrono::seconds(1);
  const auto server = serve(options);
  RawConnection connection(server->port());
  ASSERT_TRUE(connection.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab"));
  EXPECT_EQ(connection.read_all(), "");
}

TEST(HttpServer, AnswersPipelinedRequestsInOrder) {
  const auto server = serve();
  std::string requests;
  for (const auto* path : {"/1", "/2", "/3"}) {
    requests += "POST " + std::string(path) + " HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n" +
                std::string(path);
  }
  const auto answers = ask(*server, requests);
  const auto first = answers.find("POST /1 [/1]");
  const auto second = answers.find("POST /2 [/2]");
  const auto third = answers.find("POST /3 [/3]");
  EXPECT_LT(first, second);
  EXPECT_LT(second, third);
  EXPECT_NE(third, std::string::npos);
}

TEST(HttpServer, KeepsTheConnectionUnlessToldOtherwise) {
  const auto server = serve();
  RawConnection connection(server->port());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(connection.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"));
    EXPECT_EQ(status_in(connection.read_until("GET /1")), 200);
  }
  ASSERT_TRUE(connection.send("\r\nGET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
  EXPECT_NE(connection.read_all().find("GET /2"), std::string::npos);
  EXPECT_EQ(
      body_of(ask(*server, "GET /3 HTTP/1.0\r\nHost: a\r\n\r\nGET /4 HTTP/1.0\r\nHost: a\r\n\r\n")),
      "GET /3");
}

TEST(HttpServer, SendsNoBodyToHead) {
  const auto server = serve();
  const auto answer = ask(*server, "HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_NE(answer.find("\r\nContent-Length: 7\r\n"), std::string::npos) << answer;
  EXPECT_EQ(body_of(answer), "");
  EXPECT_NE(ask(*server, "HEAD /length HTTP/1.1\r\nHost: a\r\n\r\n").find("Content-Length: 77"),
            std::string::npos);
  EXPECT_EQ(body_of(ask(*server, "GET /length HTTP/1.1\r\nHost: a\r\n\r\n")), "four");
}

TEST(HttpServer, SendsNoBodyWithNoContent) {
  const auto server = serve();
  const auto answer = ask(*server, "GET /empty HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(status_in(answer), 204);
  EXPECT_EQ(body_of(answer), "");
  EXPECT_EQ(answer.find("Content-Length"), std::string::npos);
}

TEST(HttpServer, CutsWithoutAnAnswer) {
  const auto server = serve();
  RawConnection connection(server->port());
  ASSERT_TRUE(connection.send("GET /cut HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_EQ(connection.read_all(), "");
  EXPECT_TRUE(connection.was_reset());
}

TEST(HttpServer, TurnsAThrowingHandlerIntoAnError) {
  const auto server = serve();
  EXPECT_EQ(status_in(ask(*server, "GET /throw HTTP/1.1\r\nHost: a\r\n\r\n")), 500);
  EXPECT_EQ(status_in(ask(*server, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")), 200);
}

TEST(HttpServer, DoesNotLetAHandlerSplitItsAnswer) {
  const auto server = serve();
  const auto answer = ask(*server, "GET /bad-header HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(status_in(answer), 500);
  EXPECT_EQ(answer.find("Y: b"), std::string::npos);
}

TEST(HttpServer, TellsAClientThatAsksToGoOn) {
  const auto server = serve();
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: ";
  RawConnection connection(server->port());
  ASSERT_TRUE(connection.send(head + "100-continue\r\n\r\n"));
  EXPECT_EQ(connection.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  ASSERT_TRUE(connection.send("abc"));
  EXPECT_NE(connection.read_until("[abc]").find("[abc]"), std::string::npos);
  EXPECT_EQ(status_in(ask(*server, head + "miracles\r\n\r\nabc")), 417);
}

TEST(HttpServer, ServesOthersWhileManyConnectionsAreHalfOpen) {
  const auto server = serve();
  std::vector<std::unique_ptr<RawConnection>> slow;
  for (int i = 0; i < 100; ++i) {
    slow.push_back(std::make_unique<RawConnection>(server->port()));
    ASSERT_TRUE(slow.back()->send("GET / HTTP/1.1\r\nHo"));
  }
  EXPECT_EQ(status_in(ask(*server, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")), 200);
}

TEST(HttpServer, LeavesConnectionsOverTheLimitInTheQueue) {
  ServerOptions options;
  options.max_connections = 1;
  const auto server = serve(options);
  auto first = std::make_unique<RawConnection>(server->port());
  ASSERT_TRUE(first->send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"));
  ASSERT_EQ(status_in(first->read_until("GET /1")), 200);
  RawConnection second(server->port());
  ASSERT_TRUE(second.send("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n"));
  first.reset();
  EXPECT_EQ(status_in(second.read_until("GET /2")), 200);
}

TEST(HttpServer, StopLetsARunningHandlerAnswer) {
  std::latch running(1);
  std::promise<void> release;
  const auto server = serve({}, [&](const ServerRequest&) -> ServerResponse {
    running.count_down();
    release.get_future().wait();
    return {.body = "late"};
  });
  RawConnection idle(server->port());
  RawConnection connection(server->port());
  ASSERT_TRUE(connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  running.wait();
  std::thread stopper([&] { server->stop(); });
  EXPECT_EQ(idle.read_all(), "");  // the server has begun to stop
  release.set_value();
  EXPECT_EQ(body_of(connection.read_all()), "late");
  stopper.join();
  server->stop();
  EXPECT_FALSE(RawConnection(server->port()).connected());
}

TEST(HttpServer, RefusesAnAddressInUseOrMalformed) {
  const auto server = serve();
  ServerOptions options;
  options.port = server->port();
  EXPECT_EQ(HttpServer::listen(options, echo).error().kind(), ErrorKind::Conflict);
  options.address = "nowhere";
  EXPECT_EQ(HttpServer::listen(options, echo).error().kind(), ErrorKind::InvalidArgument);
}

}  // namespace
}  // namespace bailey
