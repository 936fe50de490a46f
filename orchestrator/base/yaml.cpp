#include "orchestrator/base/yaml.hpp"

#include "orchestrator/base/assert.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/base/yaml_scan.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <istream>
#include <set>
#include <streambuf>
#include <utility>

namespace bailey {

namespace {

constexpr std::size_t kMaxBytes = 1024U * 1024;
constexpr std::size_t kMaxNodes = 100'000;
constexpr std::size_t kMaxKeyBytes = 256;
constexpr std::size_t kMaxScalarBytes = 64U * 1024;

/// Turns byte offsets of one file into lines and columns.
class Positions {
 public:
  explicit Positions(std::string_view text) : text_(text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') begins_.push_back(i + 1);
    }
  }

  [[nodiscard]] SourceRange at(const std::string& file, std::size_t offset,
                               std::size_t length) const {
    offset = std::min(offset, text_.size());
    const auto after = std::upper_bound(begins_.begin(), begins_.end(), offset);
    const std::size_t begin = *(after - 1);
    const std::size_t clipped = std::min(length, text_.size() - offset);
    return {file, static_cast<std::uint32_t>(after - begins_.begin()),
            static_cast<std::uint32_t>(characters(begin, offset) + 1),
            static_cast<std::uint32_t>(
                std::max<std::size_t>(utf8_length(text_.substr(offset, clipped)), 1))};
  }

 private:
  // One very long line with many nodes would otherwise be counted from its start each time.
  [[nodiscard]] std::size_t characters(std::size_t begin, std::size_t offset) const {
    if (begin != counted_begin_ || offset < counted_offset_) {
      counted_begin_ = begin;
      counted_offset_ = begin;
      counted_ = 0;
    }
    counted_ += utf8_length(text_.substr(counted_offset_, offset - counted_offset_));
    counted_offset_ = offset;
    return counted_;
  }

  std::string_view text_;
  std::vector<std::size_t> begins_{0};
  mutable std::size_t counted_begin_ = 0;
  mutable std::size_t counted_offset_ = 0;
  mutable std::size_t counted_ = 0;
};

/// What all steps of reading one file share.
struct Source {
  const std::string& file;
  std::string_view text;
  Positions positions;
  Diagnostics& diagnostics;
  bool failed = false;

  void say(const char* code, const char* summary, std::string detail, std::size_t offset,
           std::size_t length) {
    failed = true;
    diagnostics.add({.severity = Severity::Error,
                     .code = code,
                     .summary = summary,
                     .detail = std::move(detail),
                     .subject = positions.at(file, offset, length),
                     .suggestion = {},
                     .path = {}});
  }
};

/// Thrown by our own handler through the library, to end a document at once.
struct Stop {};

class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(Source& source, std::string_view document, std::size_t offset, std::size_t& nodes)
      : source_(source), document_(document), offset_(offset), nodes_(nodes) {}

