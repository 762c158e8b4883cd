#include "nodes/file_store.hpp"

#include "flowspan/async/runtime.hpp"
#include "flowspan/value/value.hpp"
#include "nodes/testing/fake_services.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace flowspan::nodes {
namespace {

struct Fixture {
    testing::CallLog calls;
    testing::FakeHttpClient http_client{calls};
    std::unique_ptr<Random> random = make_seeded_random(7);
    async::Runtime runtime;

    static Task<Result<json::object>> save_in(FileStore* store, FileContent content) {
        co_return co_await store->save(std::move(content));
    }

    static Task<Result<std::string>> load_from(FileStore* store, json::value record) {
        co_return co_await store->load(std::move(record));
    }

    Result<json::object> save(FileStore& store, FileContent content) {
        return runtime.block_on(save_in, &store, std::move(content));
    }

    Result<std::string> load(FileStore& store, json::value record) {
        return runtime.block_on(load_from, &store, std::move(record));
    }
};

TEST(FileStore, KeepsBytesInMemory) {
    Fixture fixture;
    const auto store = make_file_store({}, fixture.http_client, *fixture.random);
    const auto record = fixture.save(*store, {std::string("a\0b", 3), "plot.png", ""});
    ASSERT_TRUE(record);
    EXPECT_TRUE(value::is_file_record(*record));
    EXPECT_EQ(record->at("type"), "image");
    EXPECT_EQ(record->at("mime_type"), "image/png");
    EXPECT_EQ(record->at("extension"), ".png");
    EXPECT_EQ(record->at("transfer_method"), "tool_file");
    EXPECT_EQ(record->at("size").to_number<int>(), 3);
    EXPECT_EQ(fixture.load(*store, *record), std::string("a\0b", 3));
}

TEST(FileStore, FillsInWhatAFileDoesNotSayOfItself) {
    const auto by_name = make_file_record({"", "a.PDF", ""}, "", "http://h/a.PDF");
    EXPECT_EQ(by_name.at("mime_type"), "application/pdf");
    EXPECT_EQ(by_name.at("type"), "document");
    const auto by_type = make_file_record({"", "get", "image/png; x=1"}, "", "http://h/get");
    EXPECT_EQ(by_type.at("extension"), ".png");
    EXPECT_EQ(by_type.at("mime_type"), "image/png");
    EXPECT_EQ(by_type.at("type"), "image");
    const auto by_nothing = make_file_record({"", "get", ""}, "", "http://h/get");
    EXPECT_TRUE(by_nothing.at("extension").is_null());
    EXPECT_TRUE(by_nothing.at("mime_type").is_null());
    EXPECT_EQ(by_nothing.at("type"), "custom");
}

TEST(FileStore, WritesIntoAFolder) {
    Fixture fixture;
    const auto folder = std::filesystem::path(::testing::TempDir()) / "flowspan_file_store_test";
    std::filesystem::remove_all(folder);
    const auto store = make_file_store({.folder = folder}, fixture.http_client, *fixture.random);
    const auto record = fixture.save(*store, {"hello", "../../etc/passwd.txt", ""});
    ASSERT_TRUE(record);
    EXPECT_TRUE(record->at("url").as_string().starts_with("file://" + folder.string()));
    EXPECT_EQ(fixture.load(*store, *record), "hello");
    std::filesystem::remove_all(folder);
}

TEST(FileStore, RefusesReferencesThatLeaveTheStore) {
    Fixture fixture;
    const auto store = make_file_store({}, fixture.http_client, *fixture.random);
    for (const auto* reference : {"../secret", "/etc/passwd", ".hidden", ""}) {
        const auto bytes = fixture.load(*store, {{"reference", reference}});
        ASSERT_FALSE(bytes) << reference;
        EXPECT_EQ(bytes.error().code, ErrorCode::not_found);
    }
}

TEST(FileStore, FetchesRemoteFiles) {
    Fixture fixture;
    const auto store = make_file_store({}, fixture.http_client, *fixture.random);
    http::HttpResponse response;
    response.status = 200;
    response.body = "remote";
    fixture.http_client.script.emplace_back(response);
    response.status = 404;
    fixture.http_client.script.emplace_back(response);
    const json::value record = {
        {"transfer_method", "remote_url"}, {"remote_url", "http://h/a.txt"}
    };
    EXPECT_EQ(fixture.load(*store, record), "remote");
    EXPECT_FALSE(fixture.load(*store, record));
}

TEST(FileStore, HasLimits) {
    Fixture fixture;
    const auto store = make_file_store(
        {.file_size_max = 4, .total_size_max = 6}, fixture.http_client, *fixture.random
    );
    EXPECT_FALSE(fixture.save(*store, {"12345", "a.txt", ""}));
    EXPECT_TRUE(fixture.save(*store, {"1234", "a.txt", ""}));
    const auto third = fixture.save(*store, {"1234", "a.txt", ""});
    ASSERT_FALSE(third);
    EXPECT_EQ(third.error().code, ErrorCode::limit_exceeded);
    EXPECT_TRUE(fixture.save(*store, {"12", "a.txt", ""}));
}

}  // namespace
}  // namespace flowspan::nodes
