"""What an assistant is told when it starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import edge
from edge.user_folders import user_data_folder

__all__ = ["AssistantSettings", "data_folder"]

Retrieval = Literal["auto", "on", "off"]


@dataclass(frozen=True, slots=True)
class AssistantSettings:
    """data: where the database lies. workspace: the folder whose files tools may touch; None: `files` in data.
    allow: names of tools that run without being asked, unless untrusted text was read. retrieval: "auto" shows all
    tools while they take less than a quarter of the context, "on" always shortens the list to `shown_tools`.
    RequestError names the option.
    """

    data: Path
    workspace: Path | None = None
    allow: tuple[str, ...] = ()
    retrieval: Retrieval = "auto"
    shown_tools: int = 12

    def __post_init__(self) -> None:
        if self.retrieval not in ("auto", "on", "off"):
            raise edge.RequestError(f"--retrieval is {self.retrieval!r}; it must be auto, on or off")
        if not 1 <= self.shown_tools <= 256:
            raise edge.RequestError(f"--shown-tools is {self.shown_tools}; it must be from 1 to 256")


def data_folder(environment: Mapping[str, str]) -> Path:
    """EDGE_ASSISTANT_DIR, or `assistant` in edge's folder of the user's data. RequestError: there is no home."""
    if folder := environment.get("EDGE_ASSISTANT_DIR"):
        return Path(folder).expanduser()
    base = user_data_folder(environment)
    if base is None:
        raise edge.RequestError("--data: there is no home folder; name one")
    return base / "assistant"
