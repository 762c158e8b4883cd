#include "flowspan/trace/redactor.hpp"

#include "flowspan/trace/context_storage.hpp"
#include "flowspan/trace/log_event.hpp"
#include "flowspan/trace/run_scope.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace flowspan::trace {
namespace {

std::string redacted(const Redactor& redactor, std::string_view text) {
    return redactor.redact(text).value_or(std::string(text));
}

std::shared_ptr<const Redactor> make(RedactionRules rules) {
    auto made = Redactor::make(rules);
    EXPECT_TRUE(made) << made.error().describe();
    return *made;
}

TEST(Redactor, LeavesHarmlessTextAlone) {
    const auto redactor = Redactor::make_default();
    for (const auto* text : {
             "",
             "node llm",
             "https://host/v1/chat?limit=5&page=2",
             R"({"name":"Ada","tokens":12,"url":"http://h/"})",
             "max_tokens: 5",
             "unexpected token: }",
             "16:30:05 the password was wrong",
         }) {
        EXPECT_FALSE(redactor->redact(text)) << text;
    }
}

struct KeyCase {
    const char* text;
    const char* expected;
};

TEST(Redactor, TakesOutTheValuesOfKeysThatNameSecrets) {
    const auto redactor = make({.keys = {"X-House-Key"}});
    const std::vector<KeyCase> cases = {
        {R"({"password":"a\"b","n":1})", R"({"password":"[redacted]","n":1})"},
        {R"({"Api-Key" : 123456, "n":1})", R"({"Api-Key" : [redacted], "n":1})"},
        {R"({"x_house_key":"v"})", R"({"x_house_key":"[redacted]"})"},
        {R"({"token":null,"secret":{"a":"b"}})", R"({"token":null,"secret":{"a":"b"}})"},
        {R"({"raw":"{\"token\":\"a\\\"b\",\"n\":2}"})",
         R"({"raw":"{\"token\":\"[redacted]\",\"n\":2}"})"},
        {"GET / HTTP/1.1\r\nAuthorization: Bearer a b\r\nHost: h\r\n",
         "GET / HTTP/1.1\r\nAuthorization: [redacted]\r\nHost: h\r\n"},
        {R"({"raw":"GET /\r\nCookie: a=b; c=d\r\nHost: h"})",
         R"({"raw":"GET /\r\nCookie: [redacted]\r\nHost: h"})"},
        {"http://h/p?q=1&access_token=abc&z=2", "http://h/p?q=1&access_token=[redacted]&z=2"},
        {"cannot log in with password=hunter2, sorry",
         "cannot log in with password=[redacted], sorry"},
        {"X-House-Key: v", "X-House-Key: [redacted]"},
    };
    for (const auto& item : cases) {
        EXPECT_EQ(redacted(*redactor, item.text), item.expected);
        // What is redacted stays as it is.
        EXPECT_EQ(redacted(*redactor, item.expected), item.expected);
    }
}

TEST(Redactor, FindsSecretsThatCodeHasWrittenAnew) {
    const std::vector<Secret> secrets{Secret("p\u00e4ss\"w\u00f6rd"), Secret("sk-0123456789")};
    const auto redactor = Redactor::make_default()->with_secrets(secrets);
    // JSON of Python, which writes what is not ASCII as escapes; JSON within JSON.
    EXPECT_EQ(redacted(*redactor, R"({"a": "p\u00e4ss\"w\u00f6rd"})"), R"({"a": "[redacted]"})");
    EXPECT_EQ(
        redacted(*redactor, R"({"a": "{\"b\": \"p\\u00e4ss\\\"w\\u00f6rd\"}"})"),
        R"({"a": "{\"b\": \"[redacted]\"}"})"
    );
    // Credentials of Basic authentication, with names of any length before the secret.
    for (const auto* text :
         {"Basic c2stMDEyMzQ1Njc4OQ==",         // sk-0123456789
          "Basic OnNrLTAxMjM0NTY3ODk=",         // :sk-...
          "Basic YTpzay0wMTIzNDU2Nzg5",         // a:sk-...
          "Basic dXNlcjpzay0wMTIzNDU2Nzg5"}) {  // user:sk-...
        const auto left = redacted(*redactor, text);
        EXPECT_NE(left.find("[redacted]"), std::string::npos) << left;
        EXPECT_LT(left.size(), std::string("Basic dXNlcj.........").size() + 10) << left;
    }
    // As nodes show secrets among their inputs: most of a short one is still there.
    EXPECT_EQ(redacted(*redactor, R"({"k":"sk-012************89"})"), R"({"k":"[redacted]"})");
}

