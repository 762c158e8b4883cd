#include "flowspan/async/runtime.hpp"
#include "nodes/http_request/request.hpp"
#include "nodes/http_request/response.hpp"
#include "nodes/http_request/url_encoding.hpp"
#include "nodes/testing/fake_node_context.hpp"
#include "nodes/testing/fake_services.hpp"

#include <gtest/gtest.h>

#include <string>

namespace flowspan::nodes::http_request {
namespace {

http::HttpResponse reply(
    std::string_view type, std::string_view body, std::string_view disposition = {}
) {
    http::HttpResponse response;
    response.status = 200;
    response.url = "http://h/dir/name%20x?y=1";
    response.body = body;
    if (!type.empty()) {
        response.headers.emplace_back("content-type", type);
    }
    if (!disposition.empty()) {
        response.headers.emplace_back("content-disposition", disposition);
    }
    return response;
}

TEST(HttpReply, IsAFileByDispositionTypeAndLook) {
    struct Row {
        std::string_view type;
        std::string_view body;
        std::string_view disposition;
        bool is_file;
    };

    const Row rows[] = {
        {"text/plain", "x", "attachment", true},
        {"text/plain", "x", "inline; filename=a.txt", true},
        {"text/plain", "x", "inline", false},
        {"text/html; charset=utf-8", "x", "", false},
        {"text/csv", "a,b", "", false},
        {"application/json", "{}", "", false},
        {"application/problem+json", "{}", "", false},
        {"application/octet-stream", "\xff\xfe", "", true},
        {"application/octet-stream", "{\"a\": 1}", "", false},
        {"application/pdf", "%PDF-1.7 \xff", "", true},
        {"application/x-nobody-knows", "\xff", "", false},
        {"image/png", "x", "", true},
        {"image/x-nobody-knows", "x", "", true},
        {"audio/mpeg", "x", "", true},
        {"message/rfc822", "x", "", false},
        {"", "\xff", "", false},
    };
    for (const auto& row : rows) {
        EXPECT_EQ(is_file(reply(row.type, row.body, row.disposition)), row.is_file)
            << row.type << ' ' << row.disposition;
    }
}

TEST(HttpReply, NamesFiles) {
    struct Row {
        std::string_view type;
        std::string_view disposition;
        std::string_view filename;
        std::string_view mime_type;
    };

    const Row rows[] = {
        {"image/png", "", "name x.png", "image/png"},
        {"application/octet-stream", "attachment; filename=\"r.pdf\"", "r.pdf", "application/pdf"},
        {"", "attachment; filename=a; filename*=UTF-8''%e2%82%ac.txt", "\u20ac.txt", "text/plain"},
        {"", "attachment", "name x.bin", "application/octet-stream"},
    };
    for (const auto& row : rows) {
        const auto file = to_file(reply(row.type, "x", row.disposition));
        EXPECT_EQ(file.filename, row.filename);
        EXPECT_EQ(file.mime_type, row.mime_type);
    }
}

TEST(HttpReply, DecodesText) {
    EXPECT_EQ(read_text(reply("text/plain; charset=iso-8859-1", "caf\xe9")), "caf\u00e9");
    EXPECT_EQ(read_text(reply("text/plain", "caf\u00e9")), "caf\u00e9");
}

TEST(HttpReply, WritesSizesForPeople) {
    EXPECT_EQ(readable_size(12), "12 bytes");
    EXPECT_EQ(readable_size(1536), "1.50 KB");
    EXPECT_EQ(readable_size(std::size_t{2} << 20U), "2.00 MB");
}

TEST(UrlEncoding, EncodesWhatMustBe) {
    EXPECT_EQ(encode_query("a b&\u00e9~"), "a%20b%26%C3%A9~");
    EXPECT_EQ(encode_form("a b&\u00e9"), "a+b%26%C3%A9");
    EXPECT_EQ(encode_url("http://h/a b?x=%20\u00e9"), "http://h/a%20b?x=%20%C3%A9");
}

class HttpRequestBuilder : public ::testing::Test {
protected:
    static Task<Result<BuiltRequest>> build(
        engine::NodeContext* context, const Services* services, const RequestConfig* config
    ) {
        co_return co_await build_request(*context, *services, *config);
    }

    Result<BuiltRequest> build_from(std::string_view data) {
        spec_.data = parse_json(data).value();
        const auto config = read_request_config(dsl::DataReader(spec_, problems_));
        EXPECT_TRUE(problems_.empty());
        const auto services = fakes_.services();
        return runtime_.block_on(build, &context_, &services, &config);
    }

    json::value save(std::string bytes, std::string name) {
        return json::value(runtime_.block_on(store, fakes_.file_store.get(), bytes, name).value());
    }

    static Task<Result<json::object>> store(FileStore* files, std::string bytes, std::string name) {
        co_return co_await files->save({std::move(bytes), std::move(name), ""});
    }

