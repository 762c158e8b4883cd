#pragma once
// JSON pointers, piece by piece.

#include <string>
#include <string_view>

namespace flowspan::dsl::detail {

/// Takes the first part off `/a/b`, still escaped, and leaves `/b`.
[[nodiscard]] std::string_view take_pointer_part(std::string_view& pointer) noexcept;

/// True if the escaped part (`~1` for `/`, `~0` for `~`) names `key`.
[[nodiscard]] bool is_pointer_part(std::string_view escaped, std::string_view key) noexcept;

/// `pointer` + `/` + the escaped key.
[[nodiscard]] std::string join_pointer(std::string_view pointer, std::string_view key);

/// `model.messages[0].text` for `/model/messages/0/text`; empty for the whole.
[[nodiscard]] std::string to_path(std::string_view pointer);

}  // namespace flowspan::dsl::detail
