#include "orchestrator/net/send_window.hpp"

#include <utility>

namespace bailey {

namespace {

thread_local std::shared_ptr<const SendWindow> innermost;

}  // namespace

SendingWithin::SendingWithin(std::shared_ptr<const SendWindow> window)
    : outer_(std::exchange(innermost, std::move(window))) {}

SendingWithin::~SendingWithin() {
  innermost = std::move(outer_);
}

const std::shared_ptr<const SendWindow>& SendingWithin::current() noexcept {
  return innermost;
}

}  // namespace bailey
