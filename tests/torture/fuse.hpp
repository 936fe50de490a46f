#pragma once

#include "orchestrator/net/http_client.hpp"
#include "orchestrator/record/store/state_store.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

namespace bailey::torture {

/// What is to happen at one of the points that a process passes.
enum class Fate : std::uint8_t {
  None,
  Die,   ///< SIGKILL.
  Halt,  ///< SIGSTOP: whoever started the process sends SIGCONT.
  Cut,   ///< The answer is lost on its way, after the cloud acted. For requests alone.
};

struct FuseOptions {
  Fate fate = Fate::None;
  std::uint64_t at = 0;  ///< The number of the point, from 1.
  /// Points count from the first intent on, else from the start.
  bool from_first_intent = false;
  std::filesystem::path log;  ///< A line for each point, or empty.
};

/// Counts the points that a process passes, and strikes at one of them. Any thread.
class Fuse {
 public:
  explicit Fuse(FuseOptions options) : options_(std::move(options)) {}

  /// From here on an operation is under way.
  void arm();
  /// A point has been reached. Does not return where the process is to die.
  void reach(const char* kind, const std::string& label);
  /// A request was answered. True: the answer is lost.
  [[nodiscard]] bool cuts();
  /// It did.
  [[nodiscard]] bool struck();

 private:
  void write(std::uint64_t number, const char* kind, const std::string& label);

  FuseOptions options_;
  std::mutex mutex_;
  bool armed_ = false;
  std::uint64_t passed_ = 0;
  std::uint64_t answered_ = 0;
  bool struck_ = false;
};

/// A store whose write transactions pass a point before and after each commit.
class FusedStore final : public StateStore {
 public:
  FusedStore(StateStore& store, Fuse& fuse) : store_(store), fuse_(fuse) {}
  Result<std::unique_ptr<Transaction>> begin(Access access) override;

 private:
  StateStore& store_;
  Fuse& fuse_;
};

/// A client whose mutating requests pass a point before they are sent and one after they were
/// answered, and bear the process's name as their X-OpenStack-Request-ID. Logins pass none.
class FusedHttpClient final : public HttpClient {
 public:
  FusedHttpClient(HttpClient& inner, Fuse& fuse, std::string name)
      : inner_(inner), fuse_(fuse), name_(std::move(name)) {}
  Result<HttpResponse> send(const HttpRequest& request, std::stop_token stop) override;

 private:
  HttpClient& inner_;
  Fuse& fuse_;
  std::string name_;
};

}  // namespace bailey::torture
