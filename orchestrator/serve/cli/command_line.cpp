#include "orchestrator/serve/cli/command_line.hpp"

#include "orchestrator/base/clock.hpp"
#include "orchestrator/serve/cli/commands/artifact_commands.hpp"
#include "orchestrator/serve/cli/commands/audit_commands.hpp"
#include "orchestrator/serve/cli/commands/change_commands.hpp"
#include "orchestrator/serve/cli/commands/environment_commands.hpp"
#include "orchestrator/serve/cli/commands/grant_commands.hpp"
#include "orchestrator/serve/cli/commands/session_commands.hpp"
#include "orchestrator/serve/cli/commands/spec_commands.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <charconv>

namespace bailey {

namespace {

using Action = std::function<int(const Context&)>;

constexpr const char* kExitCodes =
    "Exit codes: 0 done, 1 failed, 2 differences, 3 waiting for an approval, 4 refused by a gate, "
    "duty or permission, 64 usage, 130 interrupted.";

/// The grammar. Each add_ method declares commands and binds their options to values that live as
/// long as the grammar does; the chosen command leaves its action.
class Grammar {
 public:
  explicit Grammar(const Programs& programs) : programs_(programs) {
    app_.set_version_flag("--version", "bailey " BAILEY_VERSION);
    app_.require_subcommand(1);
    app_.footer(kExitCodes);
    app_.add_flag("--json", json_, "One JSON object on stdout");
    app_.add_option("--server", server_, "The server's URL (BAILEY_SERVER)");
    app_.add_option("--token-file", token_file_, "File with an API token (BAILEY_TOKEN_FILE)");
    app_.fallthrough();
    add_spec();
    add_change_requests();
    add_decisions();
    add_changes();
    add_journal();
    add_artifacts();
    add_environments();
    add_drift();
    add_sandboxes();
    add_credentials();
    add_grants();
    add_audit();
    add_sessions();
    add_programs();
  }

  int run(int argc, char** argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      if (error.get_exit_code() == 0) return app_.exit(error);
      app_.exit(error);
      return kUsage;
    }
    const Context context(programs_, find_connection(server_, token_file_), json_);
    return action_ ? action_(context) : kUsage;
  }

 private:
  CLI::App* add(CLI::App& parent, const std::string& name, const std::string& description,
                Action action) {
    auto* command = parent.add_subcommand(name, description);
    command->callback([this, action = std::move(action)] { action_ = action; });
    return command;
  }
  CLI::App* add(const std::string& name, const std::string& description, Action action) {
    return add(app_, name, description, std::move(action));
  }
  CLI::App& noun(const std::string& name, const std::string& description) {
    auto* group = app_.add_subcommand(name, description);
    group->require_subcommand(1);
    return *group;
  }
  void add_paths(CLI::App* command) {
    command->add_option("PATH", paths_, "Spec files or folders")
        ->required()
        ->check(CLI::ExistingPath);
  }
  void add_environment(CLI::App* command, bool required = true) {
    auto* option = command->add_option("ENVIRONMENT", environment_, "Name of an environment");
    if (required) option->required();
  }
  void add_change(CLI::App* command) {
    command->add_option("CHANGE", change_, "Id of a change: chg-...")->required();
  }
  void add_wait(CLI::App* command) {
    command->add_flag("--wait", wait_, "Follow it until it has ended or waits for people");
  }
  void add_targets(CLI::App* command) {
    command->add_option("--target", targets_,
                        "ENV/RESOURCE: only this and what it needs; sandboxes and development");
  }
  void add_grant(CLI::App* command) {
    command->add_option("GRANT", grant_, "Id of a grant: grt-...")->required();
  }
  void add_key(CLI::App* command) {
    command->add_option("--key", key_, "SSH key to sign with (BAILEY_KEY, ~/.ssh/id_...)");
  }
  void add_ttl(CLI::App* command, const char* description) {
    command->add_option("--ttl", ttl_, description)->check(is_duration);
  }
  static std::string is_duration(const std::string& text) {
    return parse_duration(text) ? std::string() : "not a duration such as 30m or 8h";
  }
  [[nodiscard]] std::chrono::seconds ttl() const {
    return parse_duration(ttl_).value_or(std::chrono::hours(1));
  }

