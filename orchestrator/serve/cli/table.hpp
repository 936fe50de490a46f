#pragma once

#include <string>
#include <vector>

namespace bailey {

/// Rows under headings, columns as wide as they have to be, two spaces between. Ends with a
/// newline; the last column is not padded.
[[nodiscard]] std::string render_table(const std::vector<std::string>& headings,
                                       const std::vector<std::vector<std::string>>& rows);

}  // namespace bailey
