"""What an ONNX folder's tokenizer and template say to other programs is compared with what edge makes of the model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import edge
from edge.backends.registry import BACKENDS
from edge.export.gguf_source import GGUFSource
from edge.export.onnx import OnnxOptions
from edge.export.onnx.export import export_onnx
from edge.references import resolve
from edge.verify.folder_texts import folder_ids, folder_prompt
from edge.verify.observe import MESSAGES, TEXTS


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with GGUFSource(resolve(None)) as source:
        return export_onnx(source, tmp_path_factory.mktemp("verify") / "onnx", OnnxOptions()).path


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_an_exported_folder_reads_and_writes_as_its_model(folder: Path) -> None:
    with edge.load(context=512) as model:
        assert folder_ids(folder, TEXTS) == tuple(tuple(model.tokenizer.encode(text)) for text in TEXTS)
        wanted = model.tokenizer.decode(model.encode_chat(MESSAGES), skip_special=False)
        assert folder_prompt(folder, model.tokenizer, MESSAGES) == (wanted, None)


def test_what_is_not_there_or_broken(folder: Path, tmp_path: Path) -> None:
    with edge.load(context=64) as model:
        tokenizer = model.tokenizer
        assert folder_ids(tmp_path, TEXTS) is None
        assert folder_prompt(tmp_path, tokenizer, MESSAGES) == (None, "the folder has no template")
        (tmp_path / "tokenizer.json").write_text("{")
        assert folder_ids(tmp_path, TEXTS) == tuple(() for _ in TEXTS)
        settings = {"chat_template": [{"name": "default", "template": "{{ bos_token }}<{{ messages[0].role }}>"}]}
        words = {"bos_token": {"content": "<s>"}}
        (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings | words))
        assert folder_prompt(tmp_path, tokenizer, MESSAGES) == ("<s><user>", None)
        (tmp_path / "chat_template.jinja").write_text("{{ messages[0].content }}")
        assert folder_prompt(tmp_path, tokenizer, MESSAGES) == (MESSAGES[0]["content"], None)
        (tmp_path / "chat_template.jinja").write_text("{% for")
        prompt, note = folder_prompt(tmp_path, tokenizer, MESSAGES)
        assert prompt is None and note is not None and "chat template, line 1" in note


@pytest.mark.parametrize("is_changed", [False, True])
def test_edge_verify_names_the_place(folder: Path, tmp_path: Path, is_changed: bool) -> None:
    if BACKENDS["onnx"].missing is not None:
        pytest.skip(str(BACKENDS["onnx"].missing))
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in folder.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    if is_changed:
        change(copy / "tokenizer.json", '"add_prefix_space": false', '"add_prefix_space": true')
        change(copy / "tokenizer_config.json", "<|assistant|>{% endif", "<|helper|>{% endif")
    command = [sys.executable, "-m", "edge", "verify", "--backends", "native", "--with", str(copy), "--json"]
    result = subprocess.run([*command, "--tokens", "32"], capture_output=True, text=True, timeout=120)
    assert result.returncode == is_changed, result.stderr
    (found,) = json.loads(result.stdout)["backends"]
    if is_changed:
        assert found["token_ids"][0] < len(TEXTS) and found["prompt"] is False
        assert "onnx/cpu reads 'The quick brown fox" in found["disagreements"][0]
        assert "writes another prompt from character" in found["disagreements"][1]
    else:
        assert found["token_ids"] == [len(TEXTS), len(TEXTS)] and found["prompt"] is True
