#include "cli/trace_setup.hpp"

#include <gtest/gtest.h>

#include <string>

namespace flowspan::cli {
namespace {

using trace::CaptureMode;
using trace::ContentKind;
using trace::ContentModes;

Config parse(std::string_view text) {
    auto config = parse_config(text, "f.toml");
    EXPECT_TRUE(config) << config.error().message;
    return config ? *config : Config{};
}

TEST(TraceSetup, RecordsMetadataOnlyByDefault) {
    const auto policy = make_capture_policy(Config{});
    ASSERT_TRUE(policy);
    EXPECT_EQ(policy->modes_for("id", "name"), ContentModes(CaptureMode::metadata));
}

TEST(TraceSetup, ReadsContentByKindAndByApp) {
    const auto policy = make_capture_policy(parse(R"(
[trace]
content = "off"
[trace.capture]
prompts = "full"
tool_arguments = "metadata"
[[trace.apps]]
app = "support-*"
content = "full"
[trace.apps.capture]
answers = "off"
[[trace.apps]]
app = "other"
[trace.apps.capture]
answers = "full"
)"));
    ASSERT_TRUE(policy);
    const auto modes = policy->modes_for("id", "name");
    EXPECT_EQ(modes[ContentKind::prompts], CaptureMode::full);
    EXPECT_EQ(modes[ContentKind::tool_arguments], CaptureMode::metadata);
    EXPECT_EQ(modes[ContentKind::answers], CaptureMode::off);
    const auto support = policy->modes_for("id", "support-1");
    EXPECT_EQ(support[ContentKind::documents], CaptureMode::full);
    EXPECT_EQ(support[ContentKind::answers], CaptureMode::off);
    const auto other = policy->modes_for("other", "");
    EXPECT_EQ(other[ContentKind::answers], CaptureMode::full);
    EXPECT_EQ(other[ContentKind::prompts], CaptureMode::full) << "as for the other apps";
    EXPECT_EQ(other[ContentKind::documents], CaptureMode::off);
}

TEST(TraceSetup, TakesOutEveryCredentialOfTheSettings) {
    const auto config = parse(R"(
[models.default_endpoint]
base_url = "http://h/v1"
api_key = "model-key-1"
[[models.map]]
endpoint = { base_url = "http://h/v1", api_key = "model-key-2" }
[[tools.map]]
url = "http://h/t"
api_key = "Bearer tool-key-3"
[[tools.openapi]]
file = "f"
api_key = "tool-key-4"
[[trace.destinations]]
endpoint = "http://h/v1/traces"
headers = { "x-api-key" = "otlp-key-5", "Langsmith-Project" = "default" }
[redaction]
patterns = ["card-[0-9]+"]
keys = ["x-mine"]
)");
    const auto redactor = make_redactor(config);
    ASSERT_TRUE(redactor);
    EXPECT_EQ(
        (*redactor)->redact("model-key-1 model-key-2 tool-key-3 tool-key-4 otlp-key-5 card-12 "
                            "x-mine=v default"),
        "[redacted] [redacted] [redacted] [redacted] [redacted] [redacted] "
        "x-mine=[redacted] default"
    );
}

TEST(TraceSetup, NamesAPatternThatIsNoRegularExpression) {
    const auto policy = make_capture_policy(parse("[redaction]\npatterns = [\"(\"]\n"));
    ASSERT_FALSE(policy);
    EXPECT_NE(policy.error().describe().find("`(`"), std::string::npos);
    EXPECT_NE(policy.error().describe().find("[redaction]"), std::string::npos);
}

}  // namespace
}  // namespace flowspan::cli
