#include "orchestrator/base/pem_key.hpp"

#include "orchestrator/base/encoding.hpp"

#include <gtest/gtest.h>

namespace bailey {
namespace {

// A P-256 key of cosign's documentation of managed keys, and the same as ssh-keygen writes it.
constexpr const char* kPem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAExRRST79+PsrRBnGAI4cMu6Omz2Jh\n"
    "fwlMW+gIutNKVRaMyS4rQKvgngc5p8UbLj55pVHhIoAxi/SRgURZI0J3Xw==\n"
    "-----END PUBLIC KEY-----\n";
constexpr const char* kLine =
    "ecdsa-sha2-nistp256 "
    "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBMUUUk+/fj7K0QZxgCOHDLujps9iYX8JTFvoCLrT"
    "SlUWjMkuK0Cr4J4HOafFGy4+eaVR4SKAMYv0kYFEWSNCd18=";

std::string block(const std::string& der) {
  return "-----BEGIN PUBLIC KEY-----\n" + base64(der) + "\n-----END PUBLIC KEY-----";
}

std::string code_of(std::string_view text) {
  const auto line = openssh_line_from_pem(text);
  return line ? "accepted" : line.error().code();
}

TEST(PemKey, IsTheSameKeyAsItsOpensshLine) {
  EXPECT_EQ(openssh_line_from_pem(kPem).value(), kLine);
  std::string windows(kPem);
  for (auto at = windows.find('\n'); at != std::string::npos; at = windows.find('\n', at + 2)) {
    windows.insert(at, 1, '\r');
  }
  EXPECT_EQ(openssh_line_from_pem(windows).value(), kLine);
  EXPECT_TRUE(looks_like_pem(kPem));
  EXPECT_FALSE(looks_like_pem(kLine));
}

TEST(PemKey, RefusesWhatIsNotExactlyOneKey) {
  const std::string head = "302a300506032b6570032100";
  const auto good = *from_hex(head) + std::string(32, 'k');
  EXPECT_EQ(code_of(block(good)), "accepted");
  for (const auto& text :
       {std::string(), std::string("-----BEGIN PUBLIC KEY-----"), block(""), block(good + "x"),
        block(good.substr(0, good.size() - 1)), std::string(kPem) + kPem, block("nonsense"),
        std::string("-----BEGIN PUBLIC KEY-----\n!!!!\n-----END PUBLIC KEY-----"),
        std::string("-----BEGIN PRIVATE KEY-----\n") + base64(good) + "\n-----END PRIVATE KEY-----",
        "-----BEGIN PUBLIC KEY-----" + std::string(20'000, 'A') + "-----END PUBLIC KEY-----",
        // The length of the outer sequence in two bytes where one is enough.
        block(*from_hex("30812a300506032b6570032100") + std::string(32, 'k'))}) {
    EXPECT_EQ(code_of(text), "key.malformed") << text.substr(0, 120);
  }
}

TEST(PemKey, RefusesPointsOffTheCurveAndOtherKinds) {
  auto off = *from_hex("3059301306072a8648ce3d020106082a8648ce3d030107034200") + "\x04" +
             std::string(64, '\x01');
  EXPECT_EQ(code_of(block(off)), "key.malformed");
  // X25519 makes no signatures.
  EXPECT_EQ(code_of(block(*from_hex("302a300506032b656e032100") + std::string(32, 'k'))),
            "key.unsupported");
}

}  // namespace
}  // namespace bailey
