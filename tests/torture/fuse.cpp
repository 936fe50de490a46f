#include "tests/torture/fuse.hpp"

#include "tests/support/forwarding_transaction.hpp"

#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <unistd.h>

namespace bailey::torture {

namespace {

const char* name_of(Collection collection) {
  switch (collection) {
    case Collection::Setting:
      return "setting";
    case Collection::Environment:
      return "environment";
    case Collection::Resource:
      return "resource";
    case Collection::Intent:
      return "intent";
    case Collection::Change:
      return "change";
    case Collection::Credential:
      return "credential";
    case Collection::Identity:
      return "identity";
    default:
      return "record";
  }
}

class FusedTransaction final : public test::ForwardingTransaction {
 public:
  FusedTransaction(std::unique_ptr<Transaction> inner, Fuse& fuse)
      : ForwardingTransaction(std::move(inner)), fuse_(fuse) {}

  Result<std::uint64_t> put(Collection collection, std::string_view key, const nlohmann::json& body,
                            std::uint64_t expected) override {
    note("put", collection, key);
    if (collection == Collection::Intent) fuse_.arm();
    return ForwardingTransaction::put(collection, key, body, expected);
  }
  Result<bool> erase(Collection collection, std::string_view key) override {
    note("erase", collection, key);
    return ForwardingTransaction::erase(collection, key);
  }
  Status commit() override {
    fuse_.reach("commit", label_);
    auto committed = ForwardingTransaction::commit();
    if (committed) fuse_.reach("committed", label_);
    return committed;
  }

 private:
  void note(const char* what, Collection collection, std::string_view key) {
    label_ += fmt::format("{}{} {} {}", label_.empty() ? "" : ", ", what, name_of(collection), key);
  }

  Fuse& fuse_;
  std::string label_;
};

bool mutates(const HttpRequest& request) {
  return request.method != "GET" && request.method != "HEAD" &&
         request.url.find("/auth/tokens") == std::string::npos;
}

std::string path_of(const std::string& url) {
  const auto path = url.find('/', url.find("://") + 3);
  return path == std::string::npos ? "/" : url.substr(path, url.find('?') - path);
}

}  // namespace

void Fuse::arm() {
  const std::lock_guard lock(mutex_);
  armed_ = true;
}

void Fuse::reach(const char* kind, const std::string& label) {
  // Held across the end: no other thread gets further than this one.
  const std::lock_guard lock(mutex_);
  if (options_.from_first_intent && !armed_) return;
  write(++passed_, kind, label);
  if (passed_ != options_.at || options_.fate == Fate::None || options_.fate == Fate::Cut) return;
  struck_ = true;
  if (options_.fate == Fate::Die) kill(getpid(), SIGKILL);
  if (options_.fate == Fate::Halt) kill(getpid(), SIGSTOP);
}

bool Fuse::cuts() {
  const std::lock_guard lock(mutex_);
  if (options_.from_first_intent && !armed_) return false;
  if (options_.fate != Fate::Cut || ++answered_ != options_.at) return false;
  return struck_ = true;
}

bool Fuse::struck() {
  const std::lock_guard lock(mutex_);
  return struck_;
}

void Fuse::write(std::uint64_t number, const char* kind, const std::string& label) {
  if (options_.log.empty()) return;
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::system_clock::now().time_since_epoch());
  const auto line = fmt::format("{} {} {} {}\n", number, now.count(), kind, label);
  const int file = open(options_.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) return;
  [[maybe_unused]] const auto written = ::write(file, line.data(), line.size());
  close(file);
}

Result<std::unique_ptr<Transaction>> FusedStore::begin(Access access) {
  auto begun = store_.begin(access);
  if (!begun || access == Access::Read) return begun;
  return std::unique_ptr<Transaction>(std::make_unique<FusedTransaction>(*std::move(begun), fuse_));
}

Result<HttpResponse> FusedHttpClient::send(const HttpRequest& request, std::stop_token stop) {
  auto named = request;
  named.headers.emplace_back("X-OpenStack-Request-ID", name_);
  if (!mutates(request)) return inner_.send(named, stop);
  const auto label = request.method + " " + path_of(request.url);
  fuse_.reach("send", label);
  auto answer = inner_.send(named, stop);
  if (!answer) return answer;
  fuse_.reach("acted", label);
  if (!fuse_.cuts()) return answer;
  return fail(ErrorKind::Timeout, label + ": the answer was lost");
}

}  // namespace bailey::torture
