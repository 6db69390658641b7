"""Texts become the same tokens from the exported file as from the folder, by the libraries that made its tokenizer."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import tokenizers

from edge.errors import UnsupportedModel
from edge.export import GGUFWriter
from edge.export.config import Config
from edge.export.tokenizers import tokenizer_of
from edge.formats import ValueType, open_gguf
from edge.formats.folder import ModelFolder
from edge.tokenizer import Tokenizer
from edge.tokenizer.vocabulary import SPACE
from tests.export.sentencepiece_model import field
from tests.export.texts import texts
from tests.tokenizer.vocabularies import public_vocabulary

LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
WORDS: dict[str, Any] = {
    "gpt-2": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
    "llama-bpe": LLAMA3,
    "qwen2": LLAMA3.replace("{1,3}", ""),
}


def converted(folder: Path, count: int) -> Tokenizer:
    """The tokenizer of a folder, through a GGUF file."""
    (folder / "config.json").write_text('{"model_type": "llama"}')
    opened = ModelFolder(folder)
    result = tokenizer_of(opened, Config(opened.read_json("config.json")), count)
    writer = GGUFWriter(folder / "vocabulary.gguf")
    writer.add("general.architecture", "llama")
    for key, value in result.metadata.items():
        writer.add(key, value, ValueType.INT32 if key.endswith("token_type") else None)
    writer.finish()
    with open_gguf(folder / "vocabulary.gguf") as file:
        return Tokenizer.from_gguf(file)


def byte_level(folder: Path, name: str) -> tuple[int, list[int]]:
    """Writes a public vocabulary as Hugging Face writes it; gives the number of tokens, and which are marks."""
    with open_gguf(public_vocabulary(name)) as file:
        tokens = list(file.get_strings("tokenizer.ggml.tokens"))
        kinds = list(file.get_ints("tokenizer.ggml.token_type"))
        merges = list(file.get_strings("tokenizer.ggml.merges"))
    words, marks = WORDS[name], [index for index, kind in enumerate(kinds) if kind != 1]
    if isinstance(words, str):
        split = {"type": "Split", "pattern": {"Regex": words}, "behavior": "Isolated", "invert": False}
        level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
        words = {"type": "Sequence", "pretokenizers": [split, level]}
    added = [_added(index, tokens[index]) for index in marks]
    write_json(
        folder,
        added,
        pre_tokenizer=words,
        normalizer={"type": "NFC"} if name == "qwen2" else None,
        decoder={"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        model={
            "type": "BPE", "dropout": None, "unk_token": None, "fuse_unk": False, "byte_fallback": False,
            "ignore_merges": name == "llama-bpe", "merges": [merge.split(" ") for merge in merges],
            "vocab": {text: index for index, text in enumerate(tokens) if index not in marks},
        },
    )  # fmt: skip
    return len(tokens), marks


def write_json(folder: Path, added: list[dict[str, Any]], **parts: Any) -> None:
    (folder / "tokenizer.json").write_text(
        json.dumps({"version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
                    "post_processor": None, **parts})
    )  # fmt: skip


def _added(index: int, text: str) -> dict[str, Any]:
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {"id": index, "content": text, "special": True, **flags}


def hugging_face(folder: Path) -> Callable[[str], list[int]]:
    """Encodes as the folder's tokenizer.json says."""
    theirs = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))

    def encode(text: str) -> list[int]:
        ids: list[int] = theirs.encode(text, add_special_tokens=False).ids
        return ids

    return encode


def compare(ours: Tokenizer, encode: Callable[[str], list[int]], wanted: list[str]) -> None:
    for made in wanted:
        assert ours.encode(made, add_special=False) == encode(made), repr(made)


@pytest.mark.parametrize("name", WORDS)
def test_byte_level(tmp_path: Path, name: str) -> None:
    count, _ = byte_level(tmp_path, name)
    wanted = texts(2000)
    if name == "qwen2":  # it composes characters first, which GGUF cannot say, and the export tells so
        wanted = [text for text in texts(2600) if unicodedata.is_normalized("NFC", text)]
    assert len(wanted) >= 2000
    ours = converted(tmp_path, count)
    compare(ours, hugging_face(tmp_path), wanted)


def spm_pieces() -> tuple[list[str], list[float], list[int]]:
    with open_gguf(public_vocabulary("llama-spm")) as file:
        return (
            list(file.get_strings("tokenizer.ggml.tokens")),
            list(file.get_floats("tokenizer.ggml.scores")),
            list(file.get_ints("tokenizer.ggml.token_type")),
        )


def write_spm(path: Path) -> int:
    """Llama 2's tokenizer.model, put together again from its public vocabulary."""
    tokens, scores, kinds = spm_pieces()
    rows = zip(tokens, scores, kinds, strict=True)
    data = b"".join(field(1, field(1, t.encode()) + field(2, float(s)) + field(3, k)) for t, s, k in rows)
    trainer = field(3, 2) + field(35, 1) + field(40, 0) + field(41, 1) + field(42, 2)
    normalizer = field(1, b"identity") + field(3, 1) + field(4, 0) + field(5, 1)
    path.write_bytes(data + field(2, trainer) + field(3, normalizer))
    return len(tokens)


