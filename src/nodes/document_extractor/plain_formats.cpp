#include "nodes/document_extractor/plain_formats.hpp"

#include "flowspan/base/json.hpp"
#include "flowspan/base/text.hpp"
#include "flowspan/value/value.hpp"

#include <fmt/format.h>

#include <utility>

namespace flowspan::nodes::document_extractor {

namespace {

std::vector<std::vector<std::string>> parse_csv(std::string_view text) {
    std::vector<std::vector<std::string>> rows;
    std::vector<std::string> row;
    std::string cell;
    bool is_quoted = false;
    bool has_content = false;  // tells an empty line from a row with one empty cell
    const auto end_row = [&] {
        if (has_content) {
            row.push_back(std::exchange(cell, {}));
            rows.push_back(std::exchange(row, {}));
        }
        has_content = false;
    };
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (is_quoted) {
            if (c != '"') {
                cell += c;
            } else if (i + 1 < text.size() && text[i + 1] == '"') {
                cell += text[++i];
            } else {
                is_quoted = false;
            }
        } else if (c == '"' && cell.empty()) {
            is_quoted = true;
            has_content = true;
        } else if (c == ',') {
            row.push_back(std::exchange(cell, {}));
            has_content = true;
        } else if (c == '\n' || c == '\r') {
            end_row();
        } else {
            cell += c;
            has_content = true;
        }
    }
    end_row();
    return rows;
}

std::string on_one_line(std::string_view cell) {
    std::string line;
    line.reserve(cell.size());
    for (const char c : cell) {
        if (c != '\r') {
            line += c == '\n' ? ' ' : c;
        }
    }
    return line;
}

struct Caption {
    std::string speaker;
    std::string text;
};

// `<v Ann>Hi <b>all</b></v>`: the voice tag names the speaker, other tags go.
Caption parse_cue(std::string_view payload) {
    Caption caption;
    std::size_t at = 0;
    while (at < payload.size()) {
        const auto open = payload.find('<', at);
        caption.text += payload.substr(at, open - at);
        if (open == std::string_view::npos) {
            break;
        }
        const auto close = payload.find('>', open);
        if (close == std::string_view::npos) {
            break;
        }
        const auto tag = payload.substr(open + 1, close - open - 1);
        const auto space = tag.find(' ');
        const auto name = tag.substr(0, tag.find_first_of(". "));
        if (name == "v" && space != std::string_view::npos && caption.speaker.empty()) {
            caption.speaker = trim(tag.substr(space + 1));
        }
        at = close + 1;
    }
    return caption;
}

std::vector<Caption> parse_captions(std::string_view text) {
    std::vector<Caption> captions;
    bool is_in_cue = false;
    std::string payload;
    const auto end_cue = [&] {
        if (is_in_cue && !payload.empty()) {
            captions.push_back(parse_cue(payload));
        }
        payload.clear();
        is_in_cue = false;
    };
    for (const auto line : split_lines(text)) {
        if (trim(line).empty()) {
            end_cue();
        } else if (line.find("-->") != std::string_view::npos) {
            end_cue();
            is_in_cue = true;
        } else if (is_in_cue) {
            payload.append(payload.empty() ? "" : "\n").append(line);
        }
    }
    end_cue();
    return captions;
}

}  // namespace

std::vector<std::string_view> split_lines(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const auto end = text.find_first_of("\r\n");
        lines.push_back(text.substr(0, end));
        if (end == std::string_view::npos) {
            break;
        }
        const bool is_pair = text.substr(end, 2) == "\r\n";
        text.remove_prefix(end + (is_pair ? 2 : 1));
    }
    return lines;
}

void append_table_row(std::string& out, const std::vector<std::string>& cells) {
    out += fmt::format("| {} |\n", fmt::join(cells, " | "));
}

void append_table_rule(std::string& out, const std::vector<std::string>& header) {
    std::vector<std::string> dashes;
    dashes.reserve(header.size());
    for (const auto& cell : header) {
        dashes.emplace_back(count_code_points(cell), '-');
    }
    append_table_row(out, dashes);
}

Result<std::string> read_json(std::string_view text) {
    auto parsed = parse_json(text);
    if (!parsed) {
        // The parser's words may quote the document.
        return failure(Error(ErrorCode::invalid_input, "it is no valid JSON")
                           .with_detail(parsed.error().message));
    }
    return value::python_json(*parsed, 2);
}

std::string read_properties(std::string_view text) {
    std::vector<std::string> lines;
    for (const auto raw : split_lines(text)) {
        const auto line = trim(raw);
        if (line.empty() || line.front() == '#' || line.front() == '!') {
            lines.emplace_back(line);
            continue;
        }
        auto separator = line.find('=');
        if (separator == std::string_view::npos) {
            separator = line.find(':');
        }
        const auto rest =
            separator == std::string_view::npos ? std::string_view() : line.substr(separator + 1);
        lines.push_back(fmt::format("{}: {}", trim(line.substr(0, separator)), trim(rest)));
    }
    return fmt::format("{}", fmt::join(lines, "\n"));
}

std::string read_csv(std::string_view text) {
    auto rows = parse_csv(text);
    std::string table;
    for (auto& row : rows) {
        for (auto& cell : row) {
            cell = on_one_line(cell);
        }
        append_table_row(table, row);
        if (&row == &rows.front()) {
            append_table_rule(table, row);
        }
    }
    return table;
}

std::string read_captions(std::string_view text) {
    std::vector<Caption> merged;
    for (auto& caption : parse_captions(text)) {
        if (!merged.empty() && !caption.speaker.empty() &&
            merged.back().speaker == caption.speaker) {
            merged.back().text.append(" ").append(caption.text);
        } else {
            merged.push_back(std::move(caption));
        }
    }
    std::vector<std::string> lines;
    lines.reserve(merged.size());
    for (const auto& caption : merged) {
        lines.push_back(fmt::format("{} \"{}\"", caption.speaker, caption.text));
    }
    return fmt::format("{}", fmt::join(lines, "\n"));
}

}  // namespace flowspan::nodes::document_extractor
