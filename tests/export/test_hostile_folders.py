"""Folders whose configuration, tokenizer, index or links are wrong are refused with file, key, value and limit."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.errors import ModelFileError
from edge.export.hugging_face import HuggingFaceSource
from tests.export import folders
from tests.export.sentencepiece_model import write_sentencepiece

Spoil = Callable[[Path], object]
INDEX = "model.safetensors.index.json"
FIRST = "model-00001-of-00002.safetensors"


def json_of(name: str, change: Callable[[dict[str, Any]], object]) -> Spoil:
    def spoil(folder: Path) -> None:
        path = folder / name
        values = json.loads(path.read_text())
        change(values)
        path.write_text(json.dumps(values))

    return spoil


def config(**changes: Any) -> Spoil:
    return json_of("config.json", lambda values: values.update(changes))


def without(key: str) -> Spoil:
    return json_of("config.json", lambda values: values.pop(key))


def tokenizer(change: Callable[[dict[str, Any]], object]) -> Spoil:
    return json_of("tokenizer.json", change)


def text(name: str, content: str | bytes) -> Spoil:
    return lambda folder: (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def removed(name: str) -> Spoil:
    return lambda folder: (folder / name).unlink()


def rope(**values: Any) -> Spoil:
    return config(rope_scaling=values)


def weights(change: Callable[[dict[str, Any]], object]) -> Spoil:
    def spoil(folder: Path) -> None:
        arrays = folders.tensors()
        change(arrays)
        folders.write_weights(folder / "model.safetensors", arrays)

    return spoil


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def sentencepiece(**changes: Any) -> Spoil:
    def spoil(folder: Path) -> None:
        (folder / "tokenizer.json").unlink()
        write_sentencepiece(folder / "tokenizer.model", **changes)

    return spoil


def raw_model(content: bytes) -> Spoil:
    def spoil(folder: Path) -> None:
        (folder / "tokenizer.json").unlink()
        (folder / "tokenizer.model").write_bytes(content)

    return spoil


BAD: dict[str, tuple[Spoil, str]] = {
    # config.json
    "no-config": (removed("config.json"), "config.json: no such file"),
    "config-empty": (text("config.json", ""), "config.json: not JSON at character 0"),
    "config-list": (text("config.json", "[]"), "config.json: is a list, wanted an object"),
    "config-not-utf8": (text("config.json", b'{"a": "\xff"}'), "config.json: not UTF-8 at byte 7"),
    "config-deep": (text("config.json", '{"a":' + "[" * 200_000), "config.json: JSON nested too deeply"),
    "config-twice": (text("config.json", '{"a": 1, "a": 2}'), "config.json: key 'a' is there twice"),
    "no-architecture": (
        json_of("config.json", lambda values: (values.pop("architectures"), values.pop("model_type"))),
        "names neither 'architectures' nor 'model_type'",
    ),
    "architecture-unknown": (config(architectures=["MambaForCausalLM"]), "'MambaForCausalLM' cannot be exported; edge"),
    "architecture-text": (config(architectures="Llama"), "key 'architectures' is 'Llama', wanted a list"),
    "hidden-missing": (without("hidden_size"), "missing key 'hidden_size'"),
    "hidden-text": (config(hidden_size="32"), "key 'hidden_size' is '32', wanted an integer"),
    "hidden-float": (config(hidden_size=32.0), "key 'hidden_size' is 32.0, wanted an integer"),
    "hidden-bool": (config(hidden_size=True), "key 'hidden_size' is True, wanted an integer"),
    "hidden-zero": (config(hidden_size=0), "key 'hidden_size' is 0, wanted 1 to 1048576"),
    "hidden-huge": (config(hidden_size=2**70), "key 'hidden_size' is 1180591620717411303424, wanted 1 to"),
    "layers-many": (config(num_hidden_layers=10**9), "key 'num_hidden_layers' is 1000000000, wanted 1 to 1024"),
    "heads-odd": (config(num_attention_heads=4, num_key_value_heads=3), "is not a multiple of num_key_value_heads = 3"),
    "head-dim-odd": (config(head_dim=7), "key 'head_dim' is 7, wanted an even number"),
    "vocab-negative": (config(vocab_size=-1), "key 'vocab_size' is -1, wanted 1 to 16777216"),
    "epsilon-zero": (config(rms_norm_eps=0), "key 'rms_norm_eps' is 0.0, wanted above 0 and at most 1"),
    "epsilon-nan": (text("config.json", json.dumps({**folders.CONFIG, "rms_norm_eps": float("nan")})),
                    "key 'rms_norm_eps' is nan, wanted a finite number"),
    "theta-huge": (text("config.json", json.dumps(folders.CONFIG).replace("10000.0", "1" + "0" * 400)),
                   "key 'rope_theta' is beyond what a float holds"),
    "theta-small": (config(rope_theta=0.5), "key 'rope_theta' is 0.5, wanted 1 to 1e30"),
    "activation": (config(hidden_act="gelu"), "key 'hidden_act' is 'gelu', this architecture runs with silu"),
    "rope-unknown": (rope(type="dynamic", factor=2.0), "rotary scaling 'dynamic' has no counterpart in GGUF"),
    "rope-text": (config(rope_scaling="linear"), "key 'rope_scaling' is 'linear', wanted an object"),
    "rope-factor": (rope(type="linear", factor=-1.0), "key 'rope_scaling.factor' is -1.0, wanted above 0"),
    "rope-llama3": (rope(rope_type="llama3", low_freq_factor=4.0), "wanted a factor above 0 and 0 < low < high"),
    "quantised": (config(quantization_config={"quant_method": "gptq"}), "the weights are quantised by 'gptq'; export"),
    # weights against the configuration
    "tensor-missing": (
        weights(lambda arrays: arrays.pop("model.layers.1.mlp.up_proj.weight")),
        "missing tensor 'model.layers.1.mlp.up_proj.weight'",
    ),
    "no-embedding": (
        weights(lambda arrays: arrays.pop("model.embed_tokens.weight")), "missing tensor 'model.embed_tokens.weight'"
    ),
    "tensor-shape": (
        config(intermediate_size=65),
        "tensor 'model.layers.0.mlp.gate_proj.weight' has shape (64, 32), config.json asks for (65, 32)",
    ),
    "layer-more": (config(num_hidden_layers=3), "missing tensor 'model.layers.2.input_layernorm.weight'"),
    "layer-less": (config(num_hidden_layers=1), "is not one that llama with 1 layers has"),
    "tensor-foreign": (
        weights(lambda arrays: arrays.update({"model.extra.weight": folders.tensors()["model.norm.weight"]})),
        "tensor 'model.extra.weight' is not one that llama with 2 layers has",
    ),
    "no-weights": (removed("model.safetensors"), "holds neither model.safetensors nor model.safetensors.index.json"),
    "pickle": (pickled, "the weights are in pytorch_model.bin, a format that can run any program when it is read"),
    # the index
    "index-list": (text(INDEX, "[]"), f"{INDEX}: is a list, wanted an object"),
    "index-no-map": (text(INDEX, "{}"), "missing key 'weight_map'"),
    "index-empty-map": (text(INDEX, '{"weight_map": {}}'), "key 'weight_map' names no tensor"),
    "index-number": (text(INDEX, '{"weight_map": {"a": 1}}'), "key 'weight_map.a' is 1, wanted a text"),
    "index-other-kind": (text(INDEX, '{"weight_map": {"a": "config.json"}}'), "which must end in .safetensors"),
    "index-missing-shard": (
        text(INDEX, '{"weight_map": {"a": "m-2.safetensors", "b": "m-1.safetensors"}}'),
        "2 of 2 shards are missing: m-1.safetensors, m-2.safetensors",
    ),
    "index-wrong-place": (
        text(INDEX, '{"weight_map": {"a": "model.safetensors"}}'),
        f"lacks the tensor 'a', which {INDEX} says it holds",
    ),
    "index-forgets": (
        text(INDEX, '{"weight_map": {"lm_head.weight": "model.safetensors"}}'),
        f"holds the tensor 'model.embed_tokens.weight', which {INDEX} does not name",
    ),
    # the tokenizer
    "no-tokenizer": (removed("tokenizer.json"), "holds neither tokenizer.json nor tokenizer.model"),
    "tokenizer-not-json": (text("tokenizer.json", "{"), "tokenizer.json: not JSON at character 1"),
    "tokenizer-no-model": (tokenizer(lambda t: t.pop("model")), "missing key 'model'"),
    "tokenizer-unigram": (tokenizer(lambda t: t["model"].update(type="Unigram")), "of type 'Unigram'; edge exports BPE"),
    "vocab-list": (tokenizer(lambda t: t["model"].update(vocab=[])), "key 'model.vocab' is a list, wanted an object"),
    "vocab-text-id": (tokenizer(lambda t: t["model"]["vocab"].update(th="1")), "key 'model.vocab.th' is '1', wanted an"),
    "vocab-negative-id": (tokenizer(lambda t: t["model"]["vocab"].update(th=-1)), "key 'model.vocab.th' is -1, wanted 0"),
    "vocab-same-id": (tokenizer(lambda t: t["model"]["vocab"].update(zz=5)), "'zz' are both token 5"),
    "vocab-beyond": (tokenizer(lambda t: t["model"]["vocab"].update(zz=300)), "but the model has 300 rows of embeddings"),
    "vocab-surrogate": (
        text("tokenizer.json", json.dumps(folders.tokenizer()).replace('"th"', '"\\ud800"', 1)),
        "is no Unicode text: half of a surrogate pair at character 0",
    ),
    "merge-alone": (tokenizer(lambda t: t["model"]["merges"].append("th")), "key 'model.merges' at 2 is not two tokens"),
    "merge-three": (tokenizer(lambda t: t["model"]["merges"].append(["a", "b", "c"])), "at 2 is not two tokens"),
    "merge-number": (tokenizer(lambda t: t["model"]["merges"].append([1, 2])), "at 2 is not two tokens"),
    "merge-unknown": (tokenizer(lambda t: t["model"]["merges"].append("q q")), "merge 2 needs 'qq', which is not a token"),
    "added-number": (tokenizer(lambda t: t["added_tokens"].append(7)), "an added token must be an object"),
    "added-empty": (tokenizer(lambda t: t["added_tokens"].append({"id": 290, "content": ""})), "token 290 is empty"),
    "added-beyond": (tokenizer(lambda t: t["added_tokens"].append({"id": 2**25, "content": "x"})), "wanted 0 to 16777216"),
    "added-twice": (
        tokenizer(lambda t: t["added_tokens"].append({"id": 290, "content": "<s>"})), "tokens 1 and 290 are both '<s>'"
    ),
    "words-unknown": (
        tokenizer(lambda t: t.update(pre_tokenizer={"type": "Whitespace"})), "'Whitespace' has no counterpart in GGUF"
    ),
    "words-deep": (
        text("tokenizer.json", json.dumps({**folders.tokenizer(), "pre_tokenizer": 0}).replace(
            '"pre_tokenizer": 0', '"pre_tokenizer": ' + '{"type": "Sequence", "pretokenizers": [' * 9 + "]}" * 9)),
        "pre-tokenizers are nested more than 4 deep",
    ),
    "normalizer": (tokenizer(lambda t: t.update(normalizer={"type": "Lowercase"})), "'Lowercase' has no counterpart"),
    "settings-list": (text("tokenizer_config.json", "[]"), "tokenizer_config.json: is a list, wanted an object"),
    "template-number": (
        text("tokenizer_config.json", '{"chat_template": 3}'), "key 'chat_template' is 3, wanted a list"
    ),
    "eos-text": (config(eos_token_id="2"), "key 'eos_token_id' must be a number, or a list of numbers"),
    # tokenizer.model
    "spm-empty": (raw_model(b""), "tokenizer.model: holds no piece: is it a SentencePiece model?"),
    "spm-text": (raw_model(b"IQ== 0\nIg== 1\n"), "is it a SentencePiece model?"),
    "spm-cut": (raw_model(b"\x0a\x7f\x0a"), "127 bytes wanted, 1 are left"),
    "spm-long-number": (raw_model(b"\x0a" + b"\xff" * 11), "a number of more than 10 bytes"),
    "spm-unigram": (sentencepiece(kind=1), "a SentencePiece model of type 1; edge exports 2 (BPE)"),
    "spm-normalises": (sentencepiece(charsmap=b"x"), "normalises characters, which GGUF cannot say"),
    "spm-extra-spaces": (sentencepiece(extra_spaces=1), "removes extra spaces, which GGUF cannot say"),
    "spm-type": (sentencepiece(piece_type=9), "type 9, wanted 1 to 6"),
    "spm-nan": (sentencepiece(score=float("nan")), "the score is nan, wanted a finite number"),
    "spm-not-utf8": (sentencepiece(piece=b"\xff"), "is not UTF-8 at byte 0"),
}  # fmt: skip


def refused(folder: Path, message: str) -> None:
    with pytest.raises(ModelFileError) as caught:
        HuggingFaceSource(folder).close()
    assert message in str(caught.value), str(caught.value)
    assert str(caught.value).startswith(str(folder))


def test_there_are_fifty() -> None:
    assert len(BAD) >= 50
    assert len(TRICKS) >= 20


@pytest.mark.parametrize("name", BAD)
def test_refused(tmp_path: Path, name: str) -> None:
    spoil, message = BAD[name]
    folder = folders.write_model(tmp_path / "model")
    spoil(folder)
    refused(folder, message)


def test_the_folder_that_they_were_made_from_is_sound(tmp_path: Path) -> None:
    for shards in (1, 2):
        with HuggingFaceSource(folders.write_model(tmp_path / str(shards), shards=shards)) as source:
            assert len(source.tensors) == 21
            assert source.read("blk.1.ffn_down.weight").shape == (32, 64)


def index_entry(name: str) -> Spoil:
    return json_of(INDEX, lambda values: values["weight_map"].update({"lm_head.weight": name}))


def link(target: str, name: str = FIRST) -> Spoil:
    def spoil(folder: Path) -> None:
        outside = folder.parent / "outside"
        outside.mkdir()
        (outside / "secret").write_text("secret")
        (folder / name).rename(outside / name)
        os.symlink(target.replace("OUT", str(outside)), folder / name)

    return spoil


def instead(make: Callable[[Path], object], name: str = FIRST) -> Spoil:
    def spoil(folder: Path) -> None:
        (folder / name).unlink()
        make(folder / name)

    return spoil


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        before = Path.cwd()
        os.chdir(path.parent)  # a socket's path has at most 107 bytes
        try:
            server.bind(path.name)
        finally:
            os.chdir(before)


def same_file(folder: Path) -> None:
    """A hard link, named by the index as if it were another shard."""
    second = folder / "model-00002-of-00002.safetensors"
    second.unlink()
    os.link(folder / FIRST, second)


def linked_folder(folder: Path) -> None:
    (folder / "inner").symlink_to(folder.parent)
    index_entry("inner/model.safetensors")(folder)


ONE_NAME = "a path; it must be a name in the same folder"
ABSOLUTE = "an absolute path; it must be a name in the same folder"
TRICKS: dict[str, tuple[Spoil, str]] = {
    "parent": (index_entry("../model.safetensors"), ONE_NAME),
    "parents": (index_entry("../../../etc/x.safetensors"), ONE_NAME),
    "parent-inside": (index_entry("a/../b.safetensors"), ONE_NAME),
    "dots": (index_entry(".."), "which is no file name"),
    "dot": (index_entry("."), "which is no file name"),
    "empty": (index_entry(""), "which is no file name"),
    "absolute": (index_entry("/etc/passwd"), ABSOLUTE),
    "home": (index_entry("~/x.safetensors"), ABSOLUTE),
    "drive": (index_entry("C:x.safetensors"), ABSOLUTE),
    "backslash": (index_entry("..\\x.safetensors"), ONE_NAME),
    "folder": (index_entry("sub/x.safetensors"), ONE_NAME),
    "zero-byte": (index_entry("model.safetensors\0.safetensors"), "with a zero byte in it"),
    "long": (index_entry("x" * 300 + ".safetensors"), "of 312 bytes, the limit is 255"),
    "surrogate": (index_entry("\ud800.safetensors"), "is no Unicode text: half of a surrogate pair"),
    "folder-link": (linked_folder, ONE_NAME),
    "link-out": (link("OUT/" + FIRST), "is a link that leads out of the folder"),
    "link-out-relative": (link("../outside/" + FIRST), "is a link that leads out of the folder"),
    "link-secret": (link("OUT/secret"), "is a link that leads out of the folder"),
    "link-config": (link("OUT/config.json", "config.json"), "is a link that leads out of the folder"),
    "link-tokenizer": (link("OUT/tokenizer.json", "tokenizer.json"), "is a link that leads out of the folder"),
    "link-device": (instead(lambda path: path.symlink_to("/dev/zero")), "is a link that leads out of the folder"),
    "link-nowhere": (instead(lambda path: path.symlink_to("gone")), "is a link that leads nowhere"),
    "link-itself": (instead(lambda path: path.symlink_to(path.name)), "is a link that leads nowhere"),
    "proc": (instead(lambda path: path.symlink_to("/proc/self/environ")), "is a link that leads out of the folder"),
    "fifo": (instead(os.mkfifo), "is a pipe (FIFO), wanted a regular file"),
    "fifo-config": (instead(os.mkfifo, "config.json"), "is a pipe (FIFO), wanted a regular file"),
    "socket": (instead(a_socket), "is a socket, wanted a regular file"),
    "is-folder": (instead(Path.mkdir), "is a folder, wanted a regular file"),
    "hard-link-twice": (same_file, f"is the same file as {FIRST}"),
}


@pytest.mark.parametrize("name", TRICKS)
def test_paths_that_lead_elsewhere(tmp_path: Path, name: str) -> None:
    spoil, message = TRICKS[name]
    folder = folders.write_model(tmp_path / "model", shards=2)
    spoil(folder)
    refused(folder, message)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away and make devices")
def test_devices_and_other_peoples_files(tmp_path: Path) -> None:
    folder = folders.write_model(tmp_path / "model", shards=2)
    other = tmp_path / "other"
    (folder / FIRST).rename(other)
    os.link(other, folder / FIRST)
    os.chown(other, 12345, 12345)
    refused(folder, "is a hard link to a file of another user (12345)")
    (folder / FIRST).unlink()
    try:
        os.mknod(folder / FIRST, 0o600 | 0o020000, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("no devices may be made here")
    refused(folder, "is a character device, wanted a regular file")


def test_the_hubs_cache_is_read_through_its_links(tmp_path: Path) -> None:
    repository = tmp_path / "models--someone--Tiny-1"
    folder = folders.write_model(repository / "snapshots" / "0123abc")
    blobs = repository / "blobs"
    blobs.mkdir()
    for path in list(folder.iterdir()):
        path.rename(blobs / path.name)
        path.symlink_to(f"../../blobs/{path.name}")
    with HuggingFaceSource(folder) as source:
        assert source.metadata["general.name"] == "Tiny-1"
        assert source.read("output.weight").shape == (300, 32)
    (folder / "config.json").unlink()
    (folder / "config.json").symlink_to("../../../blobs.json")
    (tmp_path / "blobs.json").write_text(json.dumps(folders.CONFIG))
    refused(folder, "is a link that leads out of the folder")
