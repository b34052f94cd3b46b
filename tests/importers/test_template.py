"""The evaluation of templates."""

from typing import Any

import pytest

from phasegate.files.documents import InvalidFile
from phasegate.importers.reading import Document, Unresolved
from phasegate.importers.template import COPIES_MAX, GROUP, SUBSCRIPTION, Template

PARAMETERS = {
    "name": {"type": "string", "defaultValue": "Web"},
    "lower": {"type": "string", "defaultValue": "[toLower(parameters('NAME'))]"},
    "count": {"type": "int"},
    "flag": {"type": "bool", "defaultValue": False},
    "items": {"type": "array", "defaultValue": [1, "[parameters('name')]"]},
    "shape": {"type": "object", "defaultValue": {"Size": 3, "bad": "[missing()]"}},
    "broken": 3,
}
VARIABLES = {
    "plain": "x",
    "unsure": ["[reference('x')]"],
    "escaped": "[[x]",
    "nested": {"a": ["[variables('plain')]"]},
    "loop": "[variables('pool')]",
    "pool": "[variables('loop')]",
    "needs": "[concat(parameters('count'), 'x')]",
    "copy": [{"name": "disks", "count": 2, "input": {"lun": "[copyIndex('disks')]"}}, "no loop"],
}


def template(location: str | None = None, **given: Any) -> Template:
    """Return a template with the parameters and variables above."""
    document = Document("t.json", {"parameters": PARAMETERS, "variables": VARIABLES, "resources": []})
    return Template(document, {name.lower(): value for name, value in given.items()}, location)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (5, 5),
        (None, None),
        ("x", "x"),
        ("[[x]", "[x]"),
        (["[variables('plain')]", {"a": "[variables('PLAIN')]"}], ["x", {"a": "x"}]),
        ("[parameters('lower')]", "web"),
        ("[parameters('items')[1]]", "Web"),
        ("[parameters('shape').size]", 3),
        ("[variables('escaped')]", "[x]"),
        ("[variables('nested')['a'][0]]", "x"),
        ("[variables('disks')]", [{"lun": 0}, {"lun": 1}]),
        ("[if(parameters('flag'), parameters('count'), 'no')]", "no"),
        ("[and(parameters('flag'), parameters('count'))]", False),
        ("[or(true(), parameters('count'))]", True),
        ("[not(equals(1, 2))]", True),
        ("[subscription().subscriptionId]", SUBSCRIPTION),
        ("[resourceGroup().name]", GROUP),
        (
            "[resourceId('Microsoft.Network/loadBalancers/', 'lb')]",
            f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.Network/loadBalancers/lb",
        ),
        (
            "[resourceId('other', 'Microsoft.Network/vnets/subnets', 'v', 's')]",
            f"/subscriptions/{SUBSCRIPTION}/resourceGroups/other/providers/Microsoft.Network/vnets/v/subnets/s",
        ),
        (
            "[subscriptionResourceId('A/b', 'c')]",
            f"/subscriptions/{SUBSCRIPTION}/providers/A/b/c",
        ),
        ("[tenantResourceId('A/b', 'c')]", "/providers/A/b/c"),
        (
            {"copy": [{"name": "nics", "count": 2, "input": "[concat('nic', copyIndex('nics', 1))]"}], "a": 1},
            {"a": 1, "nics": ["nic1", "nic2"]},
        ),
        ({"copy": "[variables('plain')]"}, {"copy": "x"}),
    ],
)
def test_what_is_known_is_evaluated(text: Any, value: Any) -> None:
    """Expressions, wherever they stand, give way to their values."""
    assert value == template().resolve(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[reference('x').y]", "`reference` needs what is deployed"),
        ("[concat(listKeys('x'), 'y')]", "`listkeys` needs what is deployed"),
        ("[contoso.unique('x')]", "function `contoso.unique` is not understood"),
        ("[concat(]", "the expression ends too early"),
        ("[first(variables('unsure'))]", "`reference` needs what is deployed"),
        ("[string(variables('unsure'))]", "an argument holds a value that is not known"),
        ("[substring('abc', 9, 9)]", "`substring` cannot take these arguments"),
        ("[parameters('none')]", "parameter `none` is not declared"),
        ("[parameters('broken')]", "parameter `broken` is not declared"),
        ("[parameters(1)]", "`parameters` takes one name"),
        ("[variables('none')]", "variable `none` is not declared"),
        ("[variables('copy')]", "variable `copy` is not declared"),
        ("[variables('loop')]", "variable `loop` is made from itself"),
        ("[parameters('shape').none]", "there is no `none` in it"),
        ("[parameters('shape').bad]", "function `missing` is not understood"),
        ("[parameters('items')[7]]", "there is no `7` in it"),
        ("[if(true())]", "`if` takes a condition and two values"),
        ("[resourceId('lb')]", "`resourceid` needs the type of a resource"),
        ("[copyIndex()]", "`copyIndex` stands outside of copy loop ``"),
        (
            "[resourceGroup().location]",
            "the location of the resource group is not in a template; give it with --location REGION",
        ),
    ],
)
def test_what_is_not_known_says_why(text: str, why: str) -> None:
    """A fault is a value in its place; nothing is raised for what nobody reads."""
    found = template().resolve(text)
    assert isinstance(found, Unresolved)
    assert why == found.why


