#include "orchestrator/serve/cli/commands/spec_commands.hpp"

#include "orchestrator/base/json.hpp"
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

// Reads and validates here before anything is sent, so that findings show the user's own lines.
// With errors they are printed and the exit code is given.
struct ReadSources {
  std::optional<BundleSources> sources;
  std::optional<Bundle> bundle;
};

ReadSources read_sources(const Context& context, const Paths& paths) {
  Diagnostics diagnostics;
  ReadSources read;
  read.sources = collect_sources(paths, diagnostics);
  if (read.sources) {
    read.bundle = read_bundle(*read.sources, context.programs().schemas, diagnostics);
  }
  show_findings(
      context, diagnostics, read.sources ? read.sources->lookup() : [](std::string_view) {
        return std::optional<std::string>();
      });
  if (!read.bundle) context.print_json(to_json(diagnostics));
  return read;
}

Json proposal(const BundleSources& sources, const Paths& paths, const std::string& since) {
  const auto origin = find_origin(paths, since);
  return {{"sources", to_json(sources)}, {"authors", origin.authors}, {"commit", origin.commit}};
}

// What the server answers to findings of its own: it knows no more than we do, unless versions
// differ.
int server_findings(const Context& context, const Json& answer) {
  for (const auto& finding : member(answer, "findings")) {
    context.note(fmt::format("{}[{}]: {}", string_member(finding, "severity"),
                             string_member(finding, "code"), string_member(finding, "detail")));
  }
  return kFailed;
}

}  // namespace

int validate(const Context& context, const Paths& paths) {
  Diagnostics diagnostics;
  const auto sources = collect_sources(paths, diagnostics);
  const auto bundle = sources ? read_bundle(*sources, context.programs().schemas, diagnostics)
                              : std::optional<Bundle>();
  context.print_json(to_json(diagnostics));
  if (!context.json()) {
    show_findings(
        context, diagnostics, sources ? sources->lookup() : [](std::string_view) {
          return std::optional<std::string>();
        });
  }
  if (diagnostics.has_errors() || !bundle) {
    const auto count = diagnostics.sorted().size();
    context.note(fmt::format("{} {}", count, count == 1 ? "finding" : "findings"));
    return kFailed;
  }
  context.print(fmt::format("{} documents, {} environments: valid\n", bundle->documents.size(),
                            bundle->environments.size()));
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
  if (member(*answer, "ok") != true) return server_findings(context, *answer);
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
  if (member(*answer, "ok") != true) return server_findings(context, *answer);
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
    return server_findings(context, *answer);
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
