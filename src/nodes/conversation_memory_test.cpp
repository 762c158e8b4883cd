#include "nodes/conversation_memory.hpp"

#include <gtest/gtest.h>

namespace flowspan::nodes {
namespace {

TEST(ConversationMemory, DropsTheOldestMessagesButKeepsOne) {
    const std::vector<MemoryMessage> all = {
        {"user", std::string(400, 'a'), {}}, {"assistant", std::string(400, 'b'), {}}
    };
    auto messages = all;
    fit_to_tokens(messages, 10'000);
    EXPECT_EQ(messages.size(), 2U);
    fit_to_tokens(messages, 150);
    ASSERT_EQ(messages.size(), 1U);
    EXPECT_EQ(messages[0].role, "assistant");
    fit_to_tokens(messages, 0);
    EXPECT_EQ(messages.size(), 1U);
    messages.clear();
    fit_to_tokens(messages, 10);
    EXPECT_TRUE(messages.empty());
}

TEST(ConversationMemory, WritesATranscript) {
    const std::vector<MemoryMessage> messages = {
        {"user", "Hi", {json::value({{"type", "image"}})}}, {"assistant", "Hello", {}}
    };
    EXPECT_EQ(
        to_transcript(messages, "Human", "Assistant"), "Human: Hi\n[image]\nAssistant: Hello"
    );
    EXPECT_EQ(to_transcript({}, "Human", "Assistant"), "");
}

TEST(ConversationMemory, CountsTokensOfWideScriptsOneByOne) {
    EXPECT_EQ(estimate_tokens(""), 0);
    EXPECT_EQ(estimate_tokens("four"), 1);
    EXPECT_EQ(estimate_tokens("five5"), 2);
    EXPECT_EQ(estimate_tokens("\u4f60\u597d"), 2);
}

}  // namespace
}  // namespace flowspan::nodes
