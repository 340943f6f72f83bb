"""What `deploy/` has for whoever runs the daemon: it fits the code, and the best tool that is here finds nothing wrong with it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from ruamel.yaml import YAML

from orchestrator.daemon.config import Config, read_config
from orchestrator.service.doctor import least_role
from orchestrator.telemetry import model as m

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNIT = DEPLOY / "systemd" / "wavekeeper.service"
DOCKERFILE = DEPLOY / "container" / "Dockerfile"
KUBERNETES = DEPLOY / "kubernetes"
DASHBOARD = DEPLOY / "grafana" / "wavekeeper.json"
ALERTS = DEPLOY / "prometheus" / "alerts.yaml"
BICEP = DEPLOY / "azure" / "main.bicep"
EXAMPLES = (DEPLOY / "systemd" / "daemon.yaml", KUBERNETES / "daemon.yaml")
PROMETHEUS_OWN = {"process_resident_memory_bytes", "process_cpu_seconds_total"}


def parsed(path: Path) -> list[Any]:
    """The documents of a YAML file."""
    return list(YAML(typ="safe", pure=True).load_all(path.read_text(encoding="utf-8")))


def configured(example: Path, folder: Path) -> Config:
    """What an example says, with the files that it names in a folder of ours."""
    text = example.read_text(encoding="utf-8").replace("/run/secrets/wavekeeper/", "")
    (folder / "webhooks.json").write_bytes(orjson.dumps({"platform-team": {"url": "https://chat.example/x"}}))
    (folder / "daemon.yaml").write_text(text)
    return read_config(folder / "daemon.yaml", {})


# Configurations -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.parent.name)
def test_an_example_is_a_configuration_that_changes_nothing_yet(example: Path, tmp_path: Path) -> None:
    """Whoever copies it observes first, is told, and can look at it."""
    config = configured(example, tmp_path)
    assert config.campaigns == {}
    assert config.journal == Path("/var/lib/wavekeeper/journal.db")
    assert [one.webhook for one in config.tell.receivers] == ["platform-team"]
    assert config.metrics is not None
    assert config.metrics.port == 9464
    assert config.web is not None
    assert (config.web.host, config.web.port) == ("127.0.0.1", 8470)


# systemd -------------------------------------------------------------------------------------------------------------


def unit() -> dict[str, list[str]]:
    """Every setting of the unit, and what it is set to."""
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith(("#", "[")):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def test_the_unit_starts_what_is_installed_where_its_configuration_and_journal_are(tmp_path: Path) -> None:
    """Under a user of its own, which writes its state alone."""
    said, config = unit(), configured(EXAMPLES[0], tmp_path)
    assert said["ExecStart"] == [
        "/opt/wavekeeper/bin/wavekeeper daemon --config /etc/wavekeeper/daemon.yaml --json"
    ]
    assert config.journal.parent == Path("/var/lib") / said["StateDirectory"][0]
    assert said["Type"] == ["notify"]
    assert said["ProtectSystem"] == ["strict"]
    assert "WatchdogSec" in said


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze isn't here")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    """And little that is exposed: below 2 of 10."""
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text(encoding="utf-8").replace("/opt/wavekeeper/bin/wavekeeper", "/bin/true"))
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(copy)], capture_output=True, text=True, check=False
    )
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(copy)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")
    assert judged.returncode == 0, judged.stdout[-200:]


# Container -----------------------------------------------------------------------------------------------------------


def test_the_image_has_what_the_package_is_built_from_and_runs_as_nobody_special() -> None:
    """Pinned by the constraints; the base is whoever builds it's to choose."""
    text = DOCKERFILE.read_text(encoding="utf-8")
    copied = {
        word.rstrip("/")
        for line in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE)
        for word in line.split()
    }
    assert copied == {
        "pyproject.toml",
        "constraints.txt",
        "README.md",
        "LICENSE",
        "policies/availability-first.yaml",
        "orchestrator",
    }
    assert all((ROOT / name).exists() for name in copied)
    kept = (DEPLOY / "container" / "Dockerfile.dockerignore").read_text().splitlines()
    assert {line[1:].rstrip("/") for line in kept if line.startswith("!")} == copied
    assert text.count("FROM ${BASE}") == 2
    assert "--constraint constraints.txt" in text
    assert "USER 10001:10001" in text
    assert "http://127.0.0.1:9464/healthz" in text


# Kubernetes ----------------------------------------------------------------------------------------------------------


