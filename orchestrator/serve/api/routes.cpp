#include "orchestrator/serve/api/routes.hpp"

#include <fmt/format.h>

#include <charconv>

namespace bailey {

Result<ApiAnswer> to_answer(Result<Json> value, int status) {
  if (!value) return fail(std::move(value.error()));
  return ApiAnswer{status, value->dump(-1, ' ', false, Json::error_handler_t::replace)};
}

Result<ApiAnswer> to_answer(Status status) {
  if (!status) return fail(std::move(status.error()));
  return ApiAnswer{204, ""};
}

Result<std::string> required(const ApiCall& call, std::string_view name) {
  const auto& value = member(call.body, name);
  if (!value.is_string() || value.get_ref<const std::string&>().empty()) {
    return fail(ErrorKind::InvalidArgument,
                fmt::format("the request body needs the text \"{}\"", name));
  }
  return value.get<std::string>();
}

Result<std::map<std::string, std::string>> required_texts(const ApiCall& call,
                                                          std::string_view name) {
  const auto& value = member(call.body, name);
  std::map<std::string, std::string> texts;
  bool fits = value.is_object();
  if (fits) {
    for (const auto& [key, text] : value.items()) {
      fits = fits && text.is_string();
      if (fits) texts[key] = text.get<std::string>();
    }
  }
  if (fits) return texts;
  return fail(ErrorKind::InvalidArgument,
              fmt::format("the request body needs \"{}\": an object of texts", name));
}

Result<std::uint64_t> number_parameter(const ApiCall& call, std::string_view name,
                                       std::uint64_t otherwise) {
  const auto text = call.http.parameter(name);
  if (!text) return otherwise;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error == std::errc() && end == text->data() + text->size()) return number;
  return fail(ErrorKind::InvalidArgument,
              fmt::format("the query parameter \"{}\" is not a whole number", name));
}

}  // namespace bailey
