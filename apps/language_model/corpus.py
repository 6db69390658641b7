"""Real text: the documentation in Debian's packages, as plain text.

    python -m apps.language_model.corpus --out build/language/corpus

downloads the packages with apt-get (Debian 12; `apt-get update` first), unpacks them beside the result with dpkg-deb
and writes `train.txt` and `held_out.txt`. A document is a page; pages end with a form feed. Whole documents are held
out, by a hash of their path.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

__all__ = ["DOCUMENT_END", "page_text", "write_corpus"]

DOCUMENT_END = "\f"
RUST_BOOKS = ("book", "reference", "nomicon", "rust-by-example", "rustc", "edition-guide", "embedded-book")
# package -> the pages of it that are English text
PACKAGES = {
    "apache2-doc": ("usr/share/doc/apache2-doc/manual/en/**/*.html",),
    "aptitude-doc-en": ("usr/share/doc/aptitude/html/en/*.html",),
    "bash-doc": ("usr/share/doc/bash/bashref.html",),
    "debian-faq": ("usr/share/doc/debian/FAQ/*.en.html",),
    "debian-handbook": ("usr/share/doc/debian-handbook/html/en-US/*.html",),
    "debian-policy": ("usr/share/doc/debian-policy/policy.html/*.html",),
    "debian-reference-en": ("usr/share/debian-reference/*.en.html",),
    "developers-reference": ("usr/share/developers-reference/*.html",),
    "git-doc": ("usr/share/doc/git-doc/**/*.html",),
    "installation-guide-amd64": ("usr/share/doc/installation-guide-amd64/en/*.html",),
    "octave-doc": ("usr/share/doc/octave/octave.html/*.html",),
    "perl-doc": ("usr/share/perl/*/pod/*.pod",),
    "postgresql-doc-15": ("usr/share/doc/postgresql-doc-15/html/*.html",),
    "python-django-doc": ("usr/share/doc/python-django-doc/html/**/*.html",),
    "python3.11-doc": ("usr/share/doc/python3.11/html/**/*.html",),
    "rust-doc": tuple(f"usr/share/doc/rust-doc/html/{book}/**/*.html" for book in RUST_BOOKS),
    "sqlite3-doc": ("usr/share/doc/sqlite3/**/*.html",),
    "zsh-doc": ("usr/share/doc/zsh-common/html/*.html",),
}
SKIPPED_PAGES = re.compile(r"(genindex|search|print|toc|_modules|bookindex|py-modindex)")
HELD_OUT_ONE_IN = 40
SHORTEST_PAGE = 400  # characters; shorter pages are tables of contents and forwarding notes
SHORTEST_REPEAT = 60  # characters of a paragraph that counts as a repeat of another
REPEATED_IN = 5  # pages of one package: a line that is in more of them is navigation, not text
_SILENT = {"script", "style", "head", "nav", "svg", "footer", "button"}
_BLOCKS = {
    "p",
    "div",
    "li",
    "dt",
    "dd",
    "tr",
    "pre",
    "table",
    "ul",
    "ol",
    "dl",
    "section",
    "br",
    "h1",
    "h2",
    "h3",
    "h4",
}


class _Text(HTMLParser):
    """What a page says: blocks on lines of their own, preformatted text as it stands."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._silent = self._pre = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in _SILENT
        self._pre += tag == "pre"
        if tag in _BLOCKS:
            self.parts.append("\n\n" if tag in ("p", "pre", "h1", "h2", "h3", "h4") else "\n")

    def handle_endtag(self, tag: str) -> None:
        self._silent = max(0, self._silent - (tag in _SILENT))
        self._pre = max(0, self._pre - (tag == "pre"))
        if tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data if self._pre else re.sub(r"\s+", " ", data))


def page_text(path: Path) -> str:
    """The text of an HTML page, or of a file that is text already."""
    raw = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix == ".html":
        parser = _Text()
        parser.feed(raw)
        raw = "".join(parser.parts)
    lines = (re.sub(r"[¶\xa0\ufffd\f\r]", " ", line).rstrip() for line in raw.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _download(package: str, folder: Path) -> Path:
    """The folder that the package's files lie in; nothing is installed."""
    tree = folder / package
    if not tree.is_dir():
        subprocess.run(["apt-get", "download", package], cwd=folder, check=True)
        (archive,) = folder.glob(f"{package}_*.deb")
        subprocess.run(["dpkg-deb", "-x", archive, tree.with_suffix(".part")], check=True)
        tree.with_suffix(".part").rename(tree)
        archive.unlink()
    return tree


def _pages(package: str, tree: Path) -> Iterator[tuple[str, str]]:
    """(path, text) of every page, in the order of paths, without the lines that many pages have in common."""
    paths = sorted({path for pattern in PACKAGES[package] for path in tree.glob(pattern) if path.is_file()})
    texts = {str(path.relative_to(tree)): page_text(path) for path in paths if not SKIPPED_PAGES.search(path.name)}
    seen = Counter(line for text in texts.values() for line in set(text.split("\n")) if len(line.strip()) > 3)
    for path, text in texts.items():
        kept = "\n".join(line for line in text.split("\n") if seen[line] <= REPEATED_IN)
        kept = re.sub(r"\n{3,}", "\n\n", kept).strip()
        yield f"{package}/{path}", kept


def _without_repeats(page: str, seen: set[str]) -> str:
    """The page without the paragraphs that an earlier page had: held-out text must not stand in the rest as well."""
    kept: list[str] = []
    for paragraph in page.split("\n\n"):
        if paragraph not in seen or len(paragraph) < SHORTEST_REPEAT:
            kept.append(paragraph)
        seen.add(paragraph)
    return "\n\n".join(kept)


def write_corpus(out: Path, packages: Path) -> tuple[int, int]:
    """Writes both files; characters of (train, held out)."""
    out.mkdir(parents=True, exist_ok=True)
    packages.mkdir(parents=True, exist_ok=True)
    sizes, paragraphs = [0, 0], set[str]()
    with open(out / "train.txt", "w") as train, open(out / "held_out.txt", "w") as held_out:
        for package in PACKAGES:
            start = list(sizes)
            for path, page in _pages(package, _download(package, packages)):
                text = _without_repeats(page, paragraphs)
                if len(text) < SHORTEST_PAGE:
                    continue
                held = int.from_bytes(hashlib.sha256(path.encode()).digest()[:4], "big") % HELD_OUT_ONE_IN == 0
                (held_out if held else train).write(text + DOCUMENT_END)
                sizes[held] += len(text)
            print(f"{package}: {sizes[0] - start[0]} characters, {sizes[1] - start[1]} held out", flush=True)
    return sizes[0], sizes[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--packages", type=Path, help="where packages are unpacked (default: OUT/packages)")
    options = parser.parse_args()
    train, held_out = write_corpus(options.out, options.packages or options.out / "packages")
    print(f"characters: {train} to train, {held_out} held out")


if __name__ == "__main__":
    main()
