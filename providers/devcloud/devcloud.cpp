#include "providers/devcloud/devcloud.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/file.hpp"
#include "orchestrator/base/text.hpp"
#include "providers/devcloud/cloud.hpp"
#include "providers/devcloud/faults.hpp"
#include "providers/devcloud/identity.hpp"
#include "providers/devcloud/router.hpp"
#include "providers/devcloud/services.hpp"

#include <csignal>
#include <cstdio>
#include <mutex>
#include <optional>
#include <utility>

namespace bailey {

namespace {

using devcloud::Cloud;
using devcloud::Faults;
using devcloud::Router;
using devcloud::StateFile;

struct Address {
  std::string host;
  std::uint16_t port = 0;
};

/// `HOST:PORT` where the host is this machine alone.
Result<Address> loopback_address(const std::string& listen) {
  const auto colon = listen.rfind(':');
  if (colon == std::string::npos) {
    return fail(ErrorKind::InvalidArgument, "\"" + listen + "\" is no HOST:PORT");
  }
  Address address{.host = listen.substr(0, colon), .port = 0};
  const std::string digits = listen.substr(colon + 1);
  unsigned long port = 65536;
  if (!digits.empty() && digits.size() <= 5 &&
      digits.find_first_not_of("0123456789") == std::string::npos) {
    port = std::stoul(digits);
  }
  if (port > 65535) return fail(ErrorKind::InvalidArgument, "\"" + digits + "\" is no port");
  address.port = static_cast<std::uint16_t>(port);
  if (address.host == "localhost") address.host = "127.0.0.1";
  if (address.host == "[::1]") address.host = "::1";
  const auto parts = split(address.host, '.');
  const bool loopback =
      address.host == "::1" || (parts.size() == 4 && parts[0] == "127" &&
                                address.host.find_first_not_of("0123456789.") == std::string::npos);
  if (!loopback) {
    return fail(Error(ErrorKind::Refused, "the embedded cloud listens on loopback only, not on \"" +
                                              address.host + "\"")
                    .with_hint("It is for laptops, demos and tests. Use 127.0.0.1:PORT.")
                    .with_code("devcloud.not-loopback"));
  }
  return address;
}

std::string in_url(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

/// The password that an openrc file of ours exports, or nothing.
std::optional<Secret> password_in(const std::filesystem::path& openrc) {
  constexpr std::string_view kLine = "export OS_PASSWORD=";
  const auto text = read_file(openrc, 64U * 1024);
  if (!text) return std::nullopt;
  for (const std::string& line : split(*text, '\n')) {
    if (line.compare(0, kLine.size(), kLine) == 0) return Secret(line.substr(kLine.size()));
  }
  return std::nullopt;
}

Status write_openrc(const std::filesystem::path& path, const std::string& auth_url,
                    const Secret& password) {
  std::string text =
      "# The administrator of an embedded cloud: for laptops, demos and tests.\n"
      "export OS_AUTH_TYPE=password\n"
      "export OS_IDENTITY_API_VERSION=3\n"
      "export OS_USERNAME=admin\n"
      "export OS_USER_DOMAIN_NAME=Default\n"
      "export OS_PROJECT_NAME=admin\n"
      "export OS_PROJECT_DOMAIN_NAME=Default\n"
      "export OS_REGION_NAME=RegionOne\n"
      "export OS_INTERFACE=public\n";
  text += "export OS_AUTH_URL=" + auth_url + "\n";
  text += "export OS_PASSWORD=" + std::string(password.reveal()) + "\n";
  return write_private_file(path, text);
}

}  // namespace

struct Devcloud::Parts {
  SystemClock system_clock;
  SystemRandom random;
  std::unique_ptr<Faults> faults;
  std::unique_ptr<Cloud> cloud;
  std::unique_ptr<Router> router;
  std::unique_ptr<HttpServer> server;
  Secret password;
  std::function<void(const ServerRequest&)> observer;
};

Devcloud::Devcloud(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Devcloud::~Devcloud() {
  stop();
}

Result<std::unique_ptr<Devcloud>> Devcloud::build(const DevcloudOptions& options) {
  auto parts = std::make_unique<Parts>();
  parts->observer = options.observer;
  parts->faults = std::make_unique<Faults>(options.seed);
  if (!options.faults.empty()) {
    const auto text = read_file(options.faults);
    if (!text) return fail(text.error());
    const auto description = parse_json(*text);
    if (!description) return fail(Error(description.error()).in("reading the faults file"));
    if (auto ready = parts->faults->configure(*description); !ready) return fail(ready.error());
  }
  std::unique_ptr<StateFile> file;
  if (!options.state.empty()) {
    auto opened = StateFile::open(options.state);
    if (!opened) return fail(std::move(opened.error()));
    file = std::move(*opened);
  }
  Clock& clock = options.clock != nullptr ? *options.clock : parts->system_clock;
  parts->cloud = std::make_unique<Cloud>(
      clock, parts->random,
      devcloud::CloudSettings{.visibility_delay = parts->faults->visibility_delay(),
                              .build_delay = options.build_delay},
      std::move(file));
  if (auto loaded = parts->cloud->load(); !loaded) return fail(std::move(loaded.error()));
  parts->router = std::make_unique<Router>(*parts->cloud, *parts->faults, devcloud::identify);
  devcloud::add_services(*parts->router, *parts->cloud);

  auto known = options.openrc.empty() ? std::nullopt : password_in(options.openrc);
  if (known && devcloud::is_admin_password(*parts->cloud, *known)) {
    parts->password = std::move(*known);
  } else {
    parts->password = Secret(base64url(parts->random.bytes(24)));
    devcloud::set_admin_password(*parts->cloud, parts->password);
  }
  if (auto written = parts->cloud->commit(); !written) return fail(std::move(written.error()));
  return std::unique_ptr<Devcloud>(new Devcloud(std::move(parts)));
}

Result<std::unique_ptr<Devcloud>> Devcloud::without_socket(const DevcloudOptions& options) {
  auto cloud = build(options);
  if (!cloud) return cloud;
  if (!options.openrc.empty()) {
    auto written = write_openrc(options.openrc, (*cloud)->auth_url(), (*cloud)->admin_password());
    if (!written) return fail(std::move(written.error()).in("writing the openrc file"));
  }
  return cloud;
}

Result<std::unique_ptr<Devcloud>> Devcloud::start(const DevcloudOptions& options) {
  const auto address = loopback_address(options.listen);
  if (!address) return fail(address.error());
  auto cloud = build(options);
  if (!cloud) return cloud;
  Devcloud& self = **cloud;
  ServerOptions server;
  server.address = address->host;
  server.port = address->port;
  server.max_body_bytes = std::size_t{64} * 1024 * 1024;  // An image's bytes come in one request.
  auto listening = HttpServer::listen(
      server, [&self](const ServerRequest& request) { return self.handle(request); });
  if (!listening) return fail(std::move(listening.error()).in("starting the embedded cloud"));
  self.parts_->server = std::move(*listening);
  {
    const std::lock_guard lock(self.parts_->cloud->mutex());
    self.parts_->cloud->set_base_url("http://" + in_url(address->host) + ":" +
                                     std::to_string(self.port()));
  }
  if (!options.openrc.empty()) {
    auto written = write_openrc(options.openrc, self.auth_url(), self.admin_password());
    if (!written) return fail(std::move(written.error()).in("writing the openrc file"));
  }
  return cloud;
}

std::uint16_t Devcloud::port() const noexcept {
  return parts_->server ? parts_->server->port() : std::uint16_t{0};
}

std::string Devcloud::auth_url() const {
  return parts_->cloud->base_url() + "/v3";
}

const Secret& Devcloud::admin_password() const noexcept {
  return parts_->password;
}

ServerResponse Devcloud::handle(const ServerRequest& request) {
  if (parts_->observer) parts_->observer(request);
  return parts_->router->handle(request);
}

void Devcloud::stop() {
  if (parts_->server) parts_->server->stop();
}

int run_devcloud(const DevcloudOptions& options) {
  // Blocked before any thread starts, so that only sigwait() takes them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  auto cloud = Devcloud::start(options);
  if (!cloud) {
    std::fprintf(stderr, "error: %s\n", cloud.error().render().c_str());
    return cloud.error().kind() == ErrorKind::InvalidArgument ? 64 : 1;
  }
  std::printf("Embedded cloud for laptops, demos and tests: %s\n", (*cloud)->auth_url().c_str());
  if (options.openrc.empty()) {
    std::fprintf(stderr, "Nobody can sign in: --openrc FILE writes the administrator's login.\n");
  } else {
    std::printf("Its administrator: source %s\n", options.openrc.c_str());
  }
  std::fflush(stdout);
  int received = 0;
  sigwait(&signals, &received);
  (*cloud)->stop();
  return 0;
}

}  // namespace bailey
