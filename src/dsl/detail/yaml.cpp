#include "dsl/detail/yaml.hpp"

#include "dsl/detail/yaml_scalar.hpp"
#include "flowspan/value/variable_pool.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <fmt/format.h>
#include <yaml.h>

#include <algorithm>
#include <string>
#include <utility>

namespace flowspan::dsl::detail {

namespace {

// What a value costs in memory beside its text.
constexpr std::size_t kValueSize = 16;

SourcePosition to_position(const yaml_mark_t& mark) noexcept {
    return {static_cast<std::uint32_t>(mark.line + 1), static_cast<std::uint32_t>(mark.column + 1)};
}

std::string_view to_view(const yaml_char_t* text) noexcept {
    return text == nullptr ? std::string_view() : reinterpret_cast<const char*>(text);
}

// The library's parser, which must be deleted whatever happens.
class EventReader {
public:
    explicit EventReader(std::string_view text) {
        is_ready_ = yaml_parser_initialize(&parser_) == 1;
        if (is_ready_) {
            yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
            yaml_parser_set_input_string(
                &parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size()
            );
        }
    }

    EventReader(const EventReader&) = delete;
    EventReader& operator=(const EventReader&) = delete;

    ~EventReader() {
        yaml_event_delete(&event_);
        if (is_ready_) {
            yaml_parser_delete(&parser_);
        }
    }

    /// The next event, valid until the next call; null after a syntax error.
    const yaml_event_t* next() {
        yaml_event_delete(&event_);
        return is_ready_ && yaml_parser_parse(&parser_, &event_) == 1 ? &event_ : nullptr;
    }

    [[nodiscard]] Problem syntax_error() const {
        const std::string_view reason =
            parser_.problem == nullptr ? "it cannot be read" : parser_.problem;
        const std::string_view context = parser_.context == nullptr ? "" : parser_.context;
        return {
            Problem::Severity::error,
            to_position(parser_.problem_mark),
            "parse.invalid_yaml",
            fmt::format(
                "Invalid YAML format: {}{}{}; check indentation, quotes and brackets here and in "
                "the "
                "lines above",
                context,
                context.empty() ? "" : ", ",
                reason
            )
        };
    }

private:
    yaml_parser_t parser_{};
    yaml_event_t event_{};
    bool is_ready_ = false;
};

// Builds the document from the parser's events. After a fatal problem it is of no more use.
// What `!!` stands for.
constexpr std::string_view kCoreTags = "tag:yaml.org,2002:";

class DocumentBuilder {
public:
    explicit DocumentBuilder(std::vector<Problem>& problems) : problems_(problems) {}

    [[nodiscard]] bool is_fatal() const noexcept { return is_fatal_; }

    [[nodiscard]] Document take() && { return std::move(document_); }

    void handle(const yaml_event_t& event) {
        switch (event.type) {
            case YAML_SCALAR_EVENT:
                handle_scalar(event.start_mark, event.data.scalar);
                return;
            case YAML_ALIAS_EVENT:
                handle_alias(event.start_mark, to_view(event.data.alias.anchor));
                return;
            case YAML_SEQUENCE_START_EVENT:
                start(
                    event.start_mark,
                    to_view(event.data.sequence_start.tag),
                    to_view(event.data.sequence_start.anchor),
                    json::value(json::array_kind)
                );
                return;
            case YAML_MAPPING_START_EVENT:
                start(
                    event.start_mark,
                    to_view(event.data.mapping_start.tag),
                    to_view(event.data.mapping_start.anchor),
                    json::value(json::object_kind)
                );
                return;
            case YAML_SEQUENCE_END_EVENT:
            case YAML_MAPPING_END_EVENT:
                end(event.start_mark);
                return;
            default:
                return;
        }
    }

private:
    // A list or mapping that is being read.
    struct Frame {
        json::value value;
        std::string anchor;
        std::size_t size_before = 0;
        bool has_key = false;
        bool is_merge = false;  // the key is `<<`
        std::string key;
        SourcePosition key_position;
        std::vector<json::value> merged;  // what `<<` brings in, most important first
    };

    struct Scalar {
        json::value value;
        std::string_view text;
        bool is_plain = false;  // without quotes
    };

    struct Anchored {
        json::value value;
        std::size_t size = 0;
    };

    static std::string key_text(const json::value& value) {
        return value.is_string() ? std::string(value.get_string()) : to_json_text(value);
    }

    using ScalarEvent = decltype(yaml_event_t::data.scalar);

