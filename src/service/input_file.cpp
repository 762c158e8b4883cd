#include "service/input_file.hpp"

#include "dsl/data_reader.hpp"
#include "flowspan/value/file.hpp"
#include "flowspan/value/mime_types.hpp"
#include "flowspan/value/value.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace flowspan::service {

namespace {

std::unexpected<Error> invalid(std::string message) {
    return failure(Error(ErrorCode::invalid_input, std::move(message)).with_type("ValueError"));
}

std::string_view first_text(
    const json::value& mapping, std::initializer_list<std::string_view> keys
) {
    for (const auto key : keys) {
        if (const auto text = string_member(mapping, key); !text.empty()) {
            return text;
        }
    }
    return {};
}

std::string_view last_path_part(std::string_view url) {
    url = url.substr(0, url.find_first_of("?#"));
    // A bare address has no path.
    const auto path = url.find('/', url.find("://") + 3);
    return path == std::string_view::npos ? std::string_view() : url.substr(url.rfind('/') + 1);
}

constexpr std::int64_t kMegabyte = 1024 * 1024;

std::int64_t size_max(std::string_view type) {
    if (type == "image") {
        return 10 * kMegabyte;
    }
    if (type == "audio") {
        return 50 * kMegabyte;
    }
    return (type == "video" ? 100 : 15) * kMegabyte;
}

// What the caller does not say about a file, from what he does.
void complete(json::object& record, const json::value& given) {
    std::string extension(value::extension_of_name(string_member(record, "filename")));
    std::string mime_type(value::without_parameters(string_member(given, "mime_type")));
    if (mime_type.empty()) {
        mime_type = value::mime_type_of_extension(extension);
    }
    if (extension.empty()) {
        extension = value::extension_of_mime_type(mime_type);
    }
    const auto declared = string_member(given, "type");
    record["type"] = declared.empty() || declared == "custom"
                         ? value::detect_file_type(extension, mime_type)
                         : declared;
    record["extension"] = extension;
    record["mime_type"] = mime_type;
    const auto* size = find_member(given, "size");
    record["size"] = size == nullptr ? -1 : dsl::to_integer(*size).value_or(-1);
}

Result<json::value> checked(json::value record) {
    const auto* given = find_member(record, "size");
    const auto size = given == nullptr ? -1 : dsl::to_integer(*given).value_or(-1);
    const auto limit = size_max(string_member(record, "type"));
    if (size > limit) {
        return invalid(fmt::format(
            "File size exceeded: {} has {} bytes, at most {} MB are allowed for its type ({})",
            string_member(record, "filename"),
            size,
            limit / kMegabyte,
            string_member(record, "type")
        ));
    }
    return record;
}

}  // namespace

Result<json::value> make_file_record(const json::object& mapping) {
    json::value given(mapping);
    if (value::is_file_record(given)) {
        return checked(std::move(given));
    }
    const auto method = string_member(given, "transfer_method");
    if (method.empty()) {
        return invalid("transfer_method is required in file mapping");
    }
    json::object record{
        {value::kFileIdentityKey, value::kFileIdentity},
        {"transfer_method", method},
    };
    std::string_view filename = string_member(given, "filename");
    if (method == "remote_url") {
        const auto url = first_text(given, {"remote_url", "url"});
        if (!url.starts_with("http")) {
            return invalid("a remote file needs `url`, starting with http:// or https://");
        }
        record["remote_url"] = url;
        record["url"] = url;
        if (filename.empty()) {
            filename = last_path_part(url);
        }
    } else {
        const auto reference =
            first_text(given, {"upload_file_id", "tool_file_id", "related_id", "reference"});
        if (reference.empty()) {
            return invalid(
                "a file with transfer_method " + std::string(method) + " needs `upload_file_id`"
            );
        }
        record["related_id"] = reference;
    }
    record["filename"] = filename;
    complete(record, given);
    return checked(std::move(record));
}

}  // namespace flowspan::service
