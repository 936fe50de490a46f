// Counts constructions and destructions of arguments inside a co_await expression.
// g++ 12.2 destroys the members of an aggregate temporary twice; exit status 1 if so.
#include <coroutine>
#include <cstdio>
#include <exception>
#include <utility>

int alive = 0;

struct Member {
  explicit(false) Member(const char*) { ++alive; }
  Member(const Member&) { ++alive; }
  Member(Member&&) noexcept { ++alive; }
  ~Member() { --alive; }
};

struct Aggregate {
  Member method;
  Member path;
};

struct WithConstructor {
  WithConstructor(Member m, Member p) : method(std::move(m)), path(std::move(p)) {}
  Member method;
  Member path;
};

struct Task {
  struct promise_type {
    Task get_return_object() noexcept { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }
  };
};

template <class T>
std::suspend_never send(const T&) {
  return {};
}

Task aggregate_temporary() {
  co_await send(Aggregate{"GET", "/"});
}
Task aggregate_variable() {
  const Aggregate request{"GET", "/"};
  co_await send(request);
}
Task class_temporary() {
  co_await send(WithConstructor{"GET", "/"});
}
void no_coroutine() {
  send(Aggregate{"GET", "/"});
}

template <class F>
int check(const char* name, F function) {
  alive = 0;
  function();
  std::printf("%-20s %s (%+d objects left)\n", name, alive == 0 ? "ok" : "WRONG", alive);
  return alive == 0 ? 0 : 1;
}

int main() {
  return check("aggregate temporary", aggregate_temporary) |
         check("aggregate variable", aggregate_variable) |
         check("class temporary", class_temporary) | check("no coroutine", no_coroutine);
}