  [[nodiscard]] YamlNode take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnAnchor(const YAML::Mark& mark, const std::string&) override { property(mark); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { property(mark); }

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (anchor != 0) property(mark);
    YamlNode node = begin(mark);
    node.kind = YamlKind::Null;
    node.plain = true;
    for (const std::string_view word : {"~", "null", "Null", "NULL"}) {
      if (document_.substr(byte(mark)).substr(0, word.size()) == word) node.scalar = word;
    }
    set_place(node, mark, std::max<std::size_t>(node.scalar.size(), 1));
    attach(std::move(node), mark);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (anchor != 0 || (tag != "?" && tag != "!")) property(mark);
    YamlNode node = begin(mark);
    node.kind = YamlKind::Scalar;
    node.plain = tag == "?";
    node.scalar = value;
    const std::size_t extent = detail::yaml_scalar_extent(document_, byte(mark), node.plain, value);
    set_place(node, mark, extent);
    if (value.size() > kMaxScalarBytes) {
      say("yaml.scalar-too-long", "Value too long",
          fmt::format("A value has at most {} KiB.", kMaxScalarBytes / 1024), mark, 1);
      node.scalar.clear();
    } else if (value.find('\0') != std::string::npos || find_invalid_utf8(value)) {
      say("yaml.control-character", "Control character",
          "A text may not contain the character NUL.", mark, extent);
    }
    attach(std::move(node), mark);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(YamlKind::Sequence, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(YamlKind::Map, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    YamlNode node;
    YAML::Mark mark;
    std::optional<YamlNode> key;
    std::set<std::string> seen;
  };

  [[nodiscard]] static std::size_t byte(const YAML::Mark& mark) {
    return static_cast<std::size_t>(std::max(mark.pos, 0));
  }

  void say(const char* code, const char* summary, std::string detail, const YAML::Mark& mark,
           std::size_t length) {
    source_.say(code, summary, std::move(detail), offset_ + byte(mark), length);
  }

  // The scan before has refused these; should it ever miss one, this is the second lock.
  [[noreturn]] void property(const YAML::Mark& mark) {
    say("yaml.property", "Anchor, alias or tag",
        "Anchors, aliases and tags are not part of the format.", mark, 1);
    throw Stop{};
  }

  void set_place(YamlNode& node, const YAML::Mark& mark, std::size_t length) const {
    const auto range = source_.positions.at(source_.file, offset_ + byte(mark), length);
    node.line = range.line;
    node.column = range.column;
    node.length = range.length;
  }

  YamlNode begin(const YAML::Mark& mark) {
    if (++nodes_ > kMaxNodes) {
      say("yaml.too-many-nodes", "Too many values",
          fmt::format("A file has at most {} values.", kMaxNodes), mark, 1);
      throw Stop{};
    }
    YamlNode node;
    set_place(node, mark, 1);
    return node;
  }

  void open(YamlKind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != 0 || (!tag.empty() && tag != "?")) property(mark);
    YamlNode node = begin(mark);
    node.kind = kind;
    if (stack_.size() >= detail::kYamlMaxDepth) {
      say("yaml.too-deep", "Nested too deeply",
          fmt::format("At most {} levels of nesting are read.", detail::kYamlMaxDepth), mark, 1);
      throw Stop{};
    }
    stack_.push_back({std::move(node), mark, std::nullopt, {}});
  }

  void close() {
    BAILEY_ASSERT(!stack_.empty());
    Open done = std::move(stack_.back());
    stack_.pop_back();
    attach(std::move(done.node), done.mark);
  }

  void attach(YamlNode node, const YAML::Mark& mark) {
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = stack_.back();
    if (parent.node.kind == YamlKind::Sequence) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.key) {
      check_key(parent, node, mark);
      parent.key = std::move(node);
    } else {
      parent.node.entries.push_back({std::move(*parent.key), std::move(node)});
      parent.key.reset();
    }
  }

  void check_key(Open& parent, const YamlNode& key, const YAML::Mark& mark) {
    if (key.kind == YamlKind::Null) {
      say("yaml.complex-key", "Missing key",
          "There is no key before the colon here; quote it if the word itself is meant.", mark, 1);
    } else if (key.kind != YamlKind::Scalar) {
      say("yaml.complex-key", "Complex key", "A key is a plain or quoted word.", mark, 1);
    } else if (key.scalar.size() > kMaxKeyBytes) {
      say("yaml.key-too-long", "Key too long",
          fmt::format("A key has at most {} bytes.", kMaxKeyBytes), mark, 1);
    } else if (key.plain && key.scalar == "<<") {
      say("yaml.merge-key", "Merge key", "Merge keys (\"<<\") are not part of the format.", mark,
          2);
    } else if (!parent.seen.insert(key.scalar).second) {
      say("yaml.duplicate-key", "Duplicate key",
          fmt::format("The key \"{}\" stands in this map already.", key.scalar), mark, key.length);
    }
  }

  Source& source_;
  std::string_view document_;
  std::size_t offset_;
  std::size_t& nodes_;
  std::vector<Open> stack_;
  YamlNode root_;
};

