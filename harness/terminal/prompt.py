"""The terminal of somebody who rehearses a runbook: steps are chosen by number or name.

keys ── prompt ── rehearsal                     say ── above the prompt
            │                                   tick ── the panel below it
         no key for long, the terminal closed, Ctrl-C: they are gone
"""

from __future__ import annotations

import asyncio
import contextvars
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from prompt_toolkit import PromptSession
from prompt_toolkit.application import create_app_session, run_in_terminal
from prompt_toolkit.completion import WordCompleter
from prompt_toolkit.formatted_text import ANSI
from prompt_toolkit.input import Input
from prompt_toolkit.output import Output, create_output
from prompt_toolkit.styles import Style
from rich.console import RenderableType
from rich.text import Text

from harness.live import PlainShow
from harness.runbook.model import Step
from harness.runbook.rehearsal import Rehearsal, State
from harness.rundir import Json
from harness.terminal import panel
from harness.terminal.panel import Moment
from topology.document import nearest

LOOK_EVERY_S: Final = 0.2
DRAW_EVERY_S: Final = 0.5
#: What ends a rehearsal, and what shows the steps once more.
END: Final = "end"
HELP: Final = "?"
#: Where the terminal does not say how wide it is.
_WIDTH: Final = 120
_STYLE: Final = Style.from_dict({"bottom-toolbar": "noreverse", "bottom-toolbar.text": "noreverse"})


class _Gone(Exception):
    """The person is: why."""


class _Above:
    """Where things are written above the prompt, from any thread. Made in the loop that the prompt runs in."""

    def __init__(self, output: Output) -> None:
        self.output: Final = output
        self._loop = asyncio.get_running_loop()
        self._context = contextvars.copy_context()  # a prompt is found by it, and other threads have another
        self._writing: set[asyncio.Future[None]] = set()

    def write(self, text: str) -> bool:
        """A line or several. False: there is no prompt any more."""
        try:
            self._loop.call_soon_threadsafe(self._write, text, context=self._context)
        except RuntimeError:
            return False
        return True

    def _write(self, text: str) -> None:
        writing = asyncio.ensure_future(run_in_terminal(lambda: self._put(text)))
        self._writing.add(writing)
        writing.add_done_callback(self._writing.discard)

    def _put(self, text: str) -> None:
        self.output.enable_autowrap()
        self.output.write_raw(text + "\n")
        self.output.flush()

    async def written(self) -> None:
        """Return when all of it stands there."""
        await asyncio.sleep(0)  # what was just given
        await asyncio.gather(*self._writing, return_exceptions=True)