    void handle_scalar(const yaml_mark_t& mark, const ScalarEvent& event) {
        const auto tag = to_view(event.tag);
        const std::string_view text(reinterpret_cast<const char*>(event.value), event.length);
        const bool is_plain = event.style == YAML_PLAIN_SCALAR_STYLE && tag.empty();
        add_scalar(
            mark,
            to_view(event.anchor),
            {is_plain ? resolve_plain_scalar(text) : resolve_tagged(mark, tag, text), text, is_plain
            }
        );
    }

    // What some writers say in so many words: `!!int "5"`.
    json::value resolve_tagged(
        const yaml_mark_t& mark, std::string_view tag, std::string_view text
    ) {
        const auto word = tag.starts_with(kCoreTags) ? tag.substr(kCoreTags.size()) : tag;
        auto value = resolve_plain_scalar(text);
        if (word == "null") {
            return nullptr;
        }
        if ((word == "bool" && value.is_bool()) || (word == "int" && value.is_int64()) ||
            (word == "float" && value.is_double())) {
            return value;
        }
        if (word == "float" && value.is_int64()) {
            return static_cast<double>(value.get_int64());
        }
        if (word == "bool" || word == "int" || word == "float") {
            report(
                mark,
                "parse.invalid_value",
                fmt::format("`{}` is not what its tag `!!{}` says; remove the tag", text, word)
            );
        } else if (word != "str") {
            check_tag(mark, tag);
        }
        return json::value(text);
    }

    void handle_alias(const yaml_mark_t& mark, std::string_view anchor) {
        const auto found = anchors_.find(anchor);
        if (found == anchors_.end()) {
            const bool is_inside = std::ranges::any_of(frames_, [anchor](const Frame& frame) {
                return frame.anchor == anchor;
            });
            fail(
                mark,
                is_inside ? "parse.recursive_alias" : "parse.unknown_alias",
                is_inside
                    ? fmt::format("`*{}` stands inside the part it repeats; write it out", anchor)
                    : fmt::format(
                          "`*{0}` repeats nothing; mark what it stands for with `&{0}` above",
                          anchor
                      )
            );
            return;
        }
        const auto& anchored = found->second;
        if (!reserve_alias_size(mark, anchored.size)) {
            return;
        }
        if (expects_key()) {
            if (anchored.value.is_structured()) {
                fail_key(mark);
            } else {
                take_key(mark, key_text(anchored.value), false);
            }
            return;
        }
        size_ += anchored.size;
        open(mark);
        close(json::value(anchored.value));
    }

    [[nodiscard]] bool expects_key() const {
        return !frames_.empty() && frames_.back().value.is_object() && !frames_.back().has_key;
    }

    void report(const yaml_mark_t& mark, std::string code, std::string message) {
        problems_.push_back(
            {Problem::Severity::error, to_position(mark), std::move(code), std::move(message)}
        );
    }

    void fail(const yaml_mark_t& mark, std::string code, std::string message) {
        report(mark, std::move(code), std::move(message));
        is_fatal_ = true;
    }

    void fail_key(const yaml_mark_t& mark) {
        fail(
            mark,
            "parse.invalid_key",
            "a list or mapping stands where a key is expected; keys are text "
            "(a text with braces needs quotes)"
        );
    }

    void check_tag(const yaml_mark_t& mark, std::string_view tag, std::string_view natural = "!") {
        const bool is_natural =
            tag.starts_with(kCoreTags) && tag.substr(kCoreTags.size()) == natural;
        if (!tag.empty() && tag != "!" && !is_natural) {
            report(
                mark,
                "parse.unsupported_tag",
                fmt::format("the tag `{}` is not allowed; remove it", tag)
            );
        }
    }

    bool reserve_alias_size(const yaml_mark_t& mark, std::size_t size) {
        alias_size_ += size;
        if (alias_size_ > kAliasSizeMax) {
            fail(
                mark,
                "parse.too_many_aliases",
                fmt::format(
                    "aliases repeat more than {} MiB; write out what they stand for",
                    kAliasSizeMax / 1024 / 1024
                )
            );
            return false;
        }
        return true;
    }

    void take_key(const yaml_mark_t& mark, std::string key, bool is_merge) {
        auto& frame = frames_.back();
        frame.has_key = true;
        frame.is_merge = is_merge;
        frame.key = std::move(key);
        frame.key_position = to_position(mark);
    }

    // Notes where the value that comes now stands.
    void open(const yaml_mark_t& mark) {
        if (frames_.empty()) {
            document_.positions.open("", to_position(mark));
        } else if (const auto& parent = frames_.back(); parent.value.is_array()) {
            document_.positions.open(
                std::to_string(parent.value.get_array().size()), to_position(mark)
            );
        } else {
            document_.positions.open(parent.key, parent.key_position);
        }
    }

