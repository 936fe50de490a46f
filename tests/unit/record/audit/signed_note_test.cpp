#include "orchestrator/record/audit/signed_note.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/file.hpp"
#include "orchestrator/base/json.hpp"
#include "tests/support/fake_random.hpp"
#include "tests/support/vectors.hpp"

#include <gtest/gtest.h>

namespace bailey {
namespace {

using test::FakeRandom;

NoteSigner signer_named(const std::string& name, std::uint64_t seed = 1) {
  FakeRandom random(seed);
  return NoteSigner::generate(name, random).value();
}

std::string signature_line(const std::string& note) {
  return note.substr(note.rfind("\n\n") + 2);
}

TEST(SignedNote, AgreesWithThePublishedNotes) {
  BAILEY_VECTORS_OR_SKIP(folder);
  const auto vectors = parse_json(*read_file(folder / "small/signed-note.json")).value();
  int bad_keys = 0;
  for (const auto& vector : vectors) {
    const auto key = NoteVerifier::parse(string_member(vector, "vkey"));
    ASSERT_TRUE(key.has_value());
    EXPECT_EQ(key->str(), string_member(vector, "vkey"));
    const auto opened = open_note(string_member(vector, "note"), {*key});
    EXPECT_EQ(opened.has_value(), member(vector, "valid").get<bool>());
    for (const auto& bad : strings_member(vector, "bad_vkeys")) {
      ++bad_keys;
      EXPECT_EQ(NoteVerifier::parse(bad).error().kind(), ErrorKind::InvalidArgument) << bad;
    }
  }
  EXPECT_EQ(bad_keys, 2);
}

TEST(SignedNote, SignsWhatItThenOpens) {
  const auto signer = signer_named("example.com/log");
  const auto note = signer.sign("one line\nanother\n").value();
  const auto opened = open_note(note, {signer.verifier()});
  ASSERT_TRUE(opened.has_value());
  EXPECT_EQ(opened->text, "one line\nanother\n");
  EXPECT_EQ(opened->signed_by, std::vector<std::string>{"example.com/log"});
  EXPECT_EQ(opened->unknown_signatures, 0U);
}

TEST(SignedNote, RefusesEveryChangedByte) {
  const auto signer = signer_named("log");
  const auto note = signer.sign("origin\n7\n").value();
  for (std::size_t i = 0; i < note.size(); ++i) {
    for (const int flip : {1, 0x20, 0x80}) {
      auto changed = note;
      changed[i] = static_cast<char>(changed[i] ^ flip);
      EXPECT_FALSE(open_note(changed, {signer.verifier()}).has_value()) << i;
    }
  }
}

TEST(SignedNote, PassesOverUnknownSignatures) {
  const auto ours = signer_named("ours", 1);
  const auto witness = signer_named("witness", 2);
  const auto text = "hello\n";
  const auto note = witness.sign(text).value() + signature_line(ours.sign(text).value());
  const auto opened = open_note(note, {ours.verifier()});
  ASSERT_TRUE(opened.has_value());
  EXPECT_EQ(opened->unknown_signatures, 1U);
  EXPECT_EQ(opened->signed_by, std::vector<std::string>{"ours"});
  EXPECT_EQ(open_note(note, {ours.verifier(), witness.verifier()})->signed_by.size(), 2U);
}

TEST(SignedNote, ASignatureUnderTheSameNameWithAnotherKeyIsUnknown) {
  const auto ours = signer_named("log", 1);
  const auto other = signer_named("log", 2);
  const auto note = other.sign("hello\n").value();
  EXPECT_EQ(open_note(note, {ours.verifier()}).error().kind(), ErrorKind::PermissionDenied);
}

TEST(SignedNote, OneWrongSignatureOfAKnownKeyRejectsTheNote) {
  const auto ours = signer_named("ours", 1);
  const auto witness = signer_named("witness", 2);
  const auto wrong = signature_line(witness.sign("something else\n").value());
  const auto note = ours.sign("hello\n").value() + wrong;
  EXPECT_EQ(open_note(note, {ours.verifier(), witness.verifier()}).error().kind(),
            ErrorKind::PermissionDenied);
  EXPECT_TRUE(open_note(note, {ours.verifier()}).has_value());
}

TEST(SignedNote, RefusesAnUnsignedOrMalformedNote) {
  const auto key = signer_named("log").verifier();
  const auto good = signer_named("log").sign("a\n").value();
  EXPECT_EQ(open_note(good, {}).error().kind(), ErrorKind::PermissionDenied);
  for (const std::string& bad :
       {std::string(), std::string("a\n"), std::string("a\n\n"), good.substr(0, good.size() - 1),
        good + "\n", good + "trailing\n", "a\r\n\n" + signature_line(good),
        std::string("a\n\n\xE2\x80\x94 log\n"), std::string("a\n\n\xE2\x80\x94 log AAAA\n"),
        "a\x01\n\n" + signature_line(good), "a\xFF\n\n" + signature_line(good)}) {
    EXPECT_EQ(open_note(bad, {key}).error().kind(), ErrorKind::Protocol) << bad;
  }
}

TEST(SignedNote, AcceptsSixteenSignaturesAndMore) {
  const auto ours = signer_named("ours", 1);
  auto note = ours.sign("hello\n").value();
  for (std::uint64_t i = 2; i < 40; ++i) {
    note += signature_line(signer_named("witness-" + std::to_string(i), i).sign("hello\n").value());
  }
  EXPECT_EQ(open_note(note, {ours.verifier()})->unknown_signatures, 38U);
}

TEST(SignedNote, RefusesToSignWhatNoNoteCanHold) {
  const auto signer = signer_named("log");
  for (const std::string bad : {"", "no newline", "tab\t\n", "bad \xC3\n"}) {
    EXPECT_EQ(signer.sign(bad).error().kind(), ErrorKind::InvalidArgument);
  }
}

TEST(NoteVerifier, RefusesMalformedKeys) {
  const auto good = signer_named("log").verifier().str();
  ASSERT_TRUE(NoteVerifier::parse(good).has_value());
  for (const std::string& bad :
       {std::string(), std::string("log"), std::string("log+00000000"), "+" + good, " " + good,
        good + "\n", "lo g" + good.substr(3), "other" + good.substr(3),
        good.substr(0, good.size() - 1), "log+zzzzzzzz" + good.substr(12),
        "log\xC2\xA0" + good.substr(3)}) {
    EXPECT_EQ(NoteVerifier::parse(bad).error().kind(), ErrorKind::InvalidArgument) << bad;
  }
}

TEST(NoteSigner, RefusesNamesThatWouldNotReadBack) {
  FakeRandom random;
  for (const std::string bad : {"", "a b", "a+b", "a\nb",
                                "a\xE3\x80\x80"
                                "b"}) {
    EXPECT_EQ(NoteSigner::generate(bad, random).error().kind(), ErrorKind::InvalidArgument);
  }
}

TEST(NoteSigner, ReadsItsOwnText) {
  const auto signer = signer_named("example.com/log");
  const auto again = NoteSigner::parse(signer.str());
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->verifier().str(), signer.verifier().str());
  EXPECT_EQ(again->sign("x\n").value(), signer.sign("x\n").value());
  auto text = std::string(signer.str().reveal());
  text[13] = 'y';
  EXPECT_EQ(NoteSigner::parse(Secret(text)).error().kind(), ErrorKind::InvalidArgument);
  EXPECT_EQ(NoteSigner::parse(Secret(signer.verifier().str())).error().kind(),
            ErrorKind::InvalidArgument);
}

}  // namespace
}  // namespace bailey
