"""What a user may write for a model that is elsewhere, and which names from elsewhere may become files here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from edge.errors import RequestError

__all__ = ["HubName", "UrlName", "is_url", "parse_name", "quant_of", "safe_path"]

HUB_HOSTS = ("huggingface.co", "www.huggingface.co", "hf.co")
MAX_PART_BYTES = 200
_MAX_PARTS = 4
_MAX_URL = 2000
_OWNER_OR_REPO = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
# A part of a path: begins with a letter, digit, _ or bracket; no separators, no control characters, no end in a space.
_PART = re.compile(r"[\w(\[]([\w .,+=@~()\[\]-]*[\w.+=)\]-])?")
_PAGES = "a page of the hub is https://HUB/OWNER/REPO, or that and /resolve/REVISION/FILE"
_QUANT = re.compile(
    r"(?:^|[-._/])((?:UD-)?(?:I?Q[1-8](?:_[A-Z0-9]+)*|TQ[12]_0|MXFP4(?:_MOE)?|NVFP4|BF16|FP?16|FP?32))(?=[-./]|$)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class HubName:
    """OWNER/REPO[:QUANT] of a hub. `wanted`: a quantisation, or a file's name; None: whatever suits."""

    owner: str
    repo: str
    wanted: str | None = None
    revision: str = "main"

    @property
    def repository(self) -> str:
        return f"{self.owner}/{self.repo}"

    def __str__(self) -> str:
        return self.repository + ("" if self.wanted is None else f":{self.wanted}")


@dataclass(frozen=True, slots=True)
class UrlName:
    """A file that lies at a URL of its own."""

    url: str
    host: str
    file: str

    def __str__(self) -> str:
        return self.url


def is_url(text: str) -> bool:
    """Whether a reference is meant as a URL, good or bad."""
    return text.lower().startswith(("http://", "https://"))


def parse_name(text: str, hub: str = "https://huggingface.co") -> HubName | UrlName | None:
    """OWNER/REPO[:QUANT], hf.co/OWNER/REPO[:QUANT], a page or a file of the hub, or any URL; None: none of these.

    hub: the hub's base URL, whose pages are its own beside those of hf.co. RequestError: a URL that cannot be meant.
    """
    if is_url(text):
        return _of_url(text, hub)
    for host in HUB_HOSTS:
        text = text.removeprefix(f"{host}/")
    repository, colon, wanted = text.partition(":")
    parts = repository.split("/")
    if len(parts) != 2 or not all(_OWNER_OR_REPO.fullmatch(part) for part in parts):
        return None
    if colon and not _is_safe(wanted):
        return None
    return HubName(parts[0], parts[1], wanted if colon else None)


def _of_url(text: str, hub: str) -> HubName | UrlName:
    def refuse(problem: str) -> RequestError:
        return RequestError(f"URL {text[:_MAX_URL]!r}: {problem}")

    if len(text) > _MAX_URL or not text.isprintable() or " " in text:
        raise refuse(f"longer than {_MAX_URL} characters, or with spaces or control characters")
    try:
        url = urlsplit(text)
        host = url.hostname
        port = url.port  # a number that is none is an error only when it is looked at
    except ValueError as error:
        raise refuse(str(error)) from None
    if not host:
        raise refuse("it names no host")
    if url.username is not None or url.password is not None:
        raise refuse("a name or password in it would end up in logs; a hub's token belongs into HF_TOKEN")
    parts = [unquote(part) for part in url.path.strip("/").split("/")]
    if host in HUB_HOSTS or text.lower().startswith(hub.lower().rstrip("/") + "/"):
        if host not in HUB_HOSTS:  # the base of another hub may have a path
            parts = [unquote(part) for part in text[len(hub.rstrip("/")) :].partition("?")[0].strip("/").split("/")]
        return _of_hub_page(parts, refuse)
    file = parts[-1]
    if not _is_safe_part(file) or not file.lower().endswith(".gguf"):
        raise refuse("it must end in the name of a .gguf file")
    return UrlName(text, host if port is None else f"{host}_{port}", file)


def _of_hub_page(parts: list[str], refuse: Any) -> HubName:
    last, colon, wanted = parts[-1].partition(":")
    if len(parts) == 2 and colon:
        parts = [parts[0], last]
    if len(parts) < 2 or not all(_OWNER_OR_REPO.fullmatch(part) for part in parts[:2]):
        raise refuse(_PAGES)
    if len(parts) == 2:
        if colon and not _is_safe(wanted):
            raise refuse(f"{wanted!r} is no quantisation and no file's name")
        return HubName(parts[0], parts[1], wanted if colon else None)
    if parts[2] not in ("resolve", "blob", "raw", "tree") or len(parts) < 4 or not _REVISION.fullmatch(parts[3]):
        raise refuse(_PAGES)
    file = "/".join(parts[4:])
    if file:
        safe_path(file)
    return HubName(parts[0], parts[1], file or None, parts[3])


def safe_path(name: str) -> PurePosixPath:
    """A relative path of harmless parts. RequestError: one that leaves its folder, hides, or is too long."""
    if not _is_safe(name):
        raise RequestError(
            f"file name {name[:_MAX_URL]!r}: it must be up to {_MAX_PARTS} parts with / between them, each of letters, "
            f"digits and .,+=@~()[]-, not beginning with a dot, of at most {MAX_PART_BYTES} bytes"
        )
    return PurePosixPath(name)


def _is_safe(name: str) -> bool:
    parts = name.split("/")
    return len(parts) <= _MAX_PARTS and all(_is_safe_part(part) for part in parts)


def _is_safe_part(part: str) -> bool:
    return _PART.fullmatch(part) is not None and part.isprintable() and len(part.encode()) <= MAX_PART_BYTES


def quant_of(file: str) -> str | None:
    """The quantisation that a file's name speaks of, the last if several: "Q4_K_M", "UD-IQ2_XXS", "F16"."""
    found = _QUANT.findall(file.removesuffix(".gguf"))
    return found[-1].upper() if found else None
