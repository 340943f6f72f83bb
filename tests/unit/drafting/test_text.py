"""Policies as text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.drafting import text
from orchestrator.policy.document import read
from orchestrator.policy.load import load_one
from orchestrator.policy.model import Selector


@given(
    st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=30)
)
def test_a_scalar_is_read_back_as_it_was(value: str) -> None:
    """Whatever a tag holds."""
    document, problems = read(
        "f", f"a: {text.scalar(value)}\nb: {text.mapping({value: text.scalar(value)})}\n"
    )

    assert problems == ()
    assert document is not None
    assert document.data == {"a": value, "b": {value: value}}


def test_a_selector_is_read_back_as_it_was() -> None:
    """All its keys."""
    inner = Selector(names=("web-*",), os=("linux",))
    select = Selector(
        tags=(("app", ("shop",)), ("odd tag", ("*", "a: b"))),
        without_tags=("hold",),
        names=("a", "b?"),
        regions=("westeurope",),
        zones=("1", "2"),
        subscriptions=("8a1c0000-0000-4000-8000-000000000001",),
        resource_groups=("rg-*",),
        os=("windows",),
        kinds=("arc",),
        availability_sets=("*",),
        scale_sets=("pool",),
        none_of=(inner,),
        any_of=(inner, Selector(zones=("3",))),
    )
    policy = load_one(
        "f", f"version: 1\nname: n\nselect: {text.selector(select)}\nrules: [{{max_unavailable: 1}}]\n"
    )

    assert policy.select == select


def test_names_are_made_fit() -> None:
    """Of anything; at most 64 characters."""
    assert [text.name(told, "x") for told in ("mc prod/nights", "--", "ü", "a" * 99)] == [
        "mc-prod-nights",
        "x",
        "x",
        "a" * 64,
    ]
