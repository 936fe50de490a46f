#include "orchestrator/base/json.hpp"
#include "orchestrator/promote/evidence/ssh_key.hpp"
#include "orchestrator/serve/cli/api_client.hpp"
#include "orchestrator/serve/cli/exit_code.hpp"
#include "orchestrator/serve/cli/table.hpp"
#include "orchestrator/serve/cli/views/change_view.hpp"
#include "orchestrator/serve/cli/views/probe_view.hpp"
#include "tests/support/golden.hpp"

#include <gtest/gtest.h>

#include <map>

namespace bailey {
namespace {

using test::expect_golden;

TEST(ExitCode, IsFixedForEveryKind) {
  const std::map<ErrorKind, int> table = {
      {ErrorKind::InvalidArgument, 1},  {ErrorKind::Unauthenticated, 4},
      {ErrorKind::PermissionDenied, 4}, {ErrorKind::Refused, 4},
      {ErrorKind::NotFound, 1},         {ErrorKind::Conflict, 1},
      {ErrorKind::QuotaExceeded, 1},    {ErrorKind::FailedPrecondition, 1},
      {ErrorKind::RateLimited, 1},      {ErrorKind::Unavailable, 1},
      {ErrorKind::Timeout, 1},          {ErrorKind::Cancelled, 130},
      {ErrorKind::Unsupported, 1},      {ErrorKind::Io, 1},
      {ErrorKind::Protocol, 1},         {ErrorKind::Internal, 1},
  };
  EXPECT_EQ(table.size(), static_cast<std::size_t>(ErrorKind::Internal) + 1);
  for (const auto& [kind, code] : table) EXPECT_EQ(exit_code_of(kind), code) << to_string(kind);
  EXPECT_EQ(kDone, 0);
  EXPECT_EQ(kDifferences, 2);
  EXPECT_EQ(kWaitsForPeople, 3);
  EXPECT_EQ(kUsage, 64);
}

TEST(ErrorFromProblem, IsTheErrorAsItWas) {
  for (int i = 0; i <= static_cast<int>(ErrorKind::Internal); ++i) {
    const auto kind = static_cast<ErrorKind>(i);
    const auto error = error_from_problem(418, Json{{"title", to_string(kind)},
                                                    {"detail", "message"},
                                                    {"code", "a.code"},
                                                    {"hint", "a hint"},
                                                    {"frames", {"inner", "outer"}}}
                                                   .dump());
    EXPECT_EQ(error.kind(), kind);
    EXPECT_EQ(error.message(), "message");
    EXPECT_EQ(error.code(), "a.code");
    EXPECT_EQ(error.hint(), "a hint");
    EXPECT_EQ(error.frames(), (std::vector<std::string>{"inner", "outer"}));
  }
}

TEST(ErrorFromProblem, IsAProtocolErrorForAnythingElse) {
  for (const char* body :
       {"", "<html>", "[]", "{}", R"({"title":1})", R"({"title":"no such kind"})",
        R"({"title":""})", "null", "{\"title\":\"refused\"} x"}) {
    EXPECT_EQ(error_from_problem(502, body).kind(), ErrorKind::Protocol) << body;
  }
}

TEST(Table, IsAsWideAsItHasToBe) {
  const auto text = render_table({"NAME", "WHAT", "LAST"}, {{"a",
                                                             "gr\xC3\xB6\xC3\x9F"
                                                             "e",
                                                             "x"},
                                                            {"longer name", "", ""},
                                                            {"b", "y"},
                                                            {}}) +
                    "--\n" + render_table({"ONLY"}, {});
  expect_golden("cli/table.txt", text);
}

Json change(const std::string& state) {
  return {{"id", "chg-1"},
          {"environment", "payments-production"},
          {"kind", "promotion"},
          {"state", state},
          {"plan_digest", "sha256:1111"},
          {"policy_digest", "sha256:2222"},
          {"requester", "service:ci"},
          {"authors",
           {{{"email", "alice@acme.example"}, {"person", "alice"}},
            {{"email", "stranger@else.example"}, {"person", nullptr}}}},
          {"artifacts", {{"web", "127.0.0.1:5001/payments/web@sha256:3333"}}},
          {"gate",
           {{{"condition", "verified"},
             {"met", true},
             {"detail", "Verified in staging."},
             {"who_can_unblock", Json::array()}},
            {{"condition", "approvals"},
             {"met", false},
             {"detail", "0 of 1 from group:security."},
             {"who_can_unblock", {"carol", "dave"}}}}},
          {"approvals",
           {{{"approver", "bob"},
             {"decision", "approve"},
             {"reason", "fine"},
             {"issued_at", "2026-03-04T10:00:00.000Z"},
             {"expires_at", "2026-03-04T18:00:00.000Z"},
             {"key", "SHA256:x"}}}},
          {"waits_for_people", true},
          {"summary", "1 to create, 1 to update"},
          {"created_at", "2026-03-04T09:00:00.000Z"},
          {"executor", nullptr},
          {"history",
           {{{"state", "planned"}, {"at", "2026-03-04T09:00:00.000Z"}, {"detail", ""}},
            {{"state", state}, {"at", "2026-03-04T09:00:01.000Z"}, {"detail", "why it is so"}}}},
          {"outcome", nullptr},
          {"failures", Json::array()},
          {"receipt", nullptr}};
}

TEST(ChangeView, IsWhatPeopleRead) {
  auto failed = change("failed");
  failed["gate"] = Json::array();
  failed["outcome"] = {
      {"ok", false},
      {"makespan_ms", 1234},
      {"lower_bound_ms", 1000},
      {"operations",
       {{{"address", "payments-production/net"}, {"error", nullptr}},
        {{"address", "payments-production/web"},
         {"error", {{"message", "POST /servers answered 503"}, {"frames", {"creating it"}}}}}}}};
  failed["failures"] = {
      {{"address", "payments-production/web"},
       {"type", "server"},
       {"action", "create"},
       {"outcome", "failed"},
       {"duration_ms", 400},
       {"error", {{"message", "POST /servers answered 503"}, {"frames", {"creating it"}}}},
       {"left_undone", Json::array()}}};
  auto done = change("done");
  done["outcome"] = failed["outcome"];
  done["receipt"] = "sha256:4444";
  auto bare = change("waiting");
  for (const char* list : {"authors", "gate", "approvals", "history"}) bare[list] = Json::array();
  bare["artifacts"] = Json::object();
  std::string text;
  for (const auto& each : {change("waiting"), failed, done, change("superseded"), bare}) {
    text += "== show\n" + render_change(each) + "== outcome\n" + render_change_outcome(each) + "\n";
  }
  expect_golden("cli/change.txt", text);
}

TEST(ChangeView, TellsEveryFailureAndWhatToDoNext) {
  auto failed = change("failed");
  failed["gate"] = Json::array();
  failed["outcome"] = {{"ok", false}, {"operations", Json::array()}};
  for (int i = 0; i < 12; ++i) failed["outcome"]["operations"].push_back({{"address", "x"}});
  failed["failures"] = {
      {{"address", "payments-production/web[1]"},
       {"type", "server"},
       {"action", "create"},
       {"outcome", "failed"},
       {"duration_ms", 430},
       {"error",
        {{"message", "POST http://cloud/servers answered 403: Quota exceeded for cores"},
         {"frames", {"creating the server", "creating payments-production/web[1]"}},
         {"hint", "Raise the quota of the project:\n    openstack quota set --cores 20 PROJECT"}}},
       {"left_undone", {"payments-production/dns"}}},
      {{"address", "payments-production/net"},
       {"type", "network"},
       {"action", "update"},
       {"outcome", "errored"},
       {"duration_ms", 61000},
       {"error", {{"message", "no answer in 60 s"}, {"frames", Json::array()}, {"hint", ""}}},
       {"left_undone",
        {"payments-production/a", "payments-production/b", "payments-production/c",
         "payments-production/d", "payments-production/dns", "payments-production/e",
         "payments-production/f", "payments-production/g"}}}};
  std::string text;
  for (const char* kind : {"promotion", "apply", "destroy", "policy"}) {
    failed["kind"] = kind;
    text += render_change_outcome(failed) + "==\n";
    if (!failed["failures"].empty()) failed["failures"].erase(0);
  }
  expect_golden("cli/failures.txt", text);
}

TEST(ChangeView, Gate) {
  EXPECT_EQ(render_gate(Json::array()), "");
  expect_golden("cli/gate.txt", render_gate(change("waiting")["gate"]));
}

TEST(ProbeView, ShowsTheMatrixAndEveryHole) {
  const auto attempt = [](const char* from, const char* to, const char* outcome) {
    return Json{{"credential", std::string(from) + " role developer"},
                {"target", to},
                {"operation", "list networks"},
                {"outcome", outcome},
                {"detail", "200"}};
  };
  std::string text = render_probe(
      {{"ok", true},
       {"attempts", {attempt("dev", "test", "refused"), attempt("test", "dev", "refused")}}});
  text +=
      "==\n" + render_probe({{"ok", false},
                             {"attempts",
                              {attempt("dev", "test", "refused"), attempt("dev", "test", "allowed"),
                               attempt("test", "dev", "unknown")}}});
  text += "==\n" + render_probe({{"ok", false}, {"attempts", Json::array()}});
  expect_golden("cli/probe.txt", text);
}

}  // namespace
}  // namespace bailey
