#pragma once
// What a webhook trigger declares about the requests that it takes, and the check of one.

#include "dsl/app.hpp"
#include "flowspan/base/json.hpp"

#include <string>
#include <vector>

namespace flowspan::service {

/// A declared header, query parameter or body field.
struct WebhookField {
    std::string part;  ///< `headers`, `params` or `body`
    std::string name;
    std::string variable;  ///< the name with `_` for `-`, as the node's output is called
    std::string type;      ///< `string`, `number`, `boolean`, `object`, `array[...]` or `file`
    bool is_required = false;
};

[[nodiscard]] std::vector<WebhookField> read_webhook_fields(const dsl::NodeSpec& trigger);

/// All that is wrong with a whole request `{method, headers, query_params, body, files}`; members
/// that it does not have are not judged, except for what the trigger requires of them.
[[nodiscard]] std::vector<std::string> check_webhook_request(
    const dsl::NodeSpec& trigger, const json::value& request
);

}  // namespace flowspan::service
