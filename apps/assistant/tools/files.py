"""Files of the workspace as tools."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from edge.assistant.tool import Arguments, Result, Tool, parameters
from edge.assistant.workspace import Workspace, names_of

__all__ = ["file_tools"]

_MOST_HITS = 50


def file_tools(workspace: Workspace) -> list[Tool]:
    tools = _Files(workspace)
    path = {"type": "string", "description": "file, like notes/plan.txt", "minLength": 1, "maxLength": 500}
    folder = {"type": "string", "description": "folder, all if left out", "maxLength": 500}
    words = {"type": "string", "description": "words to look for", "minLength": 1, "maxLength": 200}
    text = {"type": "string", "description": "what to write"}
    replace = {"type": "boolean", "description": "whether a file of this name may be replaced"}
    return [
        Tool("list_files", "list the files of a folder", parameters(folder=folder), tools.list, resource="files"),
        Tool("read_file", "read a file", parameters("path", path=path), tools.read, resource="files"),
        Tool("search_files", "search the files", parameters("query", query=words, folder=folder), tools.search,
             resource="files"),
        Tool("write_file", "write a file", parameters("path", "text", path=path, text=text, replace=replace),
             tools.write, "write", scope=_folder_of, resource="files"),
    ]  # fmt: skip


class _Files:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def list(self, given: Arguments) -> Result:
        entries = self._workspace.entries(given.get("folder", ""))
        lines = [f"- {name}/" if size is None else f"- {name} ({size} bytes)" for name, size in entries]
        data = [{"name": name, "bytes": size, "folder": size is None} for name, size in entries]
        return Result("\n".join(lines) or "There are no files.", {"entries": data}, untrusted=bool(entries))

    def read(self, given: Arguments) -> Result:
        text = self._workspace.read(given["path"])
        return Result(text or "The file is empty.", {"path": given["path"], "text": text}, untrusted=bool(text))

    def search(self, given: Arguments) -> Result:
        hits = list(islice(self._workspace.search(given["query"], given.get("folder", "")), _MOST_HITS))
        lines = [f"- {path}:{number}: {line.strip()[:200]}" if number else f"- {path}" for path, number, line in hits]
        data = [{"path": path, "line": number, "text": line[:500]} for path, number, line in hits]
        return Result("\n".join(lines) or f"No file holds “{given['query']}”.", {"hits": data}, untrusted=bool(hits))

    def write(self, given: Arguments) -> Result:
        is_new = self._workspace.write(given["path"], given["text"], replace=bool(given.get("replace")))
        size = len(given["text"].encode())
        return Result(f"{given['path']} is {'written' if is_new else 'replaced'}, {size} bytes.",
                      {"path": given["path"], "bytes": size})  # fmt: skip


def _folder_of(given: Mapping[str, Any]) -> str:
    """Consent is remembered for the folder; ToolFailure for a path that leads out."""
    return "/".join(names_of(given["path"])[:-1]) or "."
