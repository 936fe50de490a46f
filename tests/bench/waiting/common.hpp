// Shared by all variants: requests, results, libcurl set-up, process measurements, options.
#pragma once

#include <curl/curl.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <utility>
#include <variant>

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kPollPause{20};
constexpr int kMaxPolls = 10;

struct Request {
  // Not an aggregate on purpose: see compiler_bug.cpp.
  Request(std::string method, std::string path, std::string body)
      : method(std::move(method)), path(std::move(path)), body(std::move(body)) {}

  std::string method;
  std::string path;
  std::string body;
};

struct Response {
  long status = 0;
  std::string body;
};

struct Error {
  std::string message;
  bool cancelled = false;
};

inline Error cancelled_error() {
  return {"cancelled", true};
}

template <class T>
class Result {
 public:
  Result(T value) : state_(std::move(value)) {}
  Result(Error error) : state_(std::move(error)) {}

  explicit operator bool() const { return std::holds_alternative<T>(state_); }
  const T& operator*() const { return std::get<T>(state_); }
  const T* operator->() const { return &std::get<T>(state_); }
  const Error& error() const { return std::get<Error>(state_); }

 private:
  std::variant<T, Error> state_;
};

struct EasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using Easy = std::unique_ptr<CURL, EasyDeleter>;

struct MultiDeleter {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
using Multi = std::unique_ptr<CURLM, MultiDeleter>;

inline Multi make_multi(long max_connects) {
  Multi multi(curl_multi_init());
  // Without this the cache holds 4 x (handles added right now) and drops idle connections.
  if (max_connects > 0) curl_multi_setopt(multi.get(), CURLMOPT_MAXCONNECTS, max_connects);
  return multi;
}

inline size_t append_body(char* data, size_t size, size_t count, void* target) {
  static_cast<Response*>(target)->body.append(data, size * count);
  return size * count;
}

inline void prepare(CURL* easy, const std::string& base, const Request& request,
                    Response* response) {
  curl_easy_setopt(easy, CURLOPT_URL, (base + request.path).c_str());
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  if (!request.body.empty()) {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body.size()));
    curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, request.body.c_str());
  }
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, append_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, response);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 20000L);
}

inline Result<Response> finish(CURL* easy, CURLcode code, Response response) {
  if (code != CURLE_OK) return Error{curl_easy_strerror(code)};
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &response.status);
  return response;
}

inline long status_kib(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(key)) return std::atol(line.c_str() + key.size() + 1);
  }
  return -1;
}

inline double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

inline double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

struct Options {
  std::string mode = "shared";  // threads only: shared | plain
  std::string base;
  int calls = 256;
  int cancel_after_ms = 0;  // 0: run to the end
  long stack_kib = 256;
  long max_connects = 1024;
};

inline Options parse_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string key = argv[i];
    const std::string value = argv[i + 1];
    if (key == "--mode") options.mode = value;
    if (key == "--port") options.base = "http://127.0.0.1:" + value;
    if (key == "--calls") options.calls = std::stoi(value);
    if (key == "--cancel-after-ms") options.cancel_after_ms = std::stoi(value);
    if (key == "--stack-kib") options.stack_kib = std::stol(value);
    if (key == "--max-connects") options.max_connects = std::stol(value);
  }
  if (options.base.empty()) throw std::invalid_argument("--port is required");
  return options;
}

// How the calls ended; guarded by the caller.
struct Tally {
  int succeeded = 0;
  int failed = 0;
  int cancelled = 0;

  int total() const { return succeeded + failed + cancelled; }
  void add(const Result<std::string>& result) {
    if (result) {
      ++succeeded;
    } else if (result.error().cancelled) {
      ++cancelled;
    } else {
      ++failed;
    }
  }
};

// Taken once libcurl is initialised and nothing else has been started.
struct Baseline {
  long rss_kib = status_kib("VmRSS:");
  double cpu = cpu_seconds();
  Clock::time_point start = Clock::now();
};

// `wall_ms`: until the last call returned; `returned_ms`, `torn_down_ms`: since the stop request.
inline void report(const Baseline& base, const Tally& tally, double wall_ms, double returned_ms,
                   double torn_down_ms) {
  std::printf(
      "{\"wall_ms\": %.2f, \"baseline_kib\": %ld, \"peak_kib\": %ld, \"cpu_s\": %.4f, "
      "\"succeeded\": %d, \"failed\": %d, \"cancelled\": %d, \"returned_ms\": %.2f, "
      "\"torn_down_ms\": %.2f}\n",
      wall_ms, base.rss_kib, status_kib("VmHWM:"), cpu_seconds() - base.cpu, tally.succeeded,
      tally.failed, tally.cancelled, returned_ms, torn_down_ms);
}
