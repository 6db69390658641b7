"""What is the same of every model in ONNX Runtime: who computes, cancelling, what a failure is, what there is not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge import native
from edge.backends.onnx.providers import Provider
from edge.backends.onnx.session import reason_of
from edge.errors import Cancelled, EdgeError, NativeError, NumericalError, RequestError, UnsupportedModel

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from edge.formats.config import ModelConfig

__all__ = ["RuntimeBackend", "require_finite"]


class RuntimeBackend:
    """The part of `edge.backends.LoadedBackend` that asks nothing of the graphs.

    path: the model's, for errors. config: what edge knows of the architecture, None when the folder does not say it.
    """

    def __init__(self, ort: Any, path: Path, provider: Provider, config: ModelConfig | None) -> None:
        self._path, self._provider, self._config = path, provider, config
        self._options: Any = ort.RunOptions()  # None when closed
        # No graph is captured for a GPU. Where that is not said, ONNX Runtime's binding throws and catches an exception
        # before every run to find it out: 30 us, and several times that in cold caches.
        self._options.add_run_config_entry("gpu_graph_id", "-1")
        self._cancelled = False

    @property
    def name(self) -> str:
        return f"onnx/{self._provider.short}"

    @property
    def config(self) -> ModelConfig:
        if self._config is None:
            raise UnsupportedModel(self._path, "the folder does not say what edge's configuration holds")
        return self._config

    @property
    def isa(self) -> None:
        """ONNX Runtime, or the provider, chooses by itself."""

    @property
    def adapters(self) -> tuple[()]:
        """edge's adapters are matrices of its own engine."""
        return ()

    @property
    def source_hashes(self) -> None:
        """Nobody has them."""

    def read_block(self, block: int) -> bytearray:
        raise RequestError("the onnx backend keeps no K and V outside of its buffers")

    def write_block(self, block: int, content: Buffer) -> None:
        raise RequestError("the onnx backend keeps no K and V outside of its buffers")

    def cancel(self) -> None:
        self._cancelled = True
        options = self._options
        if options is not None:
            options.terminate = True

    def _begin_step(self) -> None:
        """Cancelled: it was before the step began."""
        if self._cancelled:
            raise self._was_cancelled()

    def _failure(self, error: Exception) -> EdgeError:
        """What to raise for what the runtime raised."""
        return self._was_cancelled() if self._cancelled else NativeError(f"ONNX Runtime: {reason_of(error)}")

    def _was_cancelled(self) -> Cancelled:
        self._cancelled, self._options.terminate = False, False
        return Cancelled("cancelled")


def require_finite(address: int, count: int) -> None:
    """NumericalError: one of `count` floats at the address is not finite. None is well."""
    if count and not native.all_finite(address, count):
        raise NumericalError("ONNX Runtime computed logits that are not finite")
