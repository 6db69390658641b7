"""K and V of conversations and prepared prompts in files: saved, checked, restored."""

from __future__ import annotations

from edge.sessions.fingerprint import Fingerprint
from edge.sessions.places import SavedPlaces
from edge.sessions.reader import SavedFile
from edge.sessions.session import Session

__all__ = ["Fingerprint", "SavedFile", "SavedPlaces", "Session"]
