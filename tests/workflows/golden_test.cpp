// Every case runs through the whole house; what it says must be what expect.events and
// expect.spans hold. UPDATE_GOLDEN=1 writes them anew.

#include "tests/workflows/golden_run.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <ostream>

namespace flowspan::golden {

void PrintTo(const std::filesystem::path& path, std::ostream* out) {
    *out << path.filename().string();
}

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> find_cases() {
    std::vector<fs::path> folders;
    for (const auto& entry : fs::directory_iterator(FLOWSPAN_GOLDEN_FOLDER)) {
        if (fs::exists(entry.path() / "app.yml")) {
            folders.push_back(entry.path());
        }
    }
    std::ranges::sort(folders);
    return folders;
}

std::string case_name(const testing::TestParamInfo<fs::path>& info) {
    return info.param.filename().string();
}

std::string read(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void expect_file(const fs::path& path, const std::string& actual) {
    if (std::getenv("UPDATE_GOLDEN") != nullptr) {
        std::ofstream(path, std::ios::binary) << actual;
        return;
    }
    EXPECT_EQ(read(path), actual) << path.filename()
                                  << " differs; UPDATE_GOLDEN=1 writes it anew, then read the diff";
}

class Golden : public testing::TestWithParam<fs::path> {
protected:
    void SetUp() override {
        auto loaded = GoldenCase::load(GetParam());
        ASSERT_TRUE(loaded) << loaded.error().full_text();
        golden_ = *std::move(loaded);
    }

    /// Both files hold for every transcript.
    void expect_transcripts(const std::vector<Transcript>& transcripts) const {
        for (const auto& transcript : transcripts) {
            EXPECT_EQ(read(GetParam() / "expect.events"), transcript.events);
            EXPECT_EQ(read(GetParam() / "expect.spans"), transcript.spans);
        }
    }

    GoldenCase golden_;
};

TEST_P(Golden, SaysWhatIsExpected) {
    const auto transcripts = run_golden(golden_, {});
    expect_file(GetParam() / "expect.events", transcripts.front().events);
    expect_file(GetParam() / "expect.spans", transcripts.front().spans);
}

TEST_P(Golden, SaysTheSameWithFourRunsAtOnceOnFourLoops) {
    expect_transcripts(run_golden(golden_, {.loops = 4, .runs = 4}));
}

INSTANTIATE_TEST_SUITE_P(Workflows, Golden, testing::ValuesIn(find_cases()), case_name);

// Cases in which a model answers. How much of an answer came before a run was stopped depends on
// its pieces.
std::vector<fs::path> find_answered_cases() {
    auto folders = find_cases();
    std::erase_if(folders, [](const fs::path& folder) {
        return !fs::exists(folder / "model.script") ||
               read(folder / "input.json").contains("cancel_after_event");
    });
    return folders;
}

class AnsweredGolden : public Golden {};

TEST_P(AnsweredGolden, SaysTheSameWhenTheAnswerComesInTinyPieces) {
    expect_transcripts(run_golden(golden_, {.server_slice = 3}));
}

INSTANTIATE_TEST_SUITE_P(
    Workflows, AnsweredGolden, testing::ValuesIn(find_answered_cases()), case_name
);

}  // namespace
}  // namespace flowspan::golden
