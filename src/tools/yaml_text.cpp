#include "tools/yaml_text.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <string>

namespace flowspan::tools {

namespace {

// Aliases let a small document stand for a huge one.
constexpr std::size_t kNodesMax = 1'000'000;

class Converter {
public:
    Result<json::value> convert(const YAML::Node& node, std::size_t depth) {
        if (depth > kJsonDepthMax || ++nodes_ > kNodesMax) {
            return failure(ErrorCode::limit_exceeded, "the document is too large or too deep");
        }
        if (node.IsMap()) {
            json::object object;
            for (const auto& member : node) {
                FLOWSPAN_TRY(
                    object[member.first.IsScalar() ? member.first.Scalar() : std::string()],
                    convert(member.second, depth + 1)
                );
            }
            return object;
        }
        if (node.IsSequence()) {
            json::array list;
            for (const auto& item : node) {
                FLOWSPAN_TRY(auto value, convert(item, depth + 1));
                list.push_back(std::move(value));
            }
            return list;
        }
        return node.IsScalar() ? scalar(node) : json::value();
    }

private:
    static json::value scalar(const YAML::Node& node) {
        const auto& text = node.Scalar();
        if (node.Tag() == "!") {
            return json::value(text);  // in quotes
        }
        if (text.empty() || text == "null" || text == "~") {
            return nullptr;
        }
        auto parsed = parse_json(text);
        const bool is_plain = parsed && (parsed->is_number() || parsed->is_bool());
        return is_plain ? *std::move(parsed) : json::value(text);
    }

    std::size_t nodes_ = 0;
};

}  // namespace

Result<json::value> parse_yaml(std::string_view text) {
    try {
        return Converter().convert(YAML::Load(std::string(text)), 0);
    } catch (const YAML::Exception& error) {
        // The library reports syntax errors only by throwing.
        return failure(
            ErrorCode::invalid_input,
            fmt::format(
                "no YAML at {}:{}: {}", error.mark.line + 1, error.mark.column + 1, error.msg
            )
        );
    }
}

}  // namespace flowspan::tools
