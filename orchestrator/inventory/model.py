"""The nouns of an inventory: machines and what they stand in, as one source told them at one moment.

An inventory states facts and nothing else: no groups that a policy makes up, no judgement. What a source
doesn't say is None (or the member UNKNOWN of an enumeration), never a guess.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NewType

MachineId = NewType("MachineId", str)
"""An ARM resource id in lower case. ARM compares ids without regard to case, and so must we."""

ResourceId = NewType("ResourceId", str)
"""The ARM id of anything else (an availability set, a scale set), in lower case."""


class Kind(StrEnum):
    """What a machine is to Azure."""

    AZURE_VM = "azure_vm"
    ARC = "arc"
    AZURE_LOCAL = "azure_local"


class Os(StrEnum):
    """The family of the operating system."""

    WINDOWS = "windows"
    LINUX = "linux"
    UNKNOWN = "unknown"


class Power(StrEnum):
    """The power state, as the last part of ARM's `PowerState/...` code."""

    RUNNING = "running"
    STARTING = "starting"
    STOPPING = "stopping"
    STOPPED = "stopped"
    DEALLOCATING = "deallocating"
    DEALLOCATED = "deallocated"
    UNKNOWN = "unknown"


class Agent(StrEnum):
    """Whether the guest agent, which carries out patching, answers."""

    READY = "ready"
    NOT_READY = "not_ready"
    MISSING = "missing"  # the model says that none is provisioned
    UNKNOWN = "unknown"


class AppHealth(StrEnum):
    """What the Application Health extension reports."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    INITIALIZING = "initializing"
    UNKNOWN = "unknown"  # the extension says so itself
    NONE = "none"  # there is no such extension, or the source doesn't tell


class Connection(StrEnum):
    """Whether an Arc machine's agent has reported lately: Azure's `status` of the machine."""

    CONNECTED = "connected"
    DISCONNECTED = "disconnected"  # 15 to 30 minutes after the last heartbeat
    ERROR = "error"
    AWAITING = "awaiting_connection"  # created in Azure, and never heard of since
    UNKNOWN = "unknown"  # not told, or a virtual machine of Azure, which has none


class Orchestration(StrEnum):
    """How a scale set runs its machines. Only Flexible members are machines that can be rolled."""

    FLEXIBLE = "flexible"
    UNIFORM = "uniform"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Image:
    """The marketplace image that a machine was made from; of a custom one only its `id` is known, of none nothing."""

    publisher: str = ""
    offer: str = ""
    sku: str = ""
    version: str = ""
    id: str | None = None  # of a custom image, or one of a gallery, as the source spells it


class RebootBehavior(StrEnum):
    """What an assessment says of an update: whether installing it restarts the machine. Azure's `rebootBehavior`."""

    NEVER = "never_reboots"
    CAN = "can_request_reboot"
    ALWAYS = "always_requires_reboot"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Update:
    """An update that a machine's last assessment found outstanding."""

    name: str
    kb: str = ""  # digits only; empty on Linux
    classifications: tuple[str, ...] = ()  # as Azure spells them: "Security", "Security Updates"
    reboot: RebootBehavior = RebootBehavior.UNKNOWN
    version: str | None = None  # Linux: the one that it would come to
    published: datetime | None = None


@dataclass(frozen=True, slots=True)
class Installed:
    """An update that is known to be installed on a machine."""

    kb: str  # digits only
    name: str = ""
    at: datetime | None = None  # when the run that brought it ended


@dataclass(frozen=True, slots=True)
class PatchState:
    """What the platform remembers of patching, from `instanceView.patchStatus`. None: not told.

    `updates` are told by an assessment that was asked for, and by Resource Graph for seven days after it; `installed` for thirty days after an
    installation, and only what Azure installed, so that an update's absence proves nothing.
    """

    assessed_at: datetime | None = None
    critical_and_security: int | None = None  # patches outstanding
    other: int | None = None  # patches outstanding
    reboot_pending: bool | None = None
    installation_id: str | None = None  # `installationActivityId` of the last run
    installation_status: str | None = None  # InProgress, Succeeded, Failed, CompletedWithWarnings, Unknown
    installed_at: datetime | None = None
    updates: tuple[Update, ...] | None = None  # outstanding; sorted by KB and name
    installed: tuple[Installed, ...] | None = None  # sorted by KB


