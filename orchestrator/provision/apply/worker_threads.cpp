#include "orchestrator/provision/apply/worker_threads.hpp"

#include <pthread.h>
#include <vector>

namespace bailey {

namespace {

/// Twice what was measured to suffice for a call, for the store's sake.
constexpr std::size_t kStackBytes = 512U * 1024;

void* enter(void* body) {
  (*static_cast<const std::function<void()>*>(body))();
  return nullptr;
}

}  // namespace

void run_on_threads(std::size_t count, const std::function<void()>& body) {
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return body();
  pthread_attr_setstacksize(&attributes, kStackBytes);
  std::vector<pthread_t> threads;
  threads.reserve(count);
  // pthread_create takes void*; the body is only ever called through a pointer to const again.
  auto* argument = const_cast<void*>(static_cast<const void*>(&body));
  for (std::size_t i = 0; i < count; ++i) {
    pthread_t thread{};
    if (pthread_create(&thread, &attributes, &enter, argument) != 0) break;
    threads.push_back(thread);
  }
  pthread_attr_destroy(&attributes);
  if (threads.empty()) body();
  for (const auto thread : threads) pthread_join(thread, nullptr);
}

}  // namespace bailey
