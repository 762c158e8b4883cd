#pragma once
// The instrumented HTTP client, for programs that embed Flowspan: flowspan::http.

#include "infra/http/http_client.hpp"  // IWYU pragma: export
