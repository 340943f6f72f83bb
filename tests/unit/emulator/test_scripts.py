"""What is read off a script."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.emulator.scripts import Script, read_script


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("wusa /uninstall /kb:5123010 /quiet /norestart", Script(removes=("5123010",))),
        ("wusa.exe /uninstall /KB:5123010 /quiet", Script(removes=("5123010",), restarts_if_required=True)),
        (
            'Remove-WindowsPackage -Online -PackageName "Package_for_KB5123010~31bf"',
            Script(removes=("5123010",)),
        ),
        (
            "dism /online /remove-package /packagename:Package_for_KB5123010",
            Script(removes=("5123010",)),
        ),
        (r"wusa C:\updates\windows10.0-kb5110010-x64.msu /quiet /norestart", Script(installs=("5110010",))),
        ("Install-WindowsUpdate -KBArticleID KB5110010 -AcceptAll", Script(installs=("5110010",))),
        ("Restart-Computer -Force", Script(restarts=True)),
        ("shutdown /r /t 0", Script(restarts=True)),
        ("sudo systemctl reboot", Script(restarts=True)),
        (
            "Start-Sleep -Seconds 90; Write-Output 'done'",
            Script(waits=timedelta(seconds=90), output="done\n"),
        ),
        (
            "sleep 5 && echo done && exit 3\necho never",
            Script(waits=timedelta(seconds=5), output="done\n", exit_code=3),
        ),
        ('throw "no room"', Script(error="no room\n", exit_code=1)),
        ("# wusa /uninstall /kb:5123010", Script()),
        ("Get-Service", Script()),
    ],
)
def test_what_is_recognised(script: str, expected: Script) -> None:
    """Updates that go and come, restarts, waiting, words, endings; comments and all the rest do nothing."""
    assert expected == read_script(script.splitlines(), {})


def test_parameters_are_put_in() -> None:
    """The longer name first, in whatever case it is spelled, with and without braces."""
    lines = ["wusa /uninstall /kb:$Kb /quiet /norestart", "echo ${kbName} $kb"]

    assert Script(removes=("5123010",), output="october 5123010\n") == read_script(
        lines, {"kb": "5123010", "kbname": "october"}
    )


def test_each_update_once() -> None:
    """A script that names an update twice takes it away once."""
    script = ["wusa /uninstall /kb:5123010", "wusa /uninstall /kb:5123010"]

    assert read_script(script, {}).removes == ("5123010",)
