"""The panels with a quantity over time: throughput, latency, mail backlog."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from reports.figures import canvas
from reports.series import Backlog, Floats, Latencies, Rates
from reports.words import Words, number


def throughput(axes: Axes, rates: Rates, words: Words) -> None:
    """Answered above the line, failed below it and hatched."""
    edges = np.append(rates.at_s, rates.at_s[-1] + rates.width_s)
    axes.stairs(rates.answered, edges, fill=True, color=canvas.SKY, lw=0)
    axes.stairs(rates.answered, edges, color=canvas.BLUE, lw=1.2)
    failed = bool(rates.failed.any())
    handles = [Patch(facecolor=canvas.SKY, edgecolor=canvas.BLUE, label=words("curve.answered"))]
    if failed:
        look: dict[str, Any] = {
            "facecolor": canvas.DOWN,
            "edgecolor": canvas.ON_FILL,
            "hatch": "////",
            "lw": 0.0,
        }
        axes.stairs(-rates.failed, edges, fill=True, **look)
        axes.axhline(0, color=canvas.INK, lw=0.8)
        handles.append(Patch(label=words("curve.failed"), **{**look, "hatch": "//////"}))
    top = float(rates.answered.max(initial=0)) * 1.1 or 1.0
    axes.set_ylim(-float(rates.failed.max(initial=0)) * 1.15, top)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(abs(value))))
    axes.grid(axis="y")
    canvas.legend(axes, handles)


def latency(axes: Axes, latencies: Latencies, words: Words) -> None:
    """Three percentiles on a logarithmic scale; the line breaks where nothing was answered."""
    looks: tuple[tuple[Floats, str, dict[str, Any]], ...] = (
        (latencies.p99, "p99", {"color": canvas.VIOLET, "ls": (0, (1, 1.2)), "lw": 1.3}),
        (latencies.p95, "p95", {"color": canvas.BLUE, "ls": (0, (4, 1.5)), "lw": 1.3}),
        (latencies.p50, words("curve.p50"), {"color": canvas.INK, "ls": "-", "lw": 1.6}),
    )
    for values, label, look in looks:
        axes.plot(latencies.at_s, values, label=label, **look)
    known = np.concatenate([latencies.p50, latencies.p99])
    known = known[np.isfinite(known) & (known > 0)]
    axes.set_yscale("log")
    least, most = (float(known.min()), float(known.max())) if known.size else (1.0, 1000.0)
    axes.set_ylim(10 ** np.floor(np.log10(least)), max(10 ** np.ceil(np.log10(most)), least * 10))
    axes.yaxis.set_major_locator(LogLocator(base=10, numticks=6))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: milliseconds(value)))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(axis="y", which="minor", length=0)
    axes.grid(axis="y")
    canvas.legend(axes, [Line2D([], [], label=label, **look) for _, label, look in reversed(looks)])


def backlog(axes: Axes, mails: Backlog, words: Words) -> None:
    """All that was waiting, and how much of it had not left the service: the upper edge is the whole backlog."""
    axes.fill_between(mails.at_s, 0, mails.at_service, color=canvas.VIOLET, alpha=0.85, lw=0)
    axes.fill_between(mails.at_s, mails.at_service, mails.waiting, color=canvas.SKY, lw=0)
    axes.plot(mails.at_s, mails.waiting, color=canvas.INK, lw=1.2)
    canvas.counts(axes, float(mails.waiting.max(initial=0)))
    axes.grid(axis="y")
    handles = [
        Line2D([], [], color=canvas.INK, lw=1.2, label=words("curve.backlog")),
        Patch(facecolor=canvas.VIOLET, alpha=0.85, label=words("curve.at_service")),
        Patch(facecolor=canvas.SKY, label=words("curve.on_the_way")),
    ]
    canvas.legend(axes, handles)


def milliseconds(value: float) -> str:
    """10 ms, 1 s: as short as an axis wants it."""
    return f"{number(value / 1000)} s" if value >= 1000 else f"{number(value)} ms"
