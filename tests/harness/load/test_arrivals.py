from __future__ import annotations

import time

import gevent

from harness.load.access import Access
from harness.load.arrivals import Arrivals
from harness.load.habits import Habits
from harness.load.residents import Errand, Purpose, Resident

SOMEBODY = Resident(
    1,
    "p1@docomo.example",
    Access("docomo", 1.0, (), ("127.0.0.1", 1)),
    Habits(0, None, None, False, 0),
    0,
    ("127.0.0.1", 1),
    0,
)


def errand(planned_ns: int) -> Errand:
    return Errand(SOMEBODY, Purpose.ANSWER, planned_ns)


def test_everyone_sets_out_in_order_and_never_too_soon() -> None:
    gone: list[tuple[int, int]] = []
    arrivals = Arrivals(lambda one: gone.append((one.planned_ns, time.monotonic_ns())))
    start_ns = time.monotonic_ns()
    planned = [start_ns + offset * 10_000_000 for offset in (7, 3, 3, 1, 5)]
    for planned_ns in planned:
        arrivals.add(errand(planned_ns))
    running = gevent.spawn(arrivals.run)
    with gevent.Timeout(2):
        while len(gone) < 4:
            gevent.sleep(0.005)
        arrivals.add(errand(start_ns))  # one that is overdue does not wait for the others
        while len(gone) < 6:
            gevent.sleep(0.005)
    running.kill()
    assert sorted(planned) == [planned_ns for planned_ns, _ in gone if planned_ns != start_ns]
    assert all(at_ns >= planned_ns for planned_ns, at_ns in gone)


def test_an_errand_added_while_everyone_waits_for_a_later_one_is_not_late() -> None:
    gone: list[int] = []
    arrivals = Arrivals(lambda one: gone.append(time.monotonic_ns() - one.planned_ns))
    arrivals.add(errand(time.monotonic_ns() + 60_000_000_000))
    running = gevent.spawn(arrivals.run)
    gevent.sleep(0)
    arrivals.add(errand(time.monotonic_ns() + 20_000_000))
    with gevent.Timeout(2):
        while not gone:
            gevent.sleep(0.005)
    running.kill()
    assert len(arrivals) == 1
    assert 0 <= gone[0] < 500_000_000
