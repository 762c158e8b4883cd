#include "service/input_file.hpp"

#include "flowspan/value/file.hpp"
#include "flowspan/value/value.hpp"

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
    const auto slash = url.rfind('/');
    return slash == std::string_view::npos ? url : url.substr(slash + 1);
}

std::string_view extension_of(std::string_view filename) {
    const auto dot = filename.rfind('.');
    return dot == std::string_view::npos ? std::string_view() : filename.substr(dot);
}

}  // namespace

Result<json::value> make_file_record(const json::object& mapping) {
    json::value given(mapping);
    if (value::is_file_record(given)) {
        return given;
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
    const auto extension = extension_of(filename);
    const auto mime_type = string_member(given, "mime_type");
    const auto declared = string_member(given, "type");
    record["filename"] = filename;
    record["extension"] = extension;
    record["mime_type"] = mime_type;
    record["type"] = declared.empty() || declared == "custom"
                         ? value::detect_file_type(extension, mime_type)
                         : declared;
    const auto* size = find_member(given, "size");
    record["size"] = size != nullptr ? *size : json::value(-1);
    return json::value(std::move(record));
}

}  // namespace flowspan::service
