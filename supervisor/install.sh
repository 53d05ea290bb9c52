#!/usr/bin/env bash
# Fresh Debian 12 or 13 to a running Balas; run again with a newer copy it upgrades, with a way back.
#
#   sudo supervisor/install.sh
#
# Three questions: the model's key, the shop's name, the owner's room. Without a terminal they come from the
# environment, and so may every other setting of .env.example:
#
#   OPENAI_API_KEY=… SHOP_NAME="Toko Maju" RUANG_ADMIN=0812… supervisor/install.sh
#
# Where things are: code in /opt/balas/releases, the one in use is /opt/balas/current; settings in
# /etc/balas/env; database, WhatsApp session and logs in /var/lib/balas/state; the shop's files in
# /var/lib/balas/data. Ubuntu and others are untested: BALAS_ANY_SYSTEM=yes tries all the same.
set -euo pipefail

source_dir=$(cd "$(dirname "$0")/.." && pwd)
user=balas
releases=/opt/balas/releases
current=/opt/balas/current
settings=/etc/balas/env
home=/var/lib/balas
state=$home/state
data=$home/data
backups=$home/cadangan
configuration=/etc/balas/supervisord.conf
unit=/etc/systemd/system/balas.service
# The bot, the payment process and the watcher need about this much, in megabytes.
needs_memory_mb=450
needs_disk_mb=2000
keep=3

step=begin
say() { echo "balas: $*"; }
die() {
    echo "balas: $*" >&2
    exit 1
}
trap 'code=$?; ((code == 0)) || echo "balas: not finished (at: $step)" >&2' EXIT
begin() {
    step=$*
    say "$*"
}

has_systemd() { [[ -d /run/systemd/system ]]; }
on_terminal() { [[ -t 0 && -t 1 ]]; }
as_balas() { runuser -u $user -- env -C "$1" HOME=$home PYTHONDONTWRITEBYTECODE=1 "${@:2}"; }

# --- what must hold before anything is touched ------------------------------------------------------------------

check_system() {
    [[ $(id -u) == 0 ]] || die "run this as root: sudo supervisor/install.sh"
    local id='' version=''
    if [[ -r /etc/os-release ]]; then
        id=$(. /etc/os-release && echo "${ID:-}")
        version=$(. /etc/os-release && echo "${VERSION_ID:-}")
    fi
    case $id-$version in
        debian-12 | debian-13) ;;
        *)
            [[ ${BALAS_ANY_SYSTEM:-} == yes ]] ||
                die "this is ${id:-unknown} ${version}, tested are Debian 12 and 13; BALAS_ANY_SYSTEM=yes tries anyway"
            ;;
    esac
    local free_mb memory_mb
    free_mb=$(df --output=avail -m /var | tail -n 1 | tr -d ' ')
    ((free_mb >= needs_disk_mb)) || die "only ${free_mb} MB are free on the disk, ${needs_disk_mb} are needed"
    memory_mb=$(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo 2>/dev/null || echo 0)
    if ((memory_mb > 0 && memory_mb < needs_memory_mb)); then
        say "warning: ${memory_mb} MB of memory; ${needs_memory_mb} MB are comfortable"
    fi
}

