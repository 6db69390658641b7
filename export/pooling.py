"""How the states of a text become its embedding, as sentence-transformers writes it beside a model."""

from __future__ import annotations

from typing import Any, NamedTuple

from edge.errors import BadModelFile, UnsupportedModel
from edge.formats.cursor import quoted
from edge.formats.folder import ModelFolder
from edge.formats.json_file import Fields, is_object, parse_list

__all__ = ["Pooling", "pooling_of"]

_MODULES = "modules.json"
_TYPES = {"mean": 1, "cls": 2, "lasttoken": 3}  # as llama.cpp numbers them
# What the settings file calls them, in its older form: one switch each.
_SWITCHES = {
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "cls",
    "pooling_mode_lasttoken": "lasttoken",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len",
    "pooling_mode_weightedmean_tokens": "weightedmean",
}
_MAX_BYTES = 2**20


class Pooling(NamedTuple):
    """metadata: empty where the folder does not say it."""

    metadata: dict[str, Any]
    notes: tuple[str, ...]


def pooling_of(folder: ModelFolder, architecture: str) -> Pooling:
    """BadModelFile: malformed. UnsupportedModel: a way to pool, or a part of the model, that GGUF cannot say."""
    if not folder.has(_MODULES):
        note = "the folder does not say how states are pooled, so every request must: no modules.json"
        return Pooling({}, (note,) if architecture == "bert" else ())
    path = folder.path / _MODULES
    found: str | None = None
    is_normalized = False
    for entry in parse_list(path, folder.read(_MODULES, _MAX_BYTES)):
        if not is_object(entry):
            raise BadModelFile(path, "must hold objects")
        module = Fields(path, entry)
        kind = module.get_str("type").rsplit(".", 1)[-1]
        if kind == "Pooling":
            found = _mode(folder.read_json("config.json", _MAX_BYTES, inside=module.get_str("path")))
        elif kind == "Normalize":
            is_normalized = True
        elif kind != "Transformer":
            raise UnsupportedModel(path, f"the module {quoted(kind)} has no counterpart in GGUF")
    if found is None:
        return Pooling({}, ())
    note = "embeddings of this model are not normalised by it: ask for normalize=False where lengths matter"
    return Pooling({f"{architecture}.pooling_type": _TYPES[found]}, () if is_normalized else (note,))


def _mode(settings: Fields) -> str:
    mode = settings.get_str("pooling_mode", "")
    modes = [mode] if mode else [name for key, name in _SWITCHES.items() if settings.get_bool(key, False)]
    if len(modes) != 1 or modes[0] not in _TYPES:
        raise UnsupportedModel(
            settings.path, f"pools by {quoted(' and '.join(modes) or 'nothing')}; GGUF has {', '.join(_TYPES)}"
        )
    return modes[0]
