#include "orchestrator/base/secret.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <ostream>
#include <string>
#include <type_traits>
#include <utility>

namespace bailey {
namespace {

template <class T>
concept Streams = requires(std::ostream& out, const T& value) {
  out << value;
};

static_assert(!Streams<Secret>);
static_assert(!std::is_convertible_v<Secret, std::string>);
static_assert(!std::is_convertible_v<Secret, std::string_view>);
static_assert(!std::is_convertible_v<std::string, Secret>);
static_assert(!std::is_constructible_v<nlohmann::json, Secret>);

TEST(Secret, IsEmptyAfterItWasMovedAway) {
  Secret first(std::string(100, 'x'));
  Secret second(std::move(first));
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): what is left is promised.
  Secret third;
  third = std::move(second);
  EXPECT_TRUE(second.empty());  // NOLINT(bugprone-use-after-move): what is left is promised.
  EXPECT_EQ(third.reveal(), std::string(100, 'x'));
}

TEST(Secret, CopiesStandOnTheirOwn) {
  Secret first("value");
  Secret second = first;
  first = Secret("other");
  EXPECT_EQ(second.reveal(), "value");
  Secret& same = second;
  second = same;
  EXPECT_EQ(second.reveal(), "value");
}

}  // namespace
}  // namespace bailey
