"""One server for the tests that leave it as they found it."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.serve.process import Server, serving


@pytest.fixture(scope="session")
def server() -> Generator[Server]:
    with serving() as running:
        yield running
