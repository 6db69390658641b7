"""Folders of BERT and of sentence-transformers: what their export holds, and which are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edge
from edge.errors import BadModelFile, ModelFileError, UnsupportedModel
from edge.export.hugging_face import HuggingFaceSource
from edge.models.bert import MODULES
from tests.export.folders import write_weights
from tests.models.tiny import F32, random_tensors
from tests.models.tiny_bert import WORDS, bert_config, bert_shapes, plain_states

CONFIG = bert_config(vocab_size=64)
LETTERS = [chr(ord("a") + i) for i in range(26)]
VOCABULARY = [*WORDS, *LETTERS, *(f"##{letter}" for letter in LETTERS), *(f"[unused{i}]" for i in range(7))]
POOLING = [{"type": "sentence_transformers.models.Transformer", "path": ""},
           {"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"},
           {"type": "sentence_transformers.models.Normalize", "path": "2_Normalize"}]  # fmt: skip


def tensors() -> dict[str, F32]:
    return random_tensors(bert_shapes(CONFIG))


def stored(prefix: str = "") -> dict[str, F32]:
    """The same under Hugging Face's names, and what an export leaves out."""
    arrays: dict[str, F32] = {}
    for module, stem in MODULES.items():
        for i in range(CONFIG.num_hidden_layers if "{i}" in stem else 1):
            for suffix in (".weight", ".bias"):
                if stem.format(i=i) + suffix in tensors():
                    arrays[prefix + module.format(i=i) + suffix] = tensors()[stem.format(i=i) + suffix]
    return arrays | {f"{prefix}pooler.dense.weight": np.ones((48, 48), np.float32)}


def config(**changes: Any) -> dict[str, Any]:
    return {
        "architectures": ["BertModel"], "model_type": "bert", "vocab_size": 64, "hidden_size": 48,
        "intermediate_size": 80, "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 96,
        "type_vocab_size": 2, "layer_norm_eps": 1e-12, "hidden_act": "gelu",
    } | changes  # fmt: skip


def tokenizer(**changes: Any) -> dict[str, Any]:
    return {
        "added_tokens": [{"id": i, "content": text, "special": True} for i, text in enumerate(WORDS)],
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
                       "strip_accents": None, "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "TemplateProcessing", "single": [
            {"SpecialToken": {"id": "[CLS]"}}, {"Sequence": {"id": "A"}}, {"SpecialToken": {"id": "[SEP]"}}]},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 100, "vocab": {text: i for i, text in enumerate(VOCABULARY)}},
    } | changes  # fmt: skip


def write(folder: Path, **parts: Any) -> Path:
    """A sound folder; parts: other contents of its files."""
    (folder / "1_Pooling").mkdir(parents=True, exist_ok=True)
    for name, content in (
        ("config.json", parts.get("config", config())),
        ("tokenizer.json", parts.get("tokenizer", tokenizer())),
        ("modules.json", parts.get("modules", POOLING)),
        ("1_Pooling/config.json", parts.get("pooling", {"pooling_mode_mean_tokens": True})),
    ):
        if content is not None:
            (folder / name).write_text(json.dumps(content))
    write_weights(folder / "model.safetensors", parts.get("weights", stored()))
    return folder


def exported(folder: Path) -> Path:
    from edge.cli import main

    target = folder / "out.gguf"
    assert main(["export", str(folder), "-o", str(target)]) == 0
    return target


@pytest.mark.parametrize("prefix", ["", "bert."])
def test_an_export_embeds_as_the_folder_would(prefix: str, tmp_path: Path) -> None:
    head = {"cls.predictions.bias": np.ones(64, np.float32)} if prefix else {}
    name = "BertForMaskedLM" if prefix else "BertModel"
    path = exported(write(tmp_path, config=config(architectures=[name]), weights=stored(prefix) | head))
    with edge.load(path) as model:
        assert model.config.pooling == "mean" and model.config == bert_config(vocab_size=64, pooling="mean")
        tokens = model.tokenizer.encode("Abc d")
        assert [VOCABULARY[i] for i in tokens] == ["[CLS]", "a", "##b", "##c", "d", "[SEP]"]
        found = model.embed("Abc d", normalize=False)[0]
    np.testing.assert_allclose(found, plain_states(CONFIG, tensors(), tokens).mean(axis=0), atol=1e-5)


