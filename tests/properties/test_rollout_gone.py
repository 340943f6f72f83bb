"""Never: a machine that is gone gives room to anybody, before a named person writes it off or it is seen to serve again."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.availability.model import Constraint
from orchestrator.errors import Refused
from tests.builders import budget, ids, lane, plan_of
from tests.diary import Diary
from tests.recount import assert_counts

CHANGED, COUNTED = "abcde", "xy"
EVERYBODY = st.sampled_from(CHANGED + COUNTED)
BUDGETS = st.lists(
    st.tuples(st.integers(1, 3), st.sets(EVERYBODY, min_size=2).map(lambda some: " ".join(sorted(some)))),
    min_size=1,
    max_size=4,
    unique_by=lambda one: one[1],
)
STEPS = st.lists(
    st.sampled_from(["gone", "granted", "granted", "done"])
    | st.tuples(st.sampled_from(["vanishes", "returns"]), st.sampled_from(COUNTED))
    | st.tuples(st.just("written off"), EVERYBODY)
    | st.just("crash"),
    max_size=20,
)


@dataclass
class Books:
    """Who is out as the test knows it: vanished, and not written off; or granted."""

    diary: Diary
    away: set[str] = field(default_factory=set)
    written_off: set[str] = field(default_factory=set)
    granted: list[str] = field(default_factory=list)

    def out(self) -> set[str]:
        """Everybody who must take a place."""
        return self.away | set(self.granted)

    def take(self, step: str | tuple[str, str]) -> None:
        """Have one thing happen, if it can."""
        checked = self.diary.checked().split()
        match step:
            case "gone" if checked:
                self.diary.gone(checked[0])
                self.away.add(checked[0])
            case "granted" if checked:
                self._room_for(checked[0])
                self.diary.follow(checked[0])
                self.granted.append(checked[0])
            case "done" if self.granted:
                name = self.granted.pop(0)
                self.diary.ended(name)
                self.diary.recover(name)
            case ("vanishes", name) if name not in self.written_off:
                self.diary.fleet(out=name)
                self.away.add(name)
            case ("returns", name):
                self.diary.fleet(back=name)
                self.away.discard(name)
            case ("written off", name) if name in self.away:
                self.diary.write_off(name)
                self.away.discard(name)
                self.written_off.add(name)
            case ("written off", name) if name in self.granted or name in COUNTED:
                try:
                    self.diary.write_off(name)
                except Refused:
                    return
                raise AssertionError(f"{name} serves or is under way, and was written off")
            case "crash":
                self.diary.crash()
            case _:
                pass

    def _room_for(self, name: str) -> None:
        """Whoever is about to be granted finds a place in each of its budgets beside all who are out."""
        for rule, _ in self.diary.scope.ledger.budgets():
            if set(ids(name)) <= set(rule.members):
                held = set(rule.members) & set(ids(" ".join(sorted(self.out()))))
                assert len(held) < rule.limit, f"{name} is looked at though {held} fill {rule.what}"


@settings(max_examples=300)
@given(BUDGETS, STEPS)
def test_who_is_gone_takes_a_place_until_a_person_says_otherwise(
    budgets: list[tuple[int, str]], steps: list[str | tuple[str, str]]
) -> None:
    """In each budget that it is a member of, whether the rollout changes it or only counts it, after a crash too."""
    rules: list[Constraint] = [budget(limit, members) for limit, members in budgets]
    books = Books(Diary(plan_of(lane("west", " ".join(CHANGED)), counted=" ".join(COUNTED), rules=rules)))
    for step in steps:
        books.take(step)
        counted = set(ids(" ".join(sorted(books.out())))) if books.out() else set()
        for rule, taken in books.diary.scope.ledger.budgets():
            assert taken == len(counted & set(rule.members)), (step, rule.what)
        assert_counts(books.diary.scope, books.diary.rollout)
