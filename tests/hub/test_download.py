"""Downloads from servers that do what servers do: every one ends with the right file, or with none and a reason."""

from __future__ import annotations

import hashlib
import itertools
import os
import threading
from pathlib import Path

import pytest

from edge.errors import DownloadError
from edge.library.record import Record
from tests.hub.conftest import MakeDownload
from tests.hub.hub_server import Behaviour, Hub, serving


def quiet(what: str, done: int, total: int) -> None:
    pass


def test_a_file_arrives_with_its_sum(download: MakeDownload, model_bytes: bytes, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    with serving(Hub({"m.gguf": model_bytes})) as hub:
        checked = download(hub).run(lambda what, done, total: seen.append((what, done, total)))
        assert hub.sent_bytes == len(model_bytes)  # the header came once
    assert checked == hashlib.sha256(model_bytes).hexdigest()
    assert (tmp_path / "m.gguf").read_bytes() == model_bytes
    assert sorted(os.listdir(tmp_path)) == ["m.gguf", "m.gguf.pull"]
    assert {what for what, _, _ in seen} == {"downloading"}
    dones = [done for _, done, _ in seen]
    assert dones == sorted(dones) and dones[-1] == len(model_bytes)
    record = Record.read(tmp_path / "m.gguf.pull")
    assert record is not None and (record.model, record.sha256, record.size) == ("me/tiny", checked, len(model_bytes))


@pytest.mark.parametrize("ranges", [True, False])
def test_cut_connections_are_gone_on_with(
    download: MakeDownload, model_bytes: bytes, tmp_path: Path, waits: list[float], ranges: bool
) -> None:
    # Without ranges every try begins again, so that a cut only harms if it comes before what is there already.
    cut_after = 300_000 if ranges else 2_000_000
    how = Behaviour(ranges=ranges)
    with serving(Hub({"m.gguf": model_bytes}, how)) as hub:
        one = download(hub)
        how.cuts, how.cut_after = 2, cut_after
        one.run(quiet)
    assert how.cuts == 0
    assert (tmp_path / "m.gguf").read_bytes() == model_bytes
    assert len(waits) == 2
    again = [asked.range for asked in hub.asked if "/resolve/" in asked.path][1:]
    first = 2**20
    assert again[:2] == [f"bytes={first}-", f"bytes={first + (300_000 if ranges else 2_000_000 - first)}-"]


def test_a_server_that_never_sends_more_is_given_up_and_what_came_is_kept(
    download: MakeDownload, model_bytes: bytes, tmp_path: Path, waits: list[float]
) -> None:
    how = Behaviour()
    with serving(Hub({"m.gguf": model_bytes}, how)) as hub:
        one = download(hub)
        how.cuts, how.cut_after = 1000, 100
        with pytest.raises(DownloadError, match="5 times in a row"):
            one.run(quiet)
    assert waits == [1.0, 2.0, 4.0, 8.0]
    part = tmp_path / "m.gguf.part"
    assert part.read_bytes() == model_bytes[: part.stat().st_size]
    assert part.stat().st_size == 2**20 + 500
    assert not (tmp_path / "m.gguf").exists()


def test_the_next_run_goes_on(download: MakeDownload, model_bytes: bytes, tmp_path: Path, waits: list[float]) -> None:
    how = Behaviour()
    with serving(Hub({"m.gguf": model_bytes}, how)) as hub:
        one = download(hub)
        how.cuts, how.cut_after = 5, 30_000
        with pytest.raises(DownloadError):
            one.run(quiet)
        kept = (tmp_path / "m.gguf.part").stat().st_size
        how.cuts = 0
        before = hub.sent_bytes
        seen: list[str] = []
        again = download(hub)
        assert again.missing_bytes == len(model_bytes) - kept
        again.run(lambda what, done, total: seen.append(what))
        assert hub.sent_bytes - before == 2**20 + len(model_bytes) - kept  # the header, and what was missing
    assert (tmp_path / "m.gguf").read_bytes() == model_bytes
    assert seen[0] == "checking"


def test_what_was_begun_of_another_version_is_not_mixed(
    download: MakeDownload, model_bytes: bytes, other_bytes: bytes, tmp_path: Path, waits: list[float]
) -> None:
    assert len(model_bytes) == len(other_bytes)
    how = Behaviour()
    for no_sum in (False, True):
        how.no_sum = no_sum
        with serving(Hub({"m.gguf": model_bytes}, how)) as hub:
            one = download(hub)
            how.cuts, how.cut_after = 5, 30_000
            with pytest.raises(DownloadError):
                one.run(quiet)
            how.cuts = 0
            hub.files["m.gguf"] = other_bytes
            download(hub).run(quiet)
        assert (tmp_path / "m.gguf").read_bytes() == other_bytes


def test_a_file_that_changes_meanwhile_without_a_sum_is_an_error(
    download: MakeDownload, model_bytes: bytes, other_bytes: bytes, tmp_path: Path, waits: list[float]
) -> None:
    with serving(Hub({"m.gguf": model_bytes}, Behaviour(no_sum=True))) as hub:
        one = download(hub)
        hub.files["m.gguf"] = other_bytes
        with pytest.raises(DownloadError, match="changed meanwhile"):
            one.run(quiet)
    assert not (tmp_path / "m.gguf").exists()


def test_a_wrong_byte_is_found_and_nothing_is_left(download: MakeDownload, model_bytes: bytes, tmp_path: Path) -> None:
    how = Behaviour(wrong_byte=True)
    with serving(Hub({"m.gguf": model_bytes}, how)) as hub:
        with pytest.raises(DownloadError, match="announced was") as info:
            download(hub).run(quiet)
        assert hashlib.sha256(model_bytes).hexdigest() in str(info.value)
        assert os.listdir(tmp_path) == []
        how.wrong_byte = False
        download(hub).run(quiet)
    assert (tmp_path / "m.gguf").read_bytes() == model_bytes


def test_without_a_sum_the_file_arrives_unchecked_and_that_is_said(
    download: MakeDownload, model_bytes: bytes, tmp_path: Path
) -> None:
    with serving(Hub({"m.gguf": model_bytes}, Behaviour(no_sum=True))) as hub:
        assert download(hub).run(quiet) is None
    assert (tmp_path / "m.gguf").read_bytes() == model_bytes


def test_slow_bytes_arrive(download: MakeDownload, model_bytes: bytes, tmp_path: Path) -> None:
    how = Behaviour()
    with serving(Hub({"m.gguf": model_bytes[: 2**20 + 4096] + model_bytes[2**20 + 4096 :]}, how)) as hub:
        one = download(hub)
        how.seconds_a_piece = 0.0002
        one.run(quiet)
    assert (tmp_path / "m.gguf").read_bytes() == model_bytes


def test_a_trickle_is_given_up_like_a_cut(download: MakeDownload, model_bytes: bytes, waits: list[float]) -> None:
    """Each read takes twenty seconds by this clock."""
    how = Behaviour()
    clock = itertools.count(0, 20).__next__
    with serving(Hub({"m.gguf": model_bytes}, how)) as hub:
        one = download(hub, clock=clock)
        how.seconds_a_piece = 0.01
        with pytest.raises(DownloadError, match=r"bytes came in 80 s \(5 times in a row\)"):
            one.run(quiet)


def test_a_busy_server_says_when(download: MakeDownload, model_bytes: bytes, waits: list[float]) -> None:
    how = Behaviour()
    with serving(Hub({"m.gguf": model_bytes}, how)) as hub:
        one = download(hub)
        how.busy, how.retry_after = 2, "7"
        one.run(quiet)
        assert waits == [7.0, 7.0]


def test_a_range_that_was_not_asked_for_is_refused(download: MakeDownload, model_bytes: bytes, tmp_path: Path) -> None:
    how = Behaviour()
    with serving(Hub({"m.gguf": model_bytes}, how)) as hub:
        one = download(hub)
        how.lies_range = True
        with pytest.raises(DownloadError, match=r"asked for bytes from 1048576 on, it answers with Content-Range"):
            one.run(quiet)
    assert not (tmp_path / "m.gguf").exists()


def test_two_at_once_do_not_write_one_file(download: MakeDownload, model_bytes: bytes, tmp_path: Path) -> None:
    how = Behaviour()
    with serving(Hub({"m.gguf": model_bytes}, how)) as hub:
        first, second = download(hub), download(hub)
        how.stop_at = 2**20 + 100_000
        thread = threading.Thread(target=first.run, args=(quiet,))
        thread.start()
        assert how.reached.wait(10)
        with pytest.raises(DownloadError, match="another process"):
            second.run(quiet)
        how.released.set()
        thread.join()
    assert (tmp_path / "m.gguf").read_bytes() == model_bytes


def test_a_link_in_place_of_the_part_is_not_followed(
    download: MakeDownload, model_bytes: bytes, tmp_path: Path
) -> None:
    (tmp_path / "victim").write_bytes(b"mine")
    (tmp_path / "m.gguf.part").symlink_to(tmp_path / "victim")
    with serving(Hub({"m.gguf": model_bytes})) as hub:
        with pytest.raises(OSError):
            download(hub).run(quiet)
    assert (tmp_path / "victim").read_bytes() == b"mine"
