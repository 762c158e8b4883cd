#include "infra/http/http_types.hpp"

#include <gtest/gtest.h>

namespace flowspan::http {
namespace {

using namespace std::chrono_literals;

// 2023-11-14T22:13:20Z
constexpr std::chrono::system_clock::time_point kNow{1'700'000'000s};

TEST(HttpHeaders, AreFoundInAnySpelling) {
    const Headers headers = {{"content-type", "a"}, {"x", "b"}, {"content-type", "c"}};
    ASSERT_NE(find_header(headers, "Content-Type"), nullptr);
    EXPECT_EQ(*find_header(headers, "Content-Type"), "a");
    EXPECT_EQ(find_header(headers, "y"), nullptr);
}

TEST(HttpHeaders, RetryAfterIsReadInAllItsForms) {
    struct Case {
        Headers headers;
        std::optional<std::chrono::milliseconds> expected;
    };

    const Case cases[] = {
        {{}, std::nullopt},
        {{{"retry-after", "2"}}, 2000ms},
        {{{"retry-after", "0"}}, 0ms},
        {{{"retry-after", "1.5"}}, 2000ms},
        {{{"retry-after-ms", "250"}, {"retry-after", "9"}}, 250ms},
        {{{"retry-after-ms", "soon"}, {"retry-after", "9"}}, 9000ms},
        {{{"retry-after", "Tue, 14 Nov 2023 22:13:50 GMT"}}, 30'000ms},
        {{{"retry-after", "Tue, 14 Nov 2023 22:13:00 GMT"}}, 0ms},
        {{{"retry-after", "later"}}, std::nullopt},
        {{{"retry-after", "-5"}}, std::nullopt},
        {{{"retry-after", "99999999999999999999"}}, std::nullopt},
    };
    for (const auto& [headers, expected] : cases) {
        HttpResponse response;
        response.headers = headers;
        EXPECT_EQ(retry_after(response, kNow), expected)
            << (headers.empty() ? "" : headers.front().second);
    }
}

}  // namespace
}  // namespace flowspan::http
