#!/usr/bin/env bash
# Prepare .venv for a use of the project: `scripts/setup.sh run | demo | dev`.
#
#   run   the product's packages, and libmagic, which the WhatsApp bridge needs
#   demo  run, and what simulated phones need
#   dev   demo, and the tools, the PostgreSQL and the Chromium of the tests
#
# When nothing changed since the last time it ends at once. All talk goes to stderr: stdout and stdin belong to
# what is started afterwards (`make demo < questions.txt > answers.txt`).
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null >&2

use=${1:-run}
case $use in
    run) requirements=(requirements.txt) ;;
    demo) requirements=(requirements.txt requirements-demo.txt) ;;
    dev) requirements=(requirements.txt requirements-demo.txt requirements-dev.txt) ;;
    *) echo "usage: $0 run | demo | dev" && exit 2 ;;
esac
venv=.venv
stamp=$venv/installed-$use

# supervisord writes its log there before anything of ours runs; a state that others can read is refused.
[[ -d var ]] || mkdir -m 0700 var

say() { echo "setup: $*"; }
die() { say "$*" && exit 1; }
exists() { compgen -G "$1" >/dev/null; }
on_debian() { command -v apt-get >/dev/null && [[ -e /etc/debian_version ]]; }

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
# Debian's python3 can lack ensurepip, and `python3 -m venv` then makes a folder without pip.
can_make_venv() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }
has_magic() {
    exists '/usr/lib*/libmagic.so.1' || exists '/usr/lib/*/libmagic.so.1' || exists '/usr/local/lib/libmagic.*' ||
        exists '/opt/homebrew/lib/libmagic.*'
}
has_postgres() { command -v initdb >/dev/null || exists '/usr/lib/postgresql/*/bin/initdb'; }

has_chromium() { command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null
# Ubuntu's package of this name only fetches a snap, which does not run in containers.
has_chromium_package() { grep -qx 'ID=debian' /etc/os-release 2>/dev/null; }

# A name that is found need not run: version managers put up names that only say "not installed".
find_python() {
    python=
    local name
    for name in python3.13 python3.12 python3.11 python3; do
        if new_enough "$name"; then
            [[ -n $python ]] || python=$name
            if can_make_venv "$name"; then python=$name && return; fi
        fi
    done
}

needs_venv() { ! { new_enough $venv/bin/python && $venv/bin/python -c 'import pip' 2>/dev/null; }; }

# What Debian has to bring, by what is missing rather than by what dpkg lists: names differ between releases.
missing_packages() {
    missing=()
    if [[ $1 == new-venv ]]; then
        if [[ -z $python ]]; then
            missing+=(python3 python3-venv)
        elif ! can_make_venv "$python"; then
            missing+=("$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')")
        fi
    fi
    if ! has_magic; then missing+=(libmagic1); fi
    if [[ $use == dev ]] && ! has_postgres; then missing+=(postgresql); fi
    if [[ $use == dev ]] && ! has_chromium; then
        if has_chromium_package; then missing+=(chromium); else say "missing: Chromium (for the demo's test)"; fi
    fi
}

install_debian_packages() {
    say "installing Debian packages: ${missing[*]}"
    local log
    log=$(mktemp)
    if ! { apt-get update -q && DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
        tail -n 20 "$log"
        rm -f "$log"
        die "apt-get could not install ${missing[*]}; its last lines are above"
    fi
    rm -f "$log"
}

# pip's own output is hundreds of lines; this shows one line a package, or one line in all on a terminal.
show_progress() {
    local total tty=0
    total=$(cat "${requirements[@]}" | grep -c '==')
    if [[ -t 2 ]]; then tty=1; fi
    awk -v total="$total" -v tty="$tty" '
        function show(what) {
            if (tty) printf "\r\033[K  %s", what
            else print "  " what
            fflush()
        }
        /^Collecting .*==/ { show(++n "/" total " " $2) }
        /^Installing collected packages/ { show("unpacking " n " packages") }
        END { if (tty) printf "\r\033[K" }'
}

install_python_packages() {
    local file log=$venv/pip.log
    local arguments=()
    for file in "${requirements[@]}"; do arguments+=(-r "$file"); done
    say "installing Python packages into $venv (the first time takes a minute or two)"
    if ! $venv/bin/python -m pip install --no-input --disable-pip-version-check --progress-bar off \
        "${arguments[@]}" 2>&1 | tee "$log" | show_progress; then
        grep -v -e '^Collecting' -e '^  ' "$log" | tail -n 20
        die "pip failed; everything it said is in $log"
    fi
    # Whoever has more has all that less needs.
    cat requirements.txt >$venv/installed-run
    if [[ $use == dev ]]; then cat requirements.txt requirements-demo.txt >$venv/installed-demo; fi
    cat "${requirements[@]}" >"$stamp"
}

if cat "${requirements[@]}" | cmp -s - "$stamp" && new_enough $venv/bin/python; then
    fresh=yes
    missing_packages old-venv
else
    fresh=no
    if needs_venv; then
        find_python
        missing_packages new-venv
    else
        missing_packages old-venv
    fi
fi

if ((${#missing[@]})); then
    if on_debian && [[ $(id -u) == 0 ]]; then
        install_debian_packages
    else
        hint=
        if on_debian; then hint="; install with: sudo apt-get install ${missing[*]}"; fi
        case " ${missing[*]} " in
            *python3*) die "Python 3.11 or newer with its venv module is missing (${missing[*]})$hint" ;;
            *) say "missing: ${missing[*]} (WhatsApp needs libmagic1, some tests need postgresql and chromium)$hint" ;;
        esac
    fi
fi

if [[ $fresh == no ]]; then
    if needs_venv; then
        find_python
        [[ -n $python ]] || die "Python 3.11 or newer is needed and this system's packages have none"
        say "creating $venv with $("$python" -V 2>&1)"
        rm -rf $venv
        "$python" -m venv $venv
    fi
    install_python_packages
    say "ready"
fi
