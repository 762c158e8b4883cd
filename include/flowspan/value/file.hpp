#pragma once
// Reading file records: a JSON object with the file mark, as apps pass files around.

#include "flowspan/base/json.hpp"

#include <optional>
#include <string_view>

namespace flowspan::value {

/// An attribute as selectors and conditions name it: `type`, `size`, `name`, `mime_type`,
/// `transfer_method`, `url`, `extension`, `related_id`. Null if the record does not say (a missing
/// size is -1); empty if there is no such attribute.
[[nodiscard]] std::optional<json::value> file_attribute(
    const json::value& record, std::string_view attribute
);

/// `url`, else `remote_url`, else empty.
[[nodiscard]] std::string_view file_url(const json::value& record) noexcept;

/// `image`, `document`, `audio`, `video` or `custom`, by extension first (with or without dot, any
/// case), else by MIME type.
[[nodiscard]] std::string_view detect_file_type(
    std::string_view extension, std::string_view mime_type
) noexcept;

}  // namespace flowspan::value
