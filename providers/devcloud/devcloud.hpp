#pragma once

#include "orchestrator/base/clock.hpp"
#include "orchestrator/base/error.hpp"
#include "orchestrator/base/secret.hpp"
#include "orchestrator/net/http_server.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace bailey {

struct DevcloudOptions {
  std::string listen = "127.0.0.1:0";  ///< Loopback only; anything else is refused.
  std::filesystem::path state;         ///< Empty: everything is forgotten at the end.
  std::filesystem::path openrc;        ///< Where the administrator's `OS_*` exports go, or empty.
  std::filesystem::path faults;        ///< A JSON file of rules, or empty.
  std::uint64_t seed = 1;              ///< Of latency and faults.
  std::chrono::milliseconds build_delay{300};  ///< Of a server.
  Clock* clock = nullptr;                      ///< The system's when null; must outlive.
  /// Called with each request when it has arrived, from any thread, before anything is done.
  std::function<void(const ServerRequest&)> observer = {};
};

/// The embedded cloud: a small OpenStack (Keystone v3, Neutron v2.0, Nova 2.1, Glance v2, Barbican
/// v1) for laptops, demos and tests, on one loopback port: Keystone at /v3, the others behind
/// /network, /compute, /image and /key-manager. Answers as the real services do, refusals included.
class Devcloud {
 public:
  /// Answers requests as soon as it returns. The administrator's password is kept when both the
  /// state and the openrc file are there; otherwise a new one is made.
  [[nodiscard]] static Result<std::unique_ptr<Devcloud>> start(const DevcloudOptions& options);
  /// The same cloud without a socket, for handle().
  [[nodiscard]] static Result<std::unique_ptr<Devcloud>> without_socket(
      const DevcloudOptions& options);
  ~Devcloud();
  Devcloud(const Devcloud&) = delete;
  Devcloud& operator=(const Devcloud&) = delete;

  /// 0 without a socket.
  [[nodiscard]] std::uint16_t port() const noexcept;
  /// `http://127.0.0.1:PORT/v3`
  [[nodiscard]] std::string auth_url() const;
  /// Of user `admin`, project `admin`, domain `Default`.
  [[nodiscard]] const Secret& admin_password() const noexcept;
  /// One request, as if it had come through the socket. Safe from any thread.
  [[nodiscard]] ServerResponse handle(const ServerRequest& request);
  /// Lets running requests finish. Safe to repeat.
  void stop();

 private:
  struct Parts;
  explicit Devcloud(std::unique_ptr<Parts> parts);
  [[nodiscard]] static Result<std::unique_ptr<Devcloud>> build(const DevcloudOptions& options);
  std::unique_ptr<Parts> parts_;
};

/// Serves until SIGINT or SIGTERM; prints where it listens on stdout. Returns the exit code.
[[nodiscard]] int run_devcloud(const DevcloudOptions& options);

}  // namespace bailey
