#include "flowspan/engine/run_snapshot.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace flowspan::engine {
namespace {

json::value snapshot_data() {
    RunSnapshot snapshot;
    snapshot.root.variables.emplace();
    auto& pending = snapshot.root.pending.emplace_back();
    pending.node_id = "n";
    pending.state["round"] = 1;
    pending.frames.emplace_back();
    snapshot.stream.responses.emplace_back();
    snapshot.pause_reasons.push_back(json::object{{"expiration_time", 1}});
    return to_json(snapshot);
}

TEST(RunSnapshot, IsReadAsItWasWritten) {
    const auto data = snapshot_data();
    const auto read = parse_run_snapshot(data);
    ASSERT_TRUE(read) << read.error().describe();
    EXPECT_EQ(to_json_text(to_json(*read)), to_json_text(data));
}

struct Case {
    std::string place;
    json::value number;
    std::string name;  ///< as the message says
};

class RunSnapshotNumbers : public ::testing::TestWithParam<Case> {};

TEST_P(RunSnapshotNumbers, AreRefusedIfNoRunComesToThem) {
    const auto& [place, number, name] = GetParam();
    auto data = snapshot_data();
    data.at_pointer(place) = number;
    const auto read = parse_run_snapshot(data);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, ErrorCode::invalid_input);
    EXPECT_EQ(read.error().message, "`" + name + "` is a number that no run comes to");
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    RunSnapshotNumbers,
    ::testing::Values(
        Case{"/steps", INT64_MAX, "steps"},
        Case{"/node_index", -1, "node_index"},
        Case{"/exceptions_count", INT64_MAX, "exceptions_count"},
        Case{"/elapsed", -1, "elapsed"},
        Case{"/elapsed", INT64_MAX, "elapsed"},
        Case{"/usage/prompt_tokens", INT64_MAX, "usage.prompt_tokens"},
        Case{"/root/usage/completion_tokens", INT64_MIN, "usage.completion_tokens"},
        Case{"/root/pending/0/index", INT64_MAX, "pending.index"},
        Case{"/root/pending/0/state/round", INT64_MAX, "pending.state.round"},
        Case{"/root/pending/0/frames/0/index", -2, "frame.index"},
        Case{"/pause_reasons/0/expiration_time", INT64_MAX, "pause_reasons.expiration_time"},
        Case{"/stream/turn", -1, "stream.turn"},
        Case{"/stream/responses/0/at", -1, "stream.responses.at"}
    )
);

}  // namespace
}  // namespace flowspan::engine