def test_sentencepiece(tmp_path: Path) -> None:
    library: Any = pytest.importorskip("sentencepiece")
    count = write_spm(tmp_path / "tokenizer.model")
    theirs = library.SentencePieceProcessor(model_file=str(tmp_path / "tokenizer.model"))
    ours = converted(tmp_path, count)
    assert ours.add_bos
    compare(ours, theirs.encode, [text for text in texts(2010) if text and "\0" not in text][:2000])


def llama2_json(folder: Path) -> Mapping[str, int]:
    """Llama 2's tokenizer.json: merges are every pair that joins to a token, the best token first."""
    tokens, _, kinds = spm_pieces()
    ids = {text: index for index, text in enumerate(tokens)}
    plain = {text for text, index in ids.items() if kinds[index] == 1}
    merges: list[tuple[int, str, str]] = []
    for text in plain:
        for cut in range(1, len(text)):
            if text[:cut] in plain and text[cut:] in plain:
                merges.append((ids[text], text[:cut], text[cut:]))
    write_json(
        folder,
        [_added(i, tokens[i]) for i in range(3)],
        normalizer={
            "type": "Sequence",
            "normalizers": [
                {"type": "Prepend", "prepend": SPACE},
                {"type": "Replace", "pattern": {"String": " "}, "content": SPACE},
            ],
        },
        pre_tokenizer=None,
        decoder=None,
        model={
            "type": "BPE", "dropout": None, "unk_token": "<unk>", "fuse_unk": True, "byte_fallback": True,
            "ignore_merges": False, "vocab": ids, "merges": [f"{left} {right}" for _, left, right in sorted(merges)],
        },
    )  # fmt: skip
    return ids


def test_characters_with_byte_tokens(tmp_path: Path) -> None:
    """tokenizer.json alone: scores are made of the merges."""
    ids = llama2_json(tmp_path)
    ours = converted(tmp_path, len(ids))
    wanted = [text for text in texts(2010) if text]  # an empty text gets no space there, and none here
    compare(ours, hugging_face(tmp_path), wanted[:2000])


def test_merges_that_scores_cannot_say(tmp_path: Path) -> None:
    llama2_json(tmp_path)
    path = tmp_path / "tokenizer.json"
    values = json.loads(path.read_text())
    merges: list[str] = values["model"]["merges"]
    joined = [merge.replace(" ", "") for merge in merges]
    twice = next(index for index in range(1, len(merges)) if joined[index] == joined[index - 1])
    apart = [*merges[:twice], *merges[twice + 1 :], merges[twice]]
    for change, message in ((merges[1:], "do not merge though"), (apart, "stand apart in the list")):
        values["model"]["merges"] = change
        path.write_text(json.dumps(values))
        with pytest.raises(UnsupportedModel, match=message):
            converted(tmp_path, len(values["model"]["vocab"]))


def test_special_tokens_and_templates(tmp_path: Path) -> None:
    count, marks = byte_level(tmp_path, "llama-bpe")
    ids = {"<|begin_of_text|>": 128000, "<|eot_id|>": 128009}
    assert set(ids.values()) <= set(marks)
    (tmp_path / "tokenizer_config.json").write_text(
        json.dumps({"bos_token": "<|begin_of_text|>", "eos_token": {"content": "<|eot_id|>"}, "chat_template": "old"})
    )
    (tmp_path / "generation_config.json").write_text('{"eos_token_id": [128001, 128008, 128009]}')
    (tmp_path / "chat_template.jinja").write_text("{{ messages }}")
    values = json.loads((tmp_path / "tokenizer.json").read_text())
    single = [{"SpecialToken": {"id": "<|begin_of_text|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]
    template: dict[str, Any] = {"type": "TemplateProcessing", "single": single, "pair": [], "special_tokens": {}}
    values["post_processor"] = {"type": "Sequence", "processors": [{"type": "ByteLevel"}, template]}
    (tmp_path / "tokenizer.json").write_text(json.dumps(values))
    ours = converted(tmp_path, count + 56)
    assert (ours.bos_id, ours.eos_id, ours.add_bos, ours.add_eos) == (128000, 128009, True, False)
    assert {128001, 128008, 128009} <= ours.eog_ids
    assert ours.encode("hi<|eot_id|>", parse_special=True) == [128000, 6151, 128009]
    assert 128009 not in ours.encode("hi<|eot_id|>")
    with open_gguf(tmp_path / "vocabulary.gguf") as file:
        assert file.get_str("tokenizer.chat_template") == "{{ messages }}"
        assert file.get_strings("tokenizer.ggml.tokens")[count] == f"[PAD{count}]"
