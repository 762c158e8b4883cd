// Feeds arbitrary data of an llm node to the reader of its prompt, and renders every message form.

#include "flowspan/base/error.hpp"
#include "flowspan/base/text.hpp"
#include "nodes/llm/prompt.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace flowspan;
    auto parsed = parse_json({reinterpret_cast<const char*>(data), size});
    if (!parsed) {
        return 0;
    }
    dsl::NodeSpec spec;
    spec.id = "ask";
    spec.type = "llm";
    spec.data = *std::move(parsed);
    std::vector<dsl::Problem> problems;
    const auto config = nodes::llm::read_prompt_config(dsl::DataReader(spec, problems));
    value::VariablePool pool;
    pool.set("sys", "query", value::Value::string("{{#n.text#}}"));
    pool.set("n", "text", value::Value::string("text"));
    pool.set("n", "obj", value::Value(*parse_json(R"({"a": [1, 2]})")));
    const auto file = *parse_json(R"({"dify_model_identity": "__dify__file__", "type": "image"})");
    pool.set("n", "files", value::Value(json::array{file}));
    for (const auto& message : config.messages) {
        const auto text = message.text.to_text(pool, "context {{#context#}}");
        FLOWSPAN_ASSERT(is_valid_utf8(text), "the message is no valid UTF-8");
        FLOWSPAN_ASSERT(
            message.text.find_files(pool).size() <= message.text.references().size(),
            "more files than references"
        );
    }
    return 0;
}
