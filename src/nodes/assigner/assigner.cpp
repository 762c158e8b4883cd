// Writes conversation and loop variables.

#include "flowspan/value/limits.hpp"
#include "nodes/assigner/operation.hpp"
#include "nodes/node_kind.hpp"
#include "nodes/variables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace flowspan::nodes::assigner {

namespace {

constexpr std::string_view kUpdatedVariables = "__updated_variables";

json::object describe_update(const value::Selector& selector, const value::Value& value) {
    return {
        {"name", selector[1]},
        {"selector", json::array(selector.begin(), selector.end())},
        {"value_type", to_string(value.type())},
        {"new_value", for_record(value)},
    };
}

/// Only two elements name a variable as a whole.
bool names_variable(const value::Selector& selector) {
    return selector.size() == 2;
}

// The first version: one variable, three modes.
class FirstAssignerNode final : public engine::Node {
public:
    enum class Mode : std::uint8_t { over_write, append, clear };

    FirstAssignerNode(value::Selector target, value::Selector source, Mode mode)
        : target_(std::move(target)), source_(std::move(source)), mode_(mode) {}

    Task<Result<engine::NodeOutcome>> execute(engine::NodeContext& context) const override {
        const auto& pool = context.variables();
        const auto* found = names_variable(target_) ? pool.find(target_[0], target_[1]) : nullptr;
        if (found == nullptr) {
            co_return fail_bare(context, ErrorCode::not_found, "assigned variable not found");
        }
        const auto target = *found;
        const auto source = pool.find(source_);
        if (!source && mode_ != Mode::clear) {
            co_return fail_bare(context, ErrorCode::not_found, "input value not found");
        }
        auto updated = update(target, source.value_or(value::Value()));
        if (!updated) {
            co_return fail_bare(context, std::move(updated).error());
        }
        auto& record = context.record();
        record.inputs["value"] = for_record(mode_ == Mode::clear ? *updated : *source);
        record.process_data[kUpdatedVariables] =
            json::array{json::value(describe_update(target_, *updated))};
        context.update_variable(target_[0], target_[1], *std::move(updated));
        co_return engine::NodeOutcome();
    }

    std::vector<value::Selector> written_variables() const override { return {target_}; }

private:
    [[nodiscard]] Result<value::Value> update(
        const value::Value& target, const value::Value& source
    ) const {
        switch (mode_) {
            case Mode::over_write:
                return source;
            case Mode::clear:
                return value::zero_value(target.type());
            case Mode::append: {
                if (!value::is_array(target.type())) {
                    return failure(
                        ErrorCode::type_mismatch, "append mode requires an array variable"
                    );
                }
                auto list = target.json().get_array();
                list.push_back(source.json());
                json::value grown(std::move(list));
                if (auto checked = value::check_limits(grown); !checked) {
                    return failure(std::move(checked).error());
                }
                return value::Value::unchecked(std::move(grown), target.type());
            }
        }
        return source;
    }

    value::Selector target_;
    value::Selector source_;
    Mode mode_;
};

struct Item {
    value::Selector target;
    InputType input_type = InputType::variable;
    Operation operation = Operation::over_write;
    value::Selector source;  ///< for InputType::variable
    json::value constant;
};

// The second version: several variables, one after another, all or nothing.
class AssignerNode final : public engine::Node {
public:
    AssignerNode(std::vector<Item> items, json::object data)
        : items_(std::move(items)), data_(std::move(data)) {}

    Task<Result<engine::NodeOutcome>> execute(engine::NodeContext& context) const override {
        auto& record = context.record();
        record.inputs = data_;
        // Later items see what earlier ones did; the run sees nothing before all went well.
        auto pool = context.variables();
        std::vector<const value::Selector*> updated;
        for (const auto& item : items_) {
            FLOWSPAN_CO_TRY(const bool is_changed, apply_item(item, pool));
            const auto is_same = [&item](const value::Selector* selector) {
                return *selector == item.target;
            };
            if (is_changed && std::ranges::none_of(updated, is_same)) {
                updated.push_back(&item.target);
            }
        }
        json::array updates;
        for (const auto* selector : updated) {
            const auto& value = *pool.find((*selector)[0], (*selector)[1]);
            record.process_data[(*selector)[1]] = for_record(value);
            updates.push_back(describe_update(*selector, value));
            context.update_variable((*selector)[0], (*selector)[1], value);
        }
        record.process_data[kUpdatedVariables] = std::move(updates);
        co_return engine::NodeOutcome();
    }

