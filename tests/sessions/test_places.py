"""Folders and names of saved files."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.errors import RequestError
from edge.sessions.places import SavedPlaces, listed_name, user_data_folder


def test_folders() -> None:
    assert user_data_folder({"XDG_DATA_HOME": "/x", "HOME": "/h"}) == Path("/x/edge")
    assert user_data_folder({"XDG_DATA_HOME": "relative", "HOME": "/h"}, "linux") == Path("/h/.local/share/edge")
    assert user_data_folder({"HOME": "/h"}, "darwin") == Path("/h/Library/Application Support/edge")
    assert user_data_folder({"HOME": ""}) is None
    assert SavedPlaces.of({"HOME": "/h", "XDG_DATA_HOME": "/x"}).folder == Path("/x/edge/sessions")
    assert SavedPlaces.of({"EDGE_SESSIONS_DIR": "/s", "HOME": "/h"}).folder == Path("/s")


def test_names_and_what_lists_call_them(tmp_path: Path) -> None:
    places = SavedPlaces(tmp_path)
    assert list(places.sessions()) == list(places.prepared()) == []
    for name in ("b", "a.1_-X"):
        places.session(name).write_bytes(b"")
    (tmp_path / ".hidden.edge-session").write_bytes(b"")
    (tmp_path / "other.txt").write_bytes(b"")
    keys = ("0123456789abcdef" * 2, "0123ffffffffffff" * 2)
    folder = places.prepared_for("f" * 16)
    assert folder is not None
    folder.mkdir(parents=True)
    for key in keys:
        (folder / f"{key}.edge-prepared").write_bytes(b"")
    assert [listed_name(path) for path in places.sessions()] == ["a.1_-X", "b"]
    assert [listed_name(path) for path in places.prepared()] == ["@0123456789ab", "@0123ffffffff"]
    for path in [*places.sessions(), *places.prepared()]:
        assert places.find(listed_name(path)) == path
    with pytest.raises(RequestError, match="2 prepared prompts begin with @0123"):
        places.find("@0123")
    with pytest.raises(RequestError, match="0 prepared prompts begin with @abcd"):
        places.find("@abcd")
    with pytest.raises(RequestError, match="no session 'c'"):
        places.find("c")
    for wrong in ("../b", "/etc/passwd", "@", "@../x", "@012*"):
        with pytest.raises(RequestError, match="session name"):
            places.find(wrong)


def test_without_a_home_there_is_nothing_and_nowhere() -> None:
    places = SavedPlaces(None)
    assert list(places.sessions()) == list(places.prepared()) == [] and not places.has_prepared
    with pytest.raises(RequestError, match="EDGE_SESSIONS_DIR"):
        places.session("a")
