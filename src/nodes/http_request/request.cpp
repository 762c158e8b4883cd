#include "nodes/http_request/request.hpp"

#include "flowspan/base/text.hpp"
#include "infra/http/url_text.hpp"
#include "nodes/base64.hpp"
#include "nodes/file_store.hpp"
#include "nodes/http_request/url_encoding.hpp"
#include "nodes/json_repair.hpp"
#include "nodes/variables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

namespace flowspan::nodes::http_request {

namespace {

constexpr std::string_view kNoFilesPlaceholder = "__multipart_placeholder__";

// A name and a value; order counts.
using Pairs = std::vector<std::pair<std::string, std::string>>;

std::unexpected<Error> fail(std::string_view type, std::string message) {
    return failure(Error(ErrorCode::invalid_input, std::move(message)).with_type(std::string(type))
    );
}

void set_last_wins(Pairs& pairs, std::string name, std::string value) {
    const auto found = std::ranges::find(pairs, name, &Pairs::value_type::first);
    if (found == pairs.end()) {
        pairs.emplace_back(std::move(name), std::move(value));
    } else {
        found->second = std::move(value);
    }
}

bool has_header(const http::Headers& headers, std::string_view name) {
    return http::find_header(headers, name) != nullptr;
}

struct LoadedFile {
    std::string key;
    std::string filename;
    std::string mime_type;
    std::string bytes;
};

// Files that the body refers to, in order; read before anything is composed.
Task<Result<std::vector<LoadedFile>>> load_files(
    engine::NodeContext& context, const Services& services, const RequestConfig& config
) {
    std::vector<LoadedFile> loaded;
    for (const auto& item : config.body) {
        if (!item.is_file) {
            continue;
        }
        const auto value = context.variables().find(item.file);
        std::vector<json::value> files;
        if (value && value->type() == value::ValueType::file) {
            files.push_back(value->json());
        } else if (value && value->type() == value::ValueType::array_file &&
                   config.body_type == BodyType::form_data) {
            std::ranges::copy(value->json().get_array(), std::back_inserter(files));
        }
        const auto key = item.key.to_text(context.variables());
        for (auto& file : files) {
            LoadedFile entry;
            entry.key = key;
            entry.filename = string_member(file, "filename");
            entry.mime_type = string_member(file, "mime_type", "application/octet-stream");
            FLOWSPAN_CO_TRY(entry.bytes, co_await services.file_store.load(std::move(file)));
            loaded.push_back(std::move(entry));
        }
    }
    co_return loaded;
}

// Puts the request together, as it is sent or (masked) as it is shown.
class Composer {
public:
    Composer(
        engine::NodeContext& context,
        const RequestConfig& config,
        const std::vector<LoadedFile>& files,
        std::string boundary
    )
        : context_(context), config_(config), files_(files), boundary_(std::move(boundary)) {}

    Result<http::HttpRequest> compose(bool is_masked) {
        is_masked_ = is_masked;
        http::HttpRequest request;
        request.method = config_.method;
        FLOWSPAN_TRY(const auto key, api_key());
        FLOWSPAN_TRY(request.url, url());
        request.headers = headers();
        if (auto composed = body(request); !composed) {
            return failure(std::move(composed).error());
        }
        authorize(key, request.headers);
        return request;
    }

private:
    [[nodiscard]] std::string text(const value::TextTemplate& source) const {
        return is_masked_ ? source.to_masked_text(context_.variables())
                          : source.to_text(context_.variables());
    }

    Result<std::string> api_key() const {
        if (config_.authorization == AuthorizationType::none) {
            return std::string();
        }
        // The mask of the header has the length of the real key.
        auto key = config_.api_key.to_text(context_.variables());
        if (trim(key).empty()) {
            return fail(
                "AuthorizationConfigError",
                "API key is required for authorization but was empty. Please provide a valid API "
                "key."
            );
        }
        return key;
    }

    Result<std::string> url() const {
        const auto resolved = text(config_.url);
        const auto bare = trim(resolved);
        // What stands under a mask was checked before.
        if (bare.empty() && !is_masked_) {
            return fail("InvalidURLError", "url is required");
        }
        if (!is_masked_ && !bare.starts_with("http://") && !bare.starts_with("https://")) {
            return fail("InvalidURLError", "url should start with http:// or https://");
        }
        auto url = encode_url(bare);
        std::string query;
        for (const auto& [key, value] : config_.params) {
            const auto name = text(key);
            if (name.empty()) {
                continue;
            }
            query += query.empty() ? "" : "&";
            query += encode_query(name) + "=" + encode_query(text(value));
        }
        if (!query.empty()) {
            const auto fragment = std::min(url.find('#'), url.size());
            const bool has_query = url.find('?') < fragment;
            const bool is_open =
                url.substr(0, fragment).ends_with('?') || url.substr(0, fragment).ends_with('&');
            url.insert(fragment, (is_open ? "" : has_query ? "&" : "?") + query);
        }
        return url;
    }

