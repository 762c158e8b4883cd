#include "export/content_folder.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace flowspan::exporting {
namespace {

namespace fs = std::filesystem;

class ContentFolderTest : public ::testing::Test {
protected:
    ContentFolderTest()
        : path_(fs::temp_directory_path() / ("flowspan-content-" + make_uuid(real_random()))) {}

    ~ContentFolderTest() override { fs::remove_all(path_); }

    [[nodiscard]] std::size_t file_count() const {
        std::size_t count = 0;
        for (const auto& entry : fs::recursive_directory_iterator(path_)) {
            count += entry.is_regular_file() ? 1 : 0;
        }
        return count;
    }

    fs::path path_;
};

TEST_F(ContentFolderTest, KeepsTheSameTextOnce) {
    const auto folder = make_content_folder({.path = path_}, real_clock());
    const auto first = folder->put("abc");
    EXPECT_EQ(first, "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(folder->put("abc"), first);
    const auto other = folder->put("abd");
    folder->flush();
    EXPECT_EQ(read_content(path_, first).value(), "abc");
    EXPECT_EQ(read_content(path_, other).value(), "abd");
    EXPECT_EQ(file_count(), 2U);
    EXPECT_EQ(folder->counts(), (ContentCounts{.stored = 3}));
}

TEST_F(ContentFolderTest, WritesWhatWaitsAtItsEnd) {
    std::string reference;
    reference = make_content_folder({.path = path_}, real_clock())->put("last words");
    EXPECT_EQ(read_content(path_, reference).value(), "last words");
}

TEST_F(ContentFolderTest, TakesNoMoreThanMayWait) {
    const auto folder = make_content_folder({.path = path_, .queue_bytes_max = 10}, real_clock());
    EXPECT_EQ(folder->put("more than ten bytes"), "");
    EXPECT_EQ(folder->counts().refused, 1U);
}

TEST_F(ContentFolderTest, RemovesTheOldestBeyondItsSize) {
    std::string old_one;
    std::string new_one;
    {
        const auto folder = make_content_folder({.path = path_}, real_clock());
        old_one = folder->put(std::string(100, 'a'));
        folder->flush();
        new_one = folder->put(std::string(100, 'b'));
    }
    const auto hex = old_one.substr(old_one.find(':') + 1);
    const auto file = path_ / hex.substr(0, 2) / (hex + ".txt");
    fs::last_write_time(file, fs::last_write_time(file) - std::chrono::hours(1));
    make_content_folder({.path = path_, .bytes_max = 150}, real_clock())->flush();
    EXPECT_FALSE(read_content(path_, old_one));
    EXPECT_TRUE(read_content(path_, new_one));
    make_content_folder({.path = path_, .age_max = std::chrono::seconds(-10)}, real_clock())
        ->flush();
    EXPECT_FALSE(read_content(path_, new_one)) << "too old";
}

TEST_F(ContentFolderTest, ReadsNothingButContent) {
    EXPECT_EQ(read_content(path_, "../../etc/passwd").error().code, ErrorCode::invalid_input);
    EXPECT_EQ(
        read_content(path_, "sha256:" + std::string(64, '0')).error().code, ErrorCode::not_found
    );
}

TEST_F(ContentFolderTest, SurvivesAFolderThatCannotBeMade) {
    std::ofstream(path_) << "a file";
    const auto folder = make_content_folder({.path = path_}, real_clock());
    EXPECT_NE(folder->put("abc"), "");
    folder->flush();
    EXPECT_EQ(folder->counts().failed, 1U);
}

}  // namespace
}  // namespace flowspan::exporting
