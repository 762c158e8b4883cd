#pragma once
// Collects problems of one file, each put at its place by JSON pointer.

#include "dsl/app.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace flowspan::dsl::detail {

class Findings {
public:
    /// Both must outlive this object.
    Findings(std::vector<Problem>& problems, const PositionMap& positions)
        : problems_(problems), positions_(positions) {}

    void error(std::string_view code, std::string_view pointer, std::string message) {
        add(Problem::Severity::error, code, positions_.find(pointer), std::move(message));
    }

    void warning(std::string_view code, std::string_view pointer, std::string message) {
        add(Problem::Severity::warning, code, positions_.find(pointer), std::move(message));
    }

    void unsupported(std::string_view code, std::string_view pointer, std::string message) {
        add(Problem::Severity::unsupported, code, positions_.find(pointer), std::move(message));
    }

    void error_at(SourcePosition position, std::string_view code, std::string message) {
        add(Problem::Severity::error, code, position, std::move(message));
    }

    void warning_at(SourcePosition position, std::string_view code, std::string message) {
        add(Problem::Severity::warning, code, position, std::move(message));
    }

    /// The app loads all the same; the node fails with `message` when it is reached.
    void fault(NodeSpec& node, std::string_view code, std::string message) {
        if (node.fault.empty()) {
            node.fault = message;
        }
        add(Problem::Severity::node_error, code, node.position, std::move(message));
    }

    [[nodiscard]] std::vector<Problem>& problems() noexcept { return problems_; }

    [[nodiscard]] const PositionMap& positions() const noexcept { return positions_; }

private:
    void add(
        Problem::Severity severity,
        std::string_view code,
        SourcePosition position,
        std::string message
    ) {
        problems_.push_back({severity, position, std::string(code), std::move(message)});
    }

    std::vector<Problem>& problems_;
    const PositionMap& positions_;
};

}  // namespace flowspan::dsl::detail
