#include "nodes/document_extractor/sheets.hpp"

#include "flowspan/base/text.hpp"
#include "flowspan/value/value.hpp"
#include "nodes/document_extractor/office_package.hpp"
#include "nodes/document_extractor/plain_formats.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace flowspan::nodes::document_extractor {

namespace {

constexpr auto kWorkbook = "xl/workbook.xml";
// The format's own limit of a sheet's columns.
constexpr std::size_t kColumnsMax = 16'384;
// A cell far out makes a sparse sheet a table of mostly nothing.
constexpr std::size_t kCellsMax = 5'000'000;

struct Cell {
    enum class Kind { empty, text, number };

    Kind kind = Kind::empty;
    std::string text;
    double number = 0;
};

using Row = std::vector<Cell>;

struct Workbook {
    std::vector<std::string> shared_texts;
    std::vector<bool> is_date_style;
    bool starts_1904 = false;
};

std::size_t to_index(std::string_view text) {
    std::size_t index = 0;
    std::from_chars(text.data(), text.data() + text.size(), index);
    return index;
}

// `BC12` is column 54.
std::optional<std::size_t> column_of(std::string_view reference) {
    std::size_t column = 0;
    for (const char c : reference) {
        if (c < 'A' || c > 'Z') {
            break;
        }
        column = column * 26 + static_cast<std::size_t>(c - 'A') + 1;
        if (column > kColumnsMax) {
            return std::nullopt;
        }
    }
    return column == 0 ? std::nullopt : std::optional(column - 1);
}

// Rich text is many pieces; the phonetic guide of East Asian text is not part of it.
std::string rich_text(pugi::xml_node item) {
    std::string text;
    for (auto node = item.first_child(); node;) {
        if (local_name(node) == "t") {
            text += node.text().get();
        }
        node = next_node(node, item, local_name(node) != "rPh");
    }
    return text;
}

bool is_date_format(std::string_view code) {
    bool is_literal = false;
    for (std::size_t i = 0; i < code.size(); ++i) {
        const char c = code[i];
        if (c == '"') {
            is_literal = !is_literal;
        } else if (c == '\\') {
            ++i;
        } else if (c == '[') {
            // Colours and conditions; elapsed time such as [h] is a number here.
            i = std::min(code.find(']', i), code.size());
        } else if (!is_literal && std::string_view("dmyhsDMYHS").contains(c)) {
            return true;
        }
    }
    return false;
}

std::vector<bool> read_date_styles(pugi::xml_node styles) {
    std::set<std::size_t> custom;
    for (const auto& format : child(styles, "numFmts").children()) {
        if (is_date_format(attribute(format, "formatCode"))) {
            custom.insert(to_index(attribute(format, "numFmtId")));
        }
    }
    std::vector<bool> is_date;
    for (const auto& style : child(styles, "cellXfs").children()) {
        const auto id = to_index(attribute(style, "numFmtId"));
        is_date.push_back((id >= 14 && id <= 22) || (id >= 45 && id <= 47) || custom.contains(id));
    }
    return is_date;
}

std::string date_text(double days, bool starts_1904) {
    // Day 60 of the 1900 system is a February 29 that never was.
    const double offset = starts_1904 ? 24'107.0 : (days < 60 ? 25'568.0 : 25'569.0);
    const auto seconds = std::llround((days - offset) * 86'400);
    return fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::gmtime(static_cast<std::time_t>(seconds)));
}

Cell text_cell(std::string_view text) {
    std::vector<std::string_view> lines = split_lines(text);
    return {Cell::Kind::text, fmt::format("{}", fmt::join(lines, " ")), 0};
}

Cell read_cell(pugi::xml_node node, const Workbook& workbook) {
    const auto type = attribute(node, "t");
    const std::string_view content = child(node, "v").text().get();
    if (type == "inlineStr") {
        return text_cell(rich_text(child(node, "is")));
    }
    if (content.empty()) {
        return {};
    }
    if (type == "s") {
        const auto index = to_index(content);
        return index < workbook.shared_texts.size() ? text_cell(workbook.shared_texts[index])
                                                    : Cell();
    }
    if (type == "b") {
        return {Cell::Kind::text, content == "1" ? "True" : "False", 0};
    }
    double number = 0;
    const auto* end = content.data() + content.size();
    if ((!type.empty() && type != "n") || std::from_chars(content.data(), end, number).ptr != end ||
        !std::isfinite(number)) {
        return type == "e" ? Cell() : text_cell(content);
    }
    const auto style = to_index(attribute(node, "s"));
    // Beyond the year 9999 no date can be meant.
    if (style < workbook.is_date_style.size() && workbook.is_date_style[style] && number >= 0 &&
        number < 2'958'466) {
        return {Cell::Kind::text, date_text(number, workbook.starts_1904), 0};
    }
    return {Cell::Kind::number, {}, number};
}

Result<std::vector<Row>> read_rows(pugi::xml_node sheet, const Workbook& workbook) {
    std::vector<Row> rows;
    std::size_t width = 0;
    for (const auto& row_node : child(sheet, "sheetData").children()) {
        Row row;
        for (const auto& cell_node : row_node.children()) {
            const auto column = column_of(attribute(cell_node, "r")).value_or(row.size());
            auto cell = read_cell(cell_node, workbook);
            if (cell.kind == Cell::Kind::empty || column >= kColumnsMax) {
                continue;
            }
            row.resize(std::max(row.size(), column + 1));
            row[column] = std::move(cell);
        }
        width = std::max(width, row.size());
        if (!row.empty()) {
            rows.push_back(std::move(row));
        }
        if (rows.size() * width > kCellsMax) {
            return failure(ErrorCode::limit_exceeded, "a sheet has too many cells");
        }
    }
    for (auto& row : rows) {
        row.resize(width);
    }
    return rows;
}

std::string number_text(double number, bool is_float) {
    constexpr double kExactMax = 9'007'199'254'740'992.0;
    if (is_float || std::trunc(number) != number || std::fabs(number) > kExactMax) {
        return value::python_float(number);
    }
    return fmt::format("{}", static_cast<std::int64_t>(number));
}

// A data frame's column of numbers is a column of floats if it has gaps or fractions.
bool is_float_column(const std::vector<Row>& rows, std::size_t column) {
    bool is_float = false;
    for (std::size_t i = 1; i < rows.size(); ++i) {
        const auto& cell = rows[i][column];
        if (cell.kind == Cell::Kind::text) {
            return false;
        }
        is_float =
            is_float || cell.kind == Cell::Kind::empty || std::trunc(cell.number) != cell.number;
    }
    return is_float;
}

std::vector<std::string> header_names(const Row& row) {
    std::vector<std::string> names;
    std::map<std::string, int, std::less<>> counts;
    for (const auto& cell : row) {
        std::string name;
        switch (cell.kind) {
            case Cell::Kind::empty:
                name = fmt::format("Unnamed: {}", names.size());
                break;
            case Cell::Kind::text:
                name = cell.text;
                break;
            case Cell::Kind::number:
                name = number_text(cell.number, false);
                break;
        }
        const int count = counts[name]++;
        names.push_back(count == 0 ? name : fmt::format("{}.{}", name, count));
    }
    return names;
}

std::string sheet_table(const std::vector<Row>& rows) {
    const auto header = header_names(rows.front());
    std::string table;
    append_table_row(table, header);
    append_table_rule(table, header);
    std::vector<bool> is_float;
    is_float.reserve(header.size());
    for (std::size_t column = 0; column < header.size(); ++column) {
        is_float.push_back(is_float_column(rows, column));
    }
    for (std::size_t i = 1; i < rows.size(); ++i) {
        std::vector<std::string> cells;
        for (std::size_t column = 0; column < header.size(); ++column) {
            const auto& cell = rows[i][column];
            cells.push_back(
                cell.kind == Cell::Kind::empty  ? "nan"
                : cell.kind == Cell::Kind::text ? cell.text
                                                : number_text(cell.number, is_float[column])
            );
        }
        append_table_row(table, cells);
    }
    return table;
}

Result<Workbook> read_workbook(ZipArchive& archive, pugi::xml_node node) {
    Workbook workbook;
    const auto start = attribute(child(node, "workbookPr"), "date1904");
    workbook.starts_1904 = start == "1" || start == "true";
    if (archive.contains("xl/sharedStrings.xml")) {
        pugi::xml_document document;
        if (auto read = read_part(archive, "xl/sharedStrings.xml", document); !read) {
            return failure(std::move(read).error());
        }
        for (const auto& item : document.document_element().children()) {
            workbook.shared_texts.push_back(rich_text(item));
        }
    }
    if (archive.contains("xl/styles.xml")) {
        pugi::xml_document document;
        if (read_part(archive, "xl/styles.xml", document)) {
            workbook.is_date_style = read_date_styles(document.document_element());
        }
    }
    return workbook;
}

}  // namespace

Result<std::string> read_sheets(ZipArchive& archive) {
    pugi::xml_document document;
    if (auto read = read_part(archive, kWorkbook, document); !read) {
        return failure(std::move(read).error());
    }
    FLOWSPAN_TRY(const auto workbook, read_workbook(archive, document.document_element()));
    const auto parts = read_relationships(archive, kWorkbook);
    std::string text;
    for (const auto& entry : child(document.document_element(), "sheets").children()) {
        const auto found = parts.find(std::string(attribute(entry, "id")));
        pugi::xml_document sheet;
        if (found == parts.end()) {
            continue;
        }
        if (auto read = read_part(archive, found->second, sheet); !read) {
            if (read.error().code == ErrorCode::limit_exceeded) {
                return failure(std::move(read).error());
            }
            continue;
        }
        FLOWSPAN_TRY(const auto rows, read_rows(sheet.document_element(), workbook));
        if (!rows.empty()) {
            text += sheet_table(rows) + "\n";
        }
    }
    return text;
}

}  // namespace flowspan::nodes::document_extractor
