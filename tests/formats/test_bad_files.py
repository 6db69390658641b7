"""Every hand-made bad file is refused with its own message, quickly; a sample of them is kept as files."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from edge.errors import BadModelFile
from edge.formats import open_gguf
from edge.tokenizer.vocabulary import Vocabulary
from tests.formats.bad_files import BadFile, bad_files, bad_vocabularies

REFUSED = Path(__file__).parent / "refused"
FILES, VOCABULARIES = bad_files(), bad_vocabularies()
MAX_KEPT_BYTES = 512  # larger ones are built, not kept


def _name(case: BadFile) -> str:
    return case.name


def _refusal(path: Path) -> tuple[str, float]:
    """The message with which `path` is refused, and the seconds it took."""
    start = time.perf_counter()
    with pytest.raises(BadModelFile) as caught:
        with open_gguf(path) as file:
            Vocabulary.from_gguf(file).text_ids()
    return str(caught.value), time.perf_counter() - start


@pytest.mark.parametrize("case", FILES + VOCABULARIES, ids=_name)
def test_bad_file_is_refused(case: BadFile, tmp_path: Path) -> None:
    path = tmp_path / f"{case.name}.gguf"
    path.write_bytes(case.content)
    message, seconds = _refusal(path)
    for fragment in (str(path), *case.expected):
        assert fragment in message, message
    assert "\n" not in message
    assert len(message) < 1000
    if seconds >= 0.1:  # the machine may have been busy: the second time counts
        seconds = _refusal(path)[1]
    assert seconds < 0.1


@pytest.mark.parametrize("case", FILES, ids=_name)
def test_bad_file_is_refused_at_opening(case: BadFile, tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(case.content)
    with pytest.raises(BadModelFile):
        open_gguf(path)


@pytest.mark.parametrize("case", VOCABULARIES, ids=_name)
def test_bad_vocabulary_opens(case: BadFile, tmp_path: Path) -> None:
    """The rest of the file can be looked at: only what uses the vocabulary pays for checking it."""
    path = tmp_path / "model.gguf"
    path.write_bytes(case.content)
    with open_gguf(path) as file:
        assert file.keys()


def test_there_are_enough_and_each_is_its_own() -> None:
    cases = FILES + VOCABULARIES
    assert len(cases) >= 100
    assert len({case.name for case in cases}) == len(cases)
    assert len({case.content for case in cases}) == len(cases)
    assert all(case.expected and all(case.expected) for case in cases)


def test_kept_files_are_what_the_builder_makes() -> None:
    """`python -m tests.formats.keep_refused` writes them again."""
    wanted = {f"{case.name}.gguf": case.content for case in FILES + VOCABULARIES if len(case.content) <= MAX_KEPT_BYTES}
    kept = {path.name: path.read_bytes() for path in REFUSED.iterdir()}
    assert kept == wanted


@pytest.mark.parametrize("path", sorted(REFUSED.iterdir()), ids=lambda path: path.stem)
def test_kept_file_is_refused(path: Path) -> None:
    message, _ = _refusal(path)
    assert str(path) in message