def test_the_manifests_are_one_replica_that_fits_the_image_and_the_configuration(tmp_path: Path) -> None:
    """Its ports, its paths, its user; never two that write one journal."""
    (workload,) = parsed(KUBERNETES / "statefulset.yaml")
    spec = workload["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    config = configured(EXAMPLES[1], tmp_path)
    ports = {one["name"]: one["containerPort"] for one in container["ports"]}
    mounts = {one["mountPath"] for one in container["volumeMounts"]}
    assert workload["spec"]["replicas"] == 1
    assert config.metrics is not None
    assert config.web is not None
    assert ports == {"web": config.web.port, "metrics": config.metrics.port}
    assert str(config.journal.parent) in mounts
    assert spec["securityContext"]["runAsUser"] == 10001
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    probes = {
        name: container[name]["httpGet"]["path"]
        for name in ("startupProbe", "livenessProbe", "readinessProbe")
    }
    assert probes == {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}
    (kustomization,) = parsed(KUBERNETES / "kustomization.yaml")
    resources = {*kustomization["resources"], "kustomization.yaml", "daemon.yaml"}
    assert resources == {path.name for path in KUBERNETES.iterdir()}


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl isn't here")
def test_kustomize_builds_the_manifests() -> None:
    """All of them, in one namespace."""
    built = subprocess.run(
        ["kubectl", "kustomize", str(KUBERNETES)], capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    documents = list(YAML(typ="safe", pure=True).load_all(built.stdout))
    kinds = {one["kind"] for one in documents}
    assert kinds == {"Namespace", "ServiceAccount", "ConfigMap", "Service", "StatefulSet", "NetworkPolicy"}
    assert {one["metadata"].get("namespace", "wavekeeper") for one in documents} == {"wavekeeper"}


# Azure ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "uses"),
    [
        ("baseActions", ("plan", "patch", "restart")),
        ("arcActions", ("patch Arc machines",)),
        ("commandActions", ("run commands",)),
        ("arcCommandActions", ("run commands on Arc",)),
        ("enrolActions", ("enrol",)),
        ("auditActions", ("audit",)),
    ],
)
def test_the_role_is_what_doctor_says_is_the_least(name: str, uses: tuple[str, ...]) -> None:
    """Use by use, to the action."""
    text = BICEP.read_text(encoding="utf-8")
    found = re.search(rf"^var {name} = \[\n(.*?)^\]", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    assert re.findall(r"'([^']+)'", found.group(1)) == least_role([], uses)["Actions"]


def test_the_role_gives_nothing_else() -> None:
    """No wildcard, no action that isn't in one of the lists."""
    text = BICEP.read_text(encoding="utf-8")
    assert "*" not in "".join(re.findall(r"'(Microsoft\.[^'@]+)'", text))
    assert text.count("actions: actions") == 1


# Metrics -------------------------------------------------------------------------------------------------------------


def queries() -> Iterator[tuple[str, str]]:
    """Every query of the dashboard and of the alerts, with where it stands."""
    for panel in orjson.loads(DASHBOARD.read_bytes())["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for group in parsed(ALERTS)[0]["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]


def series() -> dict[str, set[str]]:
    """Every series that the daemon has, with its labels."""
    found = {}
    for metric in m.ALL:
        for ending in ("_bucket", "_sum", "_count") if metric.type is m.Type.HISTOGRAM else ("",):
            found[f"{metric.exposed}{ending}"] = {*metric.labels, *(["le"] if ending == "_bucket" else [])}
    return found


@pytest.mark.parametrize(("where", "query"), list(queries()))
def test_a_query_asks_of_series_and_labels_that_there_are(where: str, query: str) -> None:
    """Of this version of the daemon."""
    known = series()
    asked = set(re.findall(r"\b(?:wavekeeper|process)_\w+", query))
    assert asked, where
    assert asked - known.keys() - PROMETHEUS_OWN == set()
    labels = {"instance", "job"}.union(*(known.get(name, set()) for name in asked))
    used = set(re.findall(r"[{,]\s*(\w+)\s*(?:=|!=|=~|!~)\"", query))
    used |= {one.strip() for group in re.findall(r"by \(([^)]*)\)", query) for one in group.split(",")}
    assert used - labels == set()
    assert query.count("(") == query.count(")")


def test_every_metric_of_ours_is_shown_or_alerted_on() -> None:
    """What nobody looks at needn't be there; the exceptions are for looking closer."""
    asked = " ".join(query for _, query in queries())
    closer = {m.BUILD, m.HEALTH_AGE, m.COMMIT, m.HOLDS}
    unseen = [one.name for one in m.ALL if one.exposed not in asked and one not in closer]
    assert unseen == []


def test_panels_do_not_lie_over_each_other() -> None:
    """And have numbers of their own."""
    panels = orjson.loads(DASHBOARD.read_bytes())["panels"]
    taken = [
        (x, y)
        for one in panels
        for x in range(one["gridPos"]["x"], one["gridPos"]["x"] + one["gridPos"]["w"])
        for y in range(one["gridPos"]["y"], one["gridPos"]["y"] + one["gridPos"]["h"])
    ]
    assert len(set(taken)) == len(taken)
    assert len({one["id"] for one in panels}) == len(panels)