/// Swallows what a second document of the same text would say.
class NoContent final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { found(mark); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { found(mark); }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                const std::string&) override {
    found(mark);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    found(mark);
  }
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    found(mark);
  }
  void OnMapEnd() override {}

  struct Found {
    YAML::Mark mark;
  };

 private:
  [[noreturn]] static void found(const YAML::Mark& mark) { throw Found{mark}; }
};

/// Lets the library read text that we hold without copying it.
class ViewBuffer final : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    char* begin =
        const_cast<char*>(text.data());  // NOLINT(*-const-cast): the get area is only read.
    setg(begin, begin, begin + text.size());
  }
};

struct Slice {
  std::size_t begin = 0;
  std::size_t end = 0;
};

bool has_content(std::string_view text) {
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    const auto first = line.find_first_not_of(" \t");
    if (first != std::string_view::npos && line[first] != '#') return true;
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return false;
}

bool is_marker(std::string_view line, std::string_view marker) {
  return line.substr(0, 3) == marker && (line.size() == 3 || line[3] == ' ' || line[3] == '\t');
}

// At the start of a line a marker is one in every context (YAML 1.2.2, rule c-forbidden), so the
// documents can be told apart without reading them.
std::vector<Slice> split_documents(Source& source) {
  std::vector<Slice> slices;
  Slice open;
  bool started = false;
  const auto close = [&](std::size_t end) {
    open.end = end;
    if (started || has_content(source.text.substr(open.begin, end - open.begin))) {
      slices.push_back(open);
    }
    started = false;
  };
  for (std::size_t at = 0; at < source.text.size();) {
    const std::size_t end = std::min(source.text.find('\n', at), source.text.size());
    const auto line = source.text.substr(at, end - at);
    if (is_marker(line, "---")) {
      close(at);
      open.begin = at;
      started = true;
    } else if (is_marker(line, "...")) {
      close(at);
      open.begin = std::min(end + 1, source.text.size());
      const auto rest = line.find_first_not_of(" \t", 3);
      if (rest != std::string_view::npos && line[rest] != '#') {
        source.say("yaml.syntax", "Invalid YAML",
                   "Nothing can stand behind the \"...\" that ends a document.", at + rest, 1);
      }
    }
    at = end + 1;
  }
  close(source.text.size());
  return slices;
}

YamlNode empty_document(const Source& source, const Slice& slice) {
  const auto place = source.positions.at(source.file, slice.begin, 1);
  YamlNode node;
  node.line = place.line;
  node.column = place.column;
  return node;
}

std::optional<YamlNode> parse_document(Source& source, const Slice& slice, std::size_t& nodes) {
  const auto text = source.text.substr(slice.begin, slice.end - slice.begin);
  bool clean = true;
  detail::scan_yaml(text, [&](const char* code, const char* summary, std::string detail,
                              std::size_t offset, std::size_t length) {
    clean = false;
    source.say(code, summary, std::move(detail), slice.begin + offset, length);
  });
  if (!clean) return std::nullopt;
  try {
    ViewBuffer buffer(text);
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    TreeBuilder builder(source, text, slice.begin, nodes);
    if (!parser.HandleNextDocument(builder)) return empty_document(source, slice);
    // The library stops in silence at what it cannot read on.
    NoContent rest;
    if (parser.HandleNextDocument(rest)) throw NoContent::Found{};
    return builder.take();
  } catch (const Stop&) {
    return std::nullopt;
  } catch (const NoContent::Found& found) {
    source.say("yaml.syntax", "Invalid YAML",
               "The document has ended before this: check the indentation.",
               slice.begin + static_cast<std::size_t>(std::max(found.mark.pos, 0)), 1);
  } catch (const YAML::Exception& error) {
    source.say("yaml.syntax", "Invalid YAML", fmt::format("The YAML reader says: {}.", error.msg),
               slice.begin + static_cast<std::size_t>(std::max(error.mark.pos, 0)), 1);
  } catch (const std::exception&) {
    source.say("yaml.syntax", "Invalid YAML", "The document cannot be read.", slice.begin, 1);
  }
  return std::nullopt;
}

