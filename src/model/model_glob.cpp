#include "model/model_glob.hpp"

#include "flowspan/base/text.hpp"

#include <utility>

namespace flowspan::model {

namespace {

bool matches(std::string_view pattern, std::string_view text) {
    // Iterative glob: remembers the last star and backs up to it.
    std::size_t at = 0;
    std::size_t star = std::string_view::npos;
    std::size_t resume = 0;
    std::size_t next = 0;
    while (next < text.size()) {
        if (at < pattern.size() && (pattern[at] == '?' || pattern[at] == text[next])) {
            ++at;
            ++next;
        } else if (at < pattern.size() && pattern[at] == '*') {
            star = at++;
            resume = next;
        } else if (star != std::string_view::npos) {
            at = star + 1;
            next = ++resume;
        } else {
            return false;
        }
    }
    while (at < pattern.size() && pattern[at] == '*') {
        ++at;
    }
    return at == pattern.size();
}

}  // namespace

std::string normalize_provider(std::string_view provider) {
    const auto parts = split(provider, '/');
    if (parts.size() != 1 || provider.empty()) {
        return std::string(provider);
    }
    const std::string_view plugin = provider == "google" ? "gemini" : provider;
    return "langgenius/" + std::string(plugin) + "/" + std::string(provider);
}

ModelGlob::ModelGlob(std::string_view provider, std::string name)
    : provider_(
          provider.find('*') == std::string_view::npos ? normalize_provider(provider)
                                                       : std::string(provider)
      ),
      name_(std::move(name)) {}

bool ModelGlob::matches(const ModelRef& model) const {
    return model::matches(provider_, normalize_provider(model.provider)) &&
           model::matches(name_, model.name);
}

}  // namespace flowspan::model
