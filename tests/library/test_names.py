"""What names of models mean, and which cannot be meant."""

from __future__ import annotations

import pytest

from edge.errors import RequestError
from edge.library import HubName, UrlName, parse_name
from edge.library.names import quant_of

HUB = "http://127.0.0.1:9999/mirror"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("me/tiny", HubName("me", "tiny")),
        ("me/tiny:Q4_K_M", HubName("me", "tiny", "Q4_K_M")),
        ("me/tiny:UD/tiny-UD-Q2_K_XL.gguf", HubName("me", "tiny", "UD/tiny-UD-Q2_K_XL.gguf")),
        ("hf.co/me/tiny:Q8_0", HubName("me", "tiny", "Q8_0")),
        ("https://huggingface.co/me/tiny", HubName("me", "tiny")),
        ("https://huggingface.co/me/tiny/", HubName("me", "tiny")),
        ("https://hf.co/me/tiny:Q8_0", HubName("me", "tiny", "Q8_0")),
        ("https://huggingface.co/me/tiny/tree/v2", HubName("me", "tiny", None, "v2")),
        ("https://huggingface.co/me/tiny/blob/main/a/b.gguf", HubName("me", "tiny", "a/b.gguf")),
        ("https://huggingface.co/me/tiny/resolve/main/b%20c.gguf?download=true", HubName("me", "tiny", "b c.gguf")),
        (f"{HUB}/me/tiny/resolve/main/b.gguf", HubName("me", "tiny", "b.gguf")),
        ("https://example.com/x/b.gguf?sig=1", UrlName("https://example.com/x/b.gguf?sig=1", "example.com", "b.gguf")),
        ("http://localhost:8000/b.gguf", UrlName("http://localhost:8000/b.gguf", "localhost_8000", "b.gguf")),
        ("tiny", None),
        ("a/b/c", None),
        ("me/", None),
        ("../tiny", None),
        ("me/..", None),
        ("me/tiny:", None),
        ("me/tiny:../x", None),
        ("me/tiny:/etc", None),
        ("yes/no!", None),
        ("a:b/c", None),
    ],
)
def test_names(text: str, meant: HubName | UrlName | None) -> None:
    assert parse_name(text, HUB) == meant


@pytest.mark.parametrize(
    "url",
    [
        "https://",
        "https:///b.gguf",
        "https://[/b.gguf",
        "https://example.com:99999/b.gguf",
        "https://user:secret@example.com/b.gguf",
        "https://example.com/b.bin",
        "https://example.com/..%2fb.gguf",
        "https://example.com/%2e%2e/.b.gguf",
        "https://example.com/a b.gguf",
        "https://example.com/" + "x" * 2000 + ".gguf",
        "https://huggingface.co/me",
        "https://huggingface.co/me/tiny/discussions/1",
        "https://huggingface.co/me/tiny/resolve/main/../../x.gguf",
        "https://huggingface.co/me/tiny/resolve/..%2fmain/x.gguf",
        "https://huggingface.co/me/tiny:../x",
    ],
)
def test_urls_that_cannot_be_meant(url: str) -> None:
    with pytest.raises(RequestError):
        parse_name(url, HUB)


@pytest.mark.parametrize(
    ("file", "quant"),
    [
        ("Qwen3-0.6B-Q8_0.gguf", "Q8_0"),
        ("tinyllama-1.1b-chat-v1.0.Q4_K_M.gguf", "Q4_K_M"),
        ("m-IQ2_XXS.gguf", "IQ2_XXS"),
        ("m-UD-Q4_K_XL-00001-of-00002.gguf", "UD-Q4_K_XL"),
        ("m-f16.gguf", "F16"),
        ("m-fp16.gguf", "FP16"),
        ("m-BF16.gguf", "BF16"),
        ("bitnet-TQ2_0.gguf", "TQ2_0"),
        ("gpt-oss-20b-mxfp4.gguf", "MXFP4"),
        ("Q4_0/m.gguf", "Q4_0"),
        ("qwen2.gguf", None),
        ("model.gguf", None),
    ],
)
def test_quantisations_in_file_names(file: str, quant: str | None) -> None:
    assert quant_of(file) == quant
