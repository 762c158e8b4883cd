#include "model/chat_model.hpp"

#include <fmt/format.h>

#include <cmath>

namespace flowspan::model {

namespace {

// Decimals in plain notation without trailing zeros, as the original prints them.
std::string price_text(double price) {
    auto text = fmt::format("{:.10f}", price);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) {
        text.pop_back();
    }
    return text;
}

double milliseconds_precise(double seconds) {
    return std::round(seconds * 1000) / 1000;
}

}  // namespace

void Usage::add(const Usage& other) {
    if (total_tokens() == 0) {
        *this = other;
        return;
    }
    prompt_tokens += other.prompt_tokens;
    completion_tokens += other.completion_tokens;
    cached_tokens += other.cached_tokens;
    reasoning_tokens += other.reasoning_tokens;
    latency += other.latency;
    prompt_unit_price = other.prompt_unit_price;
    completion_unit_price = other.completion_unit_price;
    currency = other.currency;
    time_to_first_token = other.time_to_first_token;
    time_to_generate = other.time_to_generate;
}

json::object Usage::to_json() const {
    constexpr auto kPerToken = "0.000001";  // unit prices are told per million tokens
    return {
        {"prompt_tokens", prompt_tokens},
        {"prompt_unit_price", price_text(prompt_unit_price * 1'000'000)},
        {"prompt_price_unit", kPerToken},
        {"prompt_price", price_text(static_cast<double>(prompt_tokens) * prompt_unit_price)},
        {"completion_tokens", completion_tokens},
        {"completion_unit_price", price_text(completion_unit_price * 1'000'000)},
        {"completion_price_unit", kPerToken},
        {"completion_price",
         price_text(static_cast<double>(completion_tokens) * completion_unit_price)},
        {"total_tokens", total_tokens()},
        {"total_price", price_text(total_price())},
        {"currency", currency},
        {"latency", milliseconds_precise(latency)},
        {"time_to_first_token", milliseconds_precise(time_to_first_token)},
        {"time_to_generate", milliseconds_precise(time_to_generate)},
    };
}

}  // namespace flowspan::model
