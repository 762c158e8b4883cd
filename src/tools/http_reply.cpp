#include "tools/http_reply.hpp"

#include "flowspan/base/text.hpp"
#include "tools/tool_reply.hpp"

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace flowspan::tools {

namespace {

constexpr std::size_t kDetailBytesMax = 2048;

ErrorCode code_of(int status) {
    switch (status) {
        case 401:
        case 403:
            return ErrorCode::unauthorized;
        case 404:
            return ErrorCode::not_found;
        case 429:
            return ErrorCode::rate_limited;
        default:
            return ErrorCode::remote_failure;
    }
}

std::string media_type(const http::HttpResponse& response) {
    const auto* header = http::find_header(response.headers, "content-type");
    if (header == nullptr) {
        return {};
    }
    return to_lower_ascii(trim(std::string_view(*header).substr(0, header->find(';'))));
}

bool is_binary(std::string_view type, std::string_view body) {
    if (type.starts_with("image/") || type.starts_with("audio/") || type.starts_with("video/") ||
        type == "application/pdf" || type == "application/zip") {
        return true;
    }
    return !type.starts_with("text/") && !is_valid_utf8(body);
}

std::string name_in_url(std::string_view url) {
    url = url.substr(0, url.find_first_of("?#"));
    return std::string(url.substr(url.rfind('/') + 1));
}

}  // namespace

Result<ToolReply> read_http_reply(http::HttpResponse response, ReplyForm form) {
    // Redirects were not followed, so only 2xx is an answer.
    if (!response.is_success()) {
        return failure(Error(
                           code_of(response.status),
                           fmt::format("Request failed with status code {}", response.status)
        )
                           .with_detail(to_valid_utf8(utf8_prefix(response.body, kDetailBytesMax)))
        );
    }
    auto type = media_type(response);
    if (is_binary(type, response.body)) {
        ToolReply reply;
        reply.messages.emplace_back(FileMessage{
            .bytes = std::move(response.body),
            .filename = name_in_url(response.url),
            .mime_type = std::move(type)
        });
        return reply;
    }
    if (form == ReplyForm::messages) {
        return read_tool_reply(response.body);
    }
    if (const auto data = parse_json(response.body)) {
        return reply_of_json(*data, std::move(response.body));
    }
    ToolReply reply;
    reply.messages.emplace_back(TextMessage{to_valid_utf8(response.body)});
    return reply;
}

}  // namespace flowspan::tools
