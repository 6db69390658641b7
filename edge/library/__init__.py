"""The models that are on this machine, pulled by edge or by other tools, and what they are called."""

from __future__ import annotations

from edge.library.found import Found
from edge.library.library import Library
from edge.library.names import HubName, UrlName, is_url, parse_name

__all__ = ["Found", "HubName", "Library", "UrlName", "is_url", "parse_name"]
