#include "orchestrator/serve/cli/commands/spec_commands.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/declare/duties/prove_duties.hpp"
#include "orchestrator/declare/spec/bundle_reader.hpp"
#include "orchestrator/declare/spec/json_schema.hpp"
#include "orchestrator/provision/plan/plan_view.hpp"
#include "orchestrator/serve/cli/git_authors.hpp"
#include "orchestrator/serve/cli/wait.hpp"
#include "orchestrator/serve/engine/bundle_record.hpp"

#include <fmt/format.h>

namespace bailey {

namespace {

void show_findings(const Context& context, const Diagnostics& diagnostics,
                   const SourceLookup& sources) {
  for (const auto& finding : diagnostics.sorted()) context.note(render(finding, sources));
}

std::string count_of(const Diagnostics& diagnostics) {
  const auto count = diagnostics.sorted().size();
  return fmt::format("{} {}", count, count == 1 ? "finding" : "findings");
}

struct OfflineReading {
  Diagnostics diagnostics;
  std::optional<BundleSources> sources;
  std::optional<Bundle> bundle;
  BundlePlaces places;

  [[nodiscard]] SourceLookup lookup() const {
    if (sources) return sources->lookup();
    return [](std::string_view) { return std::optional<std::string>(); };
  }
};

OfflineReading read_offline(const Context& context, const Paths& paths) {
  OfflineReading read;
  read.sources = collect_sources(paths, read.diagnostics);
  if (!read.sources) return read;
  read.bundle =
      read_bundle(*read.sources, context.programs().schemas, read.diagnostics, &read.places);
  return read;
}

// Reads and validates here before anything is sent, so that findings show the user's own lines.
// With errors they are printed and the exit code is given.
struct ReadSources {
  std::optional<BundleSources> sources;
  std::optional<Bundle> bundle;
};

ReadSources read_sources(const Context& context, const Paths& paths) {
  auto read = read_offline(context, paths);
  show_findings(context, read.diagnostics, read.lookup());
  if (!read.bundle) context.print_json(to_json(read.diagnostics));
  return {std::move(read.sources), std::move(read.bundle)};
}

Json proposal(const BundleSources& sources, const Paths& paths, const std::string& since) {
  const auto origin = find_origin(paths, since);
  return {{"sources", to_json(sources)}, {"authors", origin.authors}, {"commit", origin.commit}};
}

Diagnostic finding_from_json(const Json& value) {
  Diagnostic finding{
      string_member(value, "severity") == "warning" ? Severity::Warning : Severity::Error,
      string_member(value, "code"),
      string_member(value, "summary"),
      string_member(value, "detail"),
      std::nullopt,
      string_member(value, "suggestion"),
      strings_member(value, "path")};
  const auto line = value.value("line", Json());
  if (line.is_number_unsigned()) {
    finding.subject = SourceRange{string_member(value, "file"), line.get<std::uint32_t>(),
                                  value.value("column", 1U), 1};
  }
  return finding;
}

// What the server answers to findings of its own: the policy is its to judge.
int server_findings(const Context& context, const Json& answer, const BundleSources& sources) {
  bool duties = false;
  for (const auto& item : member(answer, "findings")) {
    const auto finding = finding_from_json(item);
    context.note(render(finding, sources.lookup()));
    duties = duties || finding.code.starts_with("duty.") || finding.code.starts_with("policy.");
  }
  return duties ? kRefused : kFailed;
}

}  // namespace

int validate(const Context& context, const Paths& paths) {
  auto read = read_offline(context, paths);
  if (read.bundle) check_policy(*read.bundle, read.places, read.diagnostics);
  context.print_json(to_json(read.diagnostics));
  if (!context.json()) show_findings(context, read.diagnostics, read.lookup());
  if (read.diagnostics.has_errors() || !read.bundle) {
    context.note(count_of(read.diagnostics));
    return kFailed;
  }
  context.print(fmt::format("{} documents, {} environments: valid\n", read.bundle->documents.size(),
                            read.bundle->environments.size()));
  return kDone;
}

int check_duties(const Context& context, const Paths& paths) {
  auto read = read_offline(context, paths);
  // What the specs do not use yet is no answer to the question.
  Diagnostics proof;
  if (read.bundle) prove_duties(*read.bundle, read.places, proof);
  const auto& findings = read.bundle ? proof : read.diagnostics;
  context.print_json(to_json(findings));
  if (!context.json()) show_findings(context, findings, read.lookup());
  if (!findings.empty()) context.note(count_of(findings));
  if (!read.bundle) return kFailed;
  if (findings.has_errors()) return kRefused;
  const auto& bundle = *read.bundle;
  context.print(fmt::format("{} people, {} environments, {} duties: separated\n",
                            bundle.directory.people.size(), bundle.environments.size(),
                            bundle.duties.exclusive.size() + bundle.duties.flows.size()));
  return kDone;
}

int print_schema(const Context& context) {
  const auto text = pretty(spec_json_schema(context.programs().schemas));
  std::fwrite(text.data(), 1, text.size(), stdout);
  return kDone;
}

int init(const Context& context, const Paths& paths) {
  const auto read = read_sources(context, paths);
  if (!read.bundle) return kFailed;
  auto client = context.client();
  auto answer = client.post("/v1/bundle/init", proposal(*read.sources, paths, ""));
  if (!answer) return context.fail_with(answer.error());
  context.print_json(*answer);
  if (member(*answer, "ok") != true) return server_findings(context, *answer, *read.sources);
  context.print(fmt::format("accepted: {}\n", string_member(*answer, "digest")));
  context.note(fmt::format(
      "Now log in as somebody of the Directory:\n    bailey login --as NAME --key KEY\n"
      "Its administrators confirm it by their signatures; until then nothing goes into staging or "
      "production:\n    bailey approve {}",
      string_member(*answer, "change")));
  return kDone;
}

int plan(const Context& context, const PlanCommand& command) {
  const auto read = read_sources(context, command.paths);
  if (!read.bundle) return kFailed;
  auto client = context.client();
  auto answer = client.post("/v1/plans", {{"sources", to_json(*read.sources)},
                                          {"environment", command.environment},
                                          {"targets", command.targets}});
  if (!answer) return context.fail_with(answer.error());
  if (member(*answer, "ok") != true) return server_findings(context, *answer, *read.sources);
  bool differs = false;
  for (const auto& item : member(*answer, "plans")) {
    auto plan = plan_from_json(item);
    if (!plan) return context.fail_with(plan.error());
    differs = differs || !plan->empty();
    context.print(render_plan(*plan, context.programs().schemas) + "\n");
  }
  // One environment's plan is printed as itself; several as a list of them.
  const auto& plans = member(*answer, "plans");
  const bool one = !command.environment.empty() || !command.targets.empty();
  context.print_json(one && plans.size() == 1 ? plans[0] : Json{{"plans", plans}});
  if (plans.empty()) context.note("You may read none of these environments.");
  return differs && command.detailed_exit_code ? kDifferences : kDone;
}

int apply(const Context& context, const ApplyCommand& command) {
  const auto read = read_sources(context, command.paths);
  if (!read.bundle) return kFailed;
  auto client = context.client();
  auto accepted = client.get("/v1/bundle");
  if (!accepted) return context.fail_with(accepted.error());
  auto body = proposal(*read.sources, command.paths, string_member(*accepted, "commit"));
  body["environment"] = command.environment;
  body["targets"] = command.targets;
  auto answer = client.post("/v1/apply", body);
  if (!answer) return context.fail_with(answer.error());
  if (member(*answer, "ok") != true) {
    context.print_json(*answer);
    return server_findings(context, *answer, *read.sources);
  }
  for (const auto& name : strings_member(*answer, "unchanged")) {
    context.print(fmt::format("{}: nothing to change\n", name));
  }
  for (const auto& item : member(*answer, "refused")) {
    context.note(
        fmt::format("{}: {}", string_member(item, "environment"), string_member(item, "reason")));
  }
  const auto changes = strings_member(*answer, "changes");
  if (member(*answer, "accepted") != true) {
    context.note(
        "This changes what decides: the administrators must approve it first. Then run "
        "apply again for the environments.");
  }
  const int code = changes.empty() ? kDone : follow(context, client, changes, command.wait);
  context.print_json(*answer);
  if (code == kDone && !member(*answer, "refused").empty()) return kRefused;
  return code;
}

}  // namespace bailey
