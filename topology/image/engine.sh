#!/usr/bin/env bash
# A container engine that answers, with Compose: starts one, and installs it first, where there is none and this user may
# (root on Debian). Does nothing where there is one already. Ends with 4 and one line on what is missing.
set -euo pipefail

readonly log=${ENGINE_LOG:-/var/log/dockerd.log}
readonly starts_within_s=60
# Compose is a plugin for one user or for all; Debian 12 has none, Debian 13's needs nothing but the C library.
readonly plugins=/usr/local/lib/docker/cli-plugins
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

lacking() {
    echo "engine: $1" >&2
    exit 4
}

answers() {
    command -v docker >"$work/which" && docker version --format '{{.Server.Version}}' >"$work/version" 2>&1
}

has_compose() {
    docker compose version --short >"$work/compose" 2>&1
}

may_install() {
    [ "$(id -u)" = 0 ] && command -v apt-get >"$work/which"
}

install_engine() {
    may_install || lacking "no container engine, and only root on a Debian can install one here: install Docker, 20.10 or later"
    echo "engine: installing docker.io"
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends docker.io iptables; } \
        >"$work/apt" 2>&1 || lacking "docker.io cannot be installed: $(tail -n 1 "$work/apt")"
}

start_engine() {
    [ "$(id -u)" = 0 ] || lacking "the engine does not answer ($(tail -n 1 "$work/version")): start it, or join the group docker"
    echo "engine: starting dockerd; its log is $log"
    setsid dockerd >>"$log" 2>&1 </dev/null &
    local dockerd=$! deadline=$((SECONDS + starts_within_s))
    until answers; do
        kill -0 $dockerd 2>"$work/kill" || lacking "dockerd ended at once: $(tail -n 1 "$log")"
        [ $SECONDS -lt $deadline ] || lacking "dockerd does not answer after $starts_within_s s; see $log"
        sleep 0.2
    done
}

# Debian 13's package, from the mirror that this machine uses, without touching its other packages.
install_compose() {
    may_install || lacking "Docker's plugin compose is missing, and only root on a Debian can install it here"
    echo "engine: installing the plugin compose into $plugins"
    local mirror
    mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -m 1 -v -i security) || true
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror:-http://deb.debian.org/debian} trixie main" \
        >"$work/sources.list"
    local apt=(apt-get -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=-
        -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root)
    (cd "$work" && "${apt[@]}" update && "${apt[@]}" download docker-compose) >"$work/apt" 2>&1 ||
        lacking "Debian's package docker-compose cannot be fetched: $(tail -n 1 "$work/apt")"
    dpkg-deb -x "$work"/docker-compose_*.deb "$work/package"
    mkdir -p "$plugins"
    install "$work/package/usr/libexec/docker/cli-plugins/docker-compose" "$plugins/docker-compose"
}

if ! answers; then
    command -v dockerd >"$work/which" || install_engine
    answers || start_engine
fi
has_compose || install_compose
has_compose || lacking "the plugin compose does not start: $(tail -n 1 "$work/compose")"
echo "engine: $(cat "$work/version") answers, with Compose $(cat "$work/compose")"
