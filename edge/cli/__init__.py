"""The `edge` command: one file per command, imported when it is used."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code.

    0 done, 1 failed, 2 wrong usage, 3 does not fit, 4 bad model or session file, 130 interrupted.
    """
    try:
        from edge.cli.interrupt import noticing

        with noticing():
            from edge.cli.app import run

            return run(argv)
    except KeyboardInterrupt:  # while the command itself was still being imported
        return 130