    [[nodiscard]] http::Headers headers() const {
        Pairs pairs;
        const auto resolved = text(config_.headers);
        for (const auto line : split(resolved, '\n')) {
            const auto colon = line.find(':');
            const auto name = trim(line.substr(0, colon));
            const auto value = colon == std::string_view::npos ? "" : trim(line.substr(colon + 1));
            if (!name.empty()) {
                set_last_wins(pairs, std::string(name), std::string(value));
            }
        }
        return pairs;
    }

    Result<void> body(http::HttpRequest& request) const {
        switch (config_.body_type) {
            case BodyType::none:
                return {};
            case BodyType::raw_text: {
                FLOWSPAN_TRY(const auto* item, only_item("raw-text"));
                request.body = text(item->value);
                add_content_type(request.headers, "text/plain");
                return {};
            }
            case BodyType::json: {
                FLOWSPAN_TRY(const auto* item, only_item("json"));
                auto resolved = text(item->value);
                auto written = json_body(resolved);
                if (!written && !is_masked_) {
                    return failure(std::move(written).error());
                }
                request.body = written ? *std::move(written) : std::move(resolved);
                add_content_type(request.headers, "application/json");
                return {};
            }
            case BodyType::form_urlencoded:
                request.body = form_body();
                add_content_type(request.headers, "application/x-www-form-urlencoded");
                return {};
            case BodyType::form_data:
                std::erase_if(request.headers, [](const auto& header) {
                    return equals_ignore_case(header.first, "content-type");
                });
                request.headers.emplace_back(
                    "Content-Type", "multipart/form-data; boundary=" + boundary_
                );
                request.body = multipart_body();
                return {};
            case BodyType::binary: {
                FLOWSPAN_TRY(const auto* item, only_item("binary"));
                if (files_.empty()) {
                    return fail(
                        "FileFetchError",
                        fmt::format("cannot fetch file with selector {}", selector_text(item->file))
                    );
                }
                request.body = shown_bytes(files_.front());
                return {};
            }
        }
        return {};
    }

    [[nodiscard]] Result<const BodyItem*> only_item(std::string_view type) const {
        if (config_.body.size() != 1) {
            return fail(
                "RequestBodyError", fmt::format("{} body type should have exactly one item", type)
            );
        }
        return &config_.body.front();
    }

    static Result<std::string> json_body(const std::string& resolved) {
        // Valid JSON goes out as it was written, so that no number loses digits.
        if (parse_json(trim(resolved))) {
            return std::string(trim(resolved));
        }
        const auto repaired = repair_json(resolved);
        if (repaired.is_string()) {
            return failure(Error(ErrorCode::invalid_input, "Failed to parse JSON")
                               .with_type("RequestBodyError")
                               .with_detail(std::string(utf8_prefix(resolved, 200))));
        }
        return value::python_json(repaired);
    }

    [[nodiscard]] std::string form_body() const {
        Pairs pairs;
        for (const auto& item : config_.body) {
            set_last_wins(pairs, text(item.key), text(item.value));
        }
        std::string out;
        for (const auto& [name, value] : pairs) {
            out += out.empty() ? "" : "&";
            out += encode_form(name) + "=" + encode_form(value);
        }
        return out;
    }

    [[nodiscard]] std::string multipart_body() const {
        std::string out;
        Pairs fields;
        for (const auto& item : config_.body) {
            if (!item.is_file) {
                set_last_wins(fields, text(item.key), text(item.value));
            }
        }
        for (const auto& [name, value] : fields) {
            out += fmt::format(
                "--{}\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n{}\r\n",
                boundary_,
                quoted(name),
                value
            );
        }
        for (const auto& file : files_) {
            append_file(file, out);
        }
        if (files_.empty()) {
            append_file(
                {std::string(kNoFilesPlaceholder), "", "application/octet-stream", ""}, out
            );
        }
        return out + "--" + boundary_ + "--\r\n";
    }

    void append_file(const LoadedFile& file, std::string& out) const {
        out += fmt::format(
            "--{}\r\nContent-Disposition: form-data; name=\"{}\"; filename=\"{}\"\r\n"
            "Content-Type: {}\r\n\r\n{}\r\n",
            boundary_,
            quoted(file.key),
            quoted(file.filename),
            file.mime_type,
            shown_bytes(file)
        );
    }

