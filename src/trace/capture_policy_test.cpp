#include "flowspan/trace/capture_policy.hpp"

#include "flowspan/async/runtime.hpp"
#include "flowspan/async/task_group.hpp"
#include "flowspan/trace/run_scope.hpp"
#include "trace/content_text.hpp"
#include "trace/span_recording.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace flowspan::trace {
namespace {

namespace otel = opentelemetry::trace;

class CapturePolicyTest : public ::testing::Test {
protected:
    /// Writes one document as inputs and gives what stands on the span.
    std::map<std::string, std::string> written(const json::value& value) {
        const auto span = tracer().StartSpan("s");
        policy_.write(
            *span,
            content::kInput,
            [&] { return content_size(value); },
            [&]() -> const json::value& { return value; }
        );
        span->End();
        std::map<std::string, std::string> found;
        for (const auto& [key, item] : recording_.take().at(0)->GetAttributes()) {
            const auto* text = opentelemetry::nostd::get_if<std::string>(&item);
            found[key] = text != nullptr
                             ? *text
                             : std::to_string(opentelemetry::nostd::get<std::int64_t>(item));
        }
        return found;
    }

    void set_mode(CaptureMode mode) { policy_.readers = {ContentRules{ContentModes(mode)}}; }

    SpanRecording recording_;
    CapturePolicy policy_;
};

TEST_F(CapturePolicyTest, RecordsSizesOnlyByDefault) {
    const auto found = written(json::object{{"name", "Ada"}});
    EXPECT_EQ(found.at(names::kFlowspanInputBytes), "7");
    EXPECT_FALSE(found.contains(names::kInputValue));
}

TEST_F(CapturePolicyTest, RecordsNothingWhenOff) {
    set_mode(CaptureMode::off);
    EXPECT_TRUE(written(json::object{{"name", "Ada"}}).empty());
}

TEST_F(CapturePolicyTest, RecordsContentWithoutSecretsWhenFull) {
    set_mode(CaptureMode::full);
    const auto found = written(json::object{
        {"name", "Ada"},
        {"password", json::object{{"nested", 1}}},
        {"list", json::array{1, 2.5, nullptr, true}},
    });
    EXPECT_EQ(
        found.at(names::kInputValue),
        R"({"name":"Ada","password":"[redacted]","list":[1,2.5E0,null,true]})"
    );
}

TEST_F(CapturePolicyTest, RecordsWhatAnyReaderMaySeeOfAnApp) {
    policy_.readers = {
        ContentRules{
            ContentModes(CaptureMode::metadata), {{"private-*", ContentModes(CaptureMode::off)}}
        },
        ContentRules{
            ContentModes(CaptureMode::off), {{"support", ContentModes(CaptureMode::full)}}
        },
    };
    EXPECT_EQ(policy_.modes_for("id", "other"), ContentModes(CaptureMode::metadata));
    EXPECT_EQ(policy_.modes_for("private-1", ""), ContentModes(CaptureMode::off));
    EXPECT_EQ(policy_.modes_for("id", "support"), ContentModes(CaptureMode::full));
}

class FakeStore final : public ContentStore {
public:
    std::string put(std::string text) override {
        kept = std::move(text);
        return reference;
    }

    std::string kept;
    std::string reference = "fake:1";
};

TEST_F(CapturePolicyTest, KeepsTheHeadOfLargeContentAndStoresTheWhole) {
    FakeStore store;
    set_mode(CaptureMode::full);
    policy_.store = &store;
    policy_.content_bytes_max = 200;
    const std::string text(5000, 'x');
    const auto found = written(json::object{{"a", text}, {"b", "short"}});
    const auto parsed = parse_json(found.at(names::kInputValue));
    ASSERT_TRUE(parsed) << "what is cut is still JSON";
    EXPECT_LE(found.at(names::kInputValue).size(), 200U);
    EXPECT_EQ(string_member(*parsed, "b"), "short");
    EXPECT_TRUE(string_member(*parsed, "a").starts_with("xxxx"));
    EXPECT_NE(string_member(*parsed, "a").find("more bytes)"), std::string_view::npos);
    EXPECT_EQ(found.at(names::kFlowspanInputBytes), "5007");
    EXPECT_EQ(found.at(names::kFlowspanInputRef), "fake:1");
    EXPECT_EQ(store.kept, to_json_text(json::object{{"a", text}, {"b", "short"}}));
    store.reference.clear();
    EXPECT_FALSE(written(json::object{{"a", text}}).contains(names::kFlowspanInputRef));
}

TEST(ContentJson, NeverExceedsItsLimitAndStaysJson) {
    const auto redactor = Redactor::make_default();
    json::array numbers;
    json::array texts;
    for (int i = 0; i < 5000; ++i) {
        numbers.push_back(i);
        texts.push_back(json::string("a text of some length, and with a \" in it"));
    }
    json::value deep = "end";
    for (int i = 0; i < 200; ++i) {
        deep = json::array{deep};
    }
    for (const json::value& value : {json::value(numbers), json::value(texts), deep}) {
        for (const std::size_t limit : {64U, 100U, 1000U, 20000U}) {
            const auto text = content_json(value, *redactor, limit);
            EXPECT_LE(text.size(), limit);
            EXPECT_TRUE(parse_json(text)) << text;
        }
    }
}

TEST(ContentJson, CutsNoSecretInHalf) {
    const std::vector<Secret> secrets{Secret("0123456789")};
    const auto redactor = Redactor::make_default()->with_secrets(secrets);
    std::string text;
    while (text.size() < 4000) {
        text += "0123456789";
    }
    EXPECT_EQ(content_json(json::value(text), *redactor, 300).find("0123"), std::string::npos);
}

TEST(RunScope, BelongsToTheTaskAndItsChildren) {
    install_context_storage();
    async::Runtime runtime;
    const auto name_of = [] {
        const auto scope = current_run_scope();
        return scope == nullptr ? std::string("none") : scope->app_name;
    };
    std::string before;
    std::string child;
    std::string nested;
    std::string after;
    runtime.block_on([&]() -> Task<void> {
        before = name_of();
        {
            const CurrentRunScope outer(std::make_shared<RunScope>(RunScope{.app_name = "outer"}));
            async::TaskGroup group(co_await async::this_executor());
            group.spawn(
                [](auto name, std::string* out) -> Task<void> {
                    *out = name();
                    co_return;
                },
                name_of,
                &child
            );
            {
                const CurrentRunScope inner(std::make_shared<RunScope>(RunScope{.app_name = "inner"}
                ));
                nested = name_of();
            }
            co_await group.join();
        }
        after = name_of();
    });
    EXPECT_EQ(before, "none");
    EXPECT_EQ(child, "outer");
    EXPECT_EQ(nested, "inner");
    EXPECT_EQ(after, "none");
}

}  // namespace
}  // namespace flowspan::trace