TEST(Redactor, FindsSecretsAsHexadecimalDigitsAndInOtherCase) {
    const std::vector<Secret> secrets{Secret("Sk-0123456789"), Secret("Admin"), Secret("abcd")};
    const auto redactor = Redactor::make_default()->with_secrets(secrets);
    EXPECT_EQ(redacted(*redactor, "0x536b2d30313233343536373839!"), "0x[redacted]!");
    EXPECT_EQ(redacted(*redactor, "(536B2D30313233343536373839)"), "([redacted])");
    EXPECT_EQ(redacted(*redactor, "SK-0123456789 sk-0123456789"), "[redacted] [redacted]");
    EXPECT_EQ(redacted(*redactor, "41646d696e"), "[redacted]");
    EXPECT_FALSE(redactor->redact("the admin of 61626364")) << "found by chance";
}

TEST(Redactor, FindsSecretsAtEveryPlaceOfAText) {
    const std::vector<Secret> secrets{
        Secret("sk-0123456789"), Secret("a-much-longer-secret-of-34-bytes..")
    };
    const auto redactor = Redactor::make_default()->with_secrets(secrets);
    for (const auto& secret : secrets) {
        for (std::size_t before = 0; before < 40; ++before) {
            for (std::size_t after = 0; after < 9; ++after) {
                const std::string head(before, '.');
                const std::string tail(after, '.');
                EXPECT_EQ(
                    redacted(*redactor, head + std::string(secret.reveal()) + tail),
                    head + "[redacted]" + tail
                );
            }
        }
    }
}

TEST(Redactor, FindsSecretsInEveryFormTheyTakeOnTheWay) {
    const auto base = Redactor::make_default();
    const std::vector<Secret> secrets{Secret("p&ss \"word\""), Secret("sk-123"), Secret("abc")};
    const auto redactor = base->with_secrets(secrets);
    EXPECT_EQ(redacted(*redactor, "x p&ss \"word\" y"), "x [redacted] y");
    EXPECT_EQ(redacted(*redactor, "/p%26ss%20%22word%22/"), "/[redacted]/");
    EXPECT_EQ(redacted(*redactor, "/p&ss%20\"word%22/%zz%"), "/[redacted]/%zz%");
    EXPECT_EQ(redacted(*redactor, "q=p%26ss+%22word%22"), "q=[redacted]");
    EXPECT_EQ(redacted(*redactor, R"(["p&ss \"word\""])"), R"(["[redacted]"])");
    EXPECT_EQ(redacted(*redactor, "sk-123sk-123"), "[redacted][redacted]");
    EXPECT_FALSE(redactor->redact("abc")) << "three bytes are found everywhere";
    EXPECT_FALSE(base->redact("sk-123")) << "the rules it was made from stay as they were";
}

TEST(Redactor, LeavesNoPartOfALongerSecret) {
    const std::vector<Secret> secrets{Secret("key-1"), Secret("key-1-and-more")};
    const auto redactor = Redactor::make_default()->with_secrets(secrets);
    EXPECT_EQ(redacted(*redactor, "(key-1-and-more)"), "([redacted])");
}

TEST(Redactor, AppliesPatterns) {
    const auto redactor =
        make({.patterns = {R"(\b\d{4}-\d{4}-\d{4}-\d{4}\b)", R"([a-z]+@[a-z.]+)"}});
    EXPECT_EQ(
        redacted(*redactor, "card 1111-2222-3333-4444 of ada@example.org"),
        "card [redacted] of [redacted]"
    );
}

class KeepsLast final : public LogReceiver {
public:
    void on_log(const LogEvent& event) noexcept override {
        body = event.body;
        attribute = std::get<std::string_view>(event.attributes[0].value);
    }

    std::string body;
    std::string attribute;
};

TEST(Redactor, CleansLogRecordsOfARun) {
    install_context_storage();
    KeepsLast receiver;
    set_log_receiver(&receiver);
    const std::vector<Secret> secrets{Secret("hunter2")};
    auto scope = std::make_shared<RunScope>();
    scope->redactor = Redactor::make_default()->with_secrets(secrets);
    {
        const CurrentRunScope run(scope);
        const LogAttribute attributes[] = {{"key", std::string_view("is hunter2")}};
        LogEvent event;
        event.body = "tried hunter2";
        event.attributes = attributes;
        emit_log(event);
    }
    set_log_receiver(nullptr);
    EXPECT_EQ(receiver.body, "tried [redacted]");
    EXPECT_EQ(receiver.attribute, "is [redacted]");
}

TEST(Redactor, RefusesPatternsThatCannotWork) {
    const auto broken = Redactor::make({.patterns = {"("}});
    ASSERT_FALSE(broken);
    EXPECT_NE(broken.error().message.find("no regular expression"), std::string::npos);
    EXPECT_FALSE(Redactor::make({.patterns = {"a*"}})) << "it would match between all letters";
}

}  // namespace
}  // namespace flowspan::trace
