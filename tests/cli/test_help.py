"""The help of every command: it has examples, and each of them is one that the parser takes."""

from __future__ import annotations

import argparse
import re
import shlex

import pytest

from headgate.cli import main, parser

COMMANDS = next(
    dict(each.choices) for each in parser()._actions if isinstance(each, argparse._SubParsersAction)
)


def examples(text: str) -> list[str]:
    """The commands of ours in a text; what follows after two spaces explains them."""
    spelled = text % {"prog": "headgate"} if "%(prog)s" in text else text
    found = re.findall(r"(?:^|[ (])(headgate [a-z].*?)(?=  |$|&&|\||>|\))", spelled, re.MULTILINE)
    return [each.strip() for each in found]


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_the_examples_are_commands_that_can_be_typed(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"] if name else ["--help"])
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert "example" in printed
    typed = examples(printed.partition("example")[2])
    assert typed
    for each in typed:
        parser().parse_args(shlex.split(each)[1:])


@pytest.mark.parametrize("called", ["/usr/bin/kubectl-headgate", "kubectl-headgate.exe"])
def test_a_plugin_of_kubectl_names_itself_as_it_is_typed(
    called: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", [called])
    with pytest.raises(SystemExit):
        main(["get", "--help"])
    assert "kubectl headgate get fraud -w" in capsys.readouterr().out
