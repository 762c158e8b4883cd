// Feeds arbitrary text to templates: parsing keeps every character, rendering with values of every
// type gives valid UTF-8 and never fails.

#include "flowspan/base/error.hpp"
#include "flowspan/base/text.hpp"
#include "flowspan/value/text_template.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace flowspan;

// So long that no pieces of an input come together to it by chance.
constexpr std::string_view kSecret = "7b0c2f9e41d84a56-93e8c0d7f1a2";

value::VariablePool make_pool() {
    value::VariablePool pool;
    pool.set("sys", "query", value::Value::string("why {{#n.text#}}?"));
    pool.set("env", "KEY", value::Value::secret(std::string(kSecret)));
    pool.set("start", "name", value::Value::string("Ada"));
    pool.set("n", "text", value::Value::string("über\n文"));
    pool.set("n", "int", value::Value::integer(-7));
    pool.set("n", "float", value::Value::floating(1e300));
    pool.set("n", "flag", value::Value::boolean(true));
    pool.set("n", "none", value::Value());
    pool.set("n", "obj", value::Value(*parse_json(R"({"a": {"b": [1, null, "x"]}, "c": 1.5})")));
    pool.set("n", "list", value::Value(*parse_json(R"(["a", "b"])")));
    pool.set("n", "any", value::Value(*parse_json(R"([1, "b", {}])")));
    const auto file = *parse_json(
        R"({"dify_model_identity": "__dify__file__", "type": "image", "filename": "a.png",
            "remote_url": "http://h/a.png", "transfer_method": "remote_url"})"
    );
    pool.set("n", "file", value::Value(file));
    pool.set("n", "files", value::Value(json::array{file, file}));
    return pool;
}

// What is left of `source` when unknown placeholders show as their paths: a fuzzer that watches
// comparisons can spell the secret around the marks.
std::string without_marks(std::string source) {
    for (const std::string_view mark : {"{{#", "#}}"}) {
        for (auto at = source.find(mark); at != std::string::npos; at = source.find(mark, at)) {
            source.erase(at, mark.size());
        }
    }
    return source;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto pool = make_pool();
    const auto source = to_valid_utf8({reinterpret_cast<const char*>(data), size});
    const value::TextTemplate parsed(source);
    std::string again;
    std::size_t placeholders = 0;
    for (const auto& segment : parsed.segments()) {
        again += segment.is_placeholder ? "{{#" + segment.text + "#}}" : segment.text;
        placeholders += segment.is_placeholder ? 1 : 0;
    }
    FLOWSPAN_ASSERT(again == source, "parsing lost something");
    FLOWSPAN_ASSERT(parsed.references().size() == placeholders, "references and placeholders");
    FLOWSPAN_ASSERT(is_valid_utf8(parsed.to_text(pool)), "text is no valid UTF-8");
    FLOWSPAN_ASSERT(is_valid_utf8(parsed.to_markdown(pool)), "markdown is no valid UTF-8");
    FLOWSPAN_ASSERT(is_valid_utf8(parsed.to_masked_text(pool)), "masked text is no valid UTF-8");
    FLOWSPAN_ASSERT(
        without_marks(source).find(kSecret) != std::string::npos ||
            parsed.to_masked_text(pool).find(kSecret) == std::string::npos,
        "a secret shows"
    );
    return 0;
}