  void add_spec() {
    add_paths(add("validate", "Check specs offline, with every finding",
                  [this](const Context& context) { return validate(context, paths_); }));
    add_paths(add(noun("duties", "Separation of duties"), "check",
                  "Prove offline that nobody can get round them, or show the shortest way",
                  [this](const Context& context) { return check_duties(context, paths_); }));
    add("schema", "Print the JSON Schema of the spec format, for editors",
        [](const Context& context) { return print_schema(context); });
    add_paths(add("init", "Give a new server its first bundle",
                  [this](const Context& context) { return init(context, paths_); }));
    auto* plan_command = add("plan", "Show what would be done", [this](const Context& context) {
      return plan(context, {paths_, environment_, detailed_, targets_});
    });
    add_paths(plan_command);
    plan_command->add_option("--env", environment_, "This environment only");
    add_targets(plan_command);
    plan_command->add_flag("--detailed-exitcode", detailed_, "2 when there are differences");
    auto* apply_command =
        add("apply", "Propose specs: one change for each environment that differs",
            [this](const Context& context) {
              return apply(context, {paths_, environment_, wait_, targets_});
            });
    add_paths(apply_command);
    apply_command->add_option("--env", environment_, "This environment only");
    add_targets(apply_command);
    add_wait(apply_command);
  }

  void add_change_requests() {
    auto* command = add("promote", "Bring an artifact into an environment, through its gate",
                        [this](const Context& context) {
                          return promote(context, {project_, artifacts_, environment_, wait_});
                        });
    command->add_option("--project", project_, "Project")->required();
    command->add_option("--artifact", artifacts_, "NAME=HOST/REPOSITORY@sha256:...")->required();
    command->add_option("--to", environment_, "Environment")->required();
    add_wait(command);
    auto* rollback_command = add(
        "rollback", "Go back to a release that has a receipt, through the gate",
        [this](const Context& context) { return roll_back(context, environment_, to_, wait_); });
    add_environment(rollback_command);
    rollback_command
        ->add_option("--to", to_, "Digest of a receipt, or the change that it is of: chg-...")
        ->required();
    add_wait(rollback_command);
    auto* destroy_command =
        add("destroy", "Take an environment down, through its gate",
            [this](const Context& context) { return destroy(context, environment_, wait_); });
    add_environment(destroy_command);
    add_wait(destroy_command);
  }

  void add_decision(const char* name, const char* description, Decision decision) {
    auto* command = add(name, description, [this, decision](const Context& context) {
      return decide(context, {change_, decision, reason_, key_, yes_});
    });
    add_change(command);
    add_key(command);
    command->add_option("--reason", reason_, "Why, for the record");
    command->add_flag("--yes", yes_, "Sign without asking");
  }

  void add_decisions() {
    add_decision("approve", "Look at a change and sign yes", Decision::Approve);
    add_decision("reject", "Look at a change and sign no: it ends", Decision::Reject);
    add_decision("revoke", "Take back your approval of a change that still waits",
                 Decision::Revoke);
    auto& approval = noun("approval", "Signed decisions");
    auto* command =
        add(approval, "export", "Write them as files that ssh-keygen -Y verify reads",
            [this](const Context& context) { return export_approvals(context, change_, folder_); });
    add_change(command);
    command->add_option("--dir", folder_, "Folder for the files")->required();
  }

