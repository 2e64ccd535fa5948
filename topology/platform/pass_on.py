"""`python -m topology pass-on HOST:PORT …`, on a balancer node: whoever comes here is passed on to there.

Those who still know this place by an old name are served by another one. Without an address the balancer serves its own
web nodes again. Envoy watches the file that is written here.
"""

from __future__ import annotations

import sys

from topology.platform.balancer import ENDPOINTS, endpoints, home
from topology.platform.place import Place, names


def main() -> int:
    near, far, ways = names("WEB_NEAR"), names("WEB_FAR", least=0), sys.argv[1:]
    endpoints(home(Place.here()) / ENDPOINTS, near, far, ways)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
