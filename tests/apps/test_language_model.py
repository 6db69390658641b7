"""The documentation model: how pages become text."""

from __future__ import annotations

from pathlib import Path

from apps.language_model.corpus import page_text

PAGE = """<html><head><title>Not this</title><style>p {color: red}</style></head><body>
<nav><a href="x">Previous</a></nav><h1>Lists &amp; sets</h1>
<p>A list   keeps
its order.</p><pre>  a = [1,
       2]</pre><ul><li>one</li><li>two</li></ul><script>alert(1)</script></body></html>"""


def test_a_page_becomes_its_text(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(PAGE)
    text = page_text(tmp_path / "page.html")
    assert text == "Lists & sets\n\nA list keeps its order.\n\n  a = [1,\n       2]\n\none\n\ntwo"


def test_text_files_are_taken_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "page.pod").write_text("=head1 NAME\n\n\n\n\nperl <b>\n")
    assert page_text(tmp_path / "page.pod") == "=head1 NAME\n\nperl <b>"
