"""Finding and building packed files: whatever lies there, wherever nothing can be written, the answer is the same."""

from __future__ import annotations

import errno
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.errors import ModelFileError
from edge.packed.source import SourceHash
from edge.packed.writer import PackedWriter
from scripts.random_model import SHAPES, write
from tests.conftest import WriteModel
from tests.packed.bad_packed import bad_packed_files
from tests.packed.models import Answer, Loaded, answer, sound

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def expected(model: Path) -> Answer:
    """Without any packed file."""
    result = answer(model, enabled=False)
    assert result.info.residency == "memory"
    assert result.info.note == "the weights are packed in memory, at every load, as no_cache asks"
    return result


def same(result: Answer, expected: Answer) -> bool:
    return (result.tokens, result.logits) == (expected.tokens, expected.logits)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_first_load_packs_and_the_second_maps(model: Path, packed: Path, expected: Answer) -> None:
    for residency in ("mapped", "owned"):
        for threads in (1, 3):
            first = answer(model, residency=residency, threads=threads)
            written = packed.stat()
            second = answer(model, residency=residency, threads=threads)
            assert same(first, expected) and same(second, expected)
            assert first.info.note is not None and f"packed into {packed}" in first.info.note
            assert second.info.note is None
            assert second.info.residency == residency and second.info.path == str(packed)
            assert packed.stat() == written or packed.stat().st_mtime_ns == written.st_mtime_ns
            assert files(model.parent) == ["tiny.gguf", "tiny.gguf.edge-packed"]
            packed.unlink()


def test_how_much_is_in_memory_is_read_back(model: Path) -> None:
    for residency in ("mapped", "owned"):
        info = answer(model, residency=residency).info
        assert info.resident_bytes is not None and info.huge_bytes is not None
        assert info.packed_bytes * 0.9 < info.resident_bytes < info.packed_bytes + 2**21 + 2**16
        assert 0 <= info.huge_bytes <= info.resident_bytes


def test_a_mapped_embedding_counts_from_the_start(tmp_path: Path) -> None:
    """A step reads a few of its rows: a process would grow for as long as it meets new tokens."""
    write("tiny", "F16", path := tmp_path / "untied.gguf")
    shape = SHAPES["tiny"]
    answer(path)
    with Loaded(path) as loaded:
        info = loaded.backend.weights
        assert info.residency == "mapped" and info.resident_bytes is not None
        assert 2 * shape.vocab * shape.hidden <= info.resident_bytes < info.packed_bytes


def test_small_models_get_no_file(model: Path, packed: Path) -> None:
    with Loaded(model) as loaded:
        limit = loaded.backend.weights.packed_bytes
    packed.unlink()
    from edge.backends.native import NativeBackend
    from edge.formats import open_gguf
    from edge.packed import CacheOptions

    for smallest, residency in ((limit + 1, "memory"), (limit, "mapped")):
        with open_gguf(model) as file:
            backend = NativeBackend(file, num_threads=1, cache=CacheOptions(smallest_bytes=smallest))
            assert backend.weights.residency == residency
            assert (backend.weights.note is None) == (residency == "memory")
            backend.close()
        assert packed.exists() == (residency == "mapped")


def test_bad_files_are_replaced(model: Path, packed: Path, expected: Answer) -> None:
    cases = [case for case in bad_packed_files(sound(model)) if not case.name.startswith("flip")]
    random.Random(1).shuffle(cases)
    for case in cases[:30]:
        packed.write_bytes(case.content)
        result = answer(model)
        assert same(result, expected), case.name
        assert result.info.residency == "mapped"
        assert result.info.note is not None and case.expected[0] in result.info.note, case.name
        assert answer(model).info.note is None, case.name


def _touched(model: Path) -> None:
    os.utime(model, ns=(1, 12345))


def _rewritten(model: Path) -> None:
    content = model.read_bytes()
    state = model.stat()
    model.unlink()
    model.write_bytes(content)  # another inode, perhaps
    os.utime(model, ns=(state.st_atime_ns, state.st_mtime_ns + 1))


def _longer(model: Path) -> None:
    state = model.stat()
    with model.open("ab") as file:
        file.write(bytes(32))
    os.utime(model, ns=(state.st_atime_ns, state.st_mtime_ns))


@pytest.mark.parametrize("change", [_touched, _rewritten, _longer], ids=lambda change: change.__name__)
def test_stale_files_are_replaced(model: Path, packed: Path, expected: Answer, change: Callable[[Path], None]) -> None:
    assert same(answer(model), expected)
    change(model)
    result = answer(model)
    assert same(result, expected)
    assert result.info.note is not None and "was made from another version of the model" in result.info.note
    assert packed.read_bytes() == sound(model).file()
    assert answer(model).info.note is None


