#pragma once
// Which configured mapping a model that an app names belongs to.

#include "model/chat_model.hpp"

#include <string>
#include <string_view>

namespace flowspan::model {

/// `openai` and `langgenius/openai/openai` are the same provider; gives the long form. Anything
/// that is neither one part nor three is returned unchanged.
[[nodiscard]] std::string normalize_provider(std::string_view provider);

/// Globs (`*`, `?`) over a model's provider and name.
class ModelGlob {
public:
    ModelGlob(std::string_view provider, std::string name);

    [[nodiscard]] bool matches(const ModelRef& model) const;

private:
    std::string provider_;  // long form unless it has a star
    std::string name_;
};

}  // namespace flowspan::model
