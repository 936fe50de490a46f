#pragma once

#include "orchestrator/base/digest.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace bailey {

/// SHA-256 of what comes in pieces.
class Sha256Stream {
 public:
  Sha256Stream();
  void add(std::string_view bytes);
  /// Once, at the end.
  [[nodiscard]] Sha256 finish();

 private:
  std::shared_ptr<void> context_;
};

/// `sha256:<hex>` of a hash that is at hand.
[[nodiscard]] std::string digest_of(const Sha256& hash);

}  // namespace bailey
