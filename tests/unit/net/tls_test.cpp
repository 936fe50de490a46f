#include "orchestrator/base/file.hpp"
#include "orchestrator/base/process.hpp"
#include "orchestrator/net/curl_http_client.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdio>
#include <sys/wait.h>
#include <unistd.h>

namespace bailey {
namespace {

/// Keeps its connections, and answers with the number of those that it has had.
constexpr auto kServer = R"(
import http.server, ssl, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    connections = 0
    def setup(self):
        Handler.connections += 1
        super().setup()
    def do_GET(self):
        body = str(Handler.connections).encode()
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *ignored):
        pass
class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *ignored):
        pass
    def finish_request(self, request, address):
        # The handshake here and not in accept(), so that a failed one ends no loop.
        super().finish_request(context.wrap_socket(request, server_side=True), address)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1] + '/server.pem', sys.argv[1] + '/server.key')
server = Server(('127.0.0.1', 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
)";

/// A server whose certificate an authority of its own has signed, and another authority.
class TlsTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::make_unique<TemporaryFolder>(*TemporaryFolder::create("tls-test"));
    make_authority("ours");
    make_authority("other");
    sign("ours", "server", "127.0.0.1");
    ASSERT_TRUE(write_file(path("server.py"), kServer));
    start();
  }
  void TearDown() override {
    if (server_ <= 0) return;
    ::kill(server_, SIGKILL);
    ::waitpid(server_, nullptr, 0);
  }

  [[nodiscard]] std::string path(const std::string& name) const {
    return (folder_->path() / name).string();
  }
  [[nodiscard]] Result<HttpResponse> get(const std::string& ca_file,
                                         const std::string& host = "127.0.0.1") {
    HttpRequest request;
    request.url = "https://" + host + ":" + std::to_string(port_) + "/";
    request.ca_file = ca_file.empty() ? "" : path(ca_file);
    return client_.send(request, {});
  }

  CurlHttpClient client_;

 private:
  void run(std::vector<std::string> arguments) {
    Command command;
    command.arguments = std::move(arguments);
    command.inherit_environment = true;
    const auto done = run_process(command);
    ASSERT_TRUE(done) << done.error().render();
    ASSERT_EQ(done->exit_code, 0) << done->output;
  }
  std::vector<std::string> request(const std::string& name) {
    return {"openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=" + name,
            "-keyout",
            path(name + ".key"),
            "-out",
            path(name + ".pem")};
  }
  void make_authority(const std::string& name) { run(request(name)); }
  void sign(const std::string& authority, const std::string& name, const std::string& address) {
    auto arguments = request(name);
    for (const auto& each :
         {std::string("-CA"), path(authority + ".pem"), std::string("-CAkey"),
          path(authority + ".key"), std::string("-addext"), "subjectAltName=IP:" + address,
          std::string("-addext"), std::string("basicConstraints=critical,CA:FALSE")}) {
      arguments.push_back(each);
    }
    run(std::move(arguments));
  }
  void start() {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    server_ = ::fork();
    ASSERT_GE(server_, 0);
    if (server_ == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      ::close(ends[0]);
      ::execl("/usr/bin/python3", "python3", path("server.py").c_str(), folder_->path().c_str(),
              nullptr);
      ::_exit(127);
    }
    ::close(ends[1]);
    std::FILE* out = ::fdopen(ends[0], "r");
    ASSERT_NE(out, nullptr);
    const int read = std::fscanf(out, "%d", &port_);
    std::fclose(out);
    ASSERT_EQ(read, 1);
  }

  std::unique_ptr<TemporaryFolder> folder_;
  pid_t server_ = -1;
  int port_ = 0;
};

void expect_unverified(const Result<HttpResponse>& answer) {
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind(), ErrorKind::Protocol);
  EXPECT_EQ(answer.error().code(), kBadCertificate);
}

TEST_F(TlsTest, TrustsTheAuthorityThatARequestNames) {
  const auto answer = get("ours.pem");
  ASSERT_TRUE(answer) << answer.error().render();
  EXPECT_EQ(answer->status, 200);
  expect_unverified(get("other.pem"));
  expect_unverified(get(""));
  expect_unverified(get("ours.pem", "localhost"));
  expect_unverified(get("nowhere.pem"));
  expect_unverified(get("server.py"));
}

// A kept connection was made with somebody else's trust.
TEST_F(TlsTest, UsesNoConnectionThatAnotherAuthorityVouchedFor) {
  const auto first = get("ours.pem");
  ASSERT_TRUE(first) << first.error().render();
  const auto again = get("ours.pem");
  ASSERT_TRUE(again);
  EXPECT_EQ(again->body, first->body);
  expect_unverified(get("other.pem"));
  expect_unverified(get(""));
}

}  // namespace
}  // namespace bailey