    [[nodiscard]] std::string shown_bytes(const LoadedFile& file) const {
        return is_masked_ ? fmt::format(
                                "<file_content_binary: '{}', type='{}', size={} bytes>",
                                file.filename,
                                file.mime_type,
                                file.bytes.size()
                            )
                          : file.bytes;
    }

    // As browsers write names in a part's header.
    static std::string quoted(std::string_view text) {
        std::string out;
        for (const char c : text) {
            if (c == '"') {
                out += "%22";
            } else if (c == '\r') {
                out += "%0D";
            } else if (c == '\n') {
                out += "%0A";
            } else {
                out += c;
            }
        }
        return out;
    }

    static void add_content_type(http::Headers& headers, std::string_view type) {
        if (!has_header(headers, "content-type")) {
            headers.emplace_back("Content-Type", type);
        }
    }

    void authorize(const std::string& key, http::Headers& headers) const {
        if (config_.authorization == AuthorizationType::none) {
            return;
        }
        auto name = text(config_.authorization_header);
        if (trim(name).empty()) {
            name = "Authorization";
        }
        std::string value = key;
        if (config_.authorization == AuthorizationType::bearer) {
            value = "Bearer " + key;
        } else if (config_.authorization == AuthorizationType::basic) {
            // A key with a colon is a name and a password; any other is encoded already.
            value = "Basic " + (key.find(':') == std::string::npos ? key : to_base64(key));
        }
        if (is_masked_) {
            value.assign(count_code_points(value), '*');
        }
        Pairs& pairs = headers;
        set_last_wins(pairs, std::string(trim(name)), std::move(value));
    }

    engine::NodeContext& context_;
    const RequestConfig& config_;
    const std::vector<LoadedFile>& files_;
    std::string boundary_;
    bool is_masked_ = false;
};

/// Also where the header was written by hand and not by the node's authorization.
bool is_credential(std::string_view header) {
    const auto name = to_lower_ascii(header);
    return name == "authorization" || name == "proxy-authorization";
}

std::string to_log_text(const http::HttpRequest& request) {
    const auto origin = http::read_origin(request.url);
    auto path_at = request.url.find('/', request.url.find("://") + 3);
    const auto query_at = request.url.find('?');
    path_at = std::min(path_at, query_at);
    std::string path = path_at == std::string::npos ? "/" : request.url.substr(path_at);
    path = path.substr(0, path.find('#'));
    if (!path.starts_with('/')) {
        path.insert(0, "/");
    }
    auto out = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n", request.method, path, origin.host);
    for (const auto& [name, value] : request.headers) {
        out += fmt::format(
            "{}: {}\r\n",
            name,
            is_credential(name) ? std::string(count_code_points(value), '*') : value
        );
    }
    if (!request.body.empty()) {
        out += fmt::format("Content-Length: {}\r\n", request.body.size());
    }
    return out + "\r\n" + to_valid_utf8(request.body);
}

void warn_about_all(engine::NodeContext& context, const RequestConfig& config) {
    warn_about_missing(context, config.url);
    warn_about_missing(context, config.headers);
    warn_about_missing(context, config.api_key);
    for (const auto& [key, value] : config.params) {
        warn_about_missing(context, key);
        warn_about_missing(context, value);
    }
    for (const auto& item : config.body) {
        warn_about_missing(context, item.key);
        warn_about_missing(context, item.value);
    }
}

}  // namespace

Task<Result<BuiltRequest>> build_request(
    engine::NodeContext& context, const Services& services, const RequestConfig& config
) {
    if (config.method == "OPTIONS") {
        co_return fail("InvalidHttpMethodError", "Invalid http method options");
    }
    warn_about_all(context, config);
    FLOWSPAN_CO_TRY(const auto files, co_await load_files(context, services, config));
    Composer composer(context, config, files, make_uuid(services.random));
    FLOWSPAN_CO_TRY(auto request, composer.compose(false));
    FLOWSPAN_CO_TRY(const auto masked, composer.compose(true));
    request.connect_timeout = config.connect_timeout.value_or(services.limits.http_connect_timeout);
    request.read_timeout = config.read_timeout.value_or(services.limits.http_read_timeout);
    request.should_follow_redirects = true;
    request.should_verify_tls = config.should_verify_tls;
    co_return BuiltRequest{std::move(request), to_log_text(masked), http::redact_url(masked.url)};
}

}  // namespace flowspan::nodes::http_request
