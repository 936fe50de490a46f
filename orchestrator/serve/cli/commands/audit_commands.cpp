#include "orchestrator/serve/cli/commands/audit_commands.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/file.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/record/audit/log_verifier.hpp"
#include "orchestrator/record/store/offline_audit.hpp"

#include <fmt/format.h>

#include <deque>

namespace bailey {

namespace {

constexpr std::size_t kPage = 500;

// Entries of the server's log, page by page.
class RemoteLog {
 public:
  RemoteLog(ApiClient& client, std::uint64_t from) : client_(client), next_(from) {}

  Result<std::optional<StoredLeaf>> next() {
    if (page_.empty()) {
      auto answer = client_.get(fmt::format("/v1/audit/entries?from={}&limit={}", next_, kPage));
      if (!answer) return fail(std::move(answer.error()));
      for (const auto& entry : member(*answer, "entries")) {
        page_.push_back({member(entry, "index").get<std::uint64_t>(), string_member(entry, "body"),
                         std::nullopt});
      }
      if (page_.empty()) return std::optional<StoredLeaf>();
    }
    auto leaf = std::move(page_.front());
    page_.pop_front();
    next_ = leaf.index + 1;
    return std::optional<StoredLeaf>(std::move(leaf));
  }

 private:
  ApiClient& client_;
  std::uint64_t next_;
  std::deque<StoredLeaf> page_;
};

Result<NoteVerifier> pinned_key(const std::string& key) {
  std::error_code ignored;
  if (std::filesystem::is_regular_file(key, ignored)) {
    auto text = read_file(key, 4096);
    if (!text) return fail(std::move(text.error()));
    return NoteVerifier::parse(trim(*text));
  }
  return NoteVerifier::parse(key);
}

int report_log(const Context& context, const LogReport& report, const NoteVerifier& key) {
  Json findings = Json::array();
  for (const auto& finding : report.findings) {
    findings.push_back(
        {{"code", finding.code},
         {"first_untrusted", finding.first_untrusted ? Json(*finding.first_untrusted) : Json()},
         {"detail", finding.detail}});
    context.note(fmt::format("error[{}]: {}", finding.code, finding.detail));
  }
  context.print_json({{"ok", report.ok()},
                      {"entries", report.entries},
                      {"signed_entries", report.signed_entries},
                      {"root", base64(bytes_of(report.root))},
                      {"key", key.str()},
                      {"findings", findings}});
  context.print(report.ok()
                    ? fmt::format("{} entries verify; {} of them under a signed checkpoint\n",
                                  report.entries, report.signed_entries)
                    : std::string("the log does NOT verify\n"));
  return report.ok() ? kDone : kFailed;
}

int verify_database(const Context& context, const AuditVerifyCommand& command) {
  if (command.key.empty()) {
    context.note(
        "error: a copy of a database is verified against the log's key: name it with "
        "--key.\nThe server prints it when it starts, and the file log.pub in its data "
        "folder holds it.");
    return kUsage;
  }
  auto key = pinned_key(command.key);
  if (!key) return context.fail_with(key.error());
  auto report = audit_database(command.database, *key);
  if (!report) return context.fail_with(report.error());
  return report_log(context, *report, *key);
}

}  // namespace

int list_audit(const Context& context, const AuditListCommand& command) {
  auto client = context.client();
  RemoteLog log(client, command.from);
  Json entries = Json::array();
  for (std::size_t count = 0; command.limit == 0 || count < command.limit; ++count) {
    auto leaf = log.next();
    if (!leaf) return context.fail_with(leaf.error());
    if (!*leaf) break;
    auto entry = parse_json((*leaf)->body);
    if (!entry) return context.fail_with(entry.error());
    context.print(fmt::format("{:>6}  {}  {:<7} {:<20} {:<22} {}  {}\n", (*leaf)->index,
                              string_member(*entry, "time"), string_member(*entry, "outcome"),
                              string_member(*entry, "actor"), string_member(*entry, "action"),
                              string_member(*entry, "target"), string_member(*entry, "detail")));
    (*entry)["index"] = (*leaf)->index;
    if (context.json()) entries.push_back(*std::move(entry));
  }
  context.print_json({{"entries", std::move(entries)}});
  return kDone;
}

int verify_audit(const Context& context, const AuditVerifyCommand& command) {
  if (!command.database.empty()) return verify_database(context, command);
  auto client = context.client();
  auto head = client.get("/v1/audit/checkpoint");
  if (!head) return context.fail_with(head.error());
  const auto named = command.key.empty() ? string_member(*head, "key") : command.key;
  auto key = pinned_key(named);
  if (!key) return context.fail_with(key.error());
  if (command.key.empty()) {
    context.note("The server's own word is taken for its key; pin it with --key:\n    " + named);
  }
  RemoteLog log(client, 0);
  auto report = inspect_log([&] { return log.next(); }, {string_member(*head, "checkpoint")}, *key);
  if (!report) return context.fail_with(report.error());
  return report_log(context, *report, *key);
}

}  // namespace bailey
