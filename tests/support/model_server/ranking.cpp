#include "model_server/ranking.hpp"

#include "flowspan/base/json.hpp"
#include "flowspan/base/text.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace flowspan::model_server {

namespace {

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words;
    std::string word;
    for (const char c : to_lower_ascii(text) + " ") {
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
            word += c;
        } else if (!word.empty()) {
            words.push_back(std::move(word));
            word.clear();
        }
    }
    return words;
}

std::array<int, 8> vector_of(const std::vector<std::string>& words) {
    std::array<int, 8> vector{};
    for (const auto& word : words) {
        unsigned sum = 0;
        for (const char c : word) {
            sum = sum * 31 + static_cast<unsigned char>(c);
        }
        ++vector[sum % vector.size()];
    }
    return vector;
}

const json::array* list_in(const json::value& body, std::string_view name) {
    const auto* found = find_member(body, name);
    return found == nullptr ? nullptr : found->if_array();
}

}  // namespace

std::optional<std::string> answer_embeddings(std::string_view body) {
    const auto request = parse_json(body);
    const auto* texts = request ? list_in(*request, "input") : nullptr;
    if (texts == nullptr) {
        return std::nullopt;
    }
    json::array data;
    std::size_t tokens = 0;
    for (const auto& text : *texts) {
        const auto words = words_of(string_or_empty(text));
        tokens += words.size();
        const auto vector = vector_of(words);
        data.push_back(json::object{
            {"object", "embedding"},
            {"index", static_cast<std::int64_t>(data.size())},
            {"embedding", json::array(vector.begin(), vector.end())},
        });
    }
    return to_json_text(json::object{
        {"object", "list"},
        {"data", data},
        {"model", string_member(*request, "model")},
        {"usage", {{"prompt_tokens", tokens}, {"total_tokens", tokens}}},
    });
}

std::optional<std::string> answer_rerank(std::string_view body) {
    const auto request = parse_json(body);
    const auto* documents = request ? list_in(*request, "documents") : nullptr;
    if (documents == nullptr) {
        return std::nullopt;
    }
    const auto wanted = words_of(string_member(*request, "query"));
    json::array results;
    std::size_t tokens = 0;
    for (const auto& document : *documents) {
        const auto words = words_of(string_or_empty(document));
        tokens += wanted.size() + words.size();
        const auto hits = std::ranges::count_if(wanted, [&words](const std::string& word) {
            return std::ranges::find(words, word) != words.end();
        });
        results.push_back(json::object{
            {"index", static_cast<std::int64_t>(results.size())},
            {"relevance_score",
             wanted.empty() ? 0.0 : static_cast<double>(hits) / static_cast<double>(wanted.size())},
        });
    }
    std::ranges::sort(results, [](const json::value& a, const json::value& b) {
        const auto key = [](const json::value& result) {
            return std::pair(
                -result.at("relevance_score").as_double(), result.at("index").as_int64()
            );
        };
        return key(a) < key(b);
    });
    const auto* top_n = find_member(*request, "top_n");
    if (top_n != nullptr && top_n->is_int64() &&
        std::cmp_less(top_n->get_int64(), results.size())) {
        results.resize(static_cast<std::size_t>(top_n->get_int64()));
    }
    return to_json_text(json::object{
        {"model", string_member(*request, "model")},
        {"results", results},
        {"usage", {{"total_tokens", tokens}}},
    });
}

}  // namespace flowspan::model_server