  void add_changes() {
    auto& change = noun("change", "Changes on their way through gates");
    auto* list = add(change, "list", "Changes, newest first", [this](const Context& context) {
      return list_changes(context, environment_, state_);
    });
    list->add_option("--env", environment_, "Of this environment only");
    list->add_option("--state", state_, "In this state only: waiting, done, ...");
    add_change(add(change, "show", "All about one change",
                   [this](const Context& context) { return show_change(context, change_); }));
    add_change(add(change, "why", "What blocks it, since when, and who can unblock it",
                   [this](const Context& context) { return why(context, change_); }));
    add_change(add(change, "plan", "The plan that it carries",
                   [this](const Context& context) { return show_plan(context, change_); }));
    auto* execute =
        add(change, "execute", "Let an approved change run (execute: by-operator)",
            [this](const Context& context) { return execute_change(context, change_, wait_); });
    add_change(execute);
    add_wait(execute);
    add_change(add(change, "follow", "Watch it until it has ended or waits for people",
                   [this](const Context& context) { return follow_change(context, change_); }));
    add_change(add(change, "cancel", "Take back a change that waits",
                   [this](const Context& context) { return cancel_change(context, change_); }));
  }

  void add_journal() {
    add("journal", "What stands open at the provider, and what the newest changes did",
        [this](const Context& context) { return read_journal(context, subject_); })
        ->add_option("SUBJECT", subject_, "An environment, or a change: chg-... (default: all)");
  }

  void add_artifacts() {
    auto& artifact = noun("artifact", "Immutable artifacts and their evidence");
    auto* submit = add(artifact, "submit", "Record an artifact and who wrote it, signed",
                       [this](const Context& context) {
                         SubmitCommand command;
                         command.project = project_;
                         command.artifact = artifact_;
                         if (!folder_.empty()) command.git = folder_;
                         command.from = from_;
                         if (!to_.empty()) command.to = to_;
                         command.key = key_;
                         command.authorship = !no_authorship_;
                         command.evidence.assign(evidence_.begin(), evidence_.end());
                         command.predicate = predicate_;
                         command.type = type_;
                         command.push = !no_push_;
                         command.registry_auth = registry_auth_;
                         return submit_artifact(context, command);
                       });
    submit->add_option("--project", project_, "Project")->required();
    submit->add_option("--artifact", artifact_, "NAME=HOST/REPOSITORY@sha256:...")->required();
    submit->add_option("--git", folder_, "Git folder that it was built from (default: here)");
    submit->add_option("--from", from_,
                       "Commit of the release before (default: of what runs in the last stage)");
    submit->add_option("--to", to_, "Commit that it was built from (default: HEAD)");
    add_key(submit);
    submit->add_option("--evidence", evidence_,
                       "File with evidence that others signed: DSSE envelope or sigstore bundle");
    submit
        ->add_option("--predicate", predicate_,
                     "JSON file to sign as a statement about the artifact")
        ->needs(submit->add_option("--type", type_, "Predicate type of that statement"));
    submit->add_flag("--no-authorship", no_authorship_, "Do not tell who wrote it");
    submit->add_flag("--no-push", no_push_, "Do not push the evidence into the registry");
    submit->add_option("--registry-auth", registry_auth_,
                       "Docker config.json with the registry's login (default: your own)");
    auto* show = add(artifact, "show", "What is known about an artifact",
                     [this](const Context& context) { return show_artifact(context, digest_); });
    show->add_option("ARTIFACT", digest_, "sha256:..., HOST/REPOSITORY@sha256:..., or a tag")
        ->required();

    auto& receipt = noun("receipt", "Receipts of finished changes");
    auto* receipt_show =
        add(receipt, "show", "The receipt of a change, as JSON",
            [this](const Context& context) { return show_receipt(context, change_, out_); });
    receipt_show->add_option("CHANGE", change_, "Id of a change, or a receipt's digest")
        ->required();
    receipt_show->add_option("--out", out_, "File to write it to");
    auto* verify =
        add(receipt, "verify", "Check a receipt offline",
            [this](const Context& context) { return verify_receipt(context, file_, log_key_); });
    verify->add_option("FILE", file_, "The receipt")->required()->check(CLI::ExistingFile);
    verify->add_option("--key", log_key_, "The log's verifier key, pinned");
  }