// Control characters, and those that make a line look other than it is (Trojan Source).
std::size_t refused_character(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const unsigned first = byte(at);
  if (first < 0x20) return first == '\t' || first == '\n' ? 0 : 1;
  if (first == 0x7F) return 1;
  if (first == 0xC2 && byte(at + 1) < 0xA0) return 2;
  if (first == 0xE2 && byte(at + 1) == 0x80) {
    const unsigned third = byte(at + 2);
    if (third >= 0xA8 && third <= 0xAE) return 3;  // line separators, U+202A to U+202E
    if (third == 0x8E || third == 0x8F) return 3;  // direction marks
  }
  if (first == 0xE2 && byte(at + 1) == 0x81 && byte(at + 2) >= 0xA6 && byte(at + 2) <= 0xA9)
    return 3;
  if (first == 0xEF && byte(at + 1) == 0xBB && byte(at + 2) == 0xBF) return 3;
  return 0;
}

void check_characters(Source& source) {
  int found = 0;
  for (std::size_t at = 0; at < source.text.size() && found < 20; ++at) {
    const std::size_t length = refused_character(source.text, at);
    if (length == 0) continue;
    ++found;
    const bool mark = at == 0 && length == 3 && source.text[0] == '\xEF';
    source.say(mark ? "yaml.byte-order-mark" : "yaml.control-character",
               mark ? "Byte order mark" : "Control character",
               mark ? "The file begins with a byte order mark; save it as plain UTF-8."
                    : "The file contains a control character or an invisible one here.",
               at, length);
    at += length - 1;
  }
}

std::string with_plain_breaks(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    out += text[i];
  }
  // yaml-cpp 0.7 reads a last line without a break otherwise than one with it.
  if (!out.empty() && out.back() != '\n') out += '\n';
  return out;
}

Diagnostic about_file(const std::string& file, const char* code, const char* summary,
                      std::string detail) {
  return {.severity = Severity::Error,
          .code = code,
          .summary = summary,
          .detail = std::move(detail),
          .subject = SourceRange{file, 1, 1, 1},
          .suggestion = {},
          .path = {}};
}

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
  for (const auto& entry : entries) {
    if (entry.key.scalar == key) return &entry.value;
  }
  return nullptr;
}

YamlFile read_yaml(const std::string& file, std::string_view text, Diagnostics& diagnostics) {
  const YamlFile unreadable{{}, {}, false};
  if (text.size() > kMaxBytes) {
    diagnostics.add(about_file(file, "yaml.too-large", "File too large",
                               fmt::format("A spec file has at most {} KiB.", kMaxBytes / 1024)));
    return unreadable;
  }
  const std::string normalised = with_plain_breaks(text);
  if (const auto invalid = find_invalid_utf8(normalised)) {
    const auto valid = std::string_view(normalised).substr(0, *invalid);
    auto finding = about_file(file, "yaml.not-utf8", "Not UTF-8",
                              "The bytes from here on are not UTF-8; save the file as UTF-8.");
    finding.subject = Positions(valid).at(file, *invalid, 1);
    diagnostics.add(std::move(finding));
    return unreadable;
  }
  Source source{file, normalised, Positions(normalised), diagnostics};
  check_characters(source);
  if (source.failed) return unreadable;
  YamlFile result;
  std::size_t nodes = 0;
  for (const auto& slice : split_documents(source)) {
    if (nodes > kMaxNodes) break;
    if (auto document = parse_document(source, slice, nodes)) {
      result.documents.push_back(std::move(*document));
    } else {
      result.unread.emplace_back(source.text.substr(slice.begin, slice.end - slice.begin));
    }
  }
  result.readable = nodes <= kMaxNodes;
  return result;
}

std::optional<std::vector<YamlNode>> parse_yaml(const std::string& file, std::string_view text,
                                                Diagnostics& diagnostics) {
  Diagnostics own;
  auto result = read_yaml(file, text, own);
  for (auto& finding : own.sorted()) diagnostics.add(std::move(finding));
  if (own.has_errors()) return std::nullopt;
  return std::move(result.documents);
}

}  // namespace bailey
