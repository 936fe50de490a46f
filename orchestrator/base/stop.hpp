#pragma once

#include <stop_token>
#include <utility>

namespace bailey {

/// A stop that is requested with either of two others, for as long as it lives.
class EitherStop {
 public:
  EitherStop(std::stop_token first, std::stop_token second)
      : on_first_(std::move(first), Request{&source_}),
        on_second_(std::move(second), Request{&source_}) {}
  EitherStop(const EitherStop&) = delete;
  EitherStop& operator=(const EitherStop&) = delete;

  [[nodiscard]] std::stop_token token() const noexcept { return source_.get_token(); }

 private:
  struct Request {
    std::stop_source* source;
    void operator()() const noexcept { source->request_stop(); }
  };
  std::stop_source source_;
  std::stop_callback<Request> on_first_;
  std::stop_callback<Request> on_second_;
};

}  // namespace bailey