@pytest.mark.parametrize(
    ("switches", "pooling"),
    [
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, "cls"),
        ({"pooling_mode_lasttoken": True}, "last"),
        ({"pooling_mode": "mean"}, "mean"),
    ],
)
def test_ways_to_pool(switches: dict[str, Any], pooling: str, tmp_path: Path) -> None:
    with HuggingFaceSource(write(tmp_path, pooling=switches)) as source:
        number = source.metadata["bert.pooling_type"]
    assert (None, "mean", "cls", "last")[number] == pooling


def test_what_the_folder_does_not_say_is_noted(tmp_path: Path) -> None:
    with HuggingFaceSource(write(tmp_path / "a", modules=None)) as source:
        assert "bert.pooling_type" not in source.metadata and "does not say how states are pooled" in source.notes[0]
    with HuggingFaceSource(write(tmp_path / "b", modules=POOLING[:2])) as source:
        assert "are not normalised" in source.notes[0]


HOSTILE: dict[str, tuple[dict[str, Any], type[ModelFileError], str]] = {
    "dense behind": ({"modules": [*POOLING, {"type": "x.Dense", "path": "3"}]}, UnsupportedModel, "'Dense'"),
    "two ways": ({"pooling": {"pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": True}}, UnsupportedModel,
                 "pools by 'mean and max'"),
    "no way": ({"pooling": {}}, UnsupportedModel, "pools by 'nothing'"),
    "a switch that is none": ({"pooling": {"pooling_mode_mean_tokens": "yes"}}, BadModelFile, "pooling_mode_mean"),
    "modules are no list": ({"modules": {"a": 1}}, BadModelFile, "wanted a list"),
    "modules of numbers": ({"modules": [1]}, BadModelFile, "must hold objects"),
    "a path outside": ({"modules": [{"type": "Pooling", "path": "../x"}]}, BadModelFile, "a path"),
    "no such folder": ({"modules": [{"type": "Pooling", "path": "9_Pooling"}]}, ModelFileError, "no such file"),
    "tanh": ({"config": config(hidden_act="gelu_new")}, UnsupportedModel, "'gelu_new'"),
    "relative": ({"config": config(position_embedding_type="relative_key")}, UnsupportedModel, "'relative_key'"),
    "decoder": ({"config": config(is_decoder=True)}, UnsupportedModel, "'is_decoder' is true"),
    "epsilon": ({"config": config(layer_norm_eps=0)}, BadModelFile, "layer_norm_eps"),
    "positions": ({"config": config(max_position_embeddings=95)}, BadModelFile, "config.json asks for (95, 48)"),
    "classifier": ({"weights": stored() | {"classifier.weight": np.ones((2, 48), np.float32)}}, UnsupportedModel,
                   "'classifier.weight' is not one that bert"),
    "cased words": ({"tokenizer": tokenizer(pre_tokenizer={"type": "Whitespace"})}, UnsupportedModel, "not cut as"),
    "normaliser": ({"tokenizer": tokenizer(normalizer={"type": "NFC"})}, UnsupportedModel, "not normalised as BERT"),
    "no marks": ({"tokenizer": tokenizer(post_processor=None)}, UnsupportedModel, "no mark begins a text"),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_what_is_refused(case: str, tmp_path: Path) -> None:
    parts, kind, words = HOSTILE[case]
    with pytest.raises(kind) as caught:
        HuggingFaceSource(write(tmp_path, **parts)).close()
    assert words in str(caught.value)


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    folder, outside = write(tmp_path / "model"), tmp_path / "outside"
    outside.mkdir()
    (outside / "config.json").write_text(json.dumps({"pooling_mode_mean_tokens": True}))
    (folder / "1_Pooling" / "config.json").unlink()
    (folder / "1_Pooling").rmdir()
    (folder / "1_Pooling").symlink_to(outside)
    with pytest.raises(BadModelFile, match="leads out of the folder"):
        HuggingFaceSource(folder).close()
