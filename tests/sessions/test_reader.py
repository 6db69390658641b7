"""Saved files as untrusted input: bad ones are refused with a message, and no damage goes unnoticed."""

from __future__ import annotations

import os
import random
import time
from dataclasses import replace
from pathlib import Path

import pytest

from edge.errors import BadSessionFile, SessionFileError, StaleSessionFile
from edge.sessions import Fingerprint, SavedFile
from edge.sessions.conversation import Conversation
from edge.sessions.layout import Contents
from edge.sessions.writer import write_saved
from tests.formats.mutations import mutate
from tests.sessions.bad_sessions import BadSession, bad_sessions
from tests.sessions.raw_session import FINGERPRINT, HASH, Changes, Sound, footer, session_file

CASES = bad_sessions()
REFUSED = Path(__file__).parent / "refused"
MAX_KEPT_BYTES = 4400  # larger ones are built, not kept; so are those that differ in a number or key only
FEWEST_BAD_FILES = 120
NUM_MUTATIONS = 600


def kept_cases() -> list[BadSession]:
    """`python -m tests.sessions.keep_refused` writes them."""
    similar = ("edge.session.", "general.")
    alike = [case for case in CASES if case.name[-1].isdigit() or any(part in case.name for part in similar)]
    return [case for case in CASES if len(case.content) <= (400 if case in alike else MAX_KEPT_BYTES)]


def read_all(path: Path) -> tuple[Contents, Conversation, list[bytes]]:
    """Everything that a file says."""
    with SavedFile(path) as saved:
        conversation = Conversation.of_json(path, saved.contents.conversation)
        blocks: list[bytes] = []
        for index in range(saved.contents.num_blocks):
            block = bytearray(saved.contents.fingerprint.block_bytes)
            saved.read_block(index, memoryview(block))
            blocks.append(bytes(block))
        saved.verify()
        return saved.contents, conversation, blocks


def written(path: Path, sound: Sound) -> bytes:
    """What our writer makes of the same contents."""
    fields = {name: value if isinstance(value, (int, str)) else tuple(value) for name, value in FINGERPRINT.items()}
    contents = Contents(
        kind="session",
        fingerprint=Fingerprint(**fields),  # type: ignore[arg-type]
        model_path="/models/tiny.gguf",
        model_name="tiny",
        saved_at=1_700_000_000,
        tokens=tuple(sound.tokens),
        conversation=sound.conversation,
        checksums=(),
    )
    write_saved(path, contents, len(sound.blocks), sound.blocks)
    return path.read_bytes()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.edge-session"


def test_the_description_gives_the_file_that_is_written(path: Path) -> None:
    assert written(path, Sound()) == session_file()
    contents, conversation, blocks = read_all(path)
    assert contents.tokens == tuple(range(14)) and contents.num_kept_tokens == 12
    assert conversation.messages == ({"role": "user", "content": "hi"},)
    assert blocks == list(Sound().blocks)


def test_a_conversation_without_a_full_block_needs_no_kv(path: Path) -> None:
    sound = Sound(tokens=(1, 2, 3), blocks=())
    assert written(path, sound) == session_file(sound)
    assert read_all(path)[0].num_kept_tokens == 0


def test_blocks_that_were_given_up_meanwhile_leave_a_shorter_file(path: Path) -> None:
    sound = Sound()
    written(path, sound)
    with SavedFile(path) as saved:
        contents = saved.contents
    write_saved(path, contents, 40, sound.blocks[:2])
    assert read_all(path)[2] == list(sound.blocks[:2])


def test_only_the_owner_can_read_it(path: Path) -> None:
    written(path, Sound())
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_file_is_refused(case: BadSession, path: Path) -> None:
    path.write_bytes(case.content)
    start = time.process_time()
    with pytest.raises(SessionFileError) as caught:
        read_all(path)
    assert time.process_time() - start < 1.0
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and len(message) < 1000 and "\n" not in message
    for fragment in case.expected:
        assert fragment in message, message


def test_there_are_enough_and_each_is_its_own() -> None:
    assert len(CASES) >= FEWEST_BAD_FILES
    assert len({case.name for case in CASES}) == len({case.content for case in CASES}) == len(CASES)


def test_kept_files_are_what_the_builder_makes() -> None:
    wanted = {f"{case.name}.edge-session": case.content for case in kept_cases()}
    assert {path.name: path.read_bytes() for path in REFUSED.iterdir()} == wanted
    assert len(wanted) >= 40


@pytest.mark.parametrize("path", sorted(REFUSED.iterdir()), ids=lambda path: path.stem)
def test_kept_file_is_refused(path: Path) -> None:
    with pytest.raises(SessionFileError):
        read_all(path)


