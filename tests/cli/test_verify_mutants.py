"""`phasegate verify --mutants`: the table, the document, one that is shown, and what does not go together."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from phasegate.cli import mutants as command
from phasegate.verifying.mutants.hunting import Catch, Sign

LIBRARY = Path(__file__).parents[1] / "scenarios"
THREE = str(LIBRARY / "set_of_three.yaml")


def test_the_table_of_the_command(call: Any) -> None:
    """A line for each, the gaps and the argued ones with what they bend, and the sum; a gap's exit code is 1."""
    result = call("verify", "--mutants", "--only", "cap-", THREE)
    assert (1, "") == (result.exit_code, result.stderr)
    for words in (
        "4 batch-within-cap",
        "gaps: nothing gives these away",
        "cap-rounded-up (core.twin.selector.Selector.cap): a batch's share of its set is rounded up",
        "the same states everywhere",
        "no exploration can tell these",
        "one instance alone is always within the size",
    ):
        assert words in result.stdout
    assert 0 == call("verify", "--mutants", "--only", "cap-one-more", THREE).exit_code


def test_the_document_of_the_command(call: Any) -> None:
    """Everything that the table says, for programs."""
    document = json.loads(call("verify", "--mutants", "--only", "cap-one-more", THREE, "--json").stdout)
    (mutant,) = document["mutants"]
    assert ("phasegate/mutants/1", "caught", "promise", 1) == (
        document["format"],
        mutant["fate"],
        mutant["by"],
        mutant["acts"],
    )


def test_without_scenarios_it_is_the_library(call: Any) -> None:
    """The library comes with the program."""
    assert sorted(path.name for path in LIBRARY.glob("*.yaml")) == [
        path.rpartition("/")[2] for path in command.library()
    ]
    result = call("verify", "--mutants", "--only", "cap-one-more", "--quick")
    assert (0, True) == (result.exit_code, "1 caught" in result.stdout)


def test_other_states_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """A gap in which a scenario came to other states says where."""
    catch = Catch("cap-rounded-up", None, 1, 9, 0.1, ("set_of_two",))
    command.show(command.Screen(width=120), [catch, evolve(catch, sign=Sign("x", "counts", "9 states, not 8", None))])
    out = capsys.readouterr().out
    assert "other states in set_of_two" in out
    assert "1 by the number of states alone" in out


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--mutants", "--only", "nothing-like-it"], "no mutant has `nothing-like-it` in its name (--only)"),
        (["--mutants", "--sweep", "x.yaml"], "a sweep bends no rule; leave it out, or the mutants (--sweep)"),
        (["--only", "cap", THREE], "it chooses mutants; give --mutants too (--only)"),
        (["--quick", THREE], "it is of mutants; give --mutants too (--quick)"),
        (["--mutants", "--mutant", "cap-one-more"], "all of them are hunted, or one is shown (--mutant)"),
        (["--mutant", "cap-one-mor", THREE], "unknown mutant `cap-one-mor`; did you mean `cap-one-more`? (--mutant)"),
        (
            ["--mutant", "cap-one-more", "--kernel", "compiled", THREE],
            "a mutant is explored on the plain twin; leave it out (--kernel)",
        ),
        ([], "name a scenario file, a sweep file with --sweep, or --mutants for the library (SCENARIO)"),
    ],
)
def test_what_does_not_go_together(call: Any, arguments: list[str], error: str) -> None:
    """One line says what, and how to mend it."""
    result = call("verify", *arguments)
    assert (2, f"error: {error}\n") == (result.exit_code, result.stderr)


def test_an_interrupt_shows_what_is_done(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table so far, how far that is, and the exit code of an interrupt."""
    catch = Catch("cap-one-more", None, 1, 9, 0.1, ())

    def interrupted(*mutants: Any, **more: Any) -> list[Catch]:
        signal.raise_signal(signal.SIGINT)
        assert more["stop"]()
        return [catch]

    monkeypatch.setattr(command, "hunt_all", interrupted)
    result = call("verify", "--mutants", "--only", "cap-", THREE)
    words = "error: interrupted with 1 of 6 mutants done; --only WORD chooses fewer (phasegate verify)\n"
    assert (130, words) == (result.exit_code, result.stderr)
    assert "cap-one-more" in result.stdout


def test_one_is_shown(call: Any) -> None:
    """With one rule bent the command shows the way to what is broken; the rule is as it was afterwards."""
    bent = call("verify", "--mutant", "cap-one-more", THREE)
    assert (1, True) == (bent.exit_code, "2 start in eastus/web: at most 1 of 3 may (20 %)" in bent.stdout)
    assert 0 == call("verify", THREE).exit_code


def test_one_is_shown_where_the_library_notices_it(call: Any) -> None:
    """Without a scenario it is the one that notices it; there is none for one that nobody can tell."""
    bent = call("verify", "--mutant", "manual-superseded")
    assert (1, True) == (bent.exit_code, "promise `never rollout-cancelled` is broken" in bent.stdout)
    result = call("verify", "--mutant", "two-holds")
    words = "no scenario of the library notices `two-holds`; name one to see so (SCENARIO)"
    assert (2, f"error: {words}\n") == (result.exit_code, result.stderr)
    assert "unknown mutant `two-hold`; did you mean `two-holds`?" in call("verify", "--mutant", "two-hold").stderr


def test_one_that_fails_is_an_answer(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where exploring itself fails over it, that is told; it is no fault of the program."""
    look, seen = command.look, list[Any]()

    def look_once(scenario: Any) -> Any:
        """Look at the one scenario once, for words and document alike."""
        if not seen:
            seen.append(look(scenario))
        return seen[0]

    monkeypatch.setattr(command, "look", look_once)
    result = call("verify", "--mutant", "fill-nobody")
    said = "selected_down: with `fill-nobody` exploring it fails after 11 acts: IndexError: list index out of range"
    assert (1, said) == (result.exit_code, " ".join(result.stdout.split()))
    document = json.loads(call("verify", "--mutant", "fill-nobody", "--json").stdout)
    assert ("selected_down", "fill-nobody", "crash") == (document["scenario"], document["mutant"], document["by"])


def test_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal a bar says how many are done and which was last; elsewhere nothing is written."""
    catch = Catch("cap-one-more", None, 1, 9, 0.1, ())
    with command._progress(1) as tell:
        tell(catch)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with command._progress(1) as tell:
        tell(catch)
