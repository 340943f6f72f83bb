"""First drafts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.drafting.draft import draft
from orchestrator.drafting.found import found
from orchestrator.inventory.model import Machine
from orchestrator.planner.plan import plan
from orchestrator.policy.load import load_one
from orchestrator.policy.model import EVERYTHING, MaxUnavailable, MinAvailable, Policy, Selector, Share
from orchestrator.topology.graph import build
from orchestrator.wiring.files import floor
from tests.fleet import inventory, pool_id, vm
from tests.unit.drafting.test_found import fleet


def drafted(machines: list[Machine], select: Selector = EVERYTHING) -> tuple[str, Policy]:
    """The draft as text, and as the policy that it is."""
    text = draft("first", select, found(machines), "a test")
    return text, load_one("first.yaml", text)


def rules_of(
    machines: list[Machine],
) -> list[tuple[object, tuple[str, ...], tuple[tuple[str, tuple[str, ...]], ...]]]:
    """What each rule of the draft says: how much, per what, of which tags."""
    told: list[tuple[object, tuple[str, ...], tuple[tuple[str, tuple[str, ...]], ...]]] = []
    for rule in drafted(machines)[1].rules:
        assert isinstance(rule, MaxUnavailable | MinAvailable)
        told.append((rule.limit if isinstance(rule, MaxUnavailable) else rule.floor, rule.per, rule.of.tags))
    return told


def test_tiers_give_up_a_quarter_and_what_votes_keeps_a_majority() -> None:
    """An order is proposed, and struck out."""
    machines = fleet(tier=["web"] * 9 + ["db"] * 3)
    text, _ = drafted(machines)

    assert rules_of(machines) == [
        (Share(percent=25), ("tag:tier",), ()),
        (None, ("tag:tier",), (("tier", ("db",)),)),
    ]
    assert "  # - {order: [{tags: {tier: db}}, {tags: {tier: web}}], per: region}" in text


def test_small_clusters_give_up_one_and_keep_a_majority() -> None:
    """Pairs keep no majority, since theirs would be both."""
    assert rules_of(fleet(cluster=["a"] * 3 + ["b"] * 5)) == [
        (Share(count=1), ("tag:cluster",), ()),
        (None, ("tag:cluster",), ()),
    ]
    assert rules_of(fleet(ag=["a"] * 3 + ["b"] * 2))[1] == (None, ("tag:ag",), (("ag", ("a",)),))


def test_large_pools_give_up_a_tenth() -> None:
    """Of which one that votes keeps its majority."""
    assert rules_of(fleet(pool=["a"] * 30 + ["b"] * 20 + ["etcd"] * 5)) == [
        (Share(percent=10), ("tag:pool",), ()),
        (None, ("tag:pool",), (("pool", ("etcd",)),)),
    ]


def test_machines_without_telling_tags_are_one_group() -> None:
    """Few by number, many by a share."""
    assert [rules_of([vm(f"m{n}") for n in range(many)]) for many in (5, 40)] == [
        [(Share(count=1), (), ())],
        [(Share(percent=10), (), ())],
    ]


def test_a_ring_makes_the_canary() -> None:
    """The tag's own first value."""
    _, policy = drafted(fleet(ring=["canary", "broad", "broad"]))
    assert policy.campaign is not None
    assert policy.campaign.stages[0].select == Selector(tags=(("ring", ("canary",)),))


def test_it_says_what_was_found() -> None:
    """With sizes, and how many are in no group."""
    text, policy = drafted(fleet(tier=["web"] * 4 + ["db"] * 3 + [""]))
    assert "# - tag tier, looks like a tier: web (4), db (3), in none (1)" in text
    assert policy.select == Selector(names=("*",))


ODD = st.text(
    alphabet=st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), max_codepoint=0xFFFF), max_size=8
)
TAGS = st.dictionaries(
    st.sampled_from(["tier", "cluster", "ring", "Pool", "a: b", "#x"]),
    ODD | st.sampled_from(["db", "web", "canary"]),
    max_size=4,
)


@given(st.lists(TAGS, min_size=1, max_size=14))
def test_whatever_the_tags_the_draft_is_a_policy_that_plans(tags: list[dict[str, str]]) -> None:
    """Every machine is changed: no draft holds anybody back for good while all run."""
    machines = [vm(f"m-{n:02}", tags=held) for n, held in enumerate(tags)]
    _, policy = drafted(machines)

    made = plan(build(inventory(*machines)), [policy], floor())

    assert made.left_out == ()


def test_pools_give_up_a_quarter_however_many_a_machine_is_in() -> None:
    """And the sizes are told, with how many machines are in none."""
    web, api = pool_id("web"), pool_id("api")
    machines = [vm(f"m-{n}", backend_pools=(web, api) if n < 2 else (web,)) for n in range(8)]
    machines.append(vm("lone", backend_pools=()))
    text, policy = drafted(machines)

    assert "# - back-end pools: lb/web (8), lb/api (2), in none (1)" in text
    assert "of lb/web's 8, 2." in text
    assert [rule.per for rule in policy.rules if isinstance(rule, MaxUnavailable)] == [("load_balancer",)]
