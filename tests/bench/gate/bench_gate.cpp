// Judges one change by a gate of ten conditions in an organization of so many people, once with
// everything met and once with nobody's approval, and prints what an evaluation took of a processor
// as one JSON object: the median of many.
//
//   bench_gate PEOPLE

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/encoding.hpp"
#include "orchestrator/promote/evidence/ssh_key.hpp"
#include "orchestrator/promote/evidence/ssh_wire.hpp"
#include "orchestrator/promote/evidence/statement.hpp"
#include "orchestrator/promote/gate/gate_evaluator.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

namespace {

using namespace bailey;
using std::chrono::hours;

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

std::string key_line(const std::string& name) {
  unsigned char open[crypto_sign_PUBLICKEYBYTES];
  unsigned char secret[crypto_sign_SECRETKEYBYTES];
  const auto seed = sha256(name);
  crypto_sign_seed_keypair(open, secret, seed.data());
  return "ssh-ed25519 " + base64(ssh_string("ssh-ed25519") + ssh_string(bytes_of(open)));
}

std::string name_of(std::size_t i) {
  return fmt::format("person-{:05}", i);
}

Subject group(std::string name) {
  return {SubjectKind::Group, std::move(name)};
}

/// Half of the people are managers, in teams of fifty; the other half is security.
Bundle organization(std::size_t people) {
  Bundle bundle;
  auto& directory = bundle.directory;
  for (std::size_t i = 0; i < people; ++i) {
    const auto name = name_of(i);
    directory.people[name] = {name + "@acme.example", {key_line(name)}};
    const auto team = fmt::format("{}-team-{}", i % 2 == 0 ? "managers" : "security", i / 50);
    auto& members = directory.groups[team];
    if (members.empty()) {
      directory.groups[i % 2 == 0 ? "managers" : "security"].push_back(group(team));
    }
    members.push_back({SubjectKind::Person, name});
  }
  directory.services["ci"] = {{Subject{SubjectKind::Person, name_of(0)}}, {}, {}};
  bundle.templates["web"].roles["approver"] = {{Power::Read, Power::Approve}, {}};
  bundle.environments["staging"].template_name = "web";
  return bundle;
}

constexpr const char* kProvenance = "https://slsa.dev/provenance/v1";

Environment production() {
  const Subject ci{SubjectKind::Service, "ci"};
  Environment out;
  out.name = "production";
  out.template_name = "web";
  out.bindings["approver"] = {group("managers"), group("security")};
  out.gate = {VerifiedCondition{"staging"},
              SoakCondition{"staging", hours(24)},
              ApprovalsCondition{{{group("managers"), 1}, {group("security"), 1}}, hours(8)},
              ApprovalsCondition{{{group("security"), 1}}, hours(8)},
              EvidenceCondition{std::string(kAuthorshipPredicate), {ci}},
              EvidenceCondition{kProvenance, {ci}},
              CheckCondition{{"checks/ticket"}, std::chrono::minutes(1)},
              CheckCondition{{"checks/load"}, std::chrono::minutes(1)},
              WindowCondition{{1, 2, 3, 4, 5}, hours(8), hours(18), "Europe/Berlin"},
              WindowCondition{{1, 2, 3, 4, 5}, hours(7), hours(17), "Europe/London"}};
  return out;
}

Approval approval(const std::string& person) {
  Approval out;
  out.change = ChangeId("chg-1");
  out.approver = person;
  out.issued_at = "2026-03-04T09:00:00Z";
  out.expires_at = "2026-03-04T17:00:00Z";
  out.key_fingerprint = fingerprint(*parse_ssh_public_key(key_line(person)));
  return out;
}

double median_seconds(const GateInputs& inputs, bool met) {
  std::vector<double> took;
  for (int round = 0; round < 41; ++round) {
    const auto began = cpu_seconds();
    const auto result = evaluate_gate(inputs);
    took.push_back(cpu_seconds() - began);
    if (result.met != met) {
      std::fprintf(stderr, "%s\n", gate_json(result).dump(1).c_str());
      std::exit(1);
    }
  }
  std::nth_element(took.begin(), took.begin() + 20, took.end());
  return took[20];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 || sodium_init() < 0) return 64;
  const auto people = std::strtoul(argv[1], nullptr, 10);
  const auto bundle = organization(people);
  const auto environment = production();
  const auto web = digest_of(std::string_view("web"));
  const Subject ci{SubjectKind::Service, "ci"};
  Change change;
  change.id = ChangeId("chg-1");
  change.requester = ci;
  for (std::size_t i = 0; i < 40; ++i) change.authors.push_back({name_of(i) + "@ACME.example", ""});
  change.introduces = {web};
  change.plan.artifacts = {{"web", "registry/web@" + web}};
  GateInputs inputs{
      bundle,
      environment,
      change,
      {approval(name_of(50)), approval(name_of(51)), approval(name_of(53))},
      [&](const std::string& stage, const std::string& digest) {
        return std::optional(VerifiedItem{stage, digest, "2026-03-01T00:00:00Z", "chg-0"});
      },
      {{web, std::string(kAuthorshipPredicate), ci, change.authors, ""},
       {web, kProvenance, ci, {}, ""}},
      {{6, {true, ""}}, {7, {true, ""}}},
      *parse_time("2026-03-04T10:00:00Z")};
  const auto met = median_seconds(inputs, true);
  inputs.approvals.clear();
  const auto waiting = median_seconds(inputs, false);
  std::printf(
      "{\"people\": %lu, \"conditions\": %zu, \"met_seconds\": %.9f, \"waiting_seconds\": %.9f}\n",
      people, environment.gate.size(), met, waiting);
  return 0;
}
