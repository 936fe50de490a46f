#pragma once

#include <tl/expected.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bailey {

/// What went wrong, as far as anybody has to decide by it. Retry, exit code and HTTP status are
/// chosen from the kind alone (error.cpp, cli/exit_code.cpp, api/problem.cpp); text never is.
enum class ErrorKind : std::uint8_t {
  InvalidArgument,     ///< The request itself is malformed.
  Unauthenticated,     ///< Nobody we know is asking.
  PermissionDenied,    ///< Known, and not allowed to.
  Refused,             ///< A gate, duty or rule says no.
  NotFound,            ///< The named thing is not there.
  Conflict,            ///< It exists already, or changed in the meantime.
  QuotaExceeded,       ///< The provider's limit is reached; waiting does not help.
  FailedPrecondition,  ///< Not possible in the present state.
  RateLimited,         ///< Asked too fast; later may succeed.
  Unavailable,         ///< The other side cannot answer now.
  Timeout,             ///< No answer in time: the act may have happened.
  Cancelled,           ///< We were asked to stop.
  Unsupported,         ///< Understood, and not offered.
  Io,                  ///< Disk, database or process failed.
  Protocol,            ///< The other side answered something that cannot be understood.
  Internal,            ///< A bug in bailey.
};

[[nodiscard]] std::string_view to_string(ErrorKind kind) noexcept;

/// An expected failure, carried as a value so that it can be stored next to the operation it
/// belongs to, sent over the API and written to the journal. Never holds a secret.
class Error {
 public:
  Error(ErrorKind kind, std::string message) : kind_(kind), message_(std::move(message)) {}

  [[nodiscard]] ErrorKind kind() const noexcept { return kind_; }
  [[nodiscard]] const std::string& message() const noexcept { return message_; }
  /// What each layer was doing, innermost first.
  [[nodiscard]] const std::vector<std::string>& frames() const noexcept { return frames_; }
  /// What the reader can do about it; empty when nobody knows.
  [[nodiscard]] const std::string& hint() const noexcept { return hint_; }
  /// A stable dotted code such as `artifact.tag-refused`; empty when the kind says enough.
  [[nodiscard]] const std::string& code() const noexcept { return code_; }
  [[nodiscard]] std::optional<std::chrono::milliseconds> retry_after() const noexcept {
    return retry_after_;
  }
  /// True when trying the same call again, unchanged, may succeed.
  [[nodiscard]] bool retryable() const noexcept;

  /// Adds what the caller was doing: `fail(std::move(e).in("creating staging/net"))`.
  Error in(std::string frame) &&;
  Error with_hint(std::string hint) &&;
  Error with_code(std::string code) &&;
  Error with_retry_after(std::chrono::milliseconds delay) &&;

  /// Message, then one line a frame, then the hint; no trailing newline.
  [[nodiscard]] std::string render() const;

 private:
  ErrorKind kind_;
  std::string message_;
  std::vector<std::string> frames_;
  std::string hint_;
  std::string code_;
  std::optional<std::chrono::milliseconds> retry_after_;
};

/// A value or an Error. A class rather than an alias only because tl::expected is not
/// [[nodiscard]]: no failure can be dropped unseen.
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
  // NOLINTNEXTLINE(google-explicit-constructor): lets map() and and_then() flow back into Result.
  Result(tl::expected<T, Error> base) : tl::expected<T, Error>(std::move(base)) {}
};

using Status = Result<void>;

[[nodiscard]] inline tl::unexpected<Error> fail(Error error) {
  return tl::unexpected<Error>(std::move(error));
}
[[nodiscard]] inline tl::unexpected<Error> fail(ErrorKind kind, std::string message) {
  return tl::unexpected<Error>(Error(kind, std::move(message)));
}

}  // namespace bailey