    dsl::NodeSpec spec_;
    std::vector<dsl::Problem> problems_;
    testing::FakeServices fakes_;
    testing::FakeNodeContext context_;
    async::Runtime runtime_;
};

TEST_F(HttpRequestBuilder, WritesMultipartForms) {
    const auto file = save("bytes", "a\"b.txt");
    context_.pool.set("start", "doc", value::Value(file));
    context_.pool.set("start", "docs", value::Value(json::array{file, file}));
    const auto built = build_from(R"({
        "method": "post", "url": "http://h/", "headers": "Content-Type: wrong", "params": "",
        "authorization": {"type": "no-auth"},
        "body": {"type": "form-data", "data": [
            {"key": "t", "type": "text", "value": "v"},
            {"key": "f", "type": "file", "file": ["start", "doc"]},
            {"key": "g", "type": "file", "file": ["start", "docs"]},
            {"key": "none", "type": "file", "file": ["start", "gone"]}]}
    })");
    ASSERT_TRUE(built);
    const auto& type = *http::find_header(built->request.headers, "content-type");
    ASSERT_TRUE(type.starts_with("multipart/form-data; boundary="));
    const auto boundary = type.substr(type.find('=') + 1);
    const auto part = [&](const std::string& key) {
        return "--" + boundary + "\r\nContent-Disposition: form-data; name=\"" + key +
               "\"; filename=\"a%22b.txt\"\r\nContent-Type: text/plain\r\n\r\nbytes\r\n";
    };
    EXPECT_EQ(
        built->request.body,
        "--" + boundary + "\r\nContent-Disposition: form-data; name=\"t\"\r\n\r\nv\r\n" +
            part("f") + part("g") + part("g") + "--" + boundary + "--\r\n"
    );
    EXPECT_NE(built->log_text.find("<file_content_binary: "), std::string::npos);
    EXPECT_EQ(built->log_text.find("\r\nbytes\r\n"), std::string::npos);
}

TEST_F(HttpRequestBuilder, ForcesMultipartWithoutFiles) {
    const auto built = build_from(R"({
        "method": "post", "url": "http://h/", "headers": "", "params": "",
        "authorization": {"type": "no-auth"},
        "body": {"type": "form-data", "data": [{"key": "t", "type": "text", "value": "v"}]}
    })");
    ASSERT_TRUE(built);
    EXPECT_NE(built->request.body.find("__multipart_placeholder__"), std::string::npos);
}

TEST_F(HttpRequestBuilder, SendsAFileAsItIs) {
    context_.pool.set("start", "doc", value::Value(save(std::string("\0\x01", 2), "a.bin")));
    const auto built = build_from(R"({
        "method": "post", "url": "http://h/", "headers": "", "params": "",
        "authorization": {"type": "no-auth"},
        "body": {"type": "binary", "data": [{"type": "file", "file": ["start", "doc"]}]}
    })");
    ASSERT_TRUE(built);
    EXPECT_EQ(built->request.body, std::string("\0\x01", 2));
    EXPECT_FALSE(http::find_header(built->request.headers, "content-type"));
}

TEST_F(HttpRequestBuilder, MasksSecretsInWhatItShows) {
    context_.pool.set("env", "KEY", value::Value::secret("topsecretvalue"));
    const auto built = build_from(R"({
        "method": "post", "url": "http://h/?token={{#env.KEY#}}", "headers": "X-Key: {{#env.KEY#}}",
        "params": "k: {{#env.KEY#}}",
        "authorization": {"type": "api-key", "config": {"type": "bearer", "api_key": "{{#env.KEY#}}"}},
        "body": {"type": "raw-text", "data": [{"type": "text", "value": "{{#env.KEY#}}"}]}
    })");
    ASSERT_TRUE(built);
    EXPECT_NE(built->request.url.find("topsecretvalue"), std::string::npos);
    EXPECT_EQ(built->request.body, "topsecretvalue");
    EXPECT_EQ(built->log_text.find("topsecretvalue"), std::string::npos);
    EXPECT_EQ(built->log_url.find("topsecretvalue"), std::string::npos);
}

TEST_F(HttpRequestBuilder, MasksCredentialsThatStandAmongTheHeaders) {
    const auto built = build_from(R"({
        "method": "get", "url": "http://h/", "headers": "authorization: Bearer abc\nX-Other: seen",
        "params": "", "authorization": {"type": "no-auth"}
    })");
    ASSERT_TRUE(built);
    EXPECT_NE(built->log_text.find("authorization: **********\r\n"), std::string::npos)
        << built->log_text;
    EXPECT_NE(built->log_text.find("X-Other: seen"), std::string::npos);
    EXPECT_EQ(built->request.headers.front().second, "Bearer abc");
}

TEST_F(HttpRequestBuilder, TakesSecretsForTheWholeUrlAndBody) {
    context_.pool.set("env", "URL", value::Value::secret("http://h/hook/12345"));
    context_.pool.set("env", "BODY", value::Value::secret(R"({"a": 1})"));
    const auto built = build_from(R"({
        "method": "post", "url": "{{#env.URL#}}", "headers": "", "params": "a: b",
        "authorization": {"type": "no-auth"},
        "body": {"type": "json", "data": [{"type": "text", "value": "{{#env.BODY#}}"}]}
    })");
    ASSERT_TRUE(built);
    EXPECT_EQ(built->request.url, "http://h/hook/12345?a=b");
    EXPECT_EQ(built->request.body, R"({"a": 1})");
    EXPECT_EQ(built->log_url.find("12345"), std::string::npos);
    EXPECT_EQ(built->log_text.find("\"a\""), std::string::npos);
}

}  // namespace
}  // namespace flowspan::nodes::http_request
