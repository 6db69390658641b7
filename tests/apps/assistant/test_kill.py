"""kill -9 while it works loses nothing that was acknowledged; all of it: tests/campaigns/kill_assistant.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaigns.kill_assistant import Loss, campaign, check, kill_round


def test_a_few_kills(tmp_path: Path) -> None:
    assert campaign(tmp_path, kills=4, seed=7) > 0


def test_the_campaign_sees_a_loss(tmp_path: Path) -> None:
    lines = kill_round(tmp_path, 0, 0.2)
    check(tmp_path, lines)
    for line in ("note never 1 done done\n", "note 0-0 99999 done done\n", "note 0-0 1 failed failed\n"):
        with pytest.raises(Loss):
            check(tmp_path, [line])
