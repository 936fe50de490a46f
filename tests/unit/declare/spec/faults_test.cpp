#include "orchestrator/base/json.hpp"
#include "tests/support/golden.hpp"
#include "tests/unit/declare/spec/spec_fixture.hpp"

#include <algorithm>

namespace bailey {
namespace {

using test::Acme;
using test::read;
using test::replaced;
using test::told;

using Member = std::string Acme::*;

/// One edit of a valid organization, and the only findings that it may cause.
struct Fault {
  Member part;
  std::string from;
  std::string to;
  std::vector<std::string> codes;
};

void PrintTo(const Fault& fault, std::ostream* out) {
  *out << fault.from << " => " << fault.to;
}

class SpecFault : public testing::TestWithParam<Fault> {};

TEST_P(SpecFault, IsFoundAtItsPlaceAndCausesNothingElse) {
  const auto& fault = GetParam();
  Acme acme;
  const std::string before = acme.*fault.part;
  acme.*fault.part = replaced(before, fault.from, fault.to);
  const auto reading = read(acme);
  EXPECT_EQ(reading.codes(), fault.codes) << told(reading);
  for (const auto& finding : reading.findings) {
    ASSERT_TRUE(finding.subject) << finding.code;
    EXPECT_GE(finding.subject->line, 1U);
    EXPECT_GE(finding.subject->length, 1U);
    EXPECT_FALSE(finding.detail.empty());
    EXPECT_FALSE(finding.summary.empty());
    EXPECT_NE(finding.summary.back(), '.');
  }
}

using Codes = std::vector<std::string>;

// Everything that belongs to documents as such.
const std::vector<Fault> kShape{
    {&Acme::project, "apiVersion: bailey/v1", "apiVersion: bailey/v2", {"spec.unknown-version"}},
    {&Acme::project, "apiVersion: bailey/v1\n", "", {"spec.missing-field"}},
    {&Acme::freeze, "kind: Freeze", "kind: Freze", {"spec.unknown-kind"}},
    {&Acme::freeze, "kind: Freeze", "kind: Freeze\nstatus: {}", {"spec.unknown-field"}},
    {&Acme::freeze, "metadata: {name: year-end}", "metadata: {}", {"spec.missing-field"}},
    {&Acme::freeze, "{name: year-end}", "{name: year-end, labels: {}}", {"spec.unknown-field"}},
    {&Acme::freeze, "{name: year-end}", "{name: Year_End}", {"spec.bad-name"}},
    {&Acme::freeze, "{name: year-end}", "year-end", {"spec.wrong-type"}},
    {&Acme::freeze, "reason: close}", "reason: close}\n---\n- a\n", {"spec.wrong-type"}},
    {&Acme::duties, "control:", "controls:", {"spec.unknown-field"}},
    {&Acme::project, "  authors: [group:devs]\n", "", {"spec.missing-field"}},
    {&Acme::project, "authors: [group:devs]", "authors: group:devs", {"spec.wrong-type"}},
    {&Acme::project, "authors: [group:devs]", "authors: []", {"spec.empty-list"}},
    {&Acme::project, "authors: [group:devs]", "authors:", {"spec.wrong-type"}},
    {&Acme::project, "[group:devs]", "[group:devs, group:devs]", {"spec.duplicate-entry"}},
    {&Acme::project, "[group:devs]", "[\"${x}\"]", {"spec.reference-not-allowed"}},
    {&Acme::accounts, "concurrency: 8", "concurrency: 010", {"spec.ambiguous-scalar"}},
    {&Acme::accounts, "concurrency: 8", "concurrency: 1_0", {"spec.ambiguous-scalar"}},
    {&Acme::accounts, "concurrency: 8", "concurrency: 12:30", {"spec.ambiguous-scalar"}},
    {&Acme::accounts, "concurrency: 8", "concurrency: \"8\"", {"spec.wrong-type"}},
    {&Acme::accounts, "concurrency: 8", "concurrency: ~", {"spec.wrong-type"}},
    {&Acme::accounts, "concurrency: 8", "concurrency: 0", {"spec.out-of-range"}},
    {&Acme::accounts, "{env: CLOUD_CREDENTIAL}", "{env: A, file: b}", {"spec.exactly-one"}},
    {&Acme::accounts, "{env: CLOUD_CREDENTIAL}", "{}", {"spec.exactly-one"}},
    {&Acme::accounts, "{env: CLOUD_CREDENTIAL}", "{value: hunter2}", {"spec.unknown-field"}},
    {&Acme::web_service, "protect: true", "protect: yes", {"spec.ambiguous-scalar"}},
    {&Acme::web_service, "protect: true", "protect: n", {"spec.ambiguous-scalar"}},
    {&Acme::production, "execute: by-operator", "execute: by-operators", {"spec.bad-value"}},
    {&Acme::production, "timeout: 1m", "timeout: 1 minute", {"spec.bad-duration"}},
    {&Acme::production, "09:00", "9:00", {"spec.bad-time"}},
    {&Acme::production, "to: \"16:00\"", "to: \"08:00\"", {"spec.bad-period"}},
    {&Acme::production, "Europe/Berlin", "Europe/Belrin", {"spec.bad-zone"}},
    {&Acme::production,
     "ttl: 12h}",
     "ttl: 12h, rotate: 12h}",
     {"spec.not-yet-effective", "spec.bad-period"}},
    {&Acme::freeze, "2027-01-03T00:00:00Z", "2027-13-03", {"spec.bad-time"}},
    {&Acme::freeze, "2027-01-03T00:00:00Z", "2026-01-03T00:00:00Z", {"spec.bad-period"}},
    {&Acme::freeze, "classes: [production], ", "", {"spec.missing-field"}},
    {&Acme::project, "127.0.0.1:5001/payments/web", "payments", {"spec.bad-repository"}},
    {&Acme::project, "payments/web", "payments/web:v1", {"spec.bad-repository"}},
    {&Acme::accounts, "https://cloud.example/v3", "cloud.example", {"spec.bad-url"}},
    {&Acme::accounts, "https://cloud", "https://user:pw@cloud", {"spec.bad-url"}},
    {&Acme::accounts, "https://cloud", "http://cloud", {"spec.plain-http"}},
    {&Acme::accounts, "http://127.0.0.1:5000", "http://127.example:5000", {"spec.plain-http"}},
    {&Acme::accounts, "http://127.0.0.1:5000", "http://127.0.0.1@evil", {"spec.bad-url"}},
    {&Acme::accounts, "  endpoint: http://127.0.0.1:5001\n", "", {"spec.missing-field"}},
    {&Acme::accounts, "{env: CLOUD_CREDENTIAL}", "{cloud: acme}", {"spec.exactly-one"}},
    {&Acme::accounts, "{env: CLOUD_CREDENTIAL}", "{env: A, cloud: \"\"}", {"spec.bad-value"}},
    {&Acme::accounts, "{env: CLOUD_CREDENTIAL}", "{env: \"*\"}", {"spec.bad-value"}},
    {&Acme::accounts, "{env: CLOUD_CREDENTIAL}", "{env: A-B}", {"spec.bad-value"}},
    {&Acme::accounts, "{env: CLOUD", "{env: A}\n  interface: pubic #", {"spec.bad-value"}},
    {&Acme::accounts, "{env: CLOUD", "{env: A}\n  caFile: \"\" #", {"spec.bad-value"}},
    {&Acme::accounts, "{env: CLOUD", "{env: A}\n  domains: {prod: x} #", {"spec.unknown-field"}},
    {&Acme::development, "bindings:", "boundary: {adopts: x}\n  bindings:", {"spec.unknown-field"}},
    {&Acme::development, "bindings:", "boundary: {adopt: \" \"}\n  bindings:", {"spec.bad-value"}},
    {&Acme::development, "bindings:", "boundary: {tags: [a/b]}\n  bindings:", {"spec.bad-value"}},
    {&Acme::development,
     "bindings:",
     "boundary: {tags: [\"bailey:env-1\"]}\n  bindings:",
     {"spec.bad-value"}},
    {&Acme::web_service, "from: 0.0.0.0/0", "from: 0.0.0.0/33", {"spec.bad-cidr"}},
    {&Acme::web_service, "port: 443", "port: 65536", {"spec.out-of-range"}},
    {&Acme::web_service, "protocol: tcp", "protocol: tpc", {"spec.bad-value"}},
    {&Acme::directory, "bob@acme.example", "bob", {"spec.bad-email"}},
    {&Acme::directory, "email: bob@acme.example, ", "", {"spec.missing-field"}},
    {&Acme::directory,
     "AAAAC3NzaC1lZDI1NTE5AAAAIOyF",
     "AAAAC3NzaC1lZDI1NTE5AAAAIOy",
     {"spec.bad-ssh-key"}},
    // A person signs with an SSH key; PEM keys are for services.
    {&Acme::directory, test::ssh_key(0), "-----BEGIN PUBLIC KEY-----", {"spec.bad-ssh-key"}},
};
INSTANTIATE_TEST_SUITE_P(Shape, SpecFault, testing::ValuesIn(kShape));

// Names, references and what belongs together.
const std::vector<Fault> kMeaning{
    {&Acme::freeze, "close}", "close}\n---\n" + Acme().freeze, {"spec.duplicate-name"}},
    {&Acme::accounts,
     "[get-secret, registry]}",
     "[get-secret, registry]}\n  interface: internal\n  caFile: /ca.pem",
     {"spec.wrong-provider", "spec.wrong-provider"}},
    {&Acme::accounts,
     "{file: /etc/bailey/production.json}",
     "{file: a}\n  domains: {production: p, staging: s}",
     {"spec.class-not-allowed"}},
    {&Acme::accounts,
     "{env: CLOUD_CREDENTIAL}",
     "{env: A}\n  domains: {sandbox: a, test: b, staging: c}",
     {"spec.missing-domain"}},
    {&Acme::development,
     "bindings:",
     "boundary: {adopt: old, description: Ours., tags: [a]}\n  bindings:",
     {"spec.adopted-as-it-is", "spec.adopted-as-it-is"}},
    {&Acme::sandbox, "ttl: 8h}", "ttl: 8h, boundary: {adopt: old}}", {"spec.floor.sandbox-adopt"}},
    {&Acme::organization,
     "2}}",
     "2}}\n---\n" + replaced(Acme().organization, "name: acme", "name: b"),
     {"spec.duplicate-document"}},
    {&Acme::directory, "devs: [alice]", "devs: [alise]", {"spec.unknown-person"}},
    {&Acme::directory, "[bob, group:leads]", "[bob, leads]", {"spec.unknown-person"}},
    {&Acme::directory,
     "[bob, group:leads]",
     "[bob, group:leads, group:leadz]",
     {"spec.unknown-group"}},
    {&Acme::directory,
     "[bob, group:leads]",
     "[bob, group:leads, service:cd]",
     {"spec.unknown-service"}},
    {&Acme::directory,
     "[bob, group:leads]",
     "[bob, grupo:leads, group:leads]",
     {"spec.bad-subject"}},
    {&Acme::directory, "leads: [carol]", "leads: [carol, group:managers]", {"spec.group-cycle"}},
    {&Acme::directory, test::ssh_key(1), test::ssh_key(0), {"spec.shared-key"}},
    {&Acme::directory, "bob@acme.example", "ALICE@acme.example", {"spec.shared-email"}},
    {&Acme::sandbox, "owner: alice", "owner: alicia", {"spec.unknown-person"}},
    {&Acme::sandbox, "account: cloud", "account: clod", {"spec.unknown-account"}},
    {&Acme::sandbox, "template: web-service", "template: web-servise", {"spec.unknown-template"}},
    {&Acme::sandbox, "project: payments", "project: payment", {"spec.unknown-project"}},
    {&Acme::accounts, "provider: oci", "provider: ocy", {"spec.unknown-provider"}},
    {&Acme::web_service,
     "provider: demo",
     "provider: oci",
     {"spec.wrong-provider", "spec.provider-mismatch", "spec.provider-mismatch",
      "spec.provider-mismatch", "spec.provider-mismatch", "spec.provider-mismatch"}},
    {&Acme::project, "staging, production]", "stagin, production]", {"spec.unknown-environment"}},
    {&Acme::project, "stages: [dev,", "stages: [alice-play, dev,", {"spec.sandbox-stage"}},
    {&Acme::duties, "author@payments", "author@payment", {"spec.unknown-project"}},
    {&Acme::duties, "operate@production", "operate@prodution", {"spec.unknown-environment"}},
    {&Acme::duties, "operate@production", "operates@production", {"spec.bad-holding"}},
    {&Acme::duties, "approver-never-deploys", "author-never-operates", {"spec.duplicate-name"}},
    {&Acme::web_service,
     "type: network, cidr",
     "type: netwrk, cidr",
     {"spec.unknown-resource-type"}},
    {&Acme::web_service, "type: network, cidr", "cidr", {"spec.missing-field"}},
    {&Acme::web_service,
     "image: cirros-",
     "imag: cirros-",
     {"spec.missing-field", "spec.unknown-field"}},
    {&Acme::web_service, "${parameter.flavor}", "${parameter.flavour}", {"spec.unknown-parameter"}},
    {&Acme::web_service,
     "${parameter.flavor}",
     "${parameter.replicas}",
     {"spec.wrong-reference-type"}},
    {&Acme::web_service,
     "${parameter.monitored}",
     "${parameter.flavor}",
     {"spec.wrong-reference-type"}},
    {&Acme::web_service,
     "count: ${parameter.replicas}",
     "count: ${parameter.flavor}",
     {"spec.wrong-reference-type"}},
    {&Acme::web_service, "count: ${parameter.replicas}", "count: 1001", {"spec.out-of-range"}},
    {&Acme::web_service,
     "network: ${resource.net}",
     "network: ${resource.nett}",
     {"spec.unknown-resource"}},
    {&Acme::web_service,
     "network: ${resource.net}",
     "network: ${resource.password}",
     {"spec.wrong-reference-type"}},
    {&Acme::web_service,
     "network: ${resource.net}",
     "network: somebody-elses",
     {"spec.wrong-reference-type"}},
    {&Acme::web_service,
     "${resource.password.ref}",
     "${resource.password.reff}",
     {"spec.unknown-attribute"}},
    {&Acme::web_service,
     "${resource.password.ref}",
     "${resource.password[0].ref}",
     {"spec.counted-reference"}},
    {&Acme::web_service,
     "${resource.web[0].address}",
     "${resource.web.address}x",
     {"spec.counted-reference"}},
    {&Acme::web_service,
     "${resource.web[0].address}",
     "${resource.web[1].address}",
     {"spec.index-out-of-range", "spec.index-out-of-range", "spec.index-out-of-range",
      "spec.index-out-of-range"}},
    {&Acme::web_service,
     "${artifact.web.digest}",
     "${artifact.wb.digest}",
     {"spec.unknown-artifact"}},
    {&Acme::web_service, "${artifact.web.digest}", "${artifact.web.tag}", {"spec.bad-reference"}},
    {&Acme::web_service, "${artifact.web.digest}", "${artifact.web.digest", {"spec.bad-reference"}},
    {&Acme::web_service, "${environment.class}", "${environment.clas}", {"spec.bad-reference"}},
    {&Acme::web_service, "${environment.class}", "${change.id}", {"spec.reference-not-allowed"}},
    {&Acme::web_service,
     "cidr: \"${parameter.range}\"",
     "cidr: \"${resource.web[0].address}\"",
     {"spec.dependency-cycle"}},
    {&Acme::web_service, "default: small", "default: medium", {"spec.bad-value"}},
    {&Acme::web_service,
     "minimum: 1,",
     "minimum: 21,",
     {"spec.out-of-range", "spec.bad-value", "spec.bad-value"}},
    {&Acme::web_service,
     "artifacts: [web]",
     "artifacts: [web, api]",
     {"spec.unknown-artifact", "spec.unknown-artifact", "spec.unknown-artifact",
      "spec.unknown-artifact", "spec.unknown-artifact"}},
    {&Acme::web_service,
     "replicas: {type: integer, minimum: 1, maximum: 20, default: 1}",
     "replicas: {type: integer, minimum: 1, maximum: 20}",
     {"spec.missing-parameter", "spec.missing-parameter", "spec.missing-parameter",
      "spec.missing-parameter"}},
    {&Acme::production, "replicas: 3", "replicaz: 3", {"spec.unknown-parameter"}},
    {&Acme::production, "replicas: 3", "replicas: 21", {"spec.bad-value"}},
    {&Acme::production, "replicas: 3", "replicas: three", {"spec.wrong-type"}},
    {&Acme::production, "replicas: 3", "replicas: 03", {"spec.ambiguous-scalar"}},
    {&Acme::production, "flavor: large", "flavor: larg", {"spec.bad-value"}},
    {&Acme::production, "replicas: 3", "replicas: 3, range: 10.20.0.1/24", {"spec.bad-cidr"}},
    {&Acme::production, "approver: [group", "aprover: [group", {"spec.unknown-role"}},
    {&Acme::production, "role: runtime", "role: runtme", {"spec.unknown-role"}},
    {&Acme::production, "approver: [group:managers]", "approver: []", {"spec.empty-list"}},
    {&Acme::production,
     "verified: {in: staging}",
     "verified: {in: production}",
     {"spec.floor.production-verified", "spec.not-a-stage-before"}},
    {&Acme::production, "checks/ticket", "checks/tiket", {"spec.missing-program"}},
    {&Acme::production, "checks/ticket", "/bin/true", {"spec.missing-program"}},
    {&Acme::production, "\"${change.id}\"", "\"${parameter.x}\"", {"spec.reference-not-allowed"}},
    {&Acme::development, "${environment.name}", "${change.id}", {"spec.reference-not-allowed"}},
    {&Acme::development, "account: cloud", "account: cloud-production", {"spec.class-not-allowed"}},
    {&Acme::development,
     "account: cloud",
     "account: registry",
     {"spec.provider-mismatch", "spec.class-not-allowed"}},
    {&Acme::development, "bindings:", "ttl: 8h\n  bindings:", {"spec.only-sandbox"}},
};
INSTANTIATE_TEST_SUITE_P(Meaning, SpecFault, testing::ValuesIn(kMeaning));

// Registries, and what a stage has of its own.
const std::vector<Fault> kRepositories{
    {&Acme::production,
     "credentials:",
     "repositories: {web: {account: registry, repository: 127.0.0.1:5001/production/web}}\n"
     "  credentials:",
     {}},
    {&Acme::production,
     "credentials:",
     "repositories: {web: {account: cloud-production, repository: x.example/web}}\n  credentials:",
     {"spec.wrong-provider"}},
    {&Acme::production,
     "credentials:",
     "repositories: {wb: {account: registry, repository: 127.0.0.1:5001/p}}\n  credentials:",
     {"spec.unknown-artifact"}},
    // The credential of one registry goes to no other one.
    {&Acme::production,
     "credentials:",
     "repositories: {web: {account: registry, repository: evil.example/web}}\n  credentials:",
     {"spec.wrong-registry"}},
    {&Acme::production,
     "credentials:",
     "repositories: {web: {account: registry, repository: 127.0.0.1:50011/web}}\n  credentials:",
     {"spec.wrong-registry"}},
    // Whoever builds may write there.
    {&Acme::production,
     "credentials:",
     "repositories: {web: {account: registry, repository: 127.0.0.1:5001/payments/web}}\n"
     "  credentials:",
     {"spec.shared-repository"}},
    {&Acme::staging,
     "  verify:",
     "  repositories: {web: {account: registry, repository: 127.0.0.1:5001/staging/web}}\n"
     "  verify:",
     {"spec.class-not-allowed"}},
    {&Acme::project,
     "payments/web\"}",
     "payments/web\", account: registry}",
     {"spec.floor.production-account"}},
    {&Acme::project, "payments/web\"}", "payments/web\", account: cloud}", {"spec.wrong-provider"}},
    {&Acme::project,
     "payments/web\"}",
     "payments/web\", account: rgistry}",
     {"spec.unknown-account"}},
};
INSTANTIATE_TEST_SUITE_P(Repositories, SpecFault, testing::ValuesIn(kRepositories));

// What keeps standing under another name.
const std::vector<Fault> kMoves{
    {&Acme::web_service,
     "  outputs:",
     "  moved: [{from: a, to: b}, {from: b, to: net}]\n  outputs:",
     {}},
    {&Acme::web_service, "  outputs:", "  moved: [{from: \"web[7]\", to: probe}]\n  outputs:", {}},
    {&Acme::web_service, "  outputs:", "  moved: [{from: old, to: \"web[0]\"}]\n  outputs:", {}},
    {&Acme::web_service,
     "  outputs:",
     "  moved: [{from: web, to: net}]\n  outputs:",
     {"spec.move.still-declared"}},
    {&Acme::web_service,
     "  outputs:",
     "  moved: [{from: old, to: nte}]\n  outputs:",
     {"spec.unknown-resource"}},
    {&Acme::web_service,
     "  outputs:",
     "  moved: [{from: a, to: b}, {from: b, to: a}]\n  outputs:",
     {"spec.move.cycle"}},
    {&Acme::web_service,
     "  outputs:",
     "  moved: [{from: old, to: old}]\n  outputs:",
     {"spec.move.cycle"}},
    {&Acme::web_service,
     "  outputs:",
     "  moved: [{from: a, to: net}, {from: a, to: probe}]\n  outputs:",
     {"spec.move.twice"}},
    {&Acme::web_service,
     "  outputs:",
     "  moved: [{from: a, to: net}, {from: b, to: net}]\n  outputs:",
     {"spec.move.twice"}},
    {&Acme::web_service,
     "  outputs:",
     "  moved: [{from: \"a[x]\", to: net}]\n  outputs:",
     {"spec.bad-address"}},
    {&Acme::web_service,
     "  outputs:",
     "  moved: [{from: a/b, to: net}]\n  outputs:",
     {"spec.bad-address"}},
    {&Acme::web_service,
     "  outputs:",
     "  moved: [{from: old, to: \"net[0]\"}]\n  outputs:",
     {"spec.bad-index"}},
    {&Acme::web_service,
     "  outputs:",
     "  moved: [{from: old}]\n  outputs:",
     {"spec.missing-field"}},
    {&Acme::web_service,
     "  outputs:",
     "  moved: [{from: old, to: net, why: x}]\n  outputs:",
     {"spec.unknown-field"}},
    {&Acme::web_service,
     "  outputs:",
     "  moved: {from: old, to: net}\n  outputs:",
     {"spec.wrong-type"}},
};
INSTANTIATE_TEST_SUITE_P(Moves, SpecFault, testing::ValuesIn(kMoves));

// The least that a class asks for, and gates that nobody can pass.
const std::vector<Fault> kFloors{
    {&Acme::sandbox, ", ttl: 8h", "", {"spec.floor.sandbox-ttl"}},
    {&Acme::sandbox, "ttl: 8h", "ttl: 49h", {"spec.floor.sandbox-ttl"}},
    {&Acme::sandbox, "owner: alice, ", "", {"spec.floor.sandbox-owner"}},
    {&Acme::accounts, ", maximumTtl: 48h", "", {"spec.floor.sandbox-limits"}},
    {&Acme::accounts, "sandboxesPerOwner: 2, ", "", {"spec.floor.sandbox-limits"}},
    {&Acme::sandbox,
     "ttl: 8h}",
     "ttl: 8h}\n---\n" + replaced(Acme().sandbox, "alice-play", "two") + "---\n" +
         replaced(Acme().sandbox, "alice-play", "three"),
     {"spec.floor.sandboxes-per-owner"}},
    {&Acme::testing, "  gate: [{verified: {in: dev}}]\n", "", {"spec.floor.test-verified"}},
    {&Acme::project,
     "[dev, test, staging",
     "[test, staging",
     {"spec.floor.test-verified", "spec.not-a-stage-before"}},
    {&Acme::staging, "    - verified: {in: test}\n", "", {"spec.floor.staging-verified"}},
    {&Acme::staging,
     "verified: {in: test}",
     "verified: {in: dev}",
     {"spec.floor.staging-verified"}},
    {&Acme::staging,
     "    - approvals: {rules: [{from: group:managers}]}\n",
     "",
     {"spec.floor.staging-approvals"}},
    {&Acme::staging, "rules: [{from: group:managers}]", "rules: []", {"spec.empty-list"}},
    {&Acme::production, "    - verified: {in: staging}\n", "", {"spec.floor.production-verified"}},
    {&Acme::production,
     "urn:bailey:authorship:v1",
     "https://slsa.dev/provenance/v1",
     {"spec.floor.production-authorship"}},
    {&Acme::production, ", {from: group:leads, count: 1}", "", {"spec.floor.production-approvals"}},
    {&Acme::accounts,
     "classes: [production]\n  endpoint: https",
     "classes: [production, staging]\n  endpoint: https",
     {"spec.floor.production-account", "spec.floor.production-account"}},
    {&Acme::production,
     "approver: [group:managers]",
     "approver: [group:managers]\n    developer: [bob]",
     {"spec.floor.production-operate"}},
    {&Acme::duties,
     "deploy@staging]}",
     "deploy@staging]}\n  flows: [{from: alice-play, to: dev, what: data}]",
     {"spec.floor.sandbox-flow"}},
    {&Acme::production,
     "authorship:v1\", signedBy: [service:ci]",
     "authorship:v1\", signedBy: [dave.jones]",
     {"gate.never-met"}},
    {&Acme::development,
     "  verify: [{command: [checks/smoke, \"${environment.name}\"], timeout: 5m}]\n",
     "",
     {"gate.never-met"}},
    {&Acme::production,
     "execute: by-operator",
     "execute: by-operator\n  breakGlass: {who: [bob], ttl: 1h, review: {from: carol, within: "
     "24h}}",
     {"gate.never-met"}},  // two others must agree, unless it says one
    {&Acme::production,
     "execute: by-operator",
     "execute: by-operator\n  breakGlass: {who: [bob, carol], approvals: 1, ttl: 1h, review: "
     "{from: "
     "carol, count: 2, within: 24h}}",
     {"gate.never-met"}},
    {&Acme::production,
     "execute: by-operator",
     "execute: by-operator\n  grantable: {deployer: {to: [bob], ttl: 2h}}",
     {"spec.power-not-granted"}},
    {&Acme::production,
     "execute: by-operator",
     "execute: by-operator\n  grantable: {developer: {to: [bob], approvals: 9, ttl: 2h}}",
     {"gate.never-met"}},
};
INSTANTIATE_TEST_SUITE_P(Floors, SpecFault, testing::ValuesIn(kFloors));

TEST(SpecFaults, StagesInACircleAreNamed) {
  Acme acme;
  acme.project = replaced(acme.project, "stages: [dev, test, staging, production]",
                          "stages: {dev: {after: [test]}, test: {after: [dev]}, staging: {after: "
                          "[test]}, production: {after: [staging]}}");
  const auto reading = read(acme);
  EXPECT_EQ(reading.codes(), Codes{"spec.stage-cycle"}) << told(reading);
}

TEST(SpecFaults, HostileTextIsRefusedAtOnce) {
  const std::vector<std::string> hostile{",", std::string(1024 * 1024, '['), "&a [1,*a]",
                                         "%YAML\xff\xff 1.2\n---\n"};
  for (const auto& text : hostile) {
    BundleSources sources;
    sources.specs.push_back({"hostile.yaml", text});
    EXPECT_FALSE(read(sources).bundle) << text.substr(0, 20);
  }
}

constexpr const char* kTwelveFaults = R"(apiVersion: bailey/v1
kind: Directory
metadata: {name: acme}
spec:
  people:
    alice: {email: alice@acme.example}
    bob: {email: bob.acme.example}
  groups:
    leads: [alice, carol]
    ops: [group:leeds]
---
apiVersion: bailey/v1
kind: Account
metadata: {name: cloud}
spec:
  provider: dmo
  classes: [test, prodution]
  endpoint: https://cloud.example
  credential: {env: SECRET}
  limits: {concurrency: 016}
---
apiVersion: bailey/v1
kind: Template
metadata: {name: web}
spec:
  provider: demo
  parameters:
    size: {type: integer, default: 2}
  resources:
    net: {type: network, cidr: 10.0.0.0/99}
    müll: {type: server}
    web:
      type: server
      count: ${parameter.sise}
      flavour: small
      image: "cirros ${environment.nam}"
      flavor: small
      network: ${resource.nte}
---
apiVersion: bailey/v1
kind: Environment
metadata: {name: test}
spec:
  project: payments
  class: test
  account: cloud
  template: web
  template: web
  gate: []
---
apiVersion: bailey/v1
kind: Freeze
metadata: {name: close}
spec:
  classes: &classes [production]
)";

TEST(SpecFaults, AreAllToldInOneRun) {
  BundleSources sources;
  sources.specs.push_back({"bad.yaml", kTwelveFaults});
  Diagnostics diagnostics;
  EXPECT_FALSE(read_bundle(sources, test::demo_schemas(), diagnostics));
  std::string text;
  for (const auto& finding : diagnostics.sorted()) text += render(finding, sources.lookup()) + "\n";
  EXPECT_GE(diagnostics.sorted().size(), 12U);
  test::expect_golden("spec/twelve_faults.txt", text);
}

TEST(SpecFaults, AreToldAsJson) {
  BundleSources sources;
  sources.specs.push_back({"bad.yaml", kTwelveFaults});
  Diagnostics diagnostics;
  EXPECT_FALSE(read_bundle(sources, test::demo_schemas(), diagnostics));
  test::expect_golden("spec/twelve_faults.json", pretty(to_json(diagnostics)));
}

}  // namespace
}  // namespace bailey