  void add_environments() {
    auto& env = noun("env", "Environments");
    add(env, "list", "Environments you may read",
        [](const Context& context) { return list_environments(context); });
    add_environment(add(env, "show", "One environment and its resources",
                        [this](const Context& c) { return show_environment(c, environment_); }));
    auto* import_command = add(
        "import", "Rebuild the record of an environment whose store is lost",
        [this](const Context& context) { return import_environment(context, environment_, uid_); });
    add_environment(import_command);
    import_command
        ->add_flag("--from-markers", from_markers_, "From the owner's marks at the provider")
        ->required();
    import_command->add_option("--uid", uid_, "Which one, when several bear the name: env-...");
    add_environment(add("probe", "Try every credential against every other environment",
                        [this](const Context& context) { return probe(context, environment_); }),
                    false);
    auto* run_command =
        add("run", "Run a command with a leased credential: run ENV --role R -- CMD",
            [this](const Context& context) {
              return run_with_credential(context, {environment_, role_, ttl(), words_});
            });
    add_environment(run_command);
    run_command->add_option("--role", role_, "Role that you hold there")->required();
    add_ttl(run_command, "How long the credential lives at most (default 1h)");
    run_command->add_option("COMMAND", words_, "The command, after --")->required();
  }

  void add_drift() {
    auto* command = add("drift", "Look for what differs from what was applied, and decide about it",
                        [this](const Context& context) {
                          drift_.environment = environment_;
                          drift_.reason = reason_;
                          drift_.ignore_for = parse_duration(for_).value_or(std::chrono::hours(24));
                          drift_.wait = wait_;
                          return drift(context, drift_);
                        });
    auto* name = command->add_option("ENVIRONMENT", environment_, "Name (default: all)");
    auto* accept = command->add_option("--accept", drift_.accept,
                                       "Findings to take as applied, by id: drift-...");
    auto* restore = command->add_option("--restore", drift_.restore, "Findings to put back, by id");
    auto* ignore =
        command->add_option("--ignore", drift_.ignore, "Findings to leave as they are, by id");
    for (auto* option : {accept, restore, ignore}) option->needs(name);
    accept->excludes(restore)->excludes(ignore);
    restore->excludes(ignore);
    command->add_option("--reason", reason_, "Why, for the record");
    command->add_option("--for", for_, "How long to ignore it (default 24h, at most 90d)")
        ->check(is_duration);
    add_wait(command);
  }

  void add_sandboxes() {
    auto& sandbox = noun("sandbox", "Environments that end by themselves");
    add(sandbox, "list", "Sandboxes and the time that they have left",
        [](const Context& context) { return list_sandboxes(context); });
    auto* extend = add(
        sandbox, "extend", "Let one live until --ttl from now",
        [this](const Context& context) { return extend_sandbox(context, environment_, ttl()); });
    add_environment(extend);
    add_ttl(extend, "From now; within the account's maximum (default 1h)");
  }

  void add_credentials() {
    auto& credential = noun("credential", "Credentials of environments");
    auto* lease = add(credential, "lease", "Lease one, as credential_process JSON",
                      [this](const Context& context) {
                        return lease_credential(context, {environment_, role_, ttl(), {}});
                      });
    add_environment(lease);
    lease->add_option("--role", role_, "Role that you hold there")->required();
    add_ttl(lease, "How long it lives (default 1h)");
    add_environment(
        add(credential, "list", "Credentials and leases, without secrets",
            [this](const Context& context) { return list_credentials(context, environment_); }));
    add_environment(
        add(credential, "rotate", "Issue the standing ones anew",
            [this](const Context& context) { return rotate_credentials(context, environment_); }));
    auto* revoke =
        add(credential, "revoke", "End a lease, a role's credentials, or all of an environment",
            [this](const Context& context) {
              return revoke_credentials(context, environment_, lease_, role_);
            });
    add_environment(revoke);
    auto* by_lease = revoke->add_option("--lease", lease_, "This lease");
    revoke->add_option("--role", role_, "All of this role")->excludes(by_lease);
  }

