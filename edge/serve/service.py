"""A systemd unit for `edge serve`, to be put where the user's units are."""

from __future__ import annotations

import sys
from collections.abc import Sequence

_UNIT = """\
# edge serve --print-service ... > ~/.config/systemd/user/edge.service
# systemctl --user daemon-reload && systemctl --user enable --now edge
[Unit]
Description=edge: language model server ({name})
After=network.target

[Service]
Type=exec
ExecStart={command}
{more}Restart=on-failure
RestartSec=2
TimeoutStopSec=5
NoNewPrivileges=yes
UMask=0077

[Install]
WantedBy=default.target
"""


def systemd_unit(
    model_name: str, arguments: Sequence[str], *, memory_bytes: int | None, key_file: str | None, needs_key: bool
) -> str:
    """arguments: of `edge serve`, without a key. memory_bytes: the budget, which systemd then enforces with a margin
    of 5 % for what the plan may be off. needs_key: a key was given, but must not stand in a file that others read."""
    command = " ".join(map(_quoted, (sys.executable, "-m", "edge", "serve", *arguments)))
    more: list[str] = []
    if needs_key and key_file is None:
        more.append("# EDGE_API_KEY=... in a file of your own, mode 0600:")
        more.append("EnvironmentFile=%h/.config/edge/serve.env")
    if memory_bytes is not None:
        more.append(f"MemoryMax={memory_bytes + memory_bytes // 20}")
    return _UNIT.format(name=_plain(model_name), command=command, more="".join(f"{line}\n" for line in more))


def _quoted(argument: str) -> str:
    """As systemd reads a word: % and $ stand for themselves, quotes and backslashes are escaped."""
    text = _plain(argument).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return text if text and all(character.isalnum() or character in "-_./:=," for character in text) else f'"{text}"'


def _plain(text: str) -> str:
    return "".join(character for character in text if character.isprintable())
