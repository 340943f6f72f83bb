"""What `policy check` costs: many files, and a large inventory that they are held against.

    python benchmarks/policies.py [--files 1000] [--machines 100000] [--json]

Files are written to disk as people write them, with comments: rules of an application's team over ten applications each, and every
twentieth a campaign. They go through all that the command does: read, parsed, checked by themselves and on the fleet of
`estate.py`, findings in the end. Reading the inventory is told apart, since it costs the same whatever is done with it.

Goal for 1,000 files and 100,000 machines: 3 s without reading the inventory.
"""

from __future__ import annotations

import gc
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, Final

from apparatus import arguments, busy_with_others, measured, peak_mib, tell
from estate import APPLICATION, START, estate

from orchestrator.inventory import native
from orchestrator.review.review import review
from orchestrator.wiring.files import floor, read_inventory, read_whole

GOAL_S: Final = 3.0

RULES: Final = """\
# Owned by the team of {name}. These rules hold whoever changes the machines.
version: 1
name: {name}
select: {{tags: {{app: [{apps}]}}}}

rules:
  # Of each application at most a quarter is out, and half of it always serves.
  - {{max_unavailable: 25%, per: "tag:app"}}
  - {{min_available: 40%, per: ["tag:app", region]}}
  - {{max_unavailable: 2, per: [subscription, region], of: {{os: linux}}}}
  - {{max_unavailable: 1, per: availability_set}}
  # The first machine of each application last: it holds the books.
  - {{order: [{{not: {{names: "*-0"}}}}, {{names: "*-0"}}], per: "tag:app"}}

health:
  min_healthy_time: 5m
  healthy_deadline: 30m
  probes:
    - app_health
    - http: {{url: "http://{{private_ip}}:8080/healthz", expect_status: [200, 204], timeout: 3s}}
      of: {{os: linux}}
    - tcp: {{port: 3389}}
      of: {{os: windows}}

around:
  - of: {{os: linux}}
    before: {{webhook: lb-drain, timeout: 10m}}
    after: {{webhook: lb-undrain}}

windows:
  - {{start: [fri, sat], at: "22:00", for: 8h, time_zone: {{machine: true, else: Europe/Amsterdam}}}}
freezes:
  - {{from: 2026-12-18, to: 2027-01-04, reason: year end}}
"""

CAMPAIGN: Final = """
change:
  patches: {{classifications: [critical, security], reboot: if_required}}
stages:
  - {{name: canary, count: 5, bake: 4h}}
  - {{name: pilot, up_to: 10%, bake: 24h, then: approve}}
  - {{name: broad}}
stop_when: {{unhealthy: 1%, not_changed: 5%}}
"""


def write(folder: Path, files: int, machines: int) -> None:
    """The policies, each over its share of the applications."""
    applications = machines // APPLICATION
    for number in range(files):
        mine = range(number * applications // files, (number + 1) * applications // files)
        apps = ", ".join(f"app{application:05}" for application in mine) or "none"
        text = RULES + (CAMPAIGN if number % 20 == 0 else "")
        name = f"team-{number:04}"
        (folder / f"{name}.yaml").write_text(text.format(name=name, apps=apps), encoding="utf-8")


def checked(files: int, machines: int) -> dict[str, Any]:
    """Seconds and memory, part by part."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, files, machines)
        (folder / "fleet.json").write_bytes(native.dump(estate(machines)))
        with measured() as reading:
            inventory = read_inventory(folder / "fleet.json")
        gc.disable()  # as the command does
        before = peak_mib()
        with measured() as loading:
            loaded = read_whole([folder])
        with measured() as reviewing:
            found = review(loaded, floor(), START, inventory)
    assert len(found.policies) == files
    return {
        "files": files,
        "machines": machines,
        "inventory_cpu_s": round(reading.cpu_s, 2),
        "load_cpu_s": round(loading.cpu_s, 2),
        "review_cpu_s": round(reviewing.cpu_s, 2),
        "check_wall_s": round(loading.wall_s + reviewing.wall_s, 2),
        "foreign": reviewing.foreign,
        "mib": round(peak_mib()),
        "mib_before": round(before),
        "findings": dict(sorted(Counter(problem.code for problem in found.problems).items())),
    }


def main() -> None:
    """Measure and tell."""
    parser = arguments(__doc__)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--machines", type=int, default=100_000)
    options = parser.parse_args()
    figures = checked(options.files, options.machines)
    rows = [
        (f"load {options.files:,} files", f"{figures['load_cpu_s']} s", ""),
        (f"review them on {options.machines:,} machines", f"{figures['review_cpu_s']} s", ""),
        ("policy check without the inventory, wall", f"{figures['check_wall_s']} s", f"{GOAL_S:g} s"),
        ("reading the inventory", f"{figures['inventory_cpu_s']} s", ""),
        ("memory", f"{figures['mib']} MiB, {figures['mib_before']} of them the inventory", ""),
        ("findings", str(figures["findings"]), ""),
        *busy_with_others(figures["foreign"]),
    ]
    tell(figures, rows, as_json=options.json)


if __name__ == "__main__":
    main()
