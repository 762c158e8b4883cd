#!/usr/bin/env bash
# Installs what tools/packages.txt names and this machine lacks; called by ./dev, which most
# commands do first. Returns at once when nothing is missing, and then needs no rights.
#
#   tools/setup.sh           install
#   tools/setup.sh --check   only name what is missing; exit 1 if anything is
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
list="$root/tools/packages.txt"
# For tests: where apt's configuration stands.
apt_folder=${FLOWSPAN_APT_FOLDER:-/etc/apt}

say() { printf '%s\n' "$*" >&2; }
die() { say "setup: $*"; exit 2; }

# Lines "name" or "name backports" of the list, without comments.
wanted() { sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$list"; }

missing_packages() {
    if ! command -v dpkg-query >/dev/null; then
        wanted | awk '{print $1}'
        return
    fi
    local installed
    # dpkg-query fails when it does not know one of the names; that one is then missing.
    # shellcheck disable=SC2046
    installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' $(wanted | awk '{print $1}') \
        2>/dev/null | awk '$1 == "installed" {print $2}') || true
    # pkg-config is a virtual name on newer systems; the command is what counts.
    if command -v pkg-config >/dev/null; then installed+=$'\npkg-config'; fi
    wanted | awk '{print $1}' | grep -vxF -e "$installed" || true
}

needs_backports() {
    local package
    for package in "$@"; do
        if wanted | grep -qE "^${package}[[:space:]]+backports"; then return 0; fi
    done
    return 1
}

source_files() {
    local file
    for file in "$apt_folder/sources.list" "$apt_folder"/sources.list.d/*.sources \
        "$apt_folder"/sources.list.d/*.list; do
        if [ -f "$file" ]; then printf '%s\n' "$file"; fi
    done
}

has_backports() {
    local file
    while IFS= read -r file; do
        if grep -v '^[[:space:]]*#' "$file" | grep -qE "[[:space:]]$1-backports([[:space:]]|$)"; then
            return 0
        fi
    done < <(source_files)
    return 1
}

# Prints an apt source for <suite>-backports, made from the machine's own entry for <suite>: the same
# mirror, signing key and options. The first line says which form it has: sources or list.
derive_backports() {
    local suite=$1 file entry
    while IFS= read -r file; do
        case "$file" in
        *.sources)
            entry=$(awk -v suite="$suite" '
                function finish() {
                    if (stanza != "" && is_deb && is_suite && !is_off && !done) {
                        printf "%s", stanza
                        done = 1
                    }
                    stanza = ""; is_deb = is_suite = is_off = 0; keep = 1
                }
                BEGIN { keep = 1 }
                /^[ \t]*$/ { finish(); next }
                /^#/ { next }
                /^[^ \t]/ {
                    name = tolower($1); keep = 1
                    if (name == "types:") { is_deb = (" " $0 " ") ~ / deb /; $0 = "Types: deb" }
                    if (name == "enabled:" && tolower($2) ~ /^(no|false|off|0)$/) { is_off = 1 }
                    if (name == "suites:") {
                        is_suite = (" " $0 " ") ~ (" " suite " ")
                        stanza = stanza "Suites: " suite "-backports\n"; keep = 0
                    }
                    if (name == "components:") { stanza = stanza "Components: main\n"; keep = 0 }
                }
                keep { stanza = stanza $0 "\n" }
                END { finish() }' "$file")
            if [ -n "$entry" ]; then
                printf 'sources\n%s\n' "$entry"
                return 0
            fi
            ;;
        *)
            entry=$(sed -nE \
                "s/^[[:space:]]*deb[[:space:]]+((\[[^]]*\][[:space:]]+)?[^[:space:]]+)[[:space:]]+${suite}[[:space:]]+main([[:space:]].*)?\$/deb \1 $suite-backports main/p" \
                "$file" | head -n 1)
            if [ -n "$entry" ]; then
                printf 'list\n%s\n' "$entry"
                return 0
            fi
            ;;
        esac
    done < <(source_files)
    return 1
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" </dev/null >&2
}

add_backports() {
    local suite=$1 derived form file
    derived=$(derive_backports "$suite") ||
        die "found no apt source for '$suite' to take the mirror of $suite-backports from; add $suite-backports to $apt_folder/sources.list.d and try again"
    form=${derived%%$'\n'*}
    file="$apt_folder/sources.list.d/flowspan-backports.$form"
    say "setup: adding $suite-backports as $file"
    printf '%s\n' "${derived#*$'\n'}" | as_root tee "$file" >/dev/null
    if ! apt_get update; then
        as_root rm -f "$file"
        die "apt-get update failed with $suite-backports from the mirror of $suite; $file is removed again"
    fi
}

main() {
    local missing=()
    mapfile -t missing < <(missing_packages)
    if [ "${#missing[@]}" -eq 0 ]; then
        return 0
    fi
    if [ "${1:-}" = --check ]; then
        say "missing packages: ${missing[*]}"
        return 1
    fi

    local ID='' VERSION_CODENAME=''
    if [ -r /etc/os-release ]; then
        # shellcheck source=/dev/null
        . /etc/os-release
    fi
    if [ "$ID-$VERSION_CODENAME" != debian-bookworm ]; then
        die "this is not Debian 12, so nothing is installed here; missing: ${missing[*]}"
    fi
    if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
        die "run ./dev setup once as root, or install sudo; missing: ${missing[*]}"
    fi

    say "setup: installing ${#missing[@]} packages: ${missing[*]}"
    if needs_backports "${missing[@]}" && ! has_backports "$VERSION_CODENAME"; then
        add_backports "$VERSION_CODENAME"
    else
        apt_get update || die "apt-get update failed; see above"
    fi
    apt_get install -y --no-install-recommends "${missing[@]}" ||
        die "apt-get install failed; see above"
}

# Sourced by its test, run by ./dev.
if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    main "$@"
fi
