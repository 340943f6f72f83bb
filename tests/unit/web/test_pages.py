"""The page as files: what it may load is said in a header, and it needs nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orchestrator.web.pages import PAGE
from tests.desk import office
from tests.simulation.reference import reference

FILES = sorted(file.name for file in PAGE.iterdir())


async def test_the_page_loads_nothing_from_elsewhere_and_runs_nothing_that_stands_in_it(
    tmp_path: Path,
) -> None:
    """By its policy of content, for every file."""
    async with office(await reference(), tmp_path) as there:
        for name in ("", *FILES):
            async with there.client.get(f"{there.url}/{name}") as got:
                assert got.status == 200
                policy = got.headers["Content-Security-Policy"]
                assert "default-src 'none'" in policy
                assert "unsafe" not in policy
                assert got.headers["X-Content-Type-Options"] == "nosniff"


async def test_what_is_not_there_is_told_as_a_problem(tmp_path: Path) -> None:
    """Also below the API, and nothing outside of the folder is there."""
    async with office(await reference(), tmp_path) as there:
        for path in ("nothing", "api/v1/nothing", "..%2Fapp.py", "app.js/"):
            async with there.client.get(f"{there.url}/{path}", headers={"X-Who": "ada"}) as got:
                assert (got.status, got.content_type) == (404, "application/problem+json"), path


async def test_modules_are_served_as_what_they_are(tmp_path: Path) -> None:
    """Else a browser that is told not to guess runs none of them."""
    async with office(await reference(), tmp_path) as there, there.client.get(f"{there.url}/app.js") as got:
        assert got.content_type in ("text/javascript", "application/javascript")


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".html")])
def test_there_is_no_script_or_style_within(name: str) -> None:
    """Nor an address of another host."""
    text = (PAGE / name).read_text()
    assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|https?://", text)


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".js")])
def test_modules_make_no_markup_of_strings(name: str) -> None:
    """A machine may be called anything, and its name is text."""
    text = (PAGE / name).read_text()
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text
    )
    assert not re.search(r"https?://", text)
    assert len(text.splitlines()) < 400


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".js")])
def test_what_a_module_takes_from_another_is_there(name: str) -> None:
    """Nobody builds them, so nobody else would see."""
    text = (PAGE / name).read_text()
    for names, other in re.findall(r'import \{([^}]*)\} from "\./([^"]+)"', text):
        given = set(
            re.findall(r"export (?:async )?(?:function|class|const) (\w+)", (PAGE / other).read_text())
        )
        assert {one.strip() for one in names.split(",")} <= given
        for one in names.split(","):
            assert len(re.findall(rf"\b{one.strip()}\b", text)) > 1, f"{one} is taken and not used"
