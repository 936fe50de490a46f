#include "orchestrator/declare/spec/formats.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/declare/spec/references.hpp"
#include "tests/unit/declare/spec/spec_fixture.hpp"

#include <gtest/gtest.h>

namespace bailey::spec {
namespace {

bool fits(TextFormat format, std::string_view text) {
  return !check_format(format, text);
}

TEST(CheckFormat, KnowsNames) {
  EXPECT_TRUE(fits(TextFormat::Name, "a"));
  EXPECT_TRUE(fits(TextFormat::Name, "web-2"));
  EXPECT_TRUE(fits(TextFormat::Name, std::string(63, 'a')));
  for (const std::string bad : {"", "-a", "a-", "A", "a.b", "a_b", "a/b", "ä", "a b"}) {
    EXPECT_FALSE(fits(TextFormat::Name, bad)) << bad;
  }
  EXPECT_FALSE(fits(TextFormat::Name, std::string(64, 'a')));
  EXPECT_TRUE(fits(TextFormat::PersonName, "alice.b-c"));
  EXPECT_FALSE(fits(TextFormat::PersonName, "alice..b"));
  EXPECT_TRUE(fits(TextFormat::FieldName, "imageName"));
  EXPECT_FALSE(fits(TextFormat::FieldName, "2fast"));
  EXPECT_EQ(check_format(TextFormat::Name, "My_App")->suggestion, "my-app");
}

TEST(CheckFormat, KnowsNetworks) {
  for (const std::string good : {"10.0.0.0/8", "0.0.0.0/0", "192.168.1.1/32", "fd00::/8", "::/0"}) {
    EXPECT_TRUE(fits(TextFormat::Cidr, good)) << good;
  }
  for (const std::string bad : {"10.0.0.0", "10.0.0.0/33", "10.0.0.1/24", "10.0.0/8", "/8", "x/8",
                                "10.0.0.0/08", "10.0.0.0/ 8", "fd00::1/8", "fd00::/129"}) {
    EXPECT_FALSE(fits(TextFormat::Cidr, bad)) << bad;
  }
  EXPECT_TRUE(fits(TextFormat::Ip, "::1"));
  EXPECT_FALSE(fits(TextFormat::Ip, "010.0.0.1"));
  EXPECT_FALSE(fits(TextFormat::Ip, "1.2.3"));
}

TEST(CheckFormat, KnowsTimesAndZones) {
  EXPECT_EQ(parse_clock_time("24:00"), 1440);
  for (const std::string bad : {"24:01", "9:00", "09:60", "ab:cd", "09:00:00"}) {
    EXPECT_FALSE(parse_clock_time(bad)) << bad;
  }
  EXPECT_TRUE(fits(TextFormat::Zone, "UTC"));
  EXPECT_TRUE(fits(TextFormat::Zone, "Europe/Berlin"));
  for (const std::string bad :
       {"", "Europe", "../zoneinfo/UTC", "/etc/passwd", "tzdata.zi", "CEST+2"}) {
    EXPECT_FALSE(fits(TextFormat::Zone, bad)) << bad;
  }
  EXPECT_TRUE(fits(TextFormat::Time, "2026-12-20T00:00:00+01:00"));
  EXPECT_FALSE(fits(TextFormat::Time, "2026-02-30T00:00:00Z"));
}

TEST(CheckFormat, KnowsAddresses) {
  EXPECT_TRUE(fits(TextFormat::Email, "a.b+c@acme.example"));
  for (const std::string bad : {"a", "@b", "a@", "a@b..c", "a b@c", "a@b@c"}) {
    EXPECT_FALSE(fits(TextFormat::Email, bad)) << bad;
  }
  EXPECT_TRUE(fits(TextFormat::Url, "http://[::1]:5000/v3"));
  for (const std::string bad : {"ftp://a", "https://", "https://a:b@c", "https://a b", "//a"}) {
    EXPECT_FALSE(fits(TextFormat::Url, bad)) << bad;
  }
  EXPECT_TRUE(fits(TextFormat::Repository, "127.0.0.1:5001/payments/web"));
  for (const std::string bad :
       {"web", "h/Web", "h/web:1", "h/web@sha256:00", "h//web", "https://h/w"}) {
    EXPECT_FALSE(fits(TextFormat::Repository, bad)) << bad;
  }
}

constexpr const char* kEcdsa =
    "ecdsa-sha2-nistp384 "
    "AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBIhrwaSXoEj75o6NkJt3kJFm58SzHcXLXVbPdXLLDY"
    "txuQfLGl32xFXYy2rh0fseiJhJHVG63S4m67U8R452VAZ/+DtXGTn35ZxYSXOygpB0PcE6cgaay6yleWidajPF9g== x";
constexpr const char* kRsa1024 =
    "ssh-rsa "
    "AAAAB3NzaC1yc2EAAAADAQABAAAAgQCsM3zKstGZGRvnTByL8W5UlbpJQ1zkgVwRj/zkyFO88njeya71lgDwOhBmxmyqH2"
    "ZeGtcjYwOQT/zRZo2OcI9TK1y9V1Wv9Lmf4B3orQdnneHTGsHSYZLpN5ESiC01QKg1aYF+TNl8SLN1OBbylWeu0BwBnXJQ"
    "XsraEv9/ee/0Pw==";

std::string ed25519_line(const std::string& point) {
  std::string blob("\0\0\0\x0bssh-ed25519\0\0\0\x20", 19);
  return "ssh-ed25519 " + base64(blob + point);
}

TEST(SshKeyFault, LooksInsideTheKey) {
  EXPECT_FALSE(ssh_key_fault(test::ssh_key(0)));
  EXPECT_FALSE(ssh_key_fault(test::ssh_key(0) + " alice@laptop with words"));
  // Approvals are signed with these keys: a type that cannot sign one is no key for the Directory.
  EXPECT_TRUE(ssh_key_fault(kEcdsa));
  EXPECT_TRUE(ssh_key_fault(kRsa1024));
  EXPECT_TRUE(ssh_key_fault(""));
  EXPECT_TRUE(ssh_key_fault("ssh-ed25519"));
  EXPECT_TRUE(ssh_key_fault("ssh-dss AAAA"));
  EXPECT_TRUE(ssh_key_fault("ssh-ed25519 !!!!"));
  EXPECT_TRUE(ssh_key_fault(test::ssh_key(0) + "\n" + test::ssh_key(1)));
  EXPECT_TRUE(ssh_key_fault("ssh-rsa" + test::ssh_key(0).substr(11)));
  EXPECT_TRUE(ssh_key_fault(ed25519_line(std::string(31, 'x'))));
  EXPECT_TRUE(ssh_key_fault(ed25519_line(std::string(33, 'x'))));
  EXPECT_EQ(ssh_key_identity(test::ssh_key(0) + " alice"),
            ssh_key_identity(test::ssh_key(0) + " b"));
}

std::string ed25519_pem(const std::string& point) {
  return "-----BEGIN PUBLIC KEY-----\n" + base64(*from_hex("302a300506032b6570032100") + point) +
         "\n-----END PUBLIC KEY-----\n";
}

std::string point_of(const std::string& line) {
  return from_base64(line.substr(12))->substr(19);
}

// One key is one key, whichever way it is written, and no better for it.
TEST(ServiceKeyFault, HoldsPemKeysToTheSameAsSshKeys) {
  const auto line = test::ssh_key(0);
  const auto pem = ed25519_pem(point_of(line));
  EXPECT_FALSE(service_key_fault(line));
  EXPECT_FALSE(service_key_fault(pem));
  EXPECT_EQ(ssh_key_identity(pem), ssh_key_identity(line + " comment"));
  EXPECT_TRUE(ssh_key_fault(pem));
  EXPECT_TRUE(service_key_fault(ed25519_pem(std::string(32, '\0'))));
  EXPECT_TRUE(service_key_fault(ed25519_pem(std::string(31, 'x'))));
  EXPECT_TRUE(service_key_fault("-----BEGIN PUBLIC KEY-----"));
  EXPECT_TRUE(service_key_fault("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"));
  EXPECT_FALSE(fits(TextFormat::SshKey, pem));
  EXPECT_TRUE(fits(TextFormat::ServiceKey, pem));
}

// C2SP CCTV, ed25519: the encodings of points of low order.
TEST(SshKeyFault, RefusesPointsOfLowOrder) {
  const std::vector<std::string> points{
      "0100000000000000000000000000000000000000000000000000000000000000",
      "0100000000000000000000000000000000000000000000000000000000000080",
      "0000000000000000000000000000000000000000000000000000000000000000",
      "0000000000000000000000000000000000000000000000000000000000000080",
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
      "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"};
  for (const auto& point : points) {
    EXPECT_TRUE(ssh_key_fault(ed25519_line(from_hex(point).value()))) << point;
  }
}

TEST(ScanReferences, FindsEachWithItsPlace) {
  const auto scan = scan_references("a ${resource.web[12].address} ${environment.name}");
  ASSERT_TRUE(scan.faults.empty());
  ASSERT_EQ(scan.references.size(), 2U);
  EXPECT_EQ(scan.references[0].name, "web");
  EXPECT_EQ(scan.references[0].index, 12);
  EXPECT_EQ(scan.references[0].attribute, "address");
  EXPECT_EQ(scan.references[0].offset, 2U);
  EXPECT_EQ(scan.references[0].length, 27U);
  EXPECT_TRUE(scan_references("${resource.a}").references[0].whole("${resource.a}"));
}

TEST(ScanReferences, RefusesEveryOtherExpression) {
  for (const std::string bad : {"${",
                                "${}",
                                "${x}",
                                "${.}",
                                "${parameter}",
                                "${parameter.}",
                                "${parameter.a.b}",
                                "${parameter.a b}",
                                "${ parameter.a }",
                                "${resource.a[-1]}",
                                "${resource.a[01]}",
                                "${resource.a[1]b}",
                                "${resource.a[99999999999]}",
                                "${resource.a.b.c}",
                                "${resource.[0]}",
                                "${artifact.a}",
                                "${artifact.a.tag}",
                                "${environment.owner}",
                                "${change.title}",
                                "${env.PATH}",
                                "${parameter.${parameter.a}}",
                                "${resource.a[1}"}) {
    EXPECT_FALSE(scan_references(bad).faults.empty()) << bad;
  }
  EXPECT_TRUE(scan_references("$ {x} $x $(x) }{").references.empty());
}

}  // namespace
}  // namespace bailey::spec
