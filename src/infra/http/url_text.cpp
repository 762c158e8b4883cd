#include "infra/http/url_text.hpp"

#include "flowspan/base/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace flowspan::http {

namespace {

struct UrlPieces {
    std::string_view scheme;
    std::string_view user_info;
    std::string_view host_and_port;
    std::string_view path;
    std::string_view query;  // without '?'
    bool has_user_info = false;
    bool has_query = false;
};

UrlPieces cut(std::string_view url) {
    UrlPieces pieces;
    const auto scheme_end = url.find("://");
    if (scheme_end != std::string_view::npos) {
        pieces.scheme = url.substr(0, scheme_end);
        url.remove_prefix(scheme_end + 3);
    }
    url = url.substr(0, url.find('#'));
    const auto query_at = url.find('?');
    if (query_at != std::string_view::npos) {
        pieces.has_query = true;
        pieces.query = url.substr(query_at + 1);
        url = url.substr(0, query_at);
    }
    // Browsers and libcurl read a backslash as a slash; what stands behind it is no authority.
    const auto path_at = std::min(url.find_first_of("/\\"), url.size());
    pieces.path = url.substr(path_at);
    auto authority = url.substr(0, path_at);
    const auto at = authority.rfind('@');
    if (at != std::string_view::npos) {
        pieces.has_user_info = true;
        pieces.user_info = authority.substr(0, at);
        authority.remove_prefix(at + 1);
    }
    pieces.host_and_port = authority;
    return pieces;
}

bool names_a_secret(std::string_view key) {
    // As the HTTP conventions list them, plus the spellings that model and tool providers use.
    static constexpr std::array kSecretKeys = {
        std::string_view("x-amz-signature"),
        std::string_view("x-amz-credential"),
        std::string_view("x-amz-security-token"),
        std::string_view("awsaccesskeyid"),
        std::string_view("signature"),
        std::string_view("sig"),
        std::string_view("sign"),
        std::string_view("x-goog-signature"),
        std::string_view("key"),
        std::string_view("api_key"),
        std::string_view("apikey"),
        std::string_view("api-key"),
        std::string_view("appkey"),
        std::string_view("app_key"),
        std::string_view("token"),
        std::string_view("access_token"),
        std::string_view("auth_token"),
        std::string_view("refresh_token"),
        std::string_view("id_token"),
        std::string_view("auth"),
        std::string_view("authorization"),
        std::string_view("secret"),
        std::string_view("client_secret"),
        std::string_view("password"),
        std::string_view("passwd"),
        std::string_view("pwd"),
        std::string_view("credential"),
        std::string_view("credentials"),
        std::string_view("subscription-key"),
    };
    return std::ranges::any_of(kSecretKeys, [key](std::string_view secret) {
        return equals_ignore_case(key, secret);
    });
}

void append_redacted_query(std::string& out, std::string_view query) {
    bool is_first = true;
    for (const auto pair : split(query, '&')) {
        if (!is_first) {
            out += '&';
        }
        is_first = false;
        const auto equals = pair.find('=');
        const auto key = pair.substr(0, equals);
        if (equals != std::string_view::npos && names_a_secret(key)) {
            out.append(key).append("=REDACTED");
        } else {
            out.append(pair);
        }
    }
}

}  // namespace

std::string Origin::authority() const {
    const bool needs_brackets = host.find(':') != std::string::npos;
    return (needs_brackets ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Origin read_origin(std::string_view url) {
    const auto pieces = cut(url);
    Origin origin;
    origin.scheme = to_lower_ascii(pieces.scheme);
    origin.port = origin.scheme == "https" ? 443 : 80;
    auto host = pieces.host_and_port;
    std::string_view port;
    if (host.starts_with('[')) {
        const auto end = std::min(host.find(']'), host.size());
        port = host.substr(std::min(end + 1, host.size()));
        host = host.substr(1, end - 1);
    } else if (const auto colon = host.rfind(':'); colon != std::string_view::npos) {
        port = host.substr(colon);
        host = host.substr(0, colon);
    }
    if (port.starts_with(':')) {
        port.remove_prefix(1);
        std::from_chars(port.data(), port.data() + port.size(), origin.port);
    }
    origin.host = to_lower_ascii(host);
    return origin;
}

std::string redact_url(std::string_view url) {
    const auto pieces = cut(url);
    std::string out;
    out.reserve(url.size() + 20);
    if (!pieces.scheme.empty()) {
        out.append(pieces.scheme).append("://");
    }
    if (pieces.has_user_info) {
        out.append("REDACTED:REDACTED@");
    }
    out.append(pieces.host_and_port).append(pieces.path);
    if (pieces.has_query) {
        out += '?';
        append_redacted_query(out, pieces.query);
    }
    return out;
}

}  // namespace flowspan::http
