"""What `edge quantize` does with a calibration text or an importance matrix."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click

from edge.calibration.imatrix_file import read_imatrix
from edge.calibration.prepare import METHODS, Prepared, prepare
from edge.calibration.text import shipped_text
from edge.cli.progress import ProgressBar
from edge.cli.text_file import read_text
from edge.errors import RequestError
from edge.export import TensorSource
from edge.quant.encoder import Encoder


class Calibrated:
    """The options --method, --imatrix and --text, checked. click.UsageError: they contradict each other."""

    def __init__(self, method: str | None, imatrix: str | None, text: str | None) -> None:
        if method is not None and method not in METHODS:
            raise click.BadParameter(f"{method!r} is not one of {', '.join(METHODS)}", param_hint="--method")
        self.is_asked = method is not None or imatrix is not None
        if text is not None and (method is None or (imatrix is not None and method != "gptq")):
            raise click.UsageError("nothing reads --text: it goes with --method, and with --imatrix only for gptq")
        self._method = method or "rounding"
        self._imatrix = None if imatrix is None else read_imatrix(imatrix)
        self._text = "" if not self.is_asked else shipped_text() if text is None else read_calibration(text)

    @contextmanager
    def prepared(
        self, path: Path, source: TensorSource, types: Mapping[str, str], num_threads: int
    ) -> Generator[Prepared]:
        """The model as it is to be written."""
        if not self.is_asked:
            with Encoder(num_threads) as encode:
                yield Prepared(source, encode, {})
            return
        with ProgressBar("calibrating", " tokens") as bar, prepare(
            path,
            source,
            types,
            method=self._method,
            text=self._text,
            importance=self._imatrix,
            num_threads=num_threads,
            on_progress=bar,
        ) as ready:  # fmt: skip
            bar.wipe()
            yield ready


def read_calibration(path: str) -> str:
    """The text of --text."""
    try:
        return read_text(path)
    except RequestError as error:
        raise click.BadParameter(f"{path} {error}", param_hint="--text") from None
