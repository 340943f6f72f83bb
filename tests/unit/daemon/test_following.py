"""Which commit counts: a real repository, and policies that are really tried."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog.testing
from dulwich import porcelain

from orchestrator.daemon.following import Following
from orchestrator.daemon.vetting import Vetted, vet
from orchestrator.gitops.repository import Repository
from orchestrator.inventory import native
from orchestrator.inventory.model import Inventory
from tests.fleet import inventory, vm
from tests.upstream import Upstream

MONTHLY = """\
version: 1
name: monthly
select: {tags: {patching: monthly}}
change: {patches: {}}
schedule: {days_after_second_tuesday: 4}
"""
TESTS = """\
version: 1
fleet:
  machines: [{name: "web-[1-2]", tags: {patching: monthly}}]
tests:
  - name: both go
    expect: [{changes: %s}]
"""
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Watched:
    """A branch that is followed, by one process after the other, on a clock that a test sets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.upstream = Upstream(folder / "upstream")
        self.now = NOON
        self.fleet: Inventory = inventory(vm("web-1", tags={"patching": "monthly"}))
        self.restart()

    def restart(self) -> None:
        """Another process, with what the last one kept."""
        state = self.folder / "state"
        repository = Repository(str(self.upstream.folder), "main", state / "git")
        self.following = Following(repository, "policies", state, self._vet, lambda: self.now)
        self.following.remember()

    async def _vet(self, folder: Path, prefix: str) -> Vetted:
        return vet(folder, prefix, native.dump(self.fleet), self.now)

    @property
    def counts(self) -> str:
        """The subject of the commit that counts."""
        good = self.following.followed.good
        return good.commit.subject if good is not None else ""


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    """With a first commit."""
    found = Watched(tmp_path)
    found.upstream.commit("first", policies__monthly=MONTHLY)
    return found


async def test_a_good_commit_counts(watched: Watched) -> None:
    """From the moment on at which it was found good, not at which it was written."""
    followed = await watched.following.look()
    assert watched.counts == "first"
    assert followed.good is not None
    assert dict(followed.good.since) == {"monthly": NOON}
    assert [policy.file for policy in followed.good.policies] == ["policies/monthly.yaml"]


async def test_a_bad_commit_never_replaces_a_good_one(watched: Watched) -> None:
    """It is told with its problems, until a later one is good."""
    await watched.following.look()
    watched.upstream.commit("a slip", policies__monthly=MONTHLY.replace("select", "selct"))
    followed = await watched.following.look()
    assert watched.counts == "first"
    assert followed.bad is not None
    assert followed.bad.commit.subject == "a slip"
    assert any(
        "policies/monthly.yaml:3" in problem and "selct" in problem for problem in followed.bad.problems
    )
    watched.upstream.commit("mended", policies__monthly=MONTHLY)
    followed = await watched.following.look()
    assert (watched.counts, followed.bad) == ("mended", None)


async def test_a_commit_that_moved_the_folder_away_is_bad_and_told_once(
    watched: Watched,
) -> None:
    """Git answered well: it is no outage, and the next look has nothing new to say."""
    await watched.following.look()
    policy = watched.upstream.folder / "policies/monthly.yaml"
    porcelain.remove(str(watched.upstream.folder), paths=[str(policy)])
    watched.upstream.commit("moved", rules__monthly=MONTHLY)
    with structlog.testing.capture_logs() as told:
        await watched.following.look()
        followed = await watched.following.look()
    assert (watched.counts, followed.unreachable) == ("first", "")
    assert followed.bad is not None
    assert "has no folder policies" in followed.bad.problems[0]
    assert [one["event"] for one in told] == ["a commit is bad and does not count"]


async def test_a_commit_whose_tests_fail_is_bad(watched: Watched) -> None:
    """They are run by what will run the rollout."""
    watched.upstream.commit("with a test", **{"policies__monthly.test": TESTS % '"web-[1-2]"'})
    await watched.following.look()
    assert watched.counts == "with a test"
    watched.upstream.commit("another test", **{"policies__monthly.test": TESTS % "web-1"})
    followed = await watched.following.look()
    assert watched.counts == "with a test"
    assert followed.bad is not None
    (problem,) = followed.bad.problems
    assert problem.startswith("policies/monthly.test.yaml:5: the test `both go` fails: ")


async def test_a_campaign_that_selects_nobody_now_is_no_reason(watched: Watched) -> None:
    """The fleet may be empty of them today; somebody should know all the same."""
    watched.fleet = inventory(vm("db-1"))
    followed = await watched.following.look()
    assert watched.counts == "first"
    assert followed.good is not None
    assert any("monthly" in note for note in followed.good.notes)


async def test_a_restart_goes_on_under_what_counted(watched: Watched) -> None:
    """Also where the newest commit is bad; and a campaign doesn't begin to count anew."""
    await watched.following.look()
    watched.upstream.commit("a slip", policies__monthly="name: [")
    watched.now += timedelta(days=3)
    watched.restart()
    assert watched.counts == "first"
    followed = await watched.following.look()
    assert watched.counts == "first"
    assert followed.bad is not None
    watched.upstream.commit("second", policies__monthly=MONTHLY + "deadline: 20d\n")
    followed = await watched.following.look()
    assert watched.counts == "second"
    assert followed.good is not None
    assert dict(followed.good.since) == {"monthly": NOON}


async def test_while_git_cannot_be_asked_the_last_good_one_counts(watched: Watched) -> None:
    """Since when is told, and that it answers again."""
    await watched.following.look()
    away = watched.upstream.folder.rename(watched.folder / "away")
    followed = await watched.following.look()
    watched.now += timedelta(hours=1)
    followed = await watched.following.look()
    assert watched.counts == "first"
    assert "is no git repository" in followed.unreachable
    assert followed.unreachable_since == NOON
    away.rename(watched.upstream.folder)
    followed = await watched.following.look()
    assert (watched.counts, followed.unreachable, followed.unreachable_since) == ("first", "", None)


async def test_a_branch_that_was_rewritten_is_followed_and_told_of(watched: Watched) -> None:
    """A force-push may be meant, and may be an accident; it is vetted like any other."""
    watched.upstream.commit("second", policies__monthly=MONTHLY + "deadline: 20d\n")
    await watched.following.look()
    watched.upstream.rewind("first")
    watched.upstream.commit("instead", policies__monthly=MONTHLY + "deadline: 10d\n")
    followed = await watched.following.look()
    assert watched.counts == "instead"
    assert "the branch was rewritten" in followed.rewritten