    std::vector<value::Selector> written_variables() const override {
        std::vector<value::Selector> selectors;
        selectors.reserve(items_.size());
        for (const auto& item : items_) {
            selectors.push_back(item.target);
        }
        return selectors;
    }

private:
    static Result<bool> apply_item(const Item& item, value::VariablePool& pool) {
        const auto* found =
            names_variable(item.target) ? pool.find(item.target[0], item.target[1]) : nullptr;
        if (found == nullptr) {
            return not_found(item.target);
        }
        const auto target = *found;
        const auto type = target.type();
        if (!is_supported(item.operation, type)) {
            return failure(
                ErrorCode::type_mismatch,
                fmt::format(
                    "Operation {} is not supported for type {}",
                    to_string(item.operation),
                    value::to_string(type)
                )
            );
        }
        if (!is_supported(item.input_type, item.operation, type)) {
            return failure(
                ErrorCode::invalid_input,
                fmt::format(
                    "Input type {} is not supported for operation {}",
                    item.input_type == InputType::variable ? "variable" : "constant",
                    to_string(item.operation)
                )
            );
        }
        value::Value input;
        if (item.input_type == InputType::constant) {
            input = value::Value(item.constant);
        } else if (!needs_no_value(item.operation)) {
            const auto source = pool.find(item.source);
            if (!source) {
                return not_found(item.source);
            }
            if (source->is_none()) {
                return false;
            }
            input = *source;
        }
        FLOWSPAN_TRY(auto updated, apply(item.operation, target, input.json()));
        pool.set(item.target[0], item.target[1], std::move(updated));
        return true;
    }

    static std::unexpected<Error> not_found(const value::Selector& selector) {
        return failure(
            ErrorCode::not_found, fmt::format("Variable {} not found", selector_text(selector))
        );
    }

    std::vector<Item> items_;
    json::object data_;
};

Item read_item(const dsl::DataReader& reader) {
    Item item;
    item.target = reader.required_selector("variable_selector");
    item.input_type = reader.required_enumeration(
        "input_type",
        {{"variable", InputType::variable}, {"constant", InputType::constant}},
        InputType::variable
    );
    item.operation = reader.required_enumeration(
        "operation",
        {{"over-write", Operation::over_write},
         {"clear", Operation::clear},
         {"append", Operation::append},
         {"extend", Operation::extend},
         {"set", Operation::set},
         {"+=", Operation::add},
         {"-=", Operation::subtract},
         {"*=", Operation::multiply},
         {"/=", Operation::divide},
         {"remove-first", Operation::remove_first},
         {"remove-last", Operation::remove_last}},
        Operation::over_write
    );
    if (item.input_type == InputType::constant) {
        const auto* constant = reader.find("value");
        item.constant = constant == nullptr ? json::value() : *constant;
    } else if (!needs_no_value(item.operation)) {
        item.source = reader.selector("value");
    }
    return item;
}

std::unique_ptr<engine::Node> build(
    const dsl::NodeSpec& spec, const Services& /*services*/, Problems& problems
) {
    const dsl::DataReader reader(spec, problems);
    if (spec.version == "1" && !reader.has("items")) {
        using Mode = FirstAssignerNode::Mode;
        auto target = reader.required_selector("assigned_variable_selector");
        auto source = reader.selector("input_variable_selector");
        const auto mode = reader.required_enumeration(
            "write_mode",
            {{"over-write", Mode::over_write}, {"append", Mode::append}, {"clear", Mode::clear}},
            Mode::over_write
        );
        return reader.is_valid()
                   ? std::make_unique<FirstAssignerNode>(std::move(target), std::move(source), mode)
                   : nullptr;
    }
    std::vector<Item> items;
    for (const auto& entry : reader.required_objects("items")) {
        items.push_back(read_item(entry));
    }
    if (!reader.is_valid()) {
        return nullptr;
    }
    return std::make_unique<AssignerNode>(std::move(items), reader.data().as_object());
}

}  // namespace

NodeKind kind() {
    return {
        .type = "assigner",
        .description = "Writes conversation and loop variables.",
        .config =
            {{"items",
              "list of {variable_selector, input_type, operation, value}",
              "Version 2: what happens to which variable, in order, all or nothing."},
             {"assigned_variable_selector", "selector", "Version 1: the variable to write."},
             {"input_variable_selector", "selector", "Version 1: where the value comes from."},
             {"write_mode", "over-write, append or clear", "Version 1: what happens to it."}},
        .build = build,
    };
}

}  // namespace flowspan::nodes::assigner
