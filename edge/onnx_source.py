"""An ONNX folder as a source: vocabulary and chat template from its description, or from its tokenizer's files."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.backends.onnx.decoder import Decoder
from edge.backends.protocol import LoadedBackend
from edge.describe import TEMPLATE_KEY
from edge.errors import UnsupportedModel
from edge.formats.config import ModelConfig
from edge.formats.gguf import GGUFFile, open_gguf
from edge.formats.header import TensorInfo
from edge.formats.json_file import Fields
from edge.formats.onnx import CheckedFolder
from edge.formats.types import GGMLType
from edge.native import BLOCK_SIZE
from edge.sessions.fingerprint import KV_VERSION, Fingerprint

if TYPE_CHECKING:
    from edge.tokenizer import Tokenizer

__all__ = ["DESCRIPTION_FILE", "OnnxSource"]

DESCRIPTION_FILE = "edge.gguf"  # of folders that edge exported
_EMBEDDING, _HEAD = "token_embd.weight", "output.weight"


class OnnxSource:
    """Implements `edge.sources.ModelSource`. Errors of its methods are ModelFileError."""

    def __init__(self, checked: CheckedFolder, decoder: Decoder) -> None:
        """Opens the description, where there is one."""
        self._checked, self._decoder = checked, decoder
        self._described: GGUFFile | None = None
        if checked.folder.has(DESCRIPTION_FILE):
            checked.folder.map(DESCRIPTION_FILE).close()  # a plain file of this folder
            self._described = open_gguf(checked.folder.path / DESCRIPTION_FILE)

    @property
    def path(self) -> Path:
        return self._checked.folder.path

    @property
    def name(self) -> str:
        return self._checked.folder.model_name if self._described is None else self._said("general.name")

    @property
    def architecture(self) -> str:
        return self._decoder.model_type if self._described is None else self._said("general.architecture")

    def config(self) -> ModelConfig | None:
        """None where there is no description. UnsupportedModel, BadModelFile."""
        if self._described is None:
            return None
        file, decoder = self._described, self._decoder
        width = file.get_int(f"{self.architecture}.embedding_length", minimum=1, maximum=2**20)
        shape = (decoder.vocab_size, width)
        names = [_EMBEDDING] if self._checked.model.model.metadata.get("edge.tied") == "1" else [_EMBEDDING, _HEAD]
        # what the description leaves to the ONNX file, as far as the configuration asks for it
        known = {name: TensorInfo(name, GGMLType.F32, shape, 0, 0, 0) for name in names}
        file.tensors = {**file.tensors, **known}
        return ModelConfig.from_gguf(file)

    def tokenizer(self) -> Tokenizer:
        from edge.tokenizer import Tokenizer, Vocabulary

        if self._described is not None:
            return Tokenizer.from_gguf(self._described)
        said = self._converted
        key = "tokenizer.ggml."
        return Tokenizer(
            Vocabulary(
                path=str(self.path),
                model=said[f"{key}model"],
                tokens=said[f"{key}tokens"],
                types=said.get(f"{key}token_type"),
                scores=said.get(f"{key}scores"),
                merges=said.get(f"{key}merges"),
                pre=said.get(f"{key}pre"),
                bos_id=said.get(f"{key}bos_token_id"),
                eos_id=said.get(f"{key}eos_token_id"),
                eot_id=said.get(f"{key}eot_token_id"),
                eom_id=said.get(f"{key}eom_token_id"),
                unk_id=said.get(f"{key}unknown_token_id"),
                add_bos=said.get(f"{key}add_bos_token"),
                add_eos=said.get(f"{key}add_eos_token"),
                add_space_prefix=said.get(f"{key}add_space_prefix"),
                model_name=self.name,
            )
        )

    def chat_template(self) -> str | None:
        if self._described is not None:
            return self._described.get_str(TEMPLATE_KEY, default="") or None
        template = self._converted.get(TEMPLATE_KEY)
        return template if isinstance(template, str) and template else None

    def fingerprint(self, backend: LoadedBackend, hash_folder: Path | None, adapter_sha256: str = "") -> Fingerprint:
        """Of sessions' messages: no K and V of this backend is kept."""
        decoder = self._decoder
        return Fingerprint(
            kv_type=f"{backend.kv_type} of {backend.capabilities.name}",
            architecture=self.architecture,
            weights="ONNX",
            num_layers=len(decoder.layers),
            num_kv_heads=decoder.num_kv_heads,
            head_dim=decoder.head_dim,
            vocab_size=decoder.vocab_size,
            rope="as the file has it",
            block_size=BLOCK_SIZE,
            block_bytes=decoder.kv_bytes_per_position * BLOCK_SIZE,
            kv_version=KV_VERSION,
            model_sha256=tuple(_sha256(path) for path in self._checked.model.files),
        )

    def close(self) -> None:
        if self._described is not None:
            self._described.close()

    @cached_property
    def _converted(self) -> dict[str, Any]:
        """The tokenizer's files in GGUF's words, as an export converts them."""
        from edge.export.config import Config
        from edge.export.tokenizers import tokenizer_of

        model = self._checked.config.get_object("model")
        said: dict[str, Any] = {"model_type": self._decoder.model_type}
        for key in ("bos_token_id", "eos_token_id", "pad_token_id"):
            if model is not None and model.has(key):
                said[key] = model.value(key)
        config = Config(Fields(self._checked.config.path, said))
        return tokenizer_of(self._checked.folder, config, self._decoder.vocab_size).metadata

    def _said(self, key: str) -> str:
        if self._described is None:
            raise UnsupportedModel(self.path, "has no description")
        return self._described.get_str(key, default="")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
