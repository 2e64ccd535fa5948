"""`restore-cluster` where there is nothing to restore; where there is, see test_made_of_backup."""

from __future__ import annotations

import pytest

from harness.runbook.commands import COMMANDS
from harness.runbook.proofs import PROOFS
from harness.runbook.scene import Refused, Scene

pytestmark = pytest.mark.fabric


def test_a_region_without_a_backup_node_gives_nothing_back(scene: Scene) -> None:
    with pytest.raises(Refused, match="there has no backup node"):
        COMMANDS["restore-cluster"].act(scene, {"from": "there"})
    for name, arguments in (("restored", {"region": "there"}), ("copied", {"from": "there", "to": "here"})):
        effect = PROOFS[name].see(scene, arguments)
        assert (effect.proven, effect.proof) == (False, "there has no backup node")
