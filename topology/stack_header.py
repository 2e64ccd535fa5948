"""What stands at the head of a stack file: how it is brought up, and what is not as with Compose."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Sequence
from typing import Final

#: Words of a service that a stack does without, and what that means for its users; "": it means nothing.
WITHOUT: Final = {
    "build": "",
    "pull_policy": "",
    "container_name": "",
    "expose": "",
    "attach": "",
    "annotations": "",
    "restart": "",
    "depends_on": "Nothing waits for anything else. All nodes start at once; one that lacks another one ends, and is "
    "started anew a few seconds later, until all are there.",
    "extra_hosts": "Swarm takes no addresses for services. Every node has one of Swarm's choice, another one whenever "
    "it is started anew, and its name leads nowhere while it is away. A balancer keeps the addresses that it found "
    "when it started: `docker service update --force` makes it look again.",
    "healthcheck": "Swarm gives a node its name only once its health check is passed, and nodes here are healthy only "
    "when others find them by name; so there is none. In a container, `healthy PORT/PATH` with what its label "
    "topology.health says asks the node itself.",
    "security_opt": "Swarm's services have no security_opt. The file daemon.json of each engine does it for all its "
    'containers: {"no-new-privileges": true}.',
    "cpu_shares": "All nodes weigh the same where processors are short.",
    "ports": "Nothing is published: Swarm cannot publish to one machine's own loopback alone. To let everybody in who "
    "reaches its engine: `docker service update --publish-add mode=host,published=8080,target=8080 STACK_door`.",
}
#: True of every stack.
_ALWAYS: Final = (
    "Volumes are each engine's own: a zone that several engines bear finds its data again only by chance.",
    "Scratch folders in which something is executed are on disk, not in memory; they end with the container.",
    "The harness plays its scenarios on Compose's projects and its own, not on a stack; what runs here is there to be "
    "loaded and looked at.",
)
_WIDTH: Final = 100


def label(zone: str) -> str:
    """What an engine bears that nodes of this zone are placed on."""
    return f"zone.{zone}"


def written(name: str, zones: Sequence[str], left_out: Collection[str]) -> str:
    """As comments. `left_out`: words of the services that are not in the stack."""
    each = f"docker node update --label-add {label('$zone')}=true ENGINE"
    lines = [
        f"# {name} for Docker Swarm, made from the compose file by `harness stack`.",
        "#",
        "# 1. Say which zones each engine bears, every zone one engine (`docker node ls` lists the engines):",
        *_paragraph(f"for zone in {' '.join(zones)}; do {each}; done", "#      ", "#      "),
        "# 2. Have the images on every engine (docker save, docker load), or in a registry that all reach. Whenever an",
        "#    engine starts a node it asks a registry first, and takes its own image where none answers.",
        "# 3. On a manager, from the folder of this file:",
        f"#      docker stack deploy --resolve-image never --compose-file FILE {name}",
        "#    `docker stack rm` takes it down; volumes stay on each engine until `docker volume rm`.",
        "#",
        "# Not as with Compose:",
    ]
    told = [WITHOUT[word] for word in WITHOUT if word in left_out and WITHOUT[word]]
    for each in (*told, *_ALWAYS):
        lines += _paragraph(each, "# - ", "#   ")
    return "".join(f"{line}\n" for line in lines)


def _paragraph(text: str, first: str, further: str) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=further,
        break_long_words=False,
        break_on_hyphens=False,
    )
