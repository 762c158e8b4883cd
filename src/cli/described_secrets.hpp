#pragma once
// Finds every credential in described settings, wherever it stands: a new one needs no list.

#include "cli/described_toml.hpp"
#include "flowspan/base/secret.hpp"
#include "flowspan/base/text.hpp"

#include <boost/describe/members.hpp>
#include <boost/mp11/algorithm.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::cli {

/// Of headers: `x-api-key` and `Authorization` hold credentials, a project's name is none.
[[nodiscard]] inline bool names_credential(std::string_view name) {
    static constexpr std::array<std::string_view, 6> kWords = {
        "key", "token", "auth", "secret", "password", "cookie"
    };
    const auto lower = to_lower_ascii(name);
    return std::ranges::any_of(kWords, [&lower](std::string_view word) {
        return lower.find(word) != std::string::npos;
    });
}

template <class T>
void collect_secrets(const T& value, std::vector<Secret>& found) {
    if constexpr (std::same_as<T, Secret>) {
        if (!value.empty()) {
            found.push_back(value);
        }
    } else if constexpr (detail::IsOptional<T>::value) {
        if (value) {
            collect_secrets(*value, found);
        }
    } else if constexpr (detail::IsVector<T>::value) {
        for (const auto& item : value) {
            collect_secrets(item, found);
        }
    } else if constexpr (detail::IsMap<T>::value) {
        for (const auto& [name, item] : value) {
            if (names_credential(name)) {
                collect_secrets(item, found);
            }
        }
    } else if constexpr (detail::DescribedStruct<T>) {
        using Members = boost::describe::describe_members<T, boost::describe::mod_public>;
        boost::mp11::mp_for_each<Members>([&](auto member) {
            collect_secrets(value.*member.pointer, found);
        });
    }
}

}  // namespace flowspan::cli