@dataclass(frozen=True, slots=True)
class PatchSettings:
    """Who patches a machine and how, besides `Machine.patch_mode`: its `patchSettings`. None: not told.

    Words are Azure's own, open strings: an `assessment_mode` is `ImageDefault` or `AutomaticByPlatform`, a `reboot_setting`
    `IfRequired`, `Never`, `Always` or `Unknown`.
    """

    assessment_mode: str | None = None
    hotpatching: bool | None = None  # `enableHotpatching`
    hotpatch_status: str | None = None  # Arc: Unknown, PendingEvaluation, Disabled, ActionRequired, Enabled
    hotpatch_license: str | None = None  # Arc: Unknown, Enabling, Enabled, Disabled, Disabling, Failed
    reboot_setting: str | None = None
    bypasses_safety_checks: bool | None = None  # `bypassPlatformSafetyChecksOnUserSchedule`
    automatic_updates: bool | None = (
        None  # Windows: `enableAutomaticUpdates`, settled when the machine is made
    )


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine. Ids are lower case; `arm_id` keeps the spelling that the source used, for display."""

    id: MachineId
    name: str
    subscription: str
    resource_group: str
    location: str
    arm_id: str
    kind: Kind = Kind.AZURE_VM
    zone: str | None = None  # logical: it means something within its subscription only
    tags: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    os: Os = Os.UNKNOWN
    size: str = ""
    image: Image = Image()
    availability_set: ResourceId | None = None
    scale_set: ResourceId | None = None
    backend_pools: tuple[ResourceId, ...] | None = None  # sorted; of load balancers and application gateways
    update_domain: int | None = None
    fault_domain: int | None = None
    power: Power = Power.UNKNOWN
    agent: Agent = Agent.UNKNOWN
    app_health: AppHealth = AppHealth.NONE
    patches: PatchState = PatchState()
    patch_mode: str = ""  # AutomaticByPlatform, AutomaticByOS, Manual, ImageDefault
    patch_settings: PatchSettings = PatchSettings()
    time_zone: str = ""  # as Windows names it, such as "W. Europe Standard Time"
    computer_name: str = ""
    private_ips: tuple[str, ...] = ()
    provisioning: str = ""  # Succeeded, Updating, Failed, ...
    os_name: str | None = None  # "Windows Server 2025 Datacenter", "ubuntu"
    os_version: str | None = None  # "10.0.26100.32690"
    os_edition: str | None = None  # Arc: serverstandard, serverdatacenter, ...
    vbs: bool | None = None  # whether virtualization-based security runs; no list of Azure's tells it
    agent_version: str | None = None
    connection: Connection = Connection.UNKNOWN
    connection_since: datetime | None = None  # when `connection` last changed
    cluster: ResourceId | None = None  # that an Arc or Azure Local machine runs on
    schedules: tuple[ResourceId, ...] | None = None  # sorted; maintenance configurations that reach it


@dataclass(frozen=True, slots=True)
class AvailabilitySet:
    """An availability set: `members` are all that Azure names, also ones that this inventory doesn't hold."""

    id: ResourceId
    name: str
    location: str
    update_domains: int | None = None
    fault_domains: int | None = None
    members: tuple[MachineId, ...] = ()


@dataclass(frozen=True, slots=True)
class ScaleSet:
    """A scale set, Flexible or Uniform. `instances` is Uniform's count, whose members are no VMs of ARM."""

    id: ResourceId
    name: str
    location: str
    orchestration: Orchestration = Orchestration.UNKNOWN
    fault_domains: int | None = None
    members: tuple[MachineId, ...] = ()
    instances: int = 0
    automatic_repairs: bool | None = None  # whether Azure replaces an instance that it finds unhealthy


@dataclass(frozen=True, slots=True)
class BackendPool:
    """What a load balancer or an application gateway spreads its traffic over; `members` as of an availability set."""

    id: ResourceId
    name: str  # with its balancer's: lb-shop/web
    members: tuple[MachineId, ...] = ()


@dataclass(frozen=True, slots=True)
class Location:
    """A region. `zones` maps subscription -> logical zone -> physical zone; a missing entry is unknown.

    `paired` lists the regions this one names as its pair; pairing is not symmetric.
    """

    name: str
    paired: tuple[str, ...] = ()
    zones: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something that the source named and couldn't show, and the permission or cause behind that."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Inventory:
    """Everything one source said at one moment; every tuple is sorted by id or name."""

    taken_at: datetime | None  # None: a file that doesn't say
    source: str  # "arm", "az vm list", "az graph query", ...
    machines: tuple[Machine, ...]
    availability_sets: tuple[AvailabilitySet, ...] = ()
    scale_sets: tuple[ScaleSet, ...] = ()
    backend_pools: tuple[BackendPool, ...] = ()
    locations: tuple[Location, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()


def machine_id(arm_id: str) -> MachineId:
    """The one spelling of an ARM id that everything compares by."""
    return MachineId(arm_id.strip().rstrip("/").lower())


def resource_id(arm_id: str) -> ResourceId:
    """As `machine_id`, for what isn't a machine."""
    return ResourceId(arm_id.strip().rstrip("/").lower())


def kb_number(spelled: str) -> str:
    """The digits of an update's number, which is spelt `KB5066835`, `kb5066835` or `5066835`."""
    return spelled.strip().lower().removeprefix("kb")
