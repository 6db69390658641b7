"""Who may listen where, and with which key."""

from __future__ import annotations

from typing import Any

import pytest

from edge.errors import RequestError
from edge.serve import ServeSettings
from edge.serve.settings import is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost", "LOCALHOST"])
def test_loopback(host: str) -> None:
    assert is_loopback(host)
    ServeSettings("m", host=host)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.1.5", "pi.local", "localhost.evil.example", "", "127.0.0.1.x"]
)
def test_anything_else_needs_a_key(host: str) -> None:
    assert not is_loopback(host)
    with pytest.raises(RequestError, match="a key is needed"):
        ServeSettings("m", host=host)
    ServeSettings("m", host=host, api_key="k" * 16)


@pytest.mark.parametrize(
    "fields",
    [
        {"port": -1},
        {"port": 65536},
        {"sequences": 0},
        {"queue": -1},
        {"api_key": ""},
        {"api_key": "k" * 15},
        {"api_key": "k" * 16 + " "},
        {"api_key": "\u00e9" * 16},
        {"allow_origins": ("*",)},
        {"allow_origins": ("https://page.example/path",)},
        {"allow_origins": ("null",)},
    ],
)
def test_what_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(RequestError):
        ServeSettings("m", **fields)
