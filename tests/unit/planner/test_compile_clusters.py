"""Rules over clusters, the groups that Azure tells of machines on premises."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.inventory.model import Inventory, ResourceId, resource_id
from orchestrator.planner.facts import CLUSTERS_READ, facts_digest, read_tags
from orchestrator.policy.load import load_one
from orchestrator.policy.model import EVERYTHING
from orchestrator.topology.graph import build
from orchestrator.topology.model import GroupKind
from tests.fleet import SUBSCRIPTION, arc, inventory, vm
from tests.unit.planner.compiling import budgets, compiled, exclusions


def cluster(name: str) -> ResourceId:
    """A cluster's id."""
    scope = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers"
    return resource_id(f"{scope}/Microsoft.AzureStackHCI/clusters/{name}")


def site() -> Inventory:
    """Two clusters of two machines, and one that stands alone."""
    return inventory(
        arc("a1", cluster=cluster("one")),
        arc("a2", cluster=cluster("one")),
        arc("b1", cluster=cluster("two")),
        arc("b2", cluster=cluster("two")),
        vm("lone"),
    )


def test_each_cluster_is_a_group() -> None:
    """By the name of the cluster."""
    assert budgets(compiled(site(), "  - {max_unavailable: 1, per: cluster}")) == {
        "at most 1 of 2 in cluster one": "a1 a2",
        "at most 1 of 2 in cluster two": "b1 b2",
    }


def test_clusters_one_after_the_other() -> None:
    """As domains they are like zones."""
    found = exclusions(compiled(site(), "  - {one_at_a_time: cluster}"))
    assert len(found) == 1
    assert "one" in str(found)


def test_machines_outside_are_told() -> None:
    """A rule that silently doesn't hold would be worse than none."""
    result = compiled(site(), "  - {max_unavailable: 1, per: cluster}")
    assert [warned.what for warned in result.warnings] == [
        "the rule doesn't hold for 1 machine of p without the cluster"
    ]


def test_a_machine_that_moved_to_another_cluster_is_planned_anew() -> None:
    """Where a rule reads clusters, and nowhere else."""
    text = "version: 1\nname: p\nselect: {names: ['*']}\nrules: [{max_unavailable: 1, per: cluster}]\n"
    read = read_tags([load_one("p.yaml", text)], EVERYTHING)
    assert CLUSTERS_READ in read
    before = arc("a1", cluster=cluster("one"))
    after = replace(before, cluster=cluster("two"))
    assert facts_digest(before, read) != facts_digest(after, read)
    assert facts_digest(before, ()) == facts_digest(after, ())


def test_the_topology_knows_them() -> None:
    """With their names and members."""
    groups = build(site()).groups(GroupKind.CLUSTER)
    assert [(group.name, len(group.members)) for group in groups] == [("one", 2), ("two", 2)]