def test_another_header_of_the_same_size_and_time_is_noticed(model: Path, packed: Path) -> None:
    answer(model)
    state, content = model.stat(), model.read_bytes()
    assert content.count(b"apache-2.0") == 1
    with model.open("r+b") as file:
        file.seek(content.index(b"apache-2.0"))
        file.write(b"APACHE")
    os.utime(model, ns=(state.st_atime_ns, state.st_mtime_ns))
    note = answer(model).info.note
    assert note is not None and "header hash" in note


def test_damaged_data_is_found_when_it_is_asked_for(model: Path, packed: Path, expected: Answer) -> None:
    answer(model)
    content = bytearray(packed.read_bytes())
    content[-4000] ^= 0x10
    packed.write_bytes(content)
    assert answer(model).info.note is None  # nothing but the header is looked at
    for residency in ("mapped", "owned"):
        packed.write_bytes(content)
        result = answer(model, verify=True, residency=residency)
        assert same(result, expected)
        assert result.info.note is not None and "have CRC-32" in result.info.note
        assert answer(model, verify=True, residency=residency).info.note is None


def test_other_weights_of_the_same_stamp_are_found_when_asked_for(model: Path, packed: Path) -> None:
    answer(model)
    state, content = model.stat(), bytearray(model.read_bytes())
    content[-100] ^= 1
    with model.open("r+b") as file:
        file.write(content)
    os.utime(model, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert answer(model).info.note is None
    result = answer(model, verify=True)
    assert result.info.note is not None and "was made from a model of SHA-256" in result.info.note
    assert same(result, answer(model, enabled=False))


def refuse(place: str, number: int) -> Callable[..., Any]:
    """`open` that fails for new files under `place`."""
    really_open = open

    def open_(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        if "x" in mode and str(file).startswith(place):
            raise OSError(number, os.strerror(number), str(file))
        return really_open(file, mode, *args, **kwargs)

    return open_


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.EDQUOT, errno.ENAMETOOLONG])
def test_an_unwritable_folder_sends_it_to_the_users_cache(
    model: Path, expected: Answer, tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.formats.atomic.open", refuse(str(model.parent), number), raising=False)
    user = tmp_path / "cache" / "edge"
    result = answer(model, user_folder=user)
    assert same(result, expected)
    (there,) = (user / "packed").iterdir()
    assert result.info.path == str(there)
    assert (user / "packed").stat().st_mode & 0o777 == 0o700
    assert files(model.parent) == ["tiny.gguf"]
    assert answer(model, user_folder=user).info.note is None


def test_nowhere_to_write_packs_in_memory(
    model: Path, packed: Path, expected: Answer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.formats.atomic.open", refuse(str(tmp_path), errno.EROFS), raising=False)
    result = answer(model, user_folder=tmp_path / "cache")
    assert same(result, expected)
    assert result.info.residency == "memory" and result.info.path is None
    note = result.info.note
    assert note is not None and "packed in memory, at every load: " in note and note.count("Read-only file system") == 2
    assert str(packed) in note and str(tmp_path / "cache") in note


def test_places_that_are_no_folders(model: Path, expected: Answer) -> None:
    for folder in (Path("/proc/edge"), model, model / "below"):
        result = answer(model, folder=folder)
        assert same(result, expected)
        assert result.info.residency == "memory" and result.info.note is not None
        assert str(folder / "packed") in result.info.note


def test_a_named_folder_is_the_only_place(model: Path, packed: Path, expected: Answer, tmp_path: Path) -> None:
    answer(model)  # one beside the model is not looked at
    folder = tmp_path / "elsewhere"
    result = answer(model, folder=folder, user_folder=tmp_path / "user")
    assert same(result, expected)
    (there,) = (folder / "packed").iterdir()
    assert there.name.startswith("tiny-") and there.suffix == ".gguf"
    assert not (tmp_path / "user").exists()
    assert answer(model, folder=folder).info.path == str(there)


def test_a_folder_in_its_place(model: Path, packed: Path, expected: Answer, tmp_path: Path) -> None:
    packed.mkdir()
    result = answer(model, user_folder=tmp_path / "user")
    assert same(result, expected)
    assert str(tmp_path / "user") in str(result.info.path)
    assert files(model.parent) == ["tiny.gguf", "tiny.gguf.edge-packed"], "no temporary file stays"


def test_a_link_in_its_place_is_replaced_and_never_followed(model: Path, packed: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    packed.symlink_to(victim)
    answer(model)
    assert victim.read_text() == "mine"
    assert not packed.is_symlink() and answer(model).info.note is None


def test_a_full_disk_is_noticed_before(model: Path, expected: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    really = os.statvfs

    def full(path: Any) -> os.statvfs_result:
        fields = list(really(path))
        fields[4] = 10  # f_bavail
        return os.statvfs_result(fields)

    monkeypatch.setattr(os, "statvfs", full)
    result = answer(model)
    assert same(result, expected)
    assert result.info.residency == "memory"
    assert result.info.note is not None and "bytes, the file system has" in result.info.note
    assert files(model.parent) == ["tiny.gguf"]


@pytest.mark.parametrize("after", [0, 1])
def test_a_disk_that_fills_up_meanwhile(
    model: Path, expected: Answer, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    left = [after]
    really = PackedWriter.add

    def add(self: PackedWriter, packed: memoryview) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        really(self, packed)

    monkeypatch.setattr(PackedWriter, "add", add)
    result = answer(model)
    assert same(result, expected)
    assert result.info.note is not None and "No space left on device" in result.info.note
    assert files(model.parent) == ["tiny.gguf"]


def test_a_limit_on_file_sizes(model: Path, expected: Answer) -> None:
    """The system itself refuses a write."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, hard))
    try:
        result = answer(model)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert same(result, expected)
    assert result.info.note is not None and "File too large" in result.info.note
    assert files(model.parent) == ["tiny.gguf"]


def test_files_of_others_are_not_believed(model: Path, packed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(model)
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(packed, 12345, -1)
    note = answer(model).info.note
    assert note is not None and "belongs to user 12345" in note
    assert packed.stat().st_uid == 0
    os.chown(packed, 12345, -1)
    os.chown(model, 12345, -1)
    assert answer(model).info.note is None, "the model's owner decides what the model says anyway"


def test_a_model_that_is_written_to_while_it_is_packed(model: Path, packed: Path) -> None:
    def change(done: int, total: int) -> None:
        os.utime(model, ns=(1, done))

    with pytest.raises(ModelFileError, match="was written to while it was packed"):
        answer(model, on_progress=change)
    assert not packed.exists() and files(model.parent) == ["tiny.gguf"]


def test_a_model_that_is_replaced_while_it_is_packed(model: Path, expected: Answer, write_model: WriteModel) -> None:
    other = write_model(model.with_name("other.gguf"), seed=5)

    def replace(done: int, total: int) -> None:
        if other.exists():
            os.replace(other, model)

    result = answer(model, on_progress=replace)
    assert same(result, expected), "what was opened is what runs"
    assert result.info.residency == "memory"
    assert result.info.note is not None and "was replaced while it was packed" in result.info.note
    assert files(model.parent) == ["tiny.gguf"]


def test_progress_only_grows(model: Path, packed: Path) -> None:
    seen: list[tuple[int, int]] = []

    def remember(done: int, total: int) -> None:
        seen.append((done, total))

    for _ in range(2):
        answer(model, on_progress=remember)
        assert seen == sorted(seen)
        assert seen[-1][0] == seen[-1][1] and len({total for _, total in seen}) == 1
        seen.clear()


def test_interrupted_packing_leaves_nothing(model: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        answer(model, on_progress=interrupt)
    assert files(model.parent) == ["tiny.gguf"]


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.packed.models import answer
def kill(done, total):
    if done * 2 >= total:
        os.kill(os.getpid(), signal.SIGKILL)
answer(Path(sys.argv[1]), on_progress=kill)
"""


def test_a_killed_writer_leaves_an_orphan_that_the_next_one_removes(model: Path, packed: Path) -> None:
    result = subprocess.run([sys.executable, "-c", KILLED, str(model)], cwd=ROOT, capture_output=True)
    assert result.returncode == -9, result.stderr
    (orphan,) = [path for path in model.parent.iterdir() if path.suffix == ".part"]
    assert not packed.exists()
    hour_ago = time.time() - 3600
    os.utime(orphan, (hour_ago, hour_ago))
    answer(model)
    assert files(model.parent) == ["tiny.gguf", "tiny.gguf.edge-packed"]


PRINTS = """
import sys
from pathlib import Path
from tests.packed.models import answer
print(answer(Path(sys.argv[1])).tokens)
"""


def test_many_processes_at_once(model: Path, packed: Path) -> None:
    running = [
        subprocess.Popen([sys.executable, "-c", PRINTS, str(model)], cwd=ROOT, stdout=subprocess.PIPE) for _ in range(4)
    ]
    outputs = {process.communicate()[0] for process in running}
    assert [process.returncode for process in running] == [0] * 4
    assert len(outputs) == 1
    assert files(model.parent) == ["tiny.gguf", "tiny.gguf.edge-packed"]
    assert packed.read_bytes() == sound(model).file()


def test_the_source_hash_thread_ends_early(model: Path) -> None:
    from edge.formats import open_gguf

    with open_gguf(model) as file, SourceHash(file) as hashes:
        pass
    assert len(hashes.result()) <= 1
