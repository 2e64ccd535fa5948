"""The entry point, as `harness` and as `python -m harness`: Ctrl-C is heard from the first moment."""

from __future__ import annotations

import os


def main() -> None:
    """The command line, which ends this process. Loading it takes a moment in which a user may change his mind."""
    try:
        from harness.cli import main as command

        command()
    except KeyboardInterrupt:
        os.write(2, b"harness: interrupted\n")
        os._exit(3)  # unknown; an ordinary end would still show where it was


if __name__ == "__main__":
    main()
