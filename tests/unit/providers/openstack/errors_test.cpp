#include "providers/openstack/errors.hpp"

#include <gtest/gtest.h>

namespace bailey::openstack {
namespace {

HttpResponse response(int status, std::string body) {
  return {.status = status, .headers = {}, .body = std::move(body)};
}

ErrorKind kind(int status, std::string body = "{}") {
  return error_from(response(status, std::move(body)), "GET x", Quote::Yes).kind();
}

TEST(ServiceMessage, ReadsTheFormOfEachService) {
  EXPECT_EQ(service_message(R"({"error":{"code":404,"message":"Could not find user: x."}})"),
            "Could not find user: x.");
  EXPECT_EQ(service_message(R"({"NeutronError":{"type":"T","message":"No network","detail":""}})"),
            "No network");
  EXPECT_EQ(service_message(R"({"itemNotFound":{"code":404,"message":"Instance x"}})"),
            "Instance x");
  EXPECT_EQ(service_message(R"({"message":"No image<br /><br />\n\n","code":"404"})"), "No image");
  EXPECT_EQ(
      service_message(R"({"code":404,"title":"Not Found","description":"Secret not found."})"),
      "Secret not found.");
  EXPECT_EQ(service_message(R"({"errors":[{"status":403,"detail":"denied"}]})"), "denied");
  EXPECT_EQ(service_message("<html><h1>502 Bad Gateway</h1></html>"), "502 Bad Gateway");
  EXPECT_EQ(service_message(""), "");
  EXPECT_EQ(service_message("[1, 2]"), "");
}

TEST(ServiceMessage, CutsWhatIsTooLongBetweenCharacters) {
  std::string text;
  for (int i = 0; i < 400; ++i) text += "\xC3\xA4";
  const auto message = service_message(R"({"message":")" + text + R"("})");
  EXPECT_TRUE(message.ends_with("\xC3\xA4..."));
  EXPECT_EQ(message.size(), 603U);
}

TEST(ErrorFrom, GivesEachStatusItsKind) {
  EXPECT_EQ(kind(400), ErrorKind::InvalidArgument);
  EXPECT_EQ(kind(401), ErrorKind::Unauthenticated);
  EXPECT_EQ(kind(403), ErrorKind::PermissionDenied);
  EXPECT_EQ(kind(404), ErrorKind::NotFound);
  EXPECT_EQ(kind(406), ErrorKind::Unsupported);
  EXPECT_EQ(kind(409), ErrorKind::Conflict);
  EXPECT_EQ(kind(412), ErrorKind::Conflict);
  EXPECT_EQ(kind(413), ErrorKind::RateLimited);
  EXPECT_EQ(kind(429), ErrorKind::RateLimited);
  EXPECT_EQ(kind(500), ErrorKind::Unavailable);
  EXPECT_EQ(kind(503), ErrorKind::Unavailable);
  EXPECT_EQ(kind(504), ErrorKind::Timeout);
  EXPECT_EQ(kind(300), ErrorKind::Protocol);
  EXPECT_EQ(kind(302), ErrorKind::Protocol);
}

TEST(ErrorFrom, TellsQuotasFromRefusals) {
  EXPECT_EQ(kind(409, R"({"NeutronError":{"type":"OverQuota","message":"m","detail":""}})"),
            ErrorKind::QuotaExceeded);
  EXPECT_EQ(kind(403, R"({"forbidden":{"code":403,"message":"Quota exceeded for instances"}})"),
            ErrorKind::QuotaExceeded);
  EXPECT_EQ(kind(403, R"({"forbidden":{"code":403,"message":"Policy doesn't allow it"}})"),
            ErrorKind::PermissionDenied);
  EXPECT_EQ(kind(409, R"({"NeutronError":{"type":"NetworkInUse","message":"m","detail":""}})"),
            ErrorKind::Conflict);
}

TEST(ErrorFrom, TakesTheDelayAlong) {
  auto slow = response(429, "{}");
  slow.headers = {{"retry-after", "7"}};
  EXPECT_EQ(error_from(slow, "GET x", Quote::Yes).retry_after(), std::chrono::seconds(7));
  slow.headers = {{"retry-after", "soon"}};
  EXPECT_FALSE(error_from(slow, "GET x", Quote::Yes).retry_after());
}

TEST(ErrorFrom, QuotesTheServiceOnlyWhenItMay) {
  const auto refusal = response(400, R"({"error":{"message":"'hunter2' is too short"}})");
  EXPECT_NE(error_from(refusal, "POST x", Quote::Yes).render().find("hunter2"), std::string::npos);
  EXPECT_EQ(error_from(refusal, "POST x", Quote::No).render().find("hunter2"), std::string::npos);
}

TEST(ErrorFrom, SurvivesBytesThatAreNoText) {
  EXPECT_EQ(kind(500, "\xFF\xFE"), ErrorKind::Unavailable);
}

}  // namespace
}  // namespace bailey::openstack
