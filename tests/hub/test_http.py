"""Who gets the token, where redirects may lead, and what is refused."""

from __future__ import annotations

import pytest

from edge.errors import DownloadError, RequestError
from edge.hub import Http
from edge.hub.http import MAX_REDIRECTS, TransientError, hub_of
from tests.hub.hub_server import Behaviour, Hub, serving

FILE = b"x" * 5000


def read(http: Http, url: str) -> bytes:
    with http.get(url) as answer:
        data = b""
        while piece := answer.read(1000):
            data += piece
        return data


def test_the_token_goes_to_the_hub_and_not_behind_a_redirect() -> None:
    with serving(Hub({"a.gguf": FILE})) as storage, serving(Hub({"a.gguf": FILE})) as hub:
        # The same machine, another port: another origin.
        hub.behaviour.redirect_to = storage.url
        hub.behaviour.needs_token = "hf_secret"
        http = Http(hub.url, "hf_secret")
        assert read(http, f"{hub.url}/me/tiny/resolve/main/a.gguf") == FILE
        assert [asked.authorization for asked in hub.asked] == ["Bearer hf_secret"]
        assert [asked.authorization for asked in storage.asked] == [None]
        # A URL that is not the hub's gets none either.
        assert read(http, f"{storage.url}/files/a.gguf") == FILE
        assert storage.asked[-1].authorization is None


def test_a_redirect_inside_the_hub_keeps_the_token() -> None:
    with serving(Hub({"a.gguf": FILE}, Behaviour(needs_token="t"))) as hub:
        http = Http(hub.url, "t")
        hub.behaviour.redirect_to = ""  # without a Location: a redirect that leads nowhere
        with pytest.raises(DownloadError, match="without a place to go to"):
            read(http, f"{hub.url}/me/tiny/resolve/main/a.gguf")
        hub.behaviour.redirect_to = None
        assert read(http, f"{hub.url}/me/tiny/resolve/main/a.gguf") == FILE


def test_no_token_over_a_network_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub at http://example.com is asked, but not told."""
    for name in ("http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with serving(Hub({"a.gguf": FILE})) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)  # answers in the place of example.com
        assert read(Http("http://example.com", "secret"), "http://example.com/me/tiny/resolve/main/a.gguf") == FILE
        assert [asked.path for asked in proxy.asked] == ["http://example.com/me/tiny/resolve/main/a.gguf"]
        assert proxy.asked[0].authorization is None


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "ftp://example.com/a", "data:,x", "http://[", "javascript:x", "http://"]
)
def test_redirects_to_other_schemes_are_refused(location: str) -> None:
    from edge.hub.http import _next  # pyright: ignore[reportPrivateUsage]

    with pytest.raises(DownloadError, match="no URL to follow"):
        _next("https://hub.example/a", location)


def test_redirects_out_of_tls_are_refused() -> None:
    from edge.hub.http import _next  # pyright: ignore[reportPrivateUsage]

    with pytest.raises(DownloadError, match="from https to http"):
        _next("https://hub.example/a", "http://cdn.example/a")
    assert _next("https://hub.example/a", "/b?c=1") == "https://hub.example/b?c=1"


def test_endless_redirects_end() -> None:
    with serving(Hub({"a.gguf": FILE}, Behaviour(loops=True))) as hub:
        with pytest.raises(DownloadError, match=f"more than {MAX_REDIRECTS} redirects"):
            read(Http(hub.url), f"{hub.url}/me/tiny/resolve/main/a.gguf")
        assert len(hub.asked) == MAX_REDIRECTS + 1


def test_a_header_without_end_is_an_error() -> None:
    with serving(Hub({"a.gguf": FILE}, Behaviour(huge_header=True))) as hub:
        with pytest.raises(TransientError, match="header line"):
            read(Http(hub.url), f"{hub.url}/me/tiny/resolve/main/a.gguf")


def test_compressed_answers_are_refused() -> None:
    with serving(Hub({"a.gguf": FILE}, Behaviour(gzip=True))) as hub:
        with pytest.raises(DownloadError, match="'gzip', and was asked for plain bytes"):
            read(Http(hub.url), f"{hub.url}/me/tiny/resolve/main/a.gguf")


@pytest.mark.parametrize(
    ("token", "path", "message"),
    [(None, "/me/tiny/resolve/main/a.gguf", "set HF_TOKEN"), ("t", "/me/none/resolve/main/a.gguf", "no such model")],
)
def test_refusals_say_what_to_do(token: str | None, path: str, message: str) -> None:
    with serving(Hub({"a.gguf": FILE}, Behaviour(needs_token="t"))) as hub:
        with pytest.raises(DownloadError, match=message) as info:
            read(Http(hub.url, token), hub.url + path)
        assert not isinstance(info.value, TransientError)


def test_a_server_that_is_silent_is_left() -> None:
    how = Behaviour(stop_at=1024)
    with serving(Hub({"a.gguf": FILE}, how)) as hub:
        with pytest.raises(TransientError, match="no byte in time"):
            read(Http(hub.url, timeout=0.2), f"{hub.url}/me/tiny/resolve/main/a.gguf")


def test_nobody_there() -> None:
    with pytest.raises(TransientError, match="127.0.0.1:9: "):
        read(Http("http://127.0.0.1:9"), "http://127.0.0.1:9/a")


def test_offline_asks_nothing() -> None:
    with serving(Hub({"a.gguf": FILE})) as hub:
        http = Http.of({"EDGE_HUB": hub.url, "HF_HUB_OFFLINE": "1"})
        with pytest.raises(DownloadError, match="HF_HUB_OFFLINE"):
            http.text(f"{hub.url}/api/models/me/tiny/revision/main")
        assert hub.asked == []


def test_lists_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.hub.http.MAX_TEXT_BYTES", 1000)
    with serving(Hub({}, Behaviour(document=b" " * 1001))) as hub:
        with pytest.raises(DownloadError, match="more than 1000 bytes"):
            Http(hub.url).text(f"{hub.url}/api/models/me/tiny/revision/main")


@pytest.mark.parametrize(
    "hub", ["huggingface.co", "ftp://x", "https://", "https://a b:x", "https://u:p@host", "http://h?q"]
)
def test_hubs_that_cannot_be_meant(hub: str) -> None:
    with pytest.raises(RequestError, match="EDGE_HUB is"):
        hub_of({"EDGE_HUB": hub})


def test_the_environment_names_hub_and_token() -> None:
    assert hub_of({}) == "https://huggingface.co"
    assert hub_of({"HF_ENDPOINT": "https://mirror.example/"}) == "https://mirror.example"
    assert hub_of({"HF_ENDPOINT": "https://mirror.example", "EDGE_HUB": "http://127.0.0.1:1"}) == "http://127.0.0.1:1"
    with pytest.raises(RequestError) as info:
        Http("https://huggingface.co", "hf_geheim\nX-Evil: 1")
    assert "geheim" not in str(info.value)
