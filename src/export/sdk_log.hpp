#pragma once

// The SDK's internal messages in our log instead of on the program's output.

namespace flowspan::exporting {

/// Call before a provider is made. At most one message a second is passed on; the next one that is
/// passed says how many were not.
void redirect_sdk_log();

}  // namespace flowspan::exporting
