#include "orchestrator/model/json_reader.hpp"

#include <fmt/format.h>

#include <limits>

namespace bailey {

namespace {

const nlohmann::json& null_value() {
  static const nlohmann::json kNull;
  return kNull;
}

const nlohmann::json& empty_list() {
  static const nlohmann::json kEmpty = nlohmann::json::array();
  return kEmpty;
}

std::optional<std::uint64_t> whole_number(const nlohmann::json& value) {
  if (value.is_number_unsigned()) return value.get<std::uint64_t>();
  if (!value.is_number_integer()) return std::nullopt;
  const auto number = value.get<std::int64_t>();
  if (number < 0) return std::nullopt;
  return static_cast<std::uint64_t>(number);
}

}  // namespace

JsonReader::JsonReader(const nlohmann::json& value, std::string_view what)
    : value_(value), what_(what) {
  if (!value.is_object()) error_ = Error(ErrorKind::Protocol, fmt::format("{} is no object", what));
}

const nlohmann::json& JsonReader::at(std::string_view name) {
  if (failed()) return null_value();
  const auto found = value_.find(name);
  if (found == value_.end()) {
    refuse(name, "is missing");
    return null_value();
  }
  seen_.emplace(name);
  return *found;
}

const nlohmann::json& JsonReader::array(std::string_view name) {
  const auto& value = at(name);
  if (failed()) return empty_list();
  if (value.is_array()) return value;
  refuse(name, "is no list");
  return empty_list();
}

void JsonReader::refuse(std::string_view name, std::string_view why) {
  if (failed()) return;
  error_ = Error(ErrorKind::Protocol, fmt::format("the member \"{}\" of {} {}", name, what_, why));
}

void JsonReader::adopt(std::string_view name, Error error) {
  if (failed()) return;
  error_ = std::move(error).in(fmt::format("reading the member \"{}\" of {}", name, what_));
}

void JsonReader::read(std::string_view name, std::string& out) {
  const auto& value = at(name);
  if (failed()) return;
  if (!value.is_string()) return refuse(name, "is no text");
  out = value.get<std::string>();
}

void JsonReader::read(std::string_view name, bool& out) {
  const auto& value = at(name);
  if (failed()) return;
  if (!value.is_boolean()) return refuse(name, "is neither true nor false");
  out = value.get<bool>();
}

void JsonReader::read(std::string_view name, int& out) {
  const auto number = whole_number(at(name));
  if (failed()) return;
  if (!number || *number > std::uint64_t{std::numeric_limits<int>::max()}) {
    return refuse(name, "is no whole number in range");
  }
  out = static_cast<int>(*number);
}

void JsonReader::read(std::string_view name, std::uint64_t& out) {
  const auto number = whole_number(at(name));
  if (failed()) return;
  if (!number) return refuse(name, "is no whole number");
  out = *number;
}

void JsonReader::read(std::string_view name, nlohmann::json& out) {
  out = at(name);
}

void JsonReader::read(std::string_view name, std::optional<nlohmann::json>& out) {
  const auto& value = at(name);
  if (value.is_null()) {
    out.reset();
  } else {
    out = value;
  }
}

void JsonReader::read(std::string_view name, std::vector<std::string>& out) {
  for (const auto& item : array(name)) {
    if (!item.is_string()) return refuse(name, "holds something else than texts");
    out.push_back(item.get<std::string>());
  }
}

void JsonReader::read(std::string_view name, std::map<std::string, std::string>& out) {
  const auto& value = at(name);
  if (failed()) return;
  if (!value.is_object()) return refuse(name, "is no object");
  for (const auto& [key, item] : value.items()) {
    if (!item.is_string()) return refuse(name, "holds something else than texts");
    out.emplace(key, item.get<std::string>());
  }
}

Status JsonReader::finish() {
  if (!failed()) {
    for (const auto& [name, ignored] : value_.items()) {
      if (!seen_.contains(name)) {
        refuse(name, "is not known");
        break;
      }
    }
  }
  if (failed()) return fail(*error_);
  return {};
}

}  // namespace bailey