def test_a_missing_parameter_is_known_by_its_name() -> None:
    """Whatever is computed from it carries the name on."""
    why = "parameter `count` has no default; give it with --parameter count=VALUE or in a parameters file"
    expected = [Unresolved(why, "count")] * 3
    resolved = template().resolve(["[parameters('count')]", "[variables('needs')]", "[variables('needs')]"])
    assert expected == resolved


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("count", "5", 5),
        ("count", 5, 5),
        ("name", "db", "db"),
        ("flag", "True", True),
        ("items", '["a"]', ["a"]),
        ("shape", '{"a": 1}', {"a": 1}),
        ("count", "five", Unresolved("parameter `count`: `five` is no int", "count")),
        ("flag", "1", Unresolved("parameter `flag`: `1` is no bool", "flag")),
        ("items", "{}", Unresolved("parameter `items`: `{}` is no array", "items")),
    ],
)
def test_given_parameters_take_their_declared_type(name: str, given: Any, value: Any) -> None:
    """The command line gives text; a parameters file gives values."""
    assert value == template(**{name: given}).resolve(f"[parameters('{name}')]")


def test_the_location_of_the_group_may_be_given() -> None:
    """It is the one thing of the group that matters to a rollout; the stand-ins used are remembered."""
    made = template("eastus")
    assert made.resolve("[resourceGroup().location]") == "eastus"
    assert made.resolve("[uniqueString('a')]") == made.resolve("[uniqueString('a')]")
    assert {"resourceGroup", "uniquestring"} == made.stand_ins


def test_copy_loops_nest_and_count_from_zero() -> None:
    """An unnamed index is that of the innermost loop."""
    rounds = template().rounds({"name": "vms", "count": "[add(1, 1)]"})
    assert rounds == [{"": 0, "vms": 0}, {"": 1, "vms": 1}]
    inner = {"copy": [{"name": "d", "count": 1, "input": "[concat(copyIndex(), copyIndex('vms'))]"}]}
    assert [template().resolve(inner, copies) for copies in rounds] == [{"d": ["00"]}, {"d": ["01"]}]


@pytest.mark.parametrize(
    ("loop", "why"),
    [
        (3, "a copy loop is an object with `name` and `count`"),
        ({"count": 1}, "a copy loop is an object with `name` and `count`"),
        ({"name": "a", "count": "x"}, f"the count of copy loop `a` is not between 0 and {COPIES_MAX}"),
        ({"name": "a", "count": COPIES_MAX + 1}, f"the count of copy loop `a` is not between 0 and {COPIES_MAX}"),
        ({"name": "a", "count": "[reference('x')]"}, "`reference` needs what is deployed"),
    ],
)
def test_a_loop_that_is_not_known_says_why(loop: Any, why: str) -> None:
    """A malformed or unknown count makes an unresolved value."""
    assert Unresolved(why) == template().rounds(loop)
    name = loop.get("name", "None") if isinstance(loop, dict) else "copy"
    assert {str(name): Unresolved(why)} == template().resolve({"copy": [loop]})


def test_declarations_are_an_object() -> None:
    """A template whose parameters are a list is refused."""
    with pytest.raises(InvalidFile, match=r"expected an object \(t.json: parameters\)"):
        Template(Document("t.json", {"parameters": [1]}), {}).resolve("[parameters('a')]")
