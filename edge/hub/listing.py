"""The models of a repository of a hub, and which of them is meant."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import cast
from urllib.parse import quote

from edge.errors import DownloadError, RequestError
from edge.formats.split import part_of
from edge.hub.http import Http
from edge.library.names import HubName, UrlName, quant_of, safe_path

__all__ = ["RemoteFile", "RemoteModel", "choose", "list_models"]

# What is taken when nothing is asked for: about 4.8 bits, then its neighbours.
PREFERRED = ("Q4_K_M", "Q4_K_S", "Q4_0", "Q5_K_M", "Q8_0", "Q6_K", "Q4_1", "IQ4_XS", "BF16", "F16")
_NO_MODEL = ("mmproj", "imatrix")  # projectors and importance matrices are GGUF files too
_SHA256 = re.compile(r"[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40,64}")
_MAX_LISTED = 12


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file: where it is, and its path among the files of its source. size and sha256: as the list says, if it
    does."""

    url: str
    path: PurePosixPath
    size: int | None
    sha256: str | None


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """One or several files that are one model; `name` is what to write for it."""

    name: str
    files: tuple[RemoteFile, ...]
    quant: str | None
    revision: str | None

    @property
    def size(self) -> int | None:
        sizes = [file.size for file in self.files]
        return None if None in sizes else sum(size for size in sizes if size is not None)


def list_models(http: Http, name: HubName | UrlName) -> tuple[RemoteModel, ...]:
    """The GGUF models of a repository, the largest last; of a URL the one.

    DownloadError: the hub refuses, or says what cannot be. RequestError: there is no GGUF file.
    """
    if isinstance(name, UrlName):
        file = RemoteFile(name.url, PurePosixPath(name.file), None, None)
        return (RemoteModel(name.file.removesuffix(".gguf"), (file,), quant_of(name.file), None),)
    url = f"{http.hub}/api/models/{name.repository}/revision/{quote(name.revision)}?blobs=true"
    commit, files = _files(http, name, http.text(url))
    models = _grouped(name, files, commit)
    if not models:
        raise RequestError(
            f"{name.repository} has no GGUF model; for a folder of safetensors: download it with "
            "`hf download`, then `edge export FOLDER`; or look for the same model's name with -GGUF"
        )
    return tuple(sorted(models, key=lambda model: model.size or 0))


def choose(models: Sequence[RemoteModel], name: HubName | UrlName) -> RemoteModel:
    """The model that is meant: by quantisation or file name, or else the first of PREFERRED, or the smallest."""
    if isinstance(name, UrlName) or (len(models) == 1 and name.wanted is None):
        return models[0]
    if name.wanted is None:
        by_quant = {model.quant: model for model in reversed(models)}
        return next((by_quant[quant] for quant in PREFERRED if quant in by_quant), models[0])
    wanted = name.wanted.upper()
    for alike in (_is_file, _is_quant, _has_part):
        found = [model for model in models if alike(model, wanted)]
        if len(found) == 1:
            return found[0]
        if found:
            raise RequestError(f"{name} could be {len(found)} models: {_listed(found)}; name the file")
    raise RequestError(f"{name.repository} has no {name.wanted}; it has {_listed(models)}")


def _is_file(model: RemoteModel, wanted: str) -> bool:
    path = model.files[0].path
    return wanted in (str(path).upper(), path.name.upper(), path.name.upper().removesuffix(".GGUF"))


def _is_quant(model: RemoteModel, wanted: str) -> bool:
    return model.quant == wanted


def _has_part(model: RemoteModel, wanted: str) -> bool:
    return re.search(rf"(^|[-._/]){re.escape(wanted)}([-._/]|$)", str(model.files[0].path).upper()) is not None


def _listed(models: Sequence[RemoteModel]) -> str:
    names = [model.name.partition(":")[2] or model.name for model in models[:_MAX_LISTED]]
    more = len(models) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _files(http: Http, name: HubName, document: bytes) -> tuple[str, list[RemoteFile]]:
    """The commit, and its GGUF files whose names may become names here."""

    def bad(what: str) -> DownloadError:
        return DownloadError(f"{http.hub}: the list of files of {name.repository} {what}")

    try:
        listed: object = json.loads(document)
    except (ValueError, RecursionError):
        raise bad("is no JSON") from None
    commit, siblings = _at(listed, "sha"), _at(listed, "siblings")
    if not isinstance(commit, str) or not _COMMIT.fullmatch(commit) or not isinstance(siblings, list):
        raise bad("has no 'sha' and 'siblings', so it is no hub's")
    files: list[RemoteFile] = []
    for entry in cast("list[object]", siblings):
        path = _at(entry, "rfilename")
        if not isinstance(path, str):
            raise bad("has an entry without 'rfilename'")
        if not path.lower().endswith(".gguf") or any(word in path.lower() for word in _NO_MODEL):
            continue
        lfs = _at(entry, "lfs")  # of large files
        size, sha256 = _at(entry if lfs is None else lfs, "size"), _at(lfs, "sha256")
        if not isinstance(size, int) or isinstance(size, bool) or not 0 < size < 2**50:
            raise bad(f"gives {path[:100]!r} the size {size!r}")
        if sha256 is not None and not (isinstance(sha256, str) and _SHA256.fullmatch(sha256)):
            raise bad(f"gives {path[:100]!r} the sha256 {sha256!r}")
        safe = safe_path(path)  # a repository with a hostile name is refused whole
        files.append(RemoteFile(f"{http.hub}/{name.repository}/resolve/{commit}/{quote(path)}", safe, size, sha256))
    return commit, files


def _at(value: object, key: str) -> object:
    return cast("dict[str, object]", value).get(key) if isinstance(value, dict) else None


def _grouped(name: HubName, files: Sequence[RemoteFile], commit: str) -> list[RemoteModel]:
    """Files that are parts of one model belong together; a model of which parts are missing is left out."""
    split: dict[tuple[str, int], dict[int, RemoteFile]] = {}
    groups: list[tuple[RemoteFile, ...]] = []
    for file in files:
        part = part_of(file.path.name)
        if part is None:
            groups.append((file,))
        else:
            prefix, number, count = part
            split.setdefault((f"{file.path.parent}/{prefix}", count), {})[number] = file
    for (_, count), numbered in split.items():
        if set(numbered) == set(range(count)):
            groups.append(tuple(numbered[number] for number in range(count)))
    quants = [quant_of(str(group[0].path)) for group in groups]
    models: list[RemoteModel] = []
    for group, quant in zip(groups, quants, strict=True):
        unique = quant is not None and quants.count(quant) == 1
        label = quant if unique else str(group[0].path)
        models.append(RemoteModel(f"{name.repository}:{label}", group, quant, commit))
    return models
