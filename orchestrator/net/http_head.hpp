#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bailey {

/// Length of the request head that starts `text`, its empty line included, or nothing when that
/// has not come yet. A lone LF ends a line here too, so that such a head is refused rather than
/// waited for. `from` is where an earlier search may go on.
[[nodiscard]] std::optional<std::size_t> find_head_end(std::string_view text, std::size_t from = 0);

/// The status to refuse a request head with, or nothing when every server and proxy reads it alike.
/// Refused: lines that do not end in CRLF, control characters, obs-fold, white space before a
/// colon, more than 100 fields, anything but one valid Host, more than one Content-Length or a list
/// in it, Transfer-Encoding that is not exactly `chunked`, on HTTP/1.0 or beside Content-Length, a
/// target that is not origin-form, has dot segments, broken escapes, encoded controls in its path
/// or %00 anywhere. RFC 9112 sections 2.2, 3.2, 5 and 6.
[[nodiscard]] std::optional<int> refuse_head(std::string_view head);

/// Pairs of an `application/x-www-form-urlencoded` query, decoded, in order; nothing on a broken
/// escape.
[[nodiscard]] std::optional<std::vector<std::pair<std::string, std::string>>> parse_query(
    std::string_view query);

/// RFC 9110 section 5.6.2: the characters of methods and field names; not empty.
[[nodiscard]] bool is_http_token(std::string_view text) noexcept;
/// True when the text may be sent as the value of a field: no control character but a tab.
[[nodiscard]] bool is_field_value(std::string_view text) noexcept;
[[nodiscard]] std::string to_lower_ascii(std::string_view text);

}  // namespace bailey
