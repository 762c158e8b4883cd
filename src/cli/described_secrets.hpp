#pragma once
// Finds every credential in described settings, wherever it stands: a new one needs no list.

#include "cli/described_toml.hpp"
#include "flowspan/base/secret.hpp"

#include <boost/describe/members.hpp>
#include <boost/mp11/algorithm.hpp>

#include <concepts>
#include <vector>

namespace flowspan::cli {

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
        for (const auto& [key, item] : value) {
            collect_secrets(item, found);
        }
    } else if constexpr (detail::DescribedStruct<T>) {
        using Members = boost::describe::describe_members<T, boost::describe::mod_public>;
        boost::mp11::mp_for_each<Members>([&](auto member) {
            collect_secrets(value.*member.pointer, found);
        });
    }
}

}  // namespace flowspan::cli