  [[nodiscard]] GrantCommand grant_command(const std::string& role) const {
    GrantCommand command{environment_, role, {}, reason_, incident_, wait_};
    if (!grant_ttl_.empty()) command.ttl = parse_duration(grant_ttl_);
    return command;
  }

  void add_grant_terms(CLI::App* command) {
    add_environment(command);
    command->add_option("--reason", reason_, "Why: it is kept and shown")->required();
    command->add_option("--ttl", grant_ttl_, "For how long (default: what the spec allows)")
        ->check(is_duration);
    add_wait(command);
  }

  void add_grants() {
    auto& grant = noun("grant", "Roles for a while, on request or in an emergency");
    auto* request = add(grant, "request", "Ask for a role for a while", [this](const Context& c) {
      return request_grant(c, grant_command(role_));
    });
    add_grant_terms(request);
    request->add_option("--role", role_, "A role that is grantable to you there")->required();
    auto* list = add(grant, "list", "Grants and requests, newest first",
                     [this](const Context& c) { return list_grants(c, environment_, all_); });
    add_environment(list, false);
    list->add_flag("--all", all_, "Also those that are over and owe nothing");
    add_grant(add(grant, "show", "Who has it, why, what was done by it",
                  [this](const Context& context) { return show_grant(context, grant_); }));
    add_grant(add(grant, "revoke", "End it now, at the provider too",
                  [this](const Context& context) { return revoke_grant(context, grant_); }));
    auto* review = add(grant, "review", "Sign that you have looked at an emergency access",
                       [this](const Context& context) {
                         return review_grant(context, {grant_, conclusion_, key_, yes_});
                       });
    add_grant(review);
    review->add_option("--conclusion,--reason", conclusion_, "What came of looking at it");
    add_key(review);
    review->add_flag("--yes", yes_, "Sign without asking");

    auto* glass =
        add("break-glass", "Ask for emergency access: loud, short, reviewed afterwards",
            [this](const Context& context) { return request_grant(context, grant_command({})); });
    add_grant_terms(glass);
    glass->add_option("--incident", incident_, "Id of the incident")->required();
  }

  void add_audit() {
    auto& audit = noun("audit", "The log of every act and refusal");
    auto* list = add(audit, "list", "Entries, oldest first", [this](const Context& context) {
      return list_audit(context, {from_index_, limit_});
    });
    list->add_option("--from", from_index_, "First entry");
    list->add_option("--limit", limit_, "At most so many (default: all)");
    auto* verify = add(audit, "verify", "Hash every entry and check the signed checkpoint",
                       [this](const Context& context) {
                         return verify_audit(context, {file_, log_key_});
                       });
    verify->add_option("--database", file_, "A copy of the server's database, offline")
        ->check(CLI::ExistingFile);
    verify->add_option("--key", log_key_, "The log's verifier key, or a file that holds it");
  }

  void add_sessions() {
    auto* login_command = add(
        "login", "Get an API token with your SSH key, or with a CI job's id token",
        [this](const Context& context) {
          return file_.empty() ? login(context, subject_, key_) : login_by_id_token(context, file_);
        });
    auto* who = login_command->add_option_group("Who");
    who->add_option("--as", subject_, "Your name in the Directory, or service:NAME");
    who->add_option("--id-token", file_, "File with the job's id token (OpenID Connect)")
        ->check(CLI::ExistingFile);
    who->require_option(1);
    add_key(login_command);
    add("whoami", "Who you are to the server, and what you may do",
        [](const Context& context) { return who_am_i(context); });
    auto& token = noun("token", "API tokens");
    auto* create = add(
        token, "create", "Make one for somebody without a key (administrators)",
        [this](const Context& context) { return create_token(context, subject_, ttl(), out_); });
    create->add_option("SUBJECT", subject_, "Person, or service:NAME")->required();
    create->add_option("--out", out_, "File for it, made with mode 0600")->required();
    add_ttl(create, "How long it lives (default 1h)");
    add(token, "list", "Your tokens; all of them for administrators",
        [](const Context& context) { return list_tokens(context); });
    auto* revoke = add(token, "revoke", "End one",
                       [this](const Context& context) { return revoke_token(context, id_); });
    revoke->add_option("ID", id_, "Id of the token")->required();
  }

