"""The balancer, but it never asks whether a web node is alive, and learns nothing from one that does not answer."""

from __future__ import annotations

import sys

from topology.platform import balancer


def main() -> int:
    return balancer.run(health_checks=False)


if __name__ == "__main__":
    sys.exit(main())
