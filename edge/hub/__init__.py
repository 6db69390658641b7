"""Models that are elsewhere: looked at before they are downloaded, and downloaded so that nothing is lost."""

from __future__ import annotations

from edge.hub.download import Download
from edge.hub.http import Http
from edge.hub.listing import RemoteFile, RemoteModel, choose, list_models
from edge.hub.remote import Beginning, open_remote

__all__ = ["Beginning", "Download", "Http", "RemoteFile", "RemoteModel", "choose", "list_models", "open_remote"]