  void add_programs() {
    auto* serve = add("serve", "Run the server and its worker",
                      [this](const Context& context) { return context.programs().serve(serve_); });
    serve->add_option("--data", serve_.data, "Folder for its database and keys")->required();
    serve->add_option_function<std::string>(
        "--listen",
        [this](const std::string& text) {
          const auto colon = text.rfind(':');
          const auto port = colon == std::string::npos ? "" : text.substr(colon + 1);
          const auto [end, error] =
              std::from_chars(port.data(), port.data() + port.size(), serve_.port);
          if (colon == 0 || error != std::errc() || end != port.data() + port.size()) {
            throw CLI::ValidationError("--listen", "is ADDRESS:PORT");
          }
          serve_.address = text.substr(0, colon);
        },
        "ADDRESS:PORT (default 127.0.0.1:7300)");
    serve
        ->add_option_function<std::string>(
            "--drift-every",
            [this](const std::string& text) {
              serve_.drift_every = parse_duration(text).value_or(std::chrono::seconds(0));
            },
            "How often it looks for drift: 30m, ... or never (default 1h)")
        ->check([](const std::string& text) {
          return text == "never" ? std::string() : is_duration(text);
        });
    serve->add_option("--origin", serve_.origin, "Name of its log, fixed at the first start");

    auto* cloud =
        add("devcloud", "Run the embedded cloud: for laptops, demos and tests",
            [this](const Context& context) { return context.programs().devcloud(devcloud_); });
    cloud->add_option("--listen", devcloud_.listen, "127.0.0.1:PORT; loopback only");
    cloud->add_option("--state", devcloud_.state, "File to keep its state in (default: memory)");
    cloud->add_option("--openrc", devcloud_.openrc, "File for its administrator's OS_* exports");
    cloud->add_option("--faults", devcloud_.faults, "File with latency and faults");
    cloud->add_option("--seed", devcloud_.seed, "Seed of latency and faults");
  }

  const Programs& programs_;
  CLI::App app_{
      "Bailey provisions isolated environments and lets artifacts into them through gates.",
      "bailey"};
  Action action_;
  bool json_ = false;
  std::string server_;
  std::string token_file_;
  Paths paths_;
  std::string environment_;
  std::string uid_;
  bool from_markers_ = false;
  std::string project_;
  std::vector<std::string> artifacts_;
  std::string artifact_;
  std::vector<std::string> evidence_;
  std::string predicate_;
  std::string type_;
  bool no_authorship_ = false;
  bool no_push_ = false;
  std::string registry_auth_;
  std::string change_;
  std::string state_;
  std::string reason_;
  std::string key_;
  std::string role_;
  std::string ttl_ = "1h";
  std::string for_ = "24h";
  std::string grant_;
  std::string grant_ttl_;
  std::string incident_;
  std::string conclusion_ = "looked at";
  bool all_ = false;
  std::vector<std::string> targets_;
  DriftCommand drift_;
  std::string lease_;
  std::string subject_;
  std::string id_;
  std::string digest_;
  std::string from_;
  std::string to_;
  std::string folder_;
  std::string out_;
  std::string file_;
  std::string log_key_;
  std::vector<std::string> words_;
  std::uint64_t from_index_ = 0;
  std::size_t limit_ = 0;
  bool detailed_ = false;
  bool wait_ = false;
  bool yes_ = false;
  ServeOptions serve_;
  DevcloudCommand devcloud_;
};

}  // namespace

int run_command_line(int argc, char** argv, const Programs& programs) {
  return Grammar(programs).run(argc, argv);
}

}  // namespace bailey