install_packages() {
    local wanted=(python3 python3-venv libmagic1 ca-certificates util-linux) missing=() name
    if [[ -n $(domain) ]]; then wanted+=(caddy); fi
    for name in "${wanted[@]}"; do
        dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed' ||
            dpkg-query -W -f '${Status}' "${name}t64" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
    done
    ((${#missing[@]})) || return 0
    begin "installing Debian packages: ${missing[*]}"
    apt-get update -q >/dev/null
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
}

# --- user and folders -------------------------------------------------------------------------------------------

make_user_and_folders() {
    begin "user $user and folders"
    if ! id $user >/dev/null 2>&1; then
        useradd --system --user-group --home-dir $home --no-create-home --shell /usr/sbin/nologin $user
    fi
    install -d -m 0755 /opt/balas $releases
    install -d -m 0750 -o root -g $user /etc/balas
    install -d -m 0700 -o $user -g $user $home $state $backups
    if [[ ! -e $data ]]; then
        install -d -m 0700 -o $user -g $user $data
        cp -r "$source_dir"/data/. $data
        chown -R $user:$user $data
        chmod -R go= $data
        say "the sample shop's files are in $data: replace them with yours"
    fi
}

# --- settings ---------------------------------------------------------------------------------------------------

setting() { # KEY: its value in the file of settings, empty when it has none
    [[ ! -e $settings ]] || sed -n "s/^$1=//p" $settings | tail -n 1
}

domain() { # the public address's host, when the shop has one that speaks TLS
    local url
    url=${PUBLIC_URL:-$(setting PUBLIC_URL)}
    [[ $url == https://* ]] || return 0
    url=${url#https://}
    url=${url%%/*}
    echo "${url%%:*}"
}

put_setting() { # FILE KEY VALUE
    # By awk, for a value may hold whatever means something to sed.
    local part
    part=$(KEY=$2 VALUE=$3 awk 'BEGIN { key = ENVIRON["KEY"] } index($0, key "=") == 1 { print key "=" ENVIRON["VALUE"]; next } { print }' "$1")
    printf '%s\n' "$part" >"$1"
}

ask() { # KEY QUESTION: the answer, from the environment or the terminal
    if [[ -n ${!1:-} ]]; then
        echo "${!1}"
    elif on_terminal; then
        local answer
        read -r -p "$2 " answer </dev/tty
        echo "$answer"
    fi
}

write_settings() {
    if [[ -e $settings ]]; then
        chown $user:$user $settings
        chmod 0600 $settings
        return
    fi
    begin "settings"
    local part=$settings.part key value missing=()
    OPENAI_API_KEY=$(ask OPENAI_API_KEY "Kunci model (OPENAI_API_KEY):")
    SHOP_NAME=$(ask SHOP_NAME "Nama toko:")
    RUANG_ADMIN=$(ask RUANG_ADMIN "Ruang Admin (nomor lain atau grup; boleh kosong):")
    [[ -n $OPENAI_API_KEY ]] || missing+=(OPENAI_API_KEY)
    [[ -n $SHOP_NAME ]] || missing+=(SHOP_NAME)
    ((${#missing[@]} == 0)) || die "these settings are needed: ${missing[*]}"
    (umask 077 && cp "$source_dir/.env.example" "$part" && chmod 0600 "$part")
    STATE_DIR=$state DATA_DIR=$data
    while IFS= read -r key; do
        value=${!key:-}
        [[ -z $value ]] || put_setting "$part" "$key" "$value"
    done < <(sed -n 's/^\([A-Z][A-Z0-9_]*\)=.*/\1/p' "$source_dir/.env.example")
    chown $user:$user "$part"
    mv "$part" $settings
}

# --- the release ------------------------------------------------------------------------------------------------

build_release() {
    release=$releases/$(date -u +%Y%m%d-%H%M%S)
    begin "copying the code to $release"
    install -d -m 0755 "$release"
    tar -C "$source_dir" --exclude=./.git --exclude='./.venv*' --exclude=./var --exclude=./.env --exclude=__pycache__ \
        --exclude='./.*_cache' --exclude=./.hypothesis -cf - . | tar -C "$release" --no-same-owner -xf -
    chown -R root:root "$release"
    chmod -R u=rwX,go=rX "$release"
    ln -sfn $settings "$release/.env"
    begin "installing Python packages (a minute or two)"
    python3 -m venv "$release/.venv"
    "$release/.venv/bin/python" -m pip install --no-input --disable-pip-version-check -q -r "$release/requirements.txt"
    # The code belongs to root: the bot could not keep what it compiled.
    "$release/.venv/bin/python" -m compileall -q "$release" -x '/\.venv/.*tests?/' >/dev/null || true
    chmod -R go-w "$release"
}

check_settings() {
    begin "checking the settings"
    as_balas "$release" .venv/bin/python -m supervisor check ||
        die "the settings in $settings need a change (see above); then run this again"
}

write_configuration() {
    local render=("$release/.venv/bin/python" -m supervisor render
        --project $current --python $current/.venv/bin/python --state $state --data $data)
    (cd "$release" && "${render[@]}") >$configuration.part
    mv $configuration.part $configuration
    chmod 0644 $configuration
    install -d -m 0755 /etc/systemd/system
    (cd "$release" && "${render[@]}" --user $user --unit $configuration) >$unit.part
    mv $unit.part $unit
    chmod 0644 $unit
    install -d -m 0755 /usr/local/bin
    cat >/usr/local/bin/balas <<WRAPPER
#!/bin/sh
# balas status | pair | check …: the commands of Balas as the user that it runs as.
case \${1:-} in
    start|stop|restart|tail) exec runuser -u $user -- $current/.venv/bin/supervisorctl -c $configuration "\$@" ;;
esac
exec runuser -u $user -- env -C $current HOME=$home .venv/bin/python -m supervisor "\$@"
WRAPPER
    chmod 0755 /usr/local/bin/balas
}

read_knowledge() {
    begin "reading the shop's files"
    as_balas "$release" .venv/bin/python -m rag.ingest ||
        say "warning: not all of it could be read (see above); the bot reads it again after the next change"
}

# --- running ----------------------------------------------------------------------------------------------------

running_pid() { # of supervisord without systemd
    local pid
    pid=$(cat $state/supervisord.pid 2>/dev/null) && kill -0 "$pid" 2>/dev/null && echo "$pid"
}

stop_service() {
    if has_systemd; then
        systemctl stop balas.service 2>/dev/null || true
        return
    fi
    local pid waited=0
    pid=$(running_pid) || return 0
    kill -TERM "$pid"
    while kill -0 "$pid" 2>/dev/null; do
        ((waited++ < 600)) || die "supervisord (process $pid) does not end"
        sleep 0.1
    done
}

start_service() {
    if has_systemd; then
        systemctl daemon-reload
        systemctl enable --quiet balas.service
        systemctl restart balas.service
    else
        say "systemd does not run here: starting supervisord by itself (after a reboot: run this again)"
        runuser -u $user -- env -C $current HOME=$home .venv/bin/supervisord -c $configuration
    fi
}

answers() { as_balas $current .venv/bin/python -m supervisor alive --wait-s "${BALAS_WAIT_S:-90}"; }

switch_to() {
    ln -sfn "$1" $current.part
    mv -T $current.part $current
}

# The state as it is while nothing runs: database, session, journal. Logs are no state.
back_up() {
    [[ -n $previous ]] || return 0
    begin "backing up to $backups"
    backup=$backups/sebelum-$(basename "$release")
    (umask 077 && mkdir -p "$backup" &&
        tar -C $state --exclude='./*.log*' --exclude=./supervisor.sock --exclude=./supervisord.pid -cf - . |
        tar -C "$backup" -xf -)
    if [[ -n $(setting DATABASE_URL) ]]; then
        say "DATABASE_URL is set: PostgreSQL is backed up by your own means, not here"
    fi
}

roll_back() {
    say "the new version does not answer; going back to $(basename "$previous")"
    tail -n 5 $state/bot.log $state/webhooks.log 2>/dev/null | sed 's/^/    /' || true
    stop_service
    find $state -mindepth 1 -maxdepth 1 ! -name '*.log*' -exec rm -rf {} +
    cp -a "$backup"/. $state
    chown -R $user:$user $state
    local failed=$release
    release=$previous
    switch_to "$previous"
    write_configuration
    start_service
    answers || die "the earlier version does not answer either; the state before the upgrade is in $backup"
    rm -rf "$failed"
    die "rolled back: the earlier version runs, with the state from before the upgrade"
}

start() {
    step="starting"
    stop_service
    back_up
    switch_to "$release"
    write_configuration
    read_knowledge
    begin "starting"
    if { start_service && answers; }; then return; fi
    [[ -z $previous ]] || roll_back
    tail -n 5 $state/*.log 2>/dev/null | sed 's/^/    /' || true
    die "Balas does not answer; its logs are in $state"
}

prune() {
    local old
    while IFS= read -r old; do
        [[ $old == "$release" || $old == "$previous" ]] || rm -rf "$old"
    done < <(find $releases -mindepth 1 -maxdepth 1 -type d | sort -r | tail -n +$((keep + 1)))
    find $backups -mindepth 1 -maxdepth 1 -name 'sebelum-*' | sort -r | tail -n +$((keep + 1)) | xargs -r rm -rf
}

# --- the outside ------------------------------------------------------------------------------------------------

set_up_proxy() {
    local host port sample=$release/supervisor/Caddyfile
    host=$(domain)
    [[ -n $host && -e $sample ]] || return 0
    begin "TLS proxy for $host"
    port=$(setting WEBHOOKS_PORT)
    local mark="# Written by Balas' install.sh"
    if [[ -e /etc/caddy/Caddyfile ]] && ! grep -q "$mark" /etc/caddy/Caddyfile; then
        mv /etc/caddy/Caddyfile /etc/caddy/Caddyfile.before-balas
    fi
    { echo "$mark; changes are lost at the next upgrade." && sed "s/bayar\.toko\.example/$host/g; s/127\.0\.0\.1:8080/127.0.0.1:${port:-8080}/g" "$sample"; } \
        >/etc/caddy/Caddyfile
    if has_systemd; then systemctl reload-or-restart caddy; fi
}

hints() {
    step=done
    say "done: $(basename "$release") runs"
    say "next: sudo balas pair     (scan the code with the shop's phone), then: sudo balas status"
    if [[ -n $(domain) ]]; then
        say "firewall: let in 22 (ssh), 80 and 443 (customers' payments, invoices); nothing else is needed"
    else
        say "firewall: let in 22 (ssh) alone; Balas itself needs nothing from outside"
    fi
}

check_system
previous=
if [[ -L $current ]]; then previous=$(readlink -f $current); fi
install_packages
make_user_and_folders
write_settings
build_release
check_settings
start
set_up_proxy
prune
hints
