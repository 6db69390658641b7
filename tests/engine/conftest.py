"""The bench of tests/engine/fake.py for tests that make their own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.engine.fake import Bench


@pytest.fixture(scope="session")
def make_bench() -> Callable[..., Bench]:
    return Bench
