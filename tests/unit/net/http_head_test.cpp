#include "orchestrator/net/http_head.hpp"

#include <gtest/gtest.h>

namespace bailey {
namespace {

std::string with(std::string_view fields) {
  return "POST /v3/auth HTTP/1.1\r\nHost: a.example:80\r\n" + std::string(fields) + "\r\n";
}

std::optional<int> refuse_target(std::string_view target) {
  return refuse_head("GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n");
}

TEST(RefuseHead, AcceptsOrdinaryRequests) {
  EXPECT_EQ(refuse_head(with("")), std::nullopt);
  EXPECT_EQ(refuse_head(with("Content-Length: 12\r\nX-Auth-Token:abc\r\nX-Empty:\r\n")),
            std::nullopt);
  EXPECT_EQ(refuse_head(with("transfer-encoding: Chunked\r\n")), std::nullopt);
  EXPECT_EQ(refuse_head("GET / HTTP/1.0\r\nHost: [::1]:8080\r\n\r\n"), std::nullopt);
}

TEST(RefuseHead, RefusesEverySecondContentLength) {
  EXPECT_EQ(refuse_head(with("Content-Length: 3\r\nContent-Length: 3\r\n")), 400);
  EXPECT_EQ(refuse_head(with("Content-Length: 3\r\ncontent-length: 4\r\n")), 400);
  EXPECT_EQ(refuse_head(with("Content-Length: 3, 3\r\n")), 400);
}

TEST(RefuseHead, RefusesLengthsThatAreNotPlainDigits) {
  for (const auto* value : {"+3", "-1", "0x3", "3 3", "", "3;", "1234567890123456789"}) {
    EXPECT_EQ(refuse_head(with("Content-Length: " + std::string(value) + "\r\n")), 400) << value;
  }
}

TEST(RefuseHead, RefusesTransferEncodingsOtherThanChunked) {
  for (const auto* value :
       {"identity", "xchunked", "gzip, chunked", "chunked, identity", "", "\"chunked\""}) {
    EXPECT_EQ(refuse_head(with("Transfer-Encoding: " + std::string(value) + "\r\n")), 501) << value;
  }
}

TEST(RefuseHead, RefusesTransferEncodingWhereFramingIsInDoubt) {
  EXPECT_EQ(refuse_head(with("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n")), 400);
  EXPECT_EQ(refuse_head(with("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n")), 400);
  EXPECT_EQ(refuse_head(with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")), 400);
  EXPECT_EQ(refuse_head("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
}

TEST(RefuseHead, RefusesFoldedLinesAndBlanksBeforeAColon) {
  EXPECT_EQ(refuse_head(with("X-A: 1\r\n folded\r\n")), 400);
  EXPECT_EQ(refuse_head(with("X-A: 1\r\n\tfolded: yes\r\n")), 400);
  EXPECT_EQ(refuse_head(with("Content-Length : 3\r\n")), 400);
  EXPECT_EQ(refuse_head("GET / HTTP/1.1\r\n Host: a\r\nHost: a\r\n\r\n"), 400);
}

TEST(RefuseHead, WantsExactlyOneValidHost) {
  EXPECT_EQ(refuse_head("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(refuse_head("GET / HTTP/1.1\r\nX: y\r\n\r\n"), 400);
  EXPECT_EQ(refuse_head(with("Host: a.example:80\r\n")), 400);
  for (const auto* host : {"", "a b", "a/b", "user@a", "a,b", "a\\b", "a?b"}) {
    EXPECT_EQ(refuse_head("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"), 400)
        << host;
  }
}

TEST(RefuseHead, RefusesLinesThatDoNotEndInCrLf) {
  EXPECT_EQ(refuse_head("GET / HTTP/1.1\nHost: a\n\n"), 400);
  EXPECT_EQ(refuse_head("GET / HTTP/1.1\r\nHost: a\n\r\n"), 400);
  EXPECT_EQ(refuse_head("GET / HTTP/1.1\r\nHost: a\r\nX: b\rY: c\r\n\r\n"), 400);
  EXPECT_EQ(refuse_head(""), 400);
  EXPECT_EQ(refuse_head("\r\n\r\n"), 400);
}

TEST(RefuseHead, RefusesControlCharacters) {
  EXPECT_EQ(refuse_head(with(std::string("X: a\0b\r\n", 8))), 400);
  EXPECT_EQ(refuse_head(with("X: a\x7F\r\n")), 400);
  EXPECT_EQ(refuse_head(with("X\x01: a\r\n")), 400);
  EXPECT_EQ(refuse_head(with("X: a\tb\r\n")), std::nullopt);
}

TEST(RefuseHead, RefusesMoreThanAHundredFields) {
  std::string fields;
  for (int i = 0; i < 99; ++i) fields += "X-" + std::to_string(i) + ": 1\r\n";
  EXPECT_EQ(refuse_head(with(fields)), std::nullopt);
  EXPECT_EQ(refuse_head(with(fields + "X-99: 1\r\n")), 431);
}

TEST(RefuseHead, WantsATargetInOriginForm) {
  for (const auto* target : {"*", "http://a/b", "//", "a", "/a#b", "/a\x01", "/\xC3\xA4", "?a"}) {
    const bool allowed = std::string_view(target) == "//";
    EXPECT_EQ(refuse_target(target).has_value(), !allowed) << target;
  }
  EXPECT_EQ(refuse_head("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(refuse_target("/" + std::string(4095, 'a')), std::nullopt);
  EXPECT_EQ(refuse_target("/" + std::string(4096, 'a')), 414);
}

TEST(RefuseHead, LetsAnEncodedSlashThroughAndNoControl) {
  EXPECT_EQ(refuse_target("/v2.0/networks/1/tags/bailey%3Aa%2Fb"), std::nullopt);
  EXPECT_EQ(refuse_target("/a?text=one%0Atwo"), std::nullopt);
  for (const auto* target :
       {"/a%00", "/a%0d%0aX", "/a%7F", "/a%", "/a%2", "/a%zz", "/a?b=%00", "/a?b=%4"}) {
    EXPECT_EQ(refuse_target(target), 400) << target;
  }
}

TEST(RefuseHead, RefusesDotSegments) {
  for (const auto* target : {"/..", "/a/../b", "/a/./b", "/%2e%2E/b", "/a%2F..%2Fb"}) {
    EXPECT_EQ(refuse_target(target), 400) << target;
  }
  EXPECT_EQ(refuse_target("/a..b/...?x=/../"), std::nullopt);
}

TEST(RefuseHead, RefusesMalformedRequestLines) {
  for (const auto* line :
       {"GET /", "GET", "GET  / HTTP/1.1", " GET / HTTP/1.1", "G<T / HTTP/1.1", "GET / http/1.1",
        "GET / HTTP/1.1 ", "GET / HTTP/11", "GET /\tHTTP/1.1"}) {
    EXPECT_EQ(refuse_head(std::string(line) + "\r\nHost: a\r\n\r\n"), 400) << line;
  }
  EXPECT_EQ(refuse_head("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), 505);
}

TEST(FindHeadEnd, FindsTheEmptyLineHoweverItIsWritten) {
  EXPECT_EQ(find_head_end("a\r\n\r\nb"), 5U);
  EXPECT_EQ(find_head_end("a\n\nb"), 3U);
  EXPECT_EQ(find_head_end("a\r\n\nb"), 4U);
  EXPECT_EQ(find_head_end("a\r\nb\r\n"), std::nullopt);
  EXPECT_EQ(find_head_end("a\r\n\r"), std::nullopt);
}

TEST(ParseQuery, DecodesInOrder) {
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(parse_query("a=1&b=two+words&a=%2B%26&&flag&=x"),
            (Pairs{{"a", "1"}, {"b", "two words"}, {"a", "+&"}, {"flag", ""}, {"", "x"}}));
  EXPECT_EQ(parse_query(""), Pairs{});
  EXPECT_EQ(parse_query("a=%4"), std::nullopt);
}

}  // namespace
}  // namespace bailey
