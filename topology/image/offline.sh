#!/usr/bin/env bash
# The images of the compose file without any registry: a base made from Debian's packages, Python's packages fetched
# outside, upstream's Toxiproxy built from its Go module. Needs an engine, mmdebstrap, Python 3.11 with pip (PYTHON), Go.
# A base, packages and a Toxiproxy that are there already are used as they are; REBUILD=1 makes everything anew.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly base=safety-confirmation/base:bookworm
readonly node=safety-confirmation/node:latest
readonly toxiproxy_version=2.12.0
readonly toxiproxy=ghcr.io/shopify/toxiproxy:$toxiproxy_version
readonly python=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# have IMAGE: whether the engine has it, and it need not be made anew.
have() {
    [ -z "${REBUILD:-}" ] && docker image inspect "$1" >"$work/inspected" 2>&1
}

# Whether all packages were fetched since what is wanted last changed.
readonly wheels=topology/image/wheels
fetched() {
    [ -z "${REBUILD:-}" ] && [ $wheels/complete -nt constraints.txt ] &&
        [ $wheels/complete -nt topology/image/requirements.txt ]
}

# Everything that is missing is told at once.
missing=()
docker version --format '{{.Server.Version}}' >"$work/engine" 2>&1 ||
    missing+=("a container engine that answers ($(tail -n 1 "$work/engine")): topology/image/engine.sh installs one")
"$python" -c 'import sys, pip; sys.exit(sys.version_info[:2] != (3, 11))' 2>"$work/python" ||
    missing+=("Python 3.11 with pip, the image's own version: set PYTHON to it (now: $python)")
have $base || command -v mmdebstrap >"$work/which" ||
    missing+=("mmdebstrap, which makes the base: apt-get install mmdebstrap")
have $toxiproxy || command -v go >"$work/which" ||
    missing+=("Go, which builds Toxiproxy: apt-get install golang, or load $toxiproxy from elsewhere (docker load)")
if [ ${#missing[@]} -gt 0 ]; then
    printf 'image-offline: missing: %s\n' "${missing[@]}" >&2
    exit 4
fi

make_base() {
    mmdebstrap --quiet --variant=minbase --include=python3,python3-venv,ca-certificates \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' bookworm "$work/base.tar"
    docker import --change 'CMD ["bash"]' "$work/base.tar" $base
}

fetch_wheels() {
    find $wheels -name '*.whl' -delete
    "$python" -m pip wheel --quiet --disable-pip-version-check --wheel-dir $wheels \
        --constraint constraints.txt --requirement topology/image/requirements.txt
    touch $wheels/complete
}

# The same two programs at the same places as in upstream's image, and started in the same way.
make_toxiproxy() {
    local module=github.com/Shopify/toxiproxy/v2 program
    for program in server cli; do
        GOBIN=$work CGO_ENABLED=0 go install -trimpath \
            -ldflags "-s -w -X $module.Version=$toxiproxy_version" "$module/cmd/$program@v$toxiproxy_version"
    done
    mkdir "$work/root"
    mv "$work/server" "$work/root/toxiproxy"
    mv "$work/cli" "$work/root/toxiproxy-cli"
    tar -C "$work/root" --owner=0 --group=0 -cf "$work/toxiproxy.tar" .
    docker import --change 'ENTRYPOINT ["/toxiproxy"]' --change 'CMD ["-host=0.0.0.0"]' \
        --change 'EXPOSE 8474' --change 'ENV LOG_LEVEL=info' "$work/toxiproxy.tar" $toxiproxy
}

# step NAME FUNCTION: runs beside the others; what it printed is shown if it fails.
declare -A running=()
step() {
    "$2" >"$work/$2.log" 2>&1 &
    running[$2]=$!
    echo "image-offline: $1"
}
have $base || step "a base from Debian's packages: $base" make_base
fetched || step "Python's packages into $wheels" fetch_wheels
have $toxiproxy || step "Toxiproxy from its Go module: $toxiproxy" make_toxiproxy
for name in "${!running[@]}"; do
    if ! wait "${running[$name]}"; then
        cat "$work/$name.log" >&2
        echo "image-offline: $name failed; see above" >&2
        exit 1
    fi
done

echo "image-offline: the node's image"
DOCKER_BUILDKIT=${DOCKER_BUILDKIT:-0} docker build --quiet --network none --build-arg BASE=$base \
    --build-arg PIP_OPTIONS=--no-index --tag $node --file topology/image/Dockerfile . >"$work/id"
docker image inspect --format '{{index .RepoTags 0}} {{.Id}} {{.Size}} bytes' $node $toxiproxy
