#include "nodes/document_extractor/plain_formats.hpp"

#include <fmt/format.h>
#include <yaml.h>

#include <algorithm>
#include <array>
#include <cstddef>

namespace flowspan::nodes::document_extractor {

namespace {

// The library recurses over nested collections nowhere in its event interface, but what it keeps of
// each level adds up.
constexpr int kDepthMax = 256;

class Parser {
public:
    explicit Parser(std::string_view text) : is_open_(yaml_parser_initialize(&parser_) == 1) {
        if (is_open_) {
            yaml_parser_set_input_string(
                &parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size()
            );
        }
    }

    ~Parser() {
        if (is_open_) {
            yaml_parser_delete(&parser_);
        }
    }

    Parser(const Parser&) = delete;
    Parser& operator=(const Parser&) = delete;

    bool next(yaml_event_t& event) { return is_open_ && yaml_parser_parse(&parser_, &event) == 1; }

    [[nodiscard]] std::size_t line() const noexcept { return parser_.problem_mark.line + 1; }

private:
    yaml_parser_t parser_{};
    bool is_open_;
};

class Emitter {
public:
    Emitter() : is_open_(yaml_emitter_initialize(&emitter_) == 1) {
        if (is_open_) {
            yaml_emitter_set_unicode(&emitter_, 1);
            yaml_emitter_set_width(&emitter_, 80);
            yaml_emitter_set_output(&emitter_, append, &out_);
        }
    }

    ~Emitter() {
        if (is_open_) {
            yaml_emitter_delete(&emitter_);
        }
    }

    Emitter(const Emitter&) = delete;
    Emitter& operator=(const Emitter&) = delete;

    /// Takes the event over.
    bool write(yaml_event_t& event) {
        if (!is_open_) {
            yaml_event_delete(&event);
        }
        return is_open_ && yaml_emitter_emit(&emitter_, &event) == 1;
    }

    std::string take() {
        yaml_emitter_flush(&emitter_);
        return std::move(out_);
    }

private:
    static int append(void* out, unsigned char* bytes, std::size_t size) {
        static_cast<std::string*>(out)->append(reinterpret_cast<const char*>(bytes), size);
        return 1;
    }

    std::string out_;
    yaml_emitter_t emitter_{};
    bool is_open_;
};

// Quoted text that would read as something else without its quotes.
bool needs_quotes(std::string_view text) {
    constexpr std::array<std::string_view, 9> kWords = {
        "null", "~", "true", "false", "yes", "no", "on", "off", ".nan"
    };
    const auto is_word = [text](std::string_view word) {
        return std::ranges::equal(text, word, [](char a, char b) {
            return (a >= 'A' && a <= 'Z' ? a + ('a' - 'A') : a) == b;
        });
    };
    return text.empty() || std::string_view("0123456789+-.").contains(text.front()) ||
           std::ranges::any_of(kWords, is_word);
}

void restyle(yaml_event_t& event) {
    switch (event.type) {
        case YAML_SCALAR_EVENT: {
            auto& scalar = event.data.scalar;
            const std::string_view text(reinterpret_cast<const char*>(scalar.value), scalar.length);
            if (scalar.plain_implicit == 0 && scalar.quoted_implicit != 0 && !needs_quotes(text)) {
                scalar.plain_implicit = 1;
            }
            scalar.style = YAML_ANY_SCALAR_STYLE;
            break;
        }
        case YAML_SEQUENCE_START_EVENT:
            event.data.sequence_start.style = YAML_BLOCK_SEQUENCE_STYLE;
            break;
        case YAML_MAPPING_START_EVENT:
            event.data.mapping_start.style = YAML_BLOCK_MAPPING_STYLE;
            break;
        case YAML_DOCUMENT_END_EVENT:
            event.data.document_end.implicit = 1;
            break;
        default:
            break;
    }
}

int depth_change(yaml_event_type_t type) {
    switch (type) {
        case YAML_SEQUENCE_START_EVENT:
        case YAML_MAPPING_START_EVENT:
            return 1;
        case YAML_SEQUENCE_END_EVENT:
        case YAML_MAPPING_END_EVENT:
            return -1;
        default:
            return 0;
    }
}

}  // namespace

Result<std::string> read_yaml(std::string_view text) {
    Parser parser(text);
    Emitter emitter;
    int depth = 0;
    for (bool is_at_end = false; !is_at_end;) {
        yaml_event_t event;
        if (!parser.next(event)) {
            return failure(
                ErrorCode::invalid_input,
                fmt::format("it is no valid YAML (line {})", parser.line())
            );
        }
        is_at_end = event.type == YAML_STREAM_END_EVENT;
        depth += depth_change(event.type);
        restyle(event);
        if (depth > kDepthMax) {
            yaml_event_delete(&event);
            return failure(ErrorCode::limit_exceeded, "the YAML is nested too deeply");
        }
        if (!emitter.write(event)) {
            return failure(ErrorCode::invalid_input, "the YAML cannot be written again");
        }
    }
    return emitter.take();
}

}  // namespace flowspan::nodes::document_extractor
