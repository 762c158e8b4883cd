#pragma once
// Which files a field of a form, or an app's upload setting, takes.

#include "flowspan/base/json.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace flowspan::service {

struct FileRules {
    /// Of `image`, `document`, `audio`, `video`, `custom`; empty: all.
    std::vector<std::string> types;
    /// Lower case, without a dot; they count if `custom` is among the types.
    std::vector<std::string> extensions;
    /// Transfer methods such as `local_file` and `remote_url`; empty: all.
    std::vector<std::string> methods;
    std::int64_t files_max = 0;  ///< 0: no limit of its own
    std::string owner;           ///< the field or whatever else has these rules, for messages
};

/// Reads `allowed_file_types`, `allowed_file_extensions`, `allowed_file_upload_methods` and
/// `number_limits`; what is absent or null allows everything.
[[nodiscard]] FileRules read_file_rules(const json::value& mapping, std::string owner);

/// Makes a file record of what the caller gave and checks it. A file of which nobody says what it
/// is (a URL without a file name) counts as the first type that the rules name. Files that tools
/// made always pass.
[[nodiscard]] Result<json::value> take_file(const json::object& given, const FileRules& rules);

/// An error if there are more files than the rules allow.
[[nodiscard]] Result<void> check_file_count(std::size_t count, const FileRules& rules);

/// True if the setting `file_upload` of an app's features is on.
[[nodiscard]] bool takes_uploads(const json::value& features);

/// The files of a whole app's users by the setting `file_upload` of its features; none if that is
/// off. Entries that are no mappings are left out.
[[nodiscard]] Result<json::array> take_uploads(
    const json::value& features, const json::array& given
);

}  // namespace flowspan::service
