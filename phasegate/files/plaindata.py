"""Plain data, what JSON can say: None, bool, int, float, str, list, dict; its readers are strict.

Nothing is guessed: no text becomes a number, and true is no 1.
"""

from __future__ import annotations

import math

from phasegate.core.errors import InvalidModel

INT_MAX = 2**53  # beyond it other JSON readers lose digits, and no time, count or percentage comes near


def described(data: object) -> str:
    """Return plain data in the words of an error text, the value shown where it is short.

    >>> described("20"), described(7), described(None), described([1])
    ('text `20`', 'the number 7', 'null', 'a list')
    """
    match data:
        case None:
            return "null"
        case bool():
            return str(data).lower()
        case int() | float():
            return f"the number {str(data)[:40]}"
        case str():
            return f"text `{data}`"
        case list():
            return "a list"
        case _:
            return "an object"


def mapping_of(data: object) -> dict[str, object]:
    """Return the data if it is an object; `InvalidModel` otherwise."""
    if type(data) is not dict:
        raise InvalidModel(f"expected an object, got {described(data)}")
    return data


def list_of(data: object) -> list[object]:
    """Return the data if it is a list; `InvalidModel` otherwise."""
    if type(data) is not list:
        raise InvalidModel(f"expected a list, got {described(data)}")
    return data


def int_of(data: object) -> int:
    """Return the data if it is a whole number between -2**53 and 2**53; `InvalidModel` otherwise."""
    if type(data) is not int:
        hint = "; leave the quotes out" if isinstance(data, str) and data.isdecimal() else ""
        raise InvalidModel(f"expected a whole number, got {described(data)}{hint}")
    if not -INT_MAX <= data <= INT_MAX:
        raise InvalidModel(f"{described(data)} is not between -2**53 and 2**53")
    return data


def float_of(data: object) -> float:
    """Return the data as a float if it is a finite number; `InvalidModel` otherwise."""
    if type(data) is not float:
        if type(data) is not int:
            raise InvalidModel(f"expected a number, got {described(data)}")
        return float(int_of(data))
    if not math.isfinite(data):  # what 1e999 is read as
        raise InvalidModel("the number is too large")
    return data


def bool_of(data: object) -> bool:
    """Return the data if it is true or false; `InvalidModel` otherwise."""
    if type(data) is not bool:
        hint = "; leave the quotes out" if data in ("true", "false") else ""
        raise InvalidModel(f"expected true or false, got {described(data)}{hint}")
    return data


def text_of(data: object) -> str:
    """Return the data if it is text; `InvalidModel` otherwise."""
    if type(data) is not str:
        hint = "; write it in quotes" if isinstance(data, int | float) else ""
        raise InvalidModel(f"expected text, got {described(data)}{hint}")
    return data


def none_of(data: object) -> None:
    """Return None if the data is null; `InvalidModel` otherwise."""
    if data is not None:
        raise InvalidModel(f"expected null, got {described(data)}")


def as_it_is(data: object) -> object:
    """Return the data, whatever it is."""
    return data