class Terminal(PlainShow):
    """What a run shows, and the hands of whoever sits there. Without a key for `patience_s` while no step is under way,
    nobody sits there any more. `scale` and `faults_s` are as in `Moment`. `who` says by the name of a role who does its
    steps, `otherwise` who does the others.
    """

    def __init__(
        self,
        scale: float,
        faults_s: tuple[float, ...],
        who: Mapping[str, str],
        otherwise: str,
        patience_s: float,
        keys: Input | None = None,
        screen: Output | None = None,
    ) -> None:
        super().__init__()
        self._who, self._otherwise, self._patience_s = who, otherwise, patience_s
        self._keys, self._screen = keys, screen
        self._moment = Moment(scale=scale, faults_s=faults_s)
        self._above: _Above | None = None
        self._thread: threading.Thread | None = None
        self._leave = ""
        self._touched_s = 0.0

    # -- what is shown -----------------------------------------------------------------------------------------

    def say(self, text: str) -> None:
        self._print(Text(text))

    def tick(self, at_s: float, ends_s: float, load: Mapping[str, Json], probes: Mapping[str, Json]) -> None:
        self._moment = replace(self._moment, at_s=at_s, ends_s=ends_s, load=load, probes=probes)
        if self.done():
            super().tick(at_s, ends_s, load, probes)

    def _print(self, renderable: RenderableType) -> None:
        above = self._above
        if above is None or not above.write(panel.ansi(renderable, self._columns())):
            print(panel.ansi(renderable, _WIDTH) if sys.stderr.isatty() else renderable, file=sys.stderr)

    # -- whoever sits there ------------------------------------------------------------------------------------

    def by(self, step: Step) -> str:
        """Who does a step."""
        return self._who.get(step.role.name, self._otherwise) if step.role else self._otherwise

    def sit_down(self, rehearsal: Rehearsal, gone: Callable[[str], None]) -> None:
        """Let the person begin, and return at once. `gone` hears why, if they leave before the end."""
        self._thread = threading.Thread(
            target=self._sit, args=(rehearsal, gone), name="terminal", daemon=True
        )
        self._thread.start()

    def done(self) -> bool:
        """Whether nobody is rehearsing any more."""
        return self._thread is None or not self._thread.is_alive()

    def leave(self, why: str) -> None:
        """Have them leave, and return when they have."""
        self._leave = f"the terminal was closed ({why})" if why == signal.SIGHUP.name else why
        if self._thread is not None:
            self._thread.join()

    def _sit(self, rehearsal: Rehearsal, gone: Callable[[str], None]) -> None:
        why = ""
        try:
            screen = self._screen or create_output(stdout=sys.stderr)
            with create_app_session(self._keys, screen):
                asyncio.run(self._converse(rehearsal))
        except _Gone as error:
            why = str(error)
        except (EOFError, OSError):  # it gives no more keys, or takes no more letters
            why = "the terminal was closed"
        except KeyboardInterrupt:
            why = "Ctrl-C"
        except Exception as error:  # whatever it is: the faults are to be healed, and the record is kept
            why = f"the terminal broke: {type(error).__name__}: {error}"
        finally:
            self._above = None
        if why:
            rehearsal.abandon(why)
            gone(f"the rehearsal was abandoned: {why}")
        else:
            rehearsal.end()

    async def _converse(self, rehearsal: Rehearsal) -> None:
        """Take one word after the other. Raises _Gone, EOFError, KeyboardInterrupt or OSError when nobody is there."""
        words = [step.name for step in rehearsal.runbook.steps]
        session: PromptSession[str] = PromptSession(
            "step> ",
            completer=WordCompleter([*words, END, HELP], sentence=True),
            bottom_toolbar=lambda: ANSI(panel.ansi(panel.panel(rehearsal, self._moment), self._columns())),
            refresh_interval=DRAW_EVERY_S,
            style=_STYLE,
            complete_while_typing=False,
            reserve_space_for_menu=0,
            erase_when_done=True,
        )
        session.default_buffer.on_text_changed += lambda _: self._touch()
        # One prompt from beginning to end: what is said meanwhile always finds it, and goes above it.
        session.default_buffer.accept_handler = lambda buffer: self._take(
            buffer.text.strip(), rehearsal, session
        )
        self._touch()
        self._above = above = _Above(session.app.output)
        watch = asyncio.create_task(self._watch(session, rehearsal))
        try:
            await session.prompt_async(
                pre_run=lambda: self._greet(rehearsal), handle_sigint=False, set_exception_handler=False
            )
            if rehearsal.proven:
                self._print(Text("every step is proven", "bold green"))
        finally:
            watch.cancel()
            await above.written()

    def _greet(self, rehearsal: Rehearsal) -> None:
        how = f"choose a step by its number or name; {HELP} shows them, {END} ends it"
        self._print(Text(f"{rehearsal.runbook}: {how}"))
        self._print(panel.steps(rehearsal))

    def _columns(self) -> int:
        return self._above.output.get_size().columns if self._above else _WIDTH

    def _touch(self) -> None:
        self._touched_s = time.monotonic()

    async def _watch(self, session: PromptSession[str], rehearsal: Rehearsal) -> None:
        """Take the prompt away when the last step is proven, and when nobody answers it any more."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if rehearsal.busy:
                self._touch()
            why = self._leave
            if not why and time.monotonic() - self._touched_s > self._patience_s:
                why = f"nobody touched a key for {self._patience_s:g} s"
            if why and session.app.is_running:
                return session.app.exit(exception=_Gone(why))
            if rehearsal.proven and session.app.is_running:
                return session.app.exit(result=END)

    def _take(self, word: str, rehearsal: Rehearsal, session: PromptSession[str]) -> bool:
        """One word of the person: a step's number or its name. False: the prompt is empty again."""
        self._touch()
        known = {step.name: step for step in rehearsal.runbook.steps}
        known |= {str(number): step for number, step in enumerate(rehearsal.runbook.steps, 1)}
        if word == END:
            session.app.exit(result=END)
        elif word in ("", HELP):
            self._print(panel.steps(rehearsal))
        elif word in known:
            self._begin(known[word], rehearsal)
        else:
            near = nearest(word, [*known, END])
            meant = f'; did you mean "{near}"?' if near else ""
            self.say(f'no step "{word}"{meant} {HELP} shows them')
        return False

    def _begin(self, step: Step, rehearsal: Rehearsal) -> None:
        if rehearsal.state(step) is State.UNDER_WAY:
            return self.say(f"{step.name} is under way already")
        for hold in rehearsal.begin(step):
            state = rehearsal.state(hold)
            mark = Text(f" {panel.HOLD} ", panel.HOLD_STYLES[state])
            said = f" skipped: {hold.name} is {state}, and {step.name} begins. That is recorded."
            self._print(mark.append(said, "bold red"))
        return None
