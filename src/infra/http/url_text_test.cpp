#include "infra/http/url_text.hpp"

#include <gtest/gtest.h>

namespace flowspan::http {
namespace {

TEST(UrlText, SecretsAreRedacted) {
    struct Case {
        std::string_view url;
        std::string_view expected;
    };

    const Case cases[] = {
        {"http://a.b/c?d=e", "http://a.b/c?d=e"},
        {"https://user:pass@a.b:1/c", "https://REDACTED:REDACTED@a.b:1/c"},
        {"https://user@a.b", "https://REDACTED:REDACTED@a.b"},
        {"http://a.b/?api_key=1&q=2&TOKEN=3", "http://a.b/?api_key=REDACTED&q=2&TOKEN=REDACTED"},
        {"http://a.b?X-Amz-Signature=abc", "http://a.b?X-Amz-Signature=REDACTED"},
        {"http://a.b/c#access_token=1", "http://a.b/c"},
        {"http://a.b/?key", "http://a.b/?key"},
        {"http://a.b/?sig=&x", "http://a.b/?sig=REDACTED&x"},
        {"http://a.b/p@q?mail=x@y", "http://a.b/p@q?mail=x@y"},
        {"http://x:p@w@a.b/", "http://REDACTED:REDACTED@a.b/"},
        {"", ""},
    };
    for (const auto& [url, expected] : cases) {
        EXPECT_EQ(redact_url(url), expected);
    }
}

TEST(UrlText, OriginsAreRead) {
    struct Case {
        std::string_view url;
        Origin expected;
        std::string_view authority;
    };

    const Case cases[] = {
        {"http://A.b/c", {"http", "a.b", 80}, "a.b:80"},
        {"HTTPS://a.b", {"https", "a.b", 443}, "a.b:443"},
        {"http://u:p@a.b:81/x:2", {"http", "a.b", 81}, "a.b:81"},
        {"http://[::1]:8/x", {"http", "::1", 8}, "[::1]:8"},
        {"http://[::1]/x", {"http", "::1", 80}, "[::1]:80"},
        {"http://[", {"http", "", 80}, ":80"},
        {"nonsense", {"", "nonsense", 80}, "nonsense:80"},
    };
    for (const auto& [url, expected, authority] : cases) {
        const auto origin = read_origin(url);
        EXPECT_EQ(origin, expected) << url << " gave " << origin.authority();
        EXPECT_EQ(origin.authority(), authority);
    }
}

}  // namespace
}  // namespace flowspan::http
