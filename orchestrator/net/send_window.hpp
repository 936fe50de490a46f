#pragma once

#include <chrono>
#include <memory>
#include <string_view>

namespace bailey {

/// The code of the failure that a request was not sent, because its SendWindow was over.
inline constexpr std::string_view kWindowOver = "net.window-over";

/// The time in which requests that may change something may be under way: that of a lease, say. It
/// is asked by any thread, at the last moment before a request leaves.
class SendWindow {
 public:
  virtual ~SendWindow() = default;
  /// How long what is sent now may take; nothing may be sent when it is zero or less.
  [[nodiscard]] virtual std::chrono::milliseconds remaining() const = 0;
};

/// While it lives, what this thread sends through an HttpClient and what may change something (RFC
/// 9110 section 9.2.1: every method but GET, HEAD, OPTIONS and TRACE) is sent within this window
/// alone: its answer is not waited for any longer (Timeout), and once the window is over it is not
/// sent (Unavailable, code kWindowOver). That is looked at last of all, when the connection is
/// there. The innermost one counts. It is of the thread and no argument, because whoever has a
/// lease sees providers, and providers see no leases.
class SendingWithin {
 public:
  explicit SendingWithin(std::shared_ptr<const SendWindow> window);
  ~SendingWithin();
  SendingWithin(const SendingWithin&) = delete;
  SendingWithin& operator=(const SendingWithin&) = delete;

  /// The one that counts in this thread, or null.
  [[nodiscard]] static const std::shared_ptr<const SendWindow>& current() noexcept;

 private:
  std::shared_ptr<const SendWindow> outer_;
};

}  // namespace bailey
