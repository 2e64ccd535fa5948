"""`python -m topology ROLE`: what every node of ours runs."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Final

#: Where each role's program is. A program is a module with `main() -> int`.
PROGRAMS: Final = {
    "consensus": "topology.platform.consensus",
    "database": "topology.platform.database",
    "balancer": "topology.platform.balancer",
    "pass-on": "topology.platform.pass_on",
    "fence": "topology.platform.fence",
    "stand": "topology.platform.stand",
    "dns": "topology.platform.dns",
    "resolver": "topology.platform.resolver",
    "feed": "topology.service.feed",
    "feed-api": "topology.service.feed_api",
    "alerter": "topology.service.alerter",
    "mailer": "topology.service.mailer",
    "web": "topology.service.web",
    "status-page": "topology.service.status_page",
    "backup": "topology.platform.backup.node",
    "restore": "topology.platform.backup.restore",
    "verify-backups": "topology.platform.backup.verify",
    "restore-answers": "topology.service.restore_answers",
    "enrol": "topology.service.enrol",
    "export": "topology.service.export",
    "agency": "topology.world.agency",
    "publish": "topology.world.publish",
    "mail-provider": "topology.world.mail_provider",
    "carrier-mail": "topology.world.carrier_mail",
    "hosted-authentication": "topology.world.hosting.authentication",
    "hosted-users": "topology.world.hosting.users",
    "hosted-smtp": "topology.world.hosting.smtp",
    "hosted-redeliver": "topology.world.hosting.redeliver",
    "door": "topology.world.door",
    "base-stations": "topology.world.radio.base_stations",
    "maps-storage": "topology.world.maps.storage",
    "maps-block": "topology.world.maps.block",
    "maps-steering": "topology.world.maps.steering",
}


def main(argv: list[str]) -> int:
    if len(argv) < 2 or argv[1] not in PROGRAMS:
        print(f"usage: python -m topology {'|'.join(PROGRAMS)}", file=sys.stderr)
        return 2
    sys.argv = [f"topology {argv[1]}", *argv[2:]]
    status = import_module(PROGRAMS[argv[1]]).main()
    return int(status or 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
