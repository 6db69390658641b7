"""tokenizer.json and tokenizer_config.json of a vocabulary as GGUF states it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edge.errors import UnsupportedModel
from edge.export.tokenizers.definitions import pre_tokenizer_of
from edge.formats.cursor import quoted
from edge.tokenizer.vocabulary import SPACE, TokenType

__all__ = ["tokenizer_files"]

_KEY = "tokenizer.ggml."
_ADDED = (TokenType.CONTROL, TokenType.USER_DEFINED, TokenType.UNKNOWN)


def tokenizer_files(metadata: Mapping[str, Any], path: str) -> dict[str, dict[str, Any]]:
    """File name -> what is in it. UnsupportedModel: words are cut in a way that no published tokenizer.json has."""
    model = metadata[f"{_KEY}model"]
    tokens: Sequence[str] = metadata[f"{_KEY}tokens"]
    types: Sequence[int] = metadata.get(f"{_KEY}token_type") or [int(TokenType.NORMAL)] * len(tokens)
    bos, eos = (metadata.get(f"{_KEY}{name}_token_id") for name in ("bos", "eos"))
    body = _byte_level(metadata, tokens, types, path) if model == "gpt2" else _characters(metadata, tokens, types)
    body |= {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            _added(index, tokens[index], special=types[index] != TokenType.USER_DEFINED)
            for index, kind in enumerate(types)
            if kind in _ADDED and tokens[index]
        ],
        "post_processor": _post_processor(tokens, bos, eos, metadata, byte_level=model == "gpt2"),
    }
    settings = _settings(metadata, tokens, model)
    return {"tokenizer.json": body, "tokenizer_config.json": settings}


def _added(index: int, text: str, *, special: bool) -> dict[str, Any]:
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {"id": index, "content": text, **flags, "special": special}


def _byte_level(metadata: Mapping[str, Any], tokens: Sequence[str], types: Sequence[int], path: str) -> dict[str, Any]:
    name = str(metadata.get(f"{_KEY}pre", "default"))
    known = pre_tokenizer_of(name)
    if known is None:
        raise UnsupportedModel(path, f"words are cut as {quoted(name)}: edge cannot write that into a tokenizer.json")
    vocabulary = {text: index for index, text in enumerate(tokens) if types[index] not in _ADDED}
    return {
        "normalizer": None,
        "pre_tokenizer": known.steps,
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": _bpe(vocabulary, list(metadata.get(f"{_KEY}merges", [])), ignore_merges=known.ignore_merges),
    }


def _characters(metadata: Mapping[str, Any], tokens: Sequence[str], types: Sequence[int]) -> dict[str, Any]:
    """SentencePiece: what scores merge first becomes a list of merges, as transformers' converter makes it."""
    vocabulary = {text: index for index, text in enumerate(tokens)}
    scores: Sequence[float] = metadata.get(f"{_KEY}scores") or [0.0] * len(tokens)
    merges = list[tuple[float, int, int, int, str]]()
    for text, index in vocabulary.items():
        if types[index] != TokenType.NORMAL:
            continue
        for cut in range(1, len(text)):
            left, right = text[:cut], text[cut:]
            if left in vocabulary and right in vocabulary:
                merges.append((-scores[index], index, vocabulary[left], vocabulary[right], f"{left} {right}"))
    prefix = metadata.get(f"{_KEY}add_space_prefix") is not False
    steps = [{"type": "Prepend", "prepend": SPACE}] if prefix else []
    replace = {"type": "Replace", "pattern": {"String": " "}, "content": SPACE}
    decoders: list[dict[str, Any]] = [
        {"type": "Replace", "pattern": {"String": SPACE}, "content": " "},
        {"type": "ByteFallback"},
        {"type": "Fuse"},
    ]
    if prefix:
        decoders.append({"type": "Strip", "content": " ", "start": 1, "stop": 0})
    unknown = metadata.get(f"{_KEY}unknown_token_id")
    model = _bpe(vocabulary, [entry[-1] for entry in sorted(merges)], byte_fallback=True, fuse_unk=True)
    model["unk_token"] = None if unknown is None else tokens[unknown]
    return {
        "normalizer": {"type": "Sequence", "normalizers": [*steps, replace]},
        "pre_tokenizer": None,
        "decoder": {"type": "Sequence", "decoders": decoders},
        "model": model,
    }


def _bpe(vocabulary: Mapping[str, int], merges: list[str], **flags: bool) -> dict[str, Any]:
    return {
        "type": "BPE",
        "dropout": None,
        "unk_token": None,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": False,
        "byte_fallback": False,
        "ignore_merges": False,
        **flags,
        "vocab": dict(vocabulary),
        "merges": merges,
    }


def _post_processor(
    tokens: Sequence[str], bos: int | None, eos: int | None, metadata: Mapping[str, Any], *, byte_level: bool
) -> dict[str, Any] | None:
    """BOS before and EOS behind a text, where the model is to see them."""
    first = bos if metadata.get(f"{_KEY}add_bos_token", not byte_level) else None
    last = eos if metadata.get(f"{_KEY}add_eos_token") else None
    plain = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True}
    ends = [index for index in (first, last) if index is not None]
    if not ends:
        return plain if byte_level else None

    def template(name: str, kind: int) -> list[dict[str, Any]]:
        sequence: list[dict[str, Any]] = [{"Sequence": {"id": name, "type_id": kind}}]
        before = [] if first is None else [{"SpecialToken": {"id": tokens[first], "type_id": kind}}]
        behind = [] if last is None else [{"SpecialToken": {"id": tokens[last], "type_id": kind}}]
        return [*before, *sequence, *behind]

    special = {tokens[i]: {"id": tokens[i], "ids": [i], "tokens": [tokens[i]]} for i in ends}
    processor = {
        "type": "TemplateProcessing",
        "single": template("A", 0),
        "pair": [*template("A", 0), *template("B", 1)],
        "special_tokens": special,
    }
    return {"type": "Sequence", "processors": [plain, processor]} if byte_level else processor


def _settings(metadata: Mapping[str, Any], tokens: Sequence[str], model: str) -> dict[str, Any]:
    """tokenizer_config.json. The class tells onnxruntime-extensions which of its tokenizers to take."""
    pre = metadata.get(f"{_KEY}pre")
    kind = "Qwen2Tokenizer" if pre == "qwen2" else "PreTrainedTokenizerFast"
    settings: dict[str, Any] = {"tokenizer_class": kind if model == "gpt2" else "LlamaTokenizer"}
    for key, name in (("bos", "bos"), ("eos", "eos"), ("padding", "pad"), ("unknown", "unk")):
        index = metadata.get(f"{_KEY}{key}_token_id")
        if index is not None and 0 <= index < len(tokens):
            settings[f"{name}_token"] = tokens[index]
    settings["add_bos_token"] = bool(metadata.get(f"{_KEY}add_bos_token", model != "gpt2"))
    settings["add_eos_token"] = bool(metadata.get(f"{_KEY}add_eos_token", False))
    settings["clean_up_tokenization_spaces"] = False
    template = metadata.get("tokenizer.chat_template")
    if template:
        settings["chat_template"] = template
    return settings