    // Puts a complete value where it belongs.
    void close(json::value value) {
        document_.positions.close();
        if (frames_.empty()) {
            document_.data = std::move(value);
            return;
        }
        auto& parent = frames_.back();
        if (parent.value.is_array()) {
            parent.value.get_array().push_back(std::move(value));
            return;
        }
        parent.has_key = false;
        if (parent.is_merge) {
            merge(parent, std::move(value));
        } else {
            parent.value.get_object().insert_or_assign(parent.key, std::move(value));
        }
    }

    void merge(Frame& frame, json::value value) {
        if (value.is_object()) {
            frame.merged.push_back(std::move(value));
            return;
        }
        bool is_valid = value.is_array();
        if (is_valid) {
            for (auto& item : value.get_array()) {
                is_valid = is_valid && item.is_object();
                frame.merged.push_back(std::move(item));
            }
        }
        if (!is_valid) {
            frame.merged.clear();
            problems_.push_back(
                {Problem::Severity::error,
                 frame.key_position,
                 "parse.invalid_merge",
                 "`<<` must name a mapping or a list of mappings"}
            );
        }
    }

    void add_scalar(const yaml_mark_t& mark, std::string_view anchor, Scalar scalar) {
        size_ += kValueSize + scalar.text.size();
        if (!anchor.empty()) {
            keep(mark, anchor, scalar.value, kValueSize + scalar.text.size());
        }
        if (expects_key()) {
            take_key(mark, std::string(scalar.text), scalar.is_plain && scalar.text == "<<");
            return;
        }
        open(mark);
        close(std::move(scalar.value));
    }

    void start(
        const yaml_mark_t& mark, std::string_view tag, std::string_view anchor, json::value value
    ) {
        check_tag(mark, tag, value.is_object() ? "map" : "seq");
        if (expects_key()) {
            fail_key(mark);
            return;
        }
        if (frames_.size() >= kJsonDepthMax) {
            fail(
                mark,
                "parse.too_deep",
                fmt::format("more than {} levels of nesting; make it flatter", kJsonDepthMax)
            );
            return;
        }
        open(mark);
        Frame frame;
        frame.value = std::move(value);
        frame.anchor = anchor;
        frame.size_before = size_;
        size_ += kValueSize;
        frames_.push_back(std::move(frame));
    }

    void end(const yaml_mark_t& mark) {
        auto frame = std::move(frames_.back());
        frames_.pop_back();
        for (auto& merged : frame.merged) {
            for (auto& member : merged.get_object()) {
                // What is already there counts: own members first, then earlier merges.
                frame.value.get_object().emplace(member.key(), std::move(member.value()));
            }
        }
        if (!frame.anchor.empty()) {
            keep(mark, frame.anchor, frame.value, size_ - frame.size_before);
        }
        close(std::move(frame.value));
    }

    // Remembers an anchored value. The copy counts as a repetition, or nested anchors would cost
    // their depth times their size.
    void keep(
        const yaml_mark_t& mark, std::string_view anchor, const json::value& value, std::size_t size
    ) {
        if (reserve_alias_size(mark, size)) {
            anchors_.insert_or_assign(std::string(anchor), Anchored{value, size});
        }
    }

    std::vector<Problem>& problems_;
    Document document_;
    std::vector<Frame> frames_;
    boost::unordered_flat_map<std::string, Anchored, value::StringHash, std::equal_to<>> anchors_;
    std::size_t size_ = 0;        // of all values so far
    std::size_t alias_size_ = 0;  // of what anchors keep and aliases repeat
    bool is_fatal_ = false;
};

}  // namespace

std::optional<Document> parse_yaml(std::string_view text, std::vector<Problem>& problems) {
    DocumentBuilder builder(problems);
    EventReader reader(text);
    bool has_document = false;
    while (true) {
        const auto* event = reader.next();
        if (event == nullptr) {
            problems.push_back(reader.syntax_error());
            return std::nullopt;
        }
        if (event->type == YAML_STREAM_END_EVENT) {
            return std::move(builder).take();
        }
        if (event->type == YAML_DOCUMENT_START_EVENT && std::exchange(has_document, true)) {
            problems.push_back(
                {Problem::Severity::error,
                 to_position(event->start_mark),
                 "parse.several_documents",
                 "a second YAML document begins here (`---`); keep one app in a file"}
            );
            return std::nullopt;
        }
        builder.handle(*event);
        if (builder.is_fatal()) {
            return std::nullopt;
        }
    }
}

}  // namespace flowspan::dsl::detail
