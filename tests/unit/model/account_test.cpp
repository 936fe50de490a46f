#include "orchestrator/model/account.hpp"

#include <gtest/gtest.h>

namespace bailey {
namespace {

TEST(CrossesInClear, IsTrueForAllButHttpsAndLoopback) {
  for (const char* url :
       {"https://cloud.example/v3", "http://localhost/", "http://127.0.0.1:5000/v3",
        "http://127.1.2.3", "http://[::1]:5000/", "http://[::1]"}) {
    EXPECT_FALSE(crosses_in_clear(url)) << url;
  }
  for (const char* url :
       {"http://cloud.example/v3", "http://127.example:5000", "http://127.0.0.1@evil/",
        "http://127.0.0.1:5000@evil", "http://localhost.evil", "http://[::2]:1", "http://",
        "ftp://localhost/", "localhost:5000", "", "http://evil/127.0.0.1", "http://evil#localhost",
        "http://127.0.0.1.evil", "HTTP://localhost"}) {
    EXPECT_TRUE(crosses_in_clear(url)) << url;
  }
}

}  // namespace
}  // namespace bailey
