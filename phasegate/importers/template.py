"""The evaluation of a deployment template: parameters, variables, expressions, copy loops (no network, no clock).

What cannot be known offline becomes an `Unresolved` value in its place, and so does whatever is computed from it: a
template holds much that does not matter to a rollout, and only what is read can be at fault. What the deployment would
fill in (the names of the subscription and the resource group, unique strings) gets a stand-in that is always the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from attrs import define, field

from phasegate.importers.expressions import Call, ExpressionError, Get, Literal, Node, expression_in, parse_expression
from phasegate.importers.functions import FUNCTIONS, STAND_INS, text_of
from phasegate.importers.reading import Document, Unresolved

COPIES_MAX = 800  # the template service's own limit
SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
GROUP = "resource-group"

_FAULTS = (TypeError, ValueError, LookupError, ArithmeticError, AttributeError)


class _NotKnown(Exception):
    """Carries an `Unresolved` value out of an evaluation."""

    def __init__(self, value: Unresolved) -> None:
        super().__init__(value.why)
        self.value = value


@define
class Template:
    """A template with the parameters given to it; `stand_ins` names the stand-ins used so far."""

    document: Document
    given: Mapping[str, Any]  # names in lower case
    location: str | None = None
    stand_ins: set[str] = field(factory=set)
    _known: dict[tuple[str, str], Any] = field(factory=dict)
    _busy: set[tuple[str, str]] = field(factory=set)

    def resolve(self, value: Any, copies: Mapping[str, int] | None = None) -> Any:
        """Return a value of the template with every expression in it evaluated, and `copy` properties written out.

        `copies` holds the index of each loop around it, that of the innermost also under the empty name.
        """
        if isinstance(value, str):
            expression = expression_in(value)
            if expression is None:
                return value[1:] if value.startswith("[[") else value
            return self._outcome(lambda: self._evaluate(parse_expression(expression), copies or {}))
        if isinstance(value, list):
            return [self.resolve(item, copies) for item in value]
        if not isinstance(value, dict):
            return value
        made = {key: self.resolve(item, copies) for key, item in value.items() if key.lower() != "copy"}
        for key, item in value.items():
            if key.lower() == "copy":
                made |= (
                    self._copied(item, copies or {}) if isinstance(item, list) else {key: self.resolve(item, copies)}
                )
        return made

    def indices(self, loop: Any, copies: Mapping[str, int]) -> list[dict[str, int]]:
        """Return the loop indices of each round of a `copy` object; `ExpressionError` if it is malformed."""
        if not isinstance(loop, dict) or not isinstance(loop.get("name"), str):
            raise ExpressionError("a copy loop is an object with `name` and `count`")
        count = self.resolve(loop.get("count"), copies)
        if isinstance(count, Unresolved):
            raise _NotKnown(count)
        if type(count) is not int or not 0 <= count <= COPIES_MAX:
            raise ExpressionError(f"the count of copy loop `{loop['name']}` is not between 0 and {COPIES_MAX}")
        return [{**copies, "": at, loop["name"].lower(): at} for at in range(count)]

    def rounds(self, loop: Any) -> list[dict[str, int]] | Unresolved:
        """Return the loop indices of each round of a resource's `copy`, or why they are not known."""
        found: Any = self._outcome(lambda: self.indices(loop, {}))
        return found  # type: ignore[no-any-return]  # what the lambda returns, or Unresolved

    def _copied(self, loops: list[Any], copies: Mapping[str, int]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for loop in loops:
            name = str(loop.get("name")) if isinstance(loop, dict) else "copy"
            made[name] = self._outcome(partial(self._inputs, loop, copies))
        return made

    def _inputs(self, loop: Any, copies: Mapping[str, int]) -> list[Any]:
        return [self.resolve(loop.get("input"), inner) for inner in self.indices(loop, copies)]

    def _outcome(self, compute: Callable[[], Any]) -> Any:
        try:
            return compute()
        except _NotKnown as reason:
            return reason.value
        except ExpressionError as error:
            return Unresolved(str(error))

    def _evaluate(self, node: Node, copies: Mapping[str, int]) -> Any:
        if isinstance(node, Literal):
            return node.value
        if isinstance(node, Get):
            return self._get(self._evaluate(node.of, copies), self._evaluate(node.key, copies))
        special = _SPECIAL.get(node.name)
        if special is not None:
            return special(self, node, copies)
        return self._called(node.name, [self._evaluate(argument, copies) for argument in node.arguments])

    def _called(self, name: str, arguments: list[Any]) -> Any:
        if name in _OFFLINE:
            raise _NotKnown(Unresolved(f"`{name}` {_OFFLINE[name]}"))
        function = FUNCTIONS.get(name)
        if function is None:
            raise ExpressionError(f"function `{name}` is not understood")
        if name in STAND_INS:
            self.stand_ins.add(name)
        try:
            return self._sure(function(*arguments))
        except _FAULTS:
            raise ExpressionError(f"`{name}` cannot take these arguments") from None

    def _get(self, value: Any, key: Any) -> Any:
        if isinstance(value, dict) and isinstance(key, str):
            for name, item in value.items():
                if name.lower() == key.lower():
                    return self._sure(item)
        if isinstance(value, list) and type(key) is int and 0 <= key < len(value):
            return self._sure(value[key])
        raise ExpressionError(f"there is no `{key}` in it")

    def _sure(self, value: Any) -> Any:
        if isinstance(value, Unresolved):
            raise _NotKnown(value)
        return value

    def _text(self, node: Call, copies: Mapping[str, int]) -> str:
        arguments = [self._evaluate(argument, copies) for argument in node.arguments]
        if len(arguments) != 1 or not isinstance(arguments[0], str):
            raise ExpressionError(f"`{node.name}` takes one name")
        return arguments[0]

    def _parameter(self, node: Call, copies: Mapping[str, int]) -> Any:
        name = self._text(node, copies)
        return self._once("parameter", name, self._parameter_value)

    def _variable(self, node: Call, copies: Mapping[str, int]) -> Any:
        return self._once("variable", self._text(node, copies), self._variable_value)

    def _once(self, what: str, name: str, compute: Callable[[str], Any]) -> Any:
        key = (what, name.lower())
        if key not in self._known:
            if key in self._busy:
                raise ExpressionError(f"{what} `{name}` is made from itself")
            self._busy.add(key)
            self._known[key] = self._outcome(lambda: compute(name))
            self._busy.remove(key)
        return self._sure(self._known[key])

    def declared(self, what: str) -> dict[str, Any]:
        """Return the declarations of `parameters` or `variables`, their names in lower case."""
        found = self.document.data.get(what) or {}
        if not isinstance(found, dict):
            self.document.refuse("expected an object", what)
        return {name.lower(): value for name, value in found.items()}

    def _parameter_value(self, name: str) -> Any:
        declaration = self.declared("parameters").get(name.lower())
        if not isinstance(declaration, dict):
            raise ExpressionError(f"parameter `{name}` is not declared")
        kind = str(declaration.get("type", "string")).lower()
        if name.lower() in self.given:
            return _typed(name, self.given[name.lower()], kind)
        if "defaultValue" not in declaration:
            why = f"parameter `{name}` has no default; give it with --parameter {name}=VALUE or in a parameters file"
            others = [f"`{other}`" for other in self._without_value() if other.lower() != name.lower()]
            more = (
                f", as perhaps {', '.join(others)}" if others else ""
            )  # which are needed shows when this one is there
            raise _NotKnown(Unresolved(why + more, name))
        return self.resolve(declaration["defaultValue"])

    def _without_value(self) -> list[str]:
        """Return the parameters that have no default and are not given, as they are written."""
        declared = self.document.data["parameters"]
        return [
            name
            for name, declaration in declared.items()
            if isinstance(declaration, dict) and "defaultValue" not in declaration and name.lower() not in self.given
        ]

    def _variable_value(self, name: str) -> Any:
        variables = self.declared("variables")
        if name.lower() in variables and name.lower() != "copy":
            return self.resolve(variables[name.lower()])
        loops = variables.get("copy")
        for loop in loops if isinstance(loops, list) else []:
            if isinstance(loop, dict) and str(loop.get("name")).lower() == name.lower():
                return self._inputs(loop, {})
        raise ExpressionError(f"variable `{name}` is not declared")

    def _if(self, node: Call, copies: Mapping[str, int]) -> Any:
        if len(node.arguments) != 3:
            raise ExpressionError("`if` takes a condition and two values")
        condition, yes, no = node.arguments
        return self._evaluate(yes if self._truth(condition, copies) else no, copies)

    def _and(self, node: Call, copies: Mapping[str, int]) -> bool:
        return all(self._truth(argument, copies) for argument in node.arguments)

    def _or(self, node: Call, copies: Mapping[str, int]) -> bool:
        return any(self._truth(argument, copies) for argument in node.arguments)

    def _truth(self, node: Node, copies: Mapping[str, int]) -> bool:
        return bool(self._called("bool", [self._evaluate(node, copies)]))

    def _copy_index(self, node: Call, copies: Mapping[str, int]) -> int:
        arguments = [self._evaluate(argument, copies) for argument in node.arguments]
        name = arguments.pop(0).lower() if arguments and isinstance(arguments[0], str) else ""
        if name not in copies:
            raise ExpressionError(f"`copyIndex` stands outside of copy loop `{name}`")
        return int(self._called("add", [copies[name], *arguments])) if arguments else copies[name]

    def _resource_group(self, node: Call, copies: Mapping[str, int]) -> dict[str, Any]:
        self.stand_ins.add("resourceGroup")
        missing = Unresolved(
            "the location of the resource group is not in a template; give it with --location REGION", ""
        )
        return {
            "id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}",
            "name": GROUP,
            "location": missing if self.location is None else self.location,
            "tags": {},
        }

    def _subscription(self, node: Call, copies: Mapping[str, int]) -> dict[str, Any]:
        self.stand_ins.add("subscription")
        return {"id": f"/subscriptions/{SUBSCRIPTION}", "subscriptionId": SUBSCRIPTION, "tenantId": SUBSCRIPTION}

    def _resource_id(self, node: Call, copies: Mapping[str, int]) -> str:
        """Return the id of a resource; leading arguments before the type are its subscription and resource group."""
        parts = [text_of(self._evaluate(argument, copies)) for argument in node.arguments]
        at = next((at for at, part in enumerate(parts) if "/" in part), None)
        if at is None:
            raise ExpressionError(f"`{node.name}` needs the type of a resource")
        kind, names = parts[at].strip("/").split("/"), parts[at + 1 :]
        steps = [f"{step}/{name}" for step, name in zip(kind[1:], names, strict=False)]
        scope = {
            "subscriptionresourceid": f"/subscriptions/{SUBSCRIPTION}",
            "tenantresourceid": "",
        }.get(node.name, f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{parts[at - 1] if at else GROUP}")
        return "/".join((f"{scope}/providers/{kind[0]}", *steps))


def _typed(name: str, value: Any, kind: str) -> Any:
    """Return a given parameter as its type wants it: what comes from a command line is text."""
    if not isinstance(value, str) or kind in ("string", "securestring"):
        return value
    try:
        if kind == "int":
            return int(value)
        found = json.loads(value.lower() if kind == "bool" else value)
    except ValueError:
        raise _NotKnown(Unresolved(f"parameter `{name}`: `{value}` is no {kind}", name)) from None
    if not isinstance(found, {"bool": bool, "array": list, "object": dict, "secureobject": dict}.get(kind, object)):
        raise _NotKnown(Unresolved(f"parameter `{name}`: `{value}` is no {kind}", name))
    return found


_SPECIAL: dict[str, Callable[[Template, Call, Mapping[str, int]], Any]] = {
    "and": Template._and,
    "copyindex": Template._copy_index,
    "if": Template._if,
    "or": Template._or,
    "parameters": Template._parameter,
    "resourcegroup": Template._resource_group,
    "resourceid": Template._resource_id,
    "subscription": Template._subscription,
    "subscriptionresourceid": Template._resource_id,
    "tenantresourceid": Template._resource_id,
    "variables": Template._variable,
}

_DEPLOYED = "needs what is deployed"
_OFFLINE = {
    "deployment": "needs the deployment",
    "environment": "needs the cloud",
    "extensionresourceid": _DEPLOYED,
    "listaccountsas": _DEPLOYED,
    "listkeys": _DEPLOYED,
    "listsecrets": _DEPLOYED,
    "newguid": "is another at each deployment",
    "pickzones": "needs the cloud",
    "providers": "needs the cloud",
    "reference": _DEPLOYED,
    "tenant": "needs the cloud",
    "utcnow": "needs the time of the deployment",
}
