"""The routes of managed run commands, which are resources of a machine, whichever its provider."""

from __future__ import annotations

from orchestrator.emulator.call import Call, nowhere, read_body
from orchestrator.emulator.state import Answer


def managed_command(call: Call, method: str, machine: str, name: list[str]) -> Answer:
    """What is asked of a machine's run commands, or of the one of that name."""
    world, now = call.world, call.now
    expand = "instanceview" in call.query.get("$expand", "").lower()
    match method, *name:
        case "GET", _:
            return world.get_command(machine, call.spelled[-1], now, expand=expand)
        case ("GET",):
            return world.list_commands(machine, now, expand=expand)
        case "DELETE", _:
            return world.delete_command(machine, call.spelled[-1], now)
        case "PUT", _:
            body = read_body(call.request.body)
            if isinstance(body, Answer):
                return body
            request_id = call.request.headers.get("x-ms-client-request-id", "")
            return world.put_command(machine, call.spelled[-1], body, now, request_id, call.request.base)
        case _:
            return nowhere(call.request)
