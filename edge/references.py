"""What a user may write where a model is expected, and the file it means."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import edge
from edge.errors import ModelFileError, RequestError, UnsupportedModel
from edge.library import Found, HubName, Library, UrlName, is_url, parse_name

DEFAULT_MODEL = "assistant"
ONNX_FOLDERS = ("genai_config.json", "npu.json")  # of which one tells a folder for ONNX Runtime from others
_BUNDLED = {"assistant": "assistant.gguf"}
_PATH_STARTS = ("/", "./", "../", "~/")


def looks_like_model(argument: str) -> bool:
    """Whether a single argument of `edge run` names a model; otherwise it is the prompt.

    A model is an existing path, a known name (bundled, pulled, or of another tool), something without spaces that ends
    in .gguf or .onnx or begins like a path (so that a mistyped path is an error and not a prompt), user/repo[:quant],
    or a URL.
    """
    if argument in _BUNDLED or (argument and os.path.exists(argument)):
        return True
    if any(character.isspace() for character in argument):
        return False
    if argument.lower().endswith((".gguf", ".onnx")) or argument.startswith(_PATH_STARTS):
        return True
    if is_url(argument) or parse_name(argument) is not None:
        return True
    return bool(argument) and any(model.is_called(argument) for model in Library.of(os.environ).models())


def known_models() -> Iterator[str]:
    """Every name that means a model on this machine."""
    yield from _BUNDLED
    yield from (model.name for model in Library.of(os.environ).models())


def elsewhere(reference: str | None, hub: str) -> HubName | UrlName | None:
    """What a reference means that is not on this machine but may be on a hub, or at a URL. RequestError: a bad URL."""
    if reference is None or (reference and os.path.exists(os.path.expanduser(reference))) or _find(reference):
        return None
    return parse_name(reference, hub)


def resolve(reference: str | os.PathLike[str] | None) -> Path:
    """The file that a reference means, or the folder of an ONNX model; None means the bundled model.

    ModelFileError: no such file. UnsupportedModel: a kind of model this version cannot run. RequestError: neither a
    path nor a known name.
    """
    text = DEFAULT_MODEL if reference is None else os.fspath(reference)
    path = Path(text).expanduser()
    try:
        if path.is_dir():
            if any((path / name).is_file() for name in ONNX_FOLDERS):
                return path
            raise UnsupportedModel(
                path,
                f"is a folder without {' or '.join(ONNX_FOLDERS)}; edge runs GGUF files and ONNX folders: see "
                "edge export --help",
            )
        if path.exists():
            if path.suffix.lower() == ".onnx":
                raise UnsupportedModel(path, f"is one file of an ONNX model; give its folder, with {ONNX_FOLDERS[0]}")
            return path
    except (OSError, ValueError) as error:  # a name too long for the system, or with a zero byte
        raise RequestError(f"model {text!r} is not a usable path: {error}") from None
    if text in _BUNDLED:
        return _bundled(text)
    if (found := _find(text)) is not None:
        return found.path
    if (is_url(text) or not text.startswith(_PATH_STARTS)) and parse_name(text) is not None:
        raise RequestError(
            f"{text!r} is not on this machine: `edge plan {text}` says whether it would fit, `edge pull {text}` gets it"
        )
    if text.lower().endswith((".gguf", ".onnx")) or text.startswith(_PATH_STARTS):
        raise ModelFileError(path, "no such file")
    raise RequestError(
        f"no model {text!r}: neither a file nor a known name ({', '.join(_BUNDLED)}; `edge ls` lists all); quote a "
        "prompt of several words"
    )


def _find(text: str) -> Found | None:
    return None if text in _BUNDLED or text.startswith(_PATH_STARTS) else Library.of(os.environ).find(text)


def _bundled(name: str) -> Path:
    # An editable install gives the package several folders: the source tree and the one with the built library.
    candidates = [Path(folder) / "assets" / _BUNDLED[name] for folder in edge.__path__]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise ModelFileError(candidates[0], f"the bundled model {name!r} is missing from this installation")