def test_every_changed_byte_is_noticed(path: Path) -> None:
    content, rng = session_file(), random.Random(5)
    for at in [*range(64), *range(4096 - 64, len(content)), *rng.sample(range(64, 4032), 100)]:
        path.write_bytes(content[:at] + bytes([content[at] ^ 1 << rng.randrange(8)]) + content[at + 1 :])
        with pytest.raises(SessionFileError):
            read_all(path)


def test_mutated_files_are_refused_or_the_same(path: Path) -> None:
    """Half of them with a footer that vouches for the change: an error of ours, or a file that means something."""
    content, rng, accepted = session_file(), random.Random(17), 0
    path.write_bytes(content)
    wanted, whole = read_all(path), len(content)
    for index in range(NUM_MUTATIONS):
        vouched = index % 2 == 1
        if vouched:
            spaces = content.index(b" " * 100)
            header = mutate(content[:spaces], rng)
            header += b" " * (-len(header) % 4096)
            changed = header + content[4096:-64]
            changed += footer(header, len(changed) + 64)
        else:
            changed = mutate(content, rng)
        path.write_bytes(changed)
        try:
            found = read_all(path)
        except SessionFileError as error:
            assert str(error).startswith(f"{path}: ") and len(str(error)) < 1500 and "\n" not in str(error)
        else:
            accepted += 1
            assert vouched or (found == wanted and len(changed) == whole)
    assert accepted < NUM_MUTATIONS // 4


def test_a_stale_file_says_what_differs(path: Path) -> None:
    fields = {name: value if isinstance(value, (int, str)) else tuple(value) for name, value in FINGERPRINT.items()}
    path.write_bytes(session_file())
    with SavedFile(path) as saved:
        saved.check_fingerprint(Fingerprint(**fields))  # type: ignore[arg-type]
        for name, value in fields.items():
            other = value + 1 if isinstance(value, int) else f"{value}x" if isinstance(value, str) else ("cd" * 32,)
            wanted = Fingerprint(**{**fields, name: other})  # type: ignore[arg-type]
            with pytest.raises(StaleSessionFile) as caught:
                saved.check_fingerprint(wanted)
            shown = (HASH, "cd" * 32) if isinstance(value, tuple) else (str(value), str(other))
            for fragment in (str(path), name, *shown):
                assert fragment in str(caught.value)
            assert wanted.digest != saved.contents.fingerprint.digest


def test_what_is_no_file_of_ours_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_bytes(session_file())
    owner = os.stat(path).st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    if owner != 0:
        with pytest.raises(SessionFileError, match=f"belongs to user {owner}, not to you"):
            SavedFile(path)
    monkeypatch.undo()
    path.unlink()
    with pytest.raises(SessionFileError, match="no such file"):
        SavedFile(path)
    path.mkdir()
    with pytest.raises(SessionFileError, match="is no regular file"):
        SavedFile(path)
    path.rmdir()
    os.mkfifo(path)  # opening it must not wait for a writer
    with pytest.raises(SessionFileError, match="is no regular file"):
        SavedFile(path)
    path.unlink()
    path.symlink_to(path)
    with pytest.raises(SessionFileError, match="cannot be opened"):
        SavedFile(path)


def test_a_file_cut_while_it_is_open_is_an_error(path: Path) -> None:
    path.write_bytes(session_file())
    with SavedFile(path) as saved:
        os.truncate(path, 4096 + 64)
        saved.read_block(0, memoryview(bytearray(64)))
        with pytest.raises(BadSessionFile, match="the file ends here"):
            saved.read_block(1, memoryview(bytearray(64)))


def test_no_bad_file_costs_a_descriptor(path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for content in (b"", bytes(5000), session_file(changes=Changes(footer={"version": 9}))):
        path.write_bytes(content)
        with pytest.raises(SessionFileError):
            SavedFile(path)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_file_with_an_adapter(path: Path) -> None:
    """Its key is there only then, so that files without are what they were before there were adapters."""
    fields = {name: value if isinstance(value, (int, str)) else tuple(value) for name, value in FINGERPRINT.items()}
    plain = Fingerprint(**fields)  # type: ignore[arg-type]
    adapted = replace(plain, adapter="ab" * 32)
    write_saved(path, Contents("session", adapted, "m", "n", 0, (), "", ()), 0, ())
    with SavedFile(path) as saved:
        assert saved.contents.fingerprint == adapted
        saved.check_fingerprint(adapted)
        with pytest.raises(StaleSessionFile, match=f"adapter is {'ab' * 32} in the file, none of the model"):
            saved.check_fingerprint(plain)
    assert adapted.digest != plain.digest
