#include "service/webhook_form.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

namespace flowspan::service {
namespace {

constexpr auto kTrigger = R"({
    "method": "post", "content_type": "application/json",
    "headers": [{"name": "X-Key", "type": "string", "required": true}],
    "params": [{"name": "page", "type": "number", "required": true},
               {"name": "dry", "type": "boolean"}],
    "body": [{"name": "user", "type": "object", "required": true},
             {"name": "tags", "type": "array[string]"}, {"name": "scan", "type": "file"}]})";

std::string problems_of(std::string_view trigger, std::string_view request) {
    dsl::NodeSpec spec;
    spec.data = *parse_json(trigger);
    return fmt::format("{}", fmt::join(check_webhook_request(spec, *parse_json(request)), "; "));
}

struct Case {
    std::string request;
    std::string expected;
};

class WebhookRequest : public ::testing::TestWithParam<Case> {};

TEST_P(WebhookRequest, IsCheckedAgainstTheTrigger) {
    EXPECT_EQ(problems_of(kTrigger, GetParam().request), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    WebhookRequest,
    ::testing::Values(
        Case{
            R"({"method":"POST","headers":{"x-key":"k","Content-Type":"application/json; charset=utf-8"},
                "query_params":{"page":"2","dry":"yes"},"body":{"user":{"id":1},"tags":[]}})",
            ""
        },
        Case{
            "{}",
            "Required header missing: X-Key; Required parameter missing: page; "
            "Required body parameter missing: user"
        },
        Case{
            R"({"headers":{"X-Key":"k"},"query_params":{"page":"two","dry":"perhaps"},
                "body":{"user":"Ada","tags":"a"}})",
            "parameter 'page' of the request must be: number; "
            "parameter 'dry' of the request must be: boolean; "
            "body parameter 'user' of the request must be: object; "
            "body parameter 'tags' of the request must be: array[string]"
        },
        Case{
            R"({"method":"get","headers":{"x-key":"k","content-type":"text/plain"},
                "query_params":{"page":1},"body":{"user":{}}})",
            "HTTP method mismatch: the request is get, the webhook takes post; "
            "Content-type mismatch: the request has text/plain, the webhook takes application/json"
        },
        Case{
            R"({"headers":{"x-key":"k"},"query_params":{"page":1},"body":{"user":{}},
                "files":{"scan":{"transfer_method":"local_file"}}})",
            ""
        },
        Case{
            R"({"headers":[],"query_params":"","body":null})",
            "Required header missing: X-Key; Required parameter missing: page; "
            "Required body parameter missing: user"
        }
    )
);

TEST(WebhookBody, WithoutNamesIsNotTakenApart) {
    EXPECT_EQ(
        problems_of(
            R"({"content_type":"text/plain","body":[{"name":"raw","type":"string","required":true}]})",
            R"({"body":"Hello"})"
        ),
        ""
    );
}

}  // namespace
}  // namespace flowspan::service
