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

source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
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
wrapper=/usr/local/bin/balas
# The bot, the payment process and the watcher need about this much, in megabytes.
needs_memory_mb=450
needs_disk_mb=2000
# What stays free beside the copy that an upgrade makes.
spare_mb=200
keep=3
# Logs are no state, the nightly back-ups are copies themselves, and Weaviate is filled anew from SQL.
not_copied=(--exclude='./*.log*' --exclude=./backups --exclude=./weaviate
    --exclude=./supervisor.sock --exclude=./supervisord.pid)

step=begin
release=
previous=
backup=
# What has to be done when the script ends now: nothing, `resume` or `roll_back`.
way_back=
# The terminal may be gone, which must not keep a way back from its end.
say() { echo "balas: $*" || true; }
die() {
    echo "balas: $*" >&2 || true
    exit 1
}
finish() {
    local code=$? way=$way_back
    way_back=
    trap : HUP INT PIPE TERM
    ((code == 0)) || echo "balas: not finished (at: $step)" >&2 || true
    [[ -z $way || -z $previous ]] || $way
    # A release that nothing uses would fill the disk, one more at each attempt.
    [[ -z $release || $release -ef $current ]] || rm -rf "$release"
}
trap finish EXIT
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
    install -d -m 0700 -o $user -g $user $home $state $state/backups $backups
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
    [[ ! -e $settings ]] || sed -n "s/^$1=//p" $settings | tail -n 1 | sed "s/^\([\"']\)\(.*\)\1\$/\2/"
}

