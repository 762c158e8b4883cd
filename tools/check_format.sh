#!/usr/bin/env bash
# Fails if a C++ file is not as clang-format 19 would write it; `./dev fmt` mends that.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
version=$(clang-format-19 --version)
case "$version" in
*"version 19."*) ;;
*)
    echo "check_format: needs clang-format 19, found: $version" >&2
    exit 2
    ;;
esac
find src include tests bench -type f \( -name '*.cpp' -o -name '*.hpp' \) -print0 |
    xargs -0 -n 20 -P "$(nproc)" clang-format-19 --dry-run -Werror ||
    { echo "check_format: run ./dev fmt" >&2; exit 1; }
