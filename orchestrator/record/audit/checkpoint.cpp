#include "orchestrator/record/audit/checkpoint.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace bailey {

namespace {

bool read_size(const std::string& text, std::uint64_t& out) {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string to_text(const Checkpoint& checkpoint) {
  auto text = fmt::format("{}\n{}\n{}\n", checkpoint.origin, checkpoint.size,
                          base64(bytes_of(checkpoint.root)));
  for (const auto& line : checkpoint.extensions) text += line + "\n";
  return text;
}

Result<Checkpoint> parse_checkpoint(std::string_view text) {
  const auto refused = [](const char* why) {
    return fail(ErrorKind::Protocol, fmt::format("not a checkpoint: {}", why));
  };
  if (!text.ends_with('\n')) return refused("it does not end with a newline");
  auto lines = split(text.substr(0, text.size() - 1), '\n');
  if (lines.size() < 3) return refused("it has less than three lines");
  if (std::any_of(lines.begin(), lines.end(), [](const auto& line) { return line.empty(); })) {
    return refused("a line is empty");
  }
  Checkpoint checkpoint;
  checkpoint.origin = lines[0];
  if (!read_size(lines[1], checkpoint.size)) return refused("the size is no decimal number");
  const auto root = from_base64(lines[2]);
  if (!root || root->size() != checkpoint.root.size()) return refused("the root is no hash");
  std::copy(root->begin(), root->end(), checkpoint.root.begin());
  checkpoint.extensions.assign(lines.begin() + 3, lines.end());
  return checkpoint;
}

Result<Checkpoint> open_checkpoint(std::string_view note, const NoteVerifier& key) {
  auto opened = open_note(note, {key});
  if (!opened) return fail(std::move(opened.error()).in("opening a checkpoint"));
  auto checkpoint = parse_checkpoint(opened->text);
  if (!checkpoint) return checkpoint;
  if (checkpoint->origin != key.name()) {
    return fail(ErrorKind::PermissionDenied, fmt::format("a checkpoint of the log {}, not of {}",
                                                         checkpoint->origin, key.name()));
  }
  return checkpoint;
}

}  // namespace bailey
