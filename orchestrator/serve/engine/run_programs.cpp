#include "orchestrator/serve/engine/run_programs.hpp"

#include "orchestrator/base/process.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/serve/engine/lease_credential.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bailey {

namespace {

std::string substitute(std::string text, const std::string& name, const std::string& value) {
  for (auto at = text.find(name); at != std::string::npos;
       at = text.find(name, at + value.size())) {
    text.replace(at, name.size(), value);
  }
  return text;
}

std::string last_line(const std::string& output) {
  const auto text = trim(output);
  const auto line = text.substr(text.rfind('\n') + 1);
  constexpr std::size_t kMaxShown = 300;
  if (find_invalid_utf8(line)) return "(no text)";
  return utf8_substr(line, 0, kMaxShown);
}

/// What programs are run with: the bundle's folder and short-lived read credentials, which are
/// given back when this goes.
class Stage {
 public:
  static Result<Stage> set(Engine& engine, const Bench& bench, const Change& change,
                           std::stop_token stop) {
    auto folder = engine.programs(*bench.bundle);
    if (!folder) return fail(std::move(folder.error()));
    auto lent = lend_read_credential(engine, *bench.bundle, *bench.environment, stop);
    if (!lent) return fail(std::move(lent.error()).in("lending read credentials"));
    return Stage(engine, bench, change, *std::move(folder), *std::move(lent));
  }

  /// The words of a spec as they are run and told.
  std::vector<std::string> filled(const std::vector<std::string>& words) const {
    const auto environment_class = std::string(to_string(bench_.environment->environment_class));
    std::vector<std::string> out;
    for (auto word : words) {
      word = substitute(std::move(word), "${environment.name}", bench_.environment->name);
      word = substitute(std::move(word), "${environment.class}", environment_class);
      out.push_back(substitute(std::move(word), "${change.id}", change_.id.str()));
    }
    return out;
  }

  /// `words` are filled.
  Result<ProcessResult> run(const std::vector<std::string>& words, std::chrono::seconds timeout,
                            std::stop_token stop) const {
    Command command;
    command.arguments = words;
    if (bench_.bundle->files.contains(words.front())) {
      command.arguments.front() = (folder_ / words.front()).string();
    }
    command.working_directory = folder_;
    command.environment = lent_.variables;
    command.environment["PATH"] = Secret("/usr/local/bin:/usr/bin:/bin");
    command.environment["BAILEY_ENVIRONMENT"] = Secret(bench_.environment->name);
    command.environment["BAILEY_CHANGE"] = Secret(change_.id.str());
    command.timeout = timeout;
    return run_process(command, stop);
  }

  void give_back() { return_read_credential(engine_, *bench_.bundle, *bench_.environment, lent_); }

 private:
  Stage(Engine& engine, const Bench& bench, const Change& change, std::filesystem::path folder,
        LentCredential lent)
      : engine_(engine),
        bench_(bench),
        change_(change),
        folder_(std::move(folder)),
        lent_(std::move(lent)) {}

  Engine& engine_;
  const Bench& bench_;
  const Change& change_;
  std::filesystem::path folder_;
  LentCredential lent_;
};

}  // namespace

bool wants_checks(const Environment& environment) {
  return std::any_of(environment.gate.begin(), environment.gate.end(), [](const auto& condition) {
    return std::holds_alternative<CheckCondition>(condition);
  });
}

Result<CheckOutcomes> run_checks(Engine& engine, const Bench& bench, const Change& change,
                                 std::stop_token stop) {
  CheckOutcomes outcomes;
  if (!wants_checks(*bench.environment)) return outcomes;
  auto stage = Stage::set(engine, bench, change, stop);
  if (!stage) return fail(std::move(stage.error()));
  const auto& gate = bench.environment->gate;
  for (std::size_t index = 0; index < gate.size(); ++index) {
    const auto* check = std::get_if<CheckCondition>(&gate[index]);
    if (check == nullptr) continue;
    const auto result = stage->run(stage->filled(check->command), check->timeout, stop);
    outcomes[index] = result ? CheckOutcome{result->exit_code == 0, last_line(result->output)}
                             : CheckOutcome{false, result.error().message()};
  }
  stage->give_back();
  engine.checks().put(change.id, change.plan.digest, outcomes, engine.clock().monotonic_now());
  return outcomes;
}

Result<std::vector<VerificationResult>> run_verifications(Engine& engine, const Bench& bench,
                                                          const Change& change,
                                                          std::stop_token stop) {
  std::vector<VerificationResult> results;
  if (bench.environment->verify.empty()) return results;
  auto stage = Stage::set(engine, bench, change, stop);
  if (!stage) return fail(std::move(stage.error()));
  for (const auto& verification : bench.environment->verify) {
    const auto words = stage->filled(verification.command);
    const auto result = stage->run(words, verification.timeout, stop);
    results.push_back(result
                          ? VerificationResult{words, result->exit_code, last_line(result->output)}
                          : VerificationResult{words, 127, result.error().message()});
  }
  stage->give_back();
  return results;
}

}  // namespace bailey
