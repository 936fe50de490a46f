#pragma once

#include "orchestrator/base/diagnostic.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bailey {

enum class YamlKind : std::uint8_t { Null, Scalar, Sequence, Map };

struct YamlEntry;

/// One node of a document, with its place in the source. Scalars are text: what a plain `010` or
/// `yes` means is for the reader of the field to say.
struct YamlNode {
  YamlKind kind = YamlKind::Null;
  std::string scalar;
  bool plain = false;  ///< Written without quotes and not as a block.
  std::uint32_t line = 0;
  std::uint32_t column = 0;        ///< From 1, in characters.
  std::uint32_t length = 1;        ///< In characters, on that line.
  std::vector<YamlNode> items;     ///< Of a sequence.
  std::vector<YamlEntry> entries;  ///< Of a map, as written; keys are scalars and differ.

  [[nodiscard]] SourceRange at(const std::string& file) const {
    return {file, line, column, length};
  }
  /// The value under `key`, or null.
  [[nodiscard]] const YamlNode* find(std::string_view key) const;
};

struct YamlEntry {
  YamlNode key;
  YamlNode value;
};

/// What could be read of a file in which there may be errors.
struct YamlFile {
  std::vector<YamlNode> documents;
  /// The text of each document that could not be read, so that its name can still be guessed.
  std::vector<std::string> unread;
  bool readable = true;  ///< False when the file as a whole was refused.
};

/// Reads the documents of one file, strictly: UTF-8 without a byte order mark, at most 1 MiB, depth
/// 64 and 100,000 nodes, keys of at most 256 bytes and scalars of at most 64 KiB; no tabs in
/// indentation, directives, anchors, aliases, tags, merge keys, duplicate or complex keys. Each
/// breach is a finding; a syntax error ends its own document only. Nothing when there was an error.
/// Never throws, and takes time linear in the text.
[[nodiscard]] std::optional<std::vector<YamlNode>> parse_yaml(const std::string& file,
                                                              std::string_view text,
                                                              Diagnostics& diagnostics);

/// As parse_yaml(), for a reader who wants to find everything in one run: gives what it could read
/// beside its findings. A map with a duplicate key has both entries.
[[nodiscard]] YamlFile read_yaml(const std::string& file, std::string_view text,
                                 Diagnostics& diagnostics);

}  // namespace bailey