domain() { # the public address's host, when the shop has one that speaks TLS
    local url
    url=${PUBLIC_URL:-$(setting PUBLIC_URL)}
    [[ $url == https://* ]] || return 0
    url=${url#https://}
    url=${url%%/*}
    echo "${url%%:*}"
}

quoted() { # VALUE: as python-dotenv reads it back; bare where that is the same
    local value=$1 slash=\\ quote=\'
    if [[ $value == [\'\"]* || $value == *[[:space:]]#* || $value == *$'\n'* ]]; then
        value=${value//"$slash"/"$slash$slash"}
        value=$quote${value//"$quote"/"$slash$quote"}$quote
    fi
    printf '%s\n' "$value"
}

put_setting() { # FILE KEY VALUE
    # By awk, for a value may hold whatever means something to sed.
    local part
    part=$(KEY=$2 VALUE=$(quoted "$3") awk 'BEGIN { key = ENVIRON["KEY"] } index($0, key "=") == 1 { print key "=" ENVIRON["VALUE"]; next } { print }' "$1")
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

put_file() { # FILE MODE COMMAND…: what it prints becomes the file, whole or not at all
    "${@:3}" >"$1.part" && chmod "$2" "$1.part" && mv "$1.part" "$1"
}

render() {
    (cd "$release" && .venv/bin/python -m supervisor render --project $current --python $current/.venv/bin/python \
        --state $state --data $data "$@")
}

write_configuration() {
    install -d -m 0755 "$(dirname $unit)" "$(dirname $wrapper)"
    put_file $configuration 0644 render
    put_file $unit 0644 render --user $user --unit $configuration
    put_file $wrapper 0755 commands
}

commands() { # the program `balas`
    cat <<WRAPPER
#!/bin/sh
# sudo balas status | pair | check | backup …: the commands of Balas as the user that it runs as.
as_balas() { runuser -u $user -- env -C $current HOME=$home "\$@"; }
control() { as_balas .venv/bin/supervisorctl -c $configuration "\$@"; }
backups=$state/backups
refuse() {
    echo "balas: \$*" >&2
    exit 1
}
WRAPPER
    cat <<'WRAPPER'
command=${1:-}
[ $# = 0 ] || shift
case $command in
    backup | restore)
        # Another folder is meant there than here.
        for word; do
            shift
            case $word in -*) ;; *) word=$(realpath -m -- "$word") && file=$word ;; esac
            set -- "$@" "$word"
        done
        ;;
esac
case $command in
    start | stop | restart | tail) control "$command" "$@" ;;
    backup)
        [ -z "${file:-}" ] || as_balas test -w "$(dirname "$file")" ||
            refuse "pengguna balas tidak boleh menulis di $(dirname "$file"); pilih folder lain"
        as_balas .venv/bin/python -m store.backup make "$@"
        ;;
    restore)
        [ -z "${file:-}" ] || as_balas test -r "$file" ||
            refuse "$file tidak ada atau tidak terbaca; salin dulu: sudo install -o balas -m 600 $file $backups/"
        case " $* " in
            *" --yes "*)
                # Whoever has the old database open would go on writing into it.
                trap 'control start all' EXIT
                trap 'exit 130' HUP INT TERM
                control stop all
                ;;
        esac
        as_balas .venv/bin/python -m store.backup restore "$@"
        exit
        ;;
    ingest) as_balas .venv/bin/python -m rag.ingest "$@" ;;
    handoffs | customers) as_balas .venv/bin/python -m "bot.$command" "$@" ;;
    '' | help | -h | --help)
        echo "sudo balas status | pair | check | alive          keadaan, masuk WhatsApp, pengaturan"
        echo "sudo balas start | stop | restart | tail PROGRAM  bot, webhooks, watch, atau all"
        echo "sudo balas backup [BERKAS]                        buat cadangan"
        echo "sudo balas restore BERKAS --yes                   pulihkan; programnya dihentikan dulu"
        echo "sudo balas ingest                                 baca berkas toko"
        echo "sudo balas handoffs | customers                   pertanyaan yang menunggu, pelanggan"
        ;;
    *) as_balas .venv/bin/python -m supervisor "$command" "$@" ;;
esac
WRAPPER
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

check_room() { # for the copy, while the earlier version still runs
    [[ -n $previous ]] || return 0
    local needed free
    needed=$(($(cd $state && du -sm "${not_copied[@]}" . | cut -f 1) + spare_mb))
    free=$(df --output=avail -m $backups | tail -n 1 | tr -d ' ')
    ((free >= needed)) ||
        die "disk kurang: salinan sebelum upgrade butuh ${needed} MB di $backups, sisanya ${free} MB." \
            "Kosongkan dulu, lalu ulangi; versi yang lama tetap jalan (too little disk, nothing was stopped)"
}

# What tells whether the earlier version can read the state still: its databases' own version numbers.
versions() { as_balas "$1" .venv/bin/python -m supervisor.upgrading versions $state; }

# The state as it is while nothing runs: database, session, journal, customers' files.
back_up() {
    [[ -n $previous ]] || return 0
    begin "backing up to $backups"
    backup=$backups/sebelum-$(basename "$release")
    (umask 077 && mkdir -p "$backup" && tar -C $state "${not_copied[@]}" -cf - . | tar -C "$backup" -xf -)
    versions_before=$(versions "$release")
    if [[ -n $(setting DATABASE_URL) ]]; then
        say "DATABASE_URL is set: PostgreSQL is backed up by your own means, not here"
    fi
}

# Nothing of the new version has run: the earlier one goes on with its state.
resume() {
    say "nothing was changed; starting the earlier version again"
    [[ -z $backup ]] || rm -rf "$backup"
    start_service || say "warning: it does not start: systemctl status balas"
}

roll_back() {
    say "going back to $(basename "$previous")"
    tail -n 5 $state/bot.log $state/webhooks.log 2>/dev/null | sed 's/^/    /' || true
    stop_service
    local failed=$release aside=
    # What arrived meanwhile stays where it is, unless the earlier version could not read it.
    if [[ $(versions "$failed") != "$versions_before" ]]; then
        aside=$backups/gagal-$(basename "$failed")
        put_state_back "$failed" "$aside"
    fi
    chown -R $user:$user $state
    release=$previous
    switch_to "$previous"
    write_configuration || say "warning: the configuration could not be written; the one that is there stays"
    local kept="the state from before the upgrade is in $backup"
    [[ -z $aside ]] || kept="its state is that from before the upgrade; what came since then is in $aside"
    if [[ -n $(setting DATABASE_URL) ]]; then
        say "PostgreSQL stays as it is: if the earlier version does not take its schema, put your own back-up there"
    fi
    { start_service && answers; } || die "the earlier version does not answer either; $kept"
    rm -rf "$failed"
    prune
    die "rolled back: the earlier version runs; $kept"
}

put_state_back() { # RELEASE FOLDER: moving needs no room on a disk that may be full
    (umask 077 && mkdir -p "$2")
    find $state -mindepth 1 -maxdepth 1 ! -name '*.log*' ! -name backups ! -name weaviate -exec mv -t "$2" {} +
    find "$backup" -mindepth 1 -maxdepth 1 -exec mv -t $state {} +
    rmdir "$backup"
    chown -R $user:$user $state
    # The index is of a future that did not come about.
    as_balas "$1" .venv/bin/python -m supervisor.upgrading forget-index $state ||
        say "warning: with MEMORY=weaviate, fill it anew: python -m store.memory rebuild --to weaviate"
}

start() {
    check_room
    step="starting"
    way_back=resume
    stop_service
    back_up
    way_back=roll_back
    switch_to "$release"
    write_configuration
    read_knowledge
    begin "starting"
    if { start_service && answers; }; then
        way_back=
        return
    fi
    way_back=
    if [[ -n $previous ]]; then
        say "the new version does not answer"
        roll_back
    fi
    tail -n 5 $state/*.log 2>/dev/null | sed 's/^/    /' || true
    die "Balas does not answer; its logs are in $state"
}

prune() {
    local old
    while IFS= read -r old; do
        [[ $old == "$release" || $old == "$previous" ]] || rm -rf "$old"
    done < <(find $releases -mindepth 1 -maxdepth 1 -type d | sort -r | tail -n +$((keep + 1)))
    for old in sebelum gagal; do
        find $backups -mindepth 1 -maxdepth 1 -name "$old-*" | sort -r | tail -n +$((keep + 1)) | xargs -r rm -rf
    done
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
    if [[ $(setting MEMORY) == weaviate ]]; then
        say "firewall: weaviate-server listens on all addresses at $(setting WEAVIATE_GRPC_PORT) and 7947: keep them closed"
    fi
}

main() {
    check_system
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
}

# Read by another script, it only says how.
if [[ ${BASH_SOURCE[0]} == "$0" ]]; then main; fi
