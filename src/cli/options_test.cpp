#include "cli/options.hpp"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace flowspan::cli {
namespace {

ParsedCommandLine parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "flowspan");
    return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

TEST(CommandLine, ReadsARun) {
    const auto parsed =
        parse({"run", "app.yml", "-i", "a=1", "-i", "b=x=y", "--query", "hi", "--json"});
    ASSERT_FALSE(parsed.message) << parsed.message->first;
    ASSERT_TRUE(parsed.options.run);
    const auto& run = *parsed.options.run;
    EXPECT_EQ(run.file, "app.yml");
    EXPECT_EQ(run.inputs, (std::vector<std::string>{"a=1", "b=x=y"}));
    EXPECT_EQ(run.query, "hi");
    EXPECT_TRUE(run.is_json);
}

TEST(CommandLine, InputBeforeTheFileDoesNotSwallowIt) {
    const auto parsed = parse({"run", "-i", "a=1", "app.yml"});
    ASSERT_TRUE(parsed.options.run) << parsed.message->first;
    EXPECT_EQ(parsed.options.run->file, "app.yml");
}

TEST(CommandLine, HelpIsNoError) {
    const auto parsed = parse({"run", "--help"});
    ASSERT_TRUE(parsed.message);
    EXPECT_EQ(parsed.message->second, ExitCode::done);
    EXPECT_NE(parsed.message->first.find("--trace-out"), std::string::npos);
}

TEST(CommandLine, MisuseExitsWithTwo) {
    for (const auto& arguments : std::vector<std::vector<const char*>>{
             {}, {"walk"}, {"run"}, {"run", "a.yml", "--no-such"}
         }) {
        const auto parsed = parse(arguments);
        ASSERT_TRUE(parsed.message);
        EXPECT_EQ(parsed.message->second, ExitCode::bad_usage);
    }
}

TEST(CommandLine, NamesACommandThatDoesNotExist) {
    const auto parsed = parse({"walk", "app.yml"});
    ASSERT_TRUE(parsed.message);
    EXPECT_NE(parsed.message->first.find("`walk`"), std::string::npos) << parsed.message->first;
    EXPECT_NE(parsed.message->first.find("run, resume"), std::string::npos);
}

TEST(CommandLine, ReadsWhenTheTraceIsShown) {
    const std::vector<std::pair<const char*, TraceDisplay>> words{
        {"auto", TraceDisplay::automatic},
        {"always", TraceDisplay::always},
        {"never", TraceDisplay::never},
    };
    for (const auto& [word, when] : words) {
        const auto parsed = parse({"run", "a.yml", "--trace", word});
        ASSERT_TRUE(parsed.options.run) << word;
        EXPECT_EQ(parsed.options.run->trace, when) << word;
    }
}

TEST(CommandLine, NamesTheWordsThatAFlagTakes) {
    for (const auto& arguments : std::vector<std::vector<const char*>>{
             {"run", "a.yml", "--trace", "banana"}, {"run", "--help"}
         }) {
        const auto parsed = parse(arguments);
        ASSERT_TRUE(parsed.message);
        const auto& text = parsed.message->first;
        EXPECT_NE(text.find("{auto,always,never}"), std::string::npos) << text;
        EXPECT_EQ(text.find('\1'), std::string::npos) << "numbers of the enumeration";
    }
}

TEST(CommandLine, ReadsValuesOfEnvironmentVariables) {
    const auto parsed = parse({"run", "--env", "A=1", "--env", "B", "a.yml"});
    ASSERT_TRUE(parsed.options.run) << parsed.message->first;
    EXPECT_EQ(parsed.options.run->environment, (std::vector<std::string>{"A=1", "B"}));
}

}  // namespace
}  // namespace flowspan::cli
