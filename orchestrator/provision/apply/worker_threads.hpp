#pragma once

#include <cstddef>
#include <functional>

namespace bailey {

/// Runs `body` on up to `count` threads of its own, each with a small stack, and returns when all
/// have ended. Provider calls block, and hundreds may: what they need is address space, not memory
/// (tests/bench/waiting). When the system has no thread left, fewer run it; at worst the caller
/// does. `body` does not throw.
void run_on_threads(std::size_t count, const std::function<void()>& body);

}  // namespace bailey
