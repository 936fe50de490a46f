#include "orchestrator/declare/spec/document.hpp"

#include "orchestrator/base/text.hpp"

#include <utility>

namespace bailey::spec {

std::string step(const std::string& pointer, std::string_view key) {
  std::string out = pointer + "/";
  for (const char c : key) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

std::string step(const std::string& pointer, std::size_t index) {
  return pointer + "/" + std::to_string(index);
}

SourceRange Document::at(const std::string& pointer) const {
  for (std::string here = pointer; !here.empty(); here.resize(here.rfind('/'))) {
    const auto found = places.find(here);
    if (found == places.end()) continue;
    // What is not there is looked for at the name of what lacks it.
    const bool exact = here.size() == pointer.size();
    const YamlNode* node =
        exact || found->second.key == nullptr ? found->second.value : found->second.key;
    return node->at(file);
  }
  if (spec_key != nullptr) return spec_key->at(file);
  return name_node != nullptr ? name_node->at(file) : SourceRange{file, 1, 1, 1};
}

SourceRange Document::key_at(const std::string& pointer) const {
  const auto found = places.find(pointer);
  if (found == places.end()) return at(pointer);
  return (found->second.key != nullptr ? found->second.key : found->second.value)->at(file);
}

SourceRange Document::within(const std::string& pointer, std::size_t offset,
                             std::size_t length) const {
  SourceRange range = at(pointer);
  const YamlNode* text = node(pointer);
  if (text == nullptr) return range;
  const std::size_t characters = utf8_length(text->scalar);
  const std::size_t quotes = text->plain ? 0 : 2;
  // Otherwise it has escapes or several lines, and only its begin is sure.
  if (characters + quotes != range.length) return range;
  range.column +=
      static_cast<std::uint32_t>(utf8_length(text->scalar.substr(0, offset)) + quotes / 2);
  range.length = static_cast<std::uint32_t>(utf8_length(text->scalar.substr(offset, length)));
  return range;
}

const YamlNode* Document::node(const std::string& pointer) const {
  const auto found = places.find(pointer);
  return found == places.end() ? nullptr : found->second.value;
}

bool Document::is_broken(const std::string& pointer) const {
  for (std::string here = pointer;; here.resize(here.rfind('/'))) {
    if (broken.contains(here)) return true;
    if (here.empty()) break;
  }
  const auto next = broken.lower_bound(pointer);
  return next != broken.end() && next->starts_with(pointer) &&
         (next->size() == pointer.size() || (*next)[pointer.size()] == '/');
}

void Report::error(const char* code, const char* summary, std::string detail, SourceRange where,
                   std::string suggestion) {
  diagnostics_.add({Severity::Error,
                    code,
                    summary,
                    std::move(detail),
                    std::move(where),
                    std::move(suggestion),
                    {}});
}

void Report::warning(const char* code, const char* summary, std::string detail, SourceRange where) {
  diagnostics_.add({Severity::Warning, code, summary, std::move(detail), std::move(where), {}, {}});
}

}  // namespace bailey::spec
