"""What a step around something may get wrong though each of its values is right."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.errors import Problem
from orchestrator.policy.document import Document, Path
from orchestrator.policy.kinds import Each
from orchestrator.policy.schema.health import STEP_KINDS, StepSection
from orchestrator.policy.scripts import command_nonsense


def step_nonsense(document: Document, at: Path, step: StepSection, each: Each) -> Iterator[Problem]:
    """Every problem of a step, which stands at this place of the document, around each of what `each` says."""
    written = [kind for kind in STEP_KINDS if kind in step.model_fields_set]
    if len(written) != 1:
        found = "none" if not written else " and ".join(written)
        what = f"a step is of exactly one kind, and this one of {found}"
        yield document.problem(at, what, f"write one of {', '.join(STEP_KINDS)} an entry")
    if step.run_command is None:
        return
    yield from command_nonsense(document, (*at, "run_command"), step.run_command)
    if step.timeout is not None:
        what = "a script has a timeout of its own"
        instead = "write it into `run_command`, and take this one out"
        yield document.problem((*at, "timeout"), what, instead, key=True)
    if each is not Each.MACHINE:
        what = f"a script runs on a machine, and this step is around each {each}"
        yield document.problem((*at, "run_command"), what, "write each: machine, or a webhook", key=True)
