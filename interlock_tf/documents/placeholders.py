"""Placeholders of a document (``${name}``), filled in at synth, and what Terraform is given.

    ${environment}          filled in here; lower case
    ${DATE}  ${secret:…}    left for the run
    $${text}                the literal ${text}

A value may be a Terraform expression, such as the ARN of a resource in the same stack: CDKTF hands
it out as a text with a token in it, ``${TfToken[…]}``. It goes through untouched.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from interlock_runtime.core.errors import ConfigError, Problem
from interlock_runtime.core.templates import is_run_time, templates
from interlock_runtime.core.wording import shown

Scalar = str | int | float | bool

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_OPENING = re.compile(
    r"(?P<escape>\$\$\{)|\$\{(?:(?P<name>[a-z][a-z0-9_]*)\}|(?P<run>[A-Z][A-Z0-9_]*\}|secret:)|(?P<other>[^{}]*\}?))"
)
#: How ``${`` is written when a token follows before its brace is closed, as in ``${secret:<token>}``. CDKTF takes
#: the usual escape for the beginning of an expression, and would put the token into it without braces of its own.
_UNSEEN_OPENING = "%{if true}$%{endif}{"
#: The first two bytes of the floating-point numbers by which CDKTF marks a token that is a number.
_NUMBER_TOKEN = b"\xfb\xff"


@dataclass(frozen=True)
class Variables:
    """The values of placeholders, ``environment`` among them.

    Raises:
        ConfigError: a name or a value that cannot work.
    """

    values: Mapping[str, Scalar]
    expressions: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        problems = [
            Problem(path=f"pipeline_variables.{name}", message=message)
            for name, value in self.values.items()
            if (message := _refused(name, value))
        ]
        if problems:
            raise ConfigError(problems)
        found = (value for value in self.values.values() if isinstance(value, str) and foreign_names(value))
        object.__setattr__(self, "expressions", tuple(sorted(set(found), key=len, reverse=True)))

    @property
    def foreign(self) -> frozenset[str]:
        """The names of the templates that are Terraform's."""
        return frozenset(name for text in self.expressions for name in foreign_names(text))

    def hold(self, text: str) -> bool:
        """Whether a text of a document has a Terraform expression in it."""
        return any(expression in text for expression in self.expressions)


def fill_in(
    text: str,
    variables: Variables,
    *,
    keep_escapes: bool = False,
    complain: Callable[[str], None] = lambda message: None,
) -> Scalar:
    """``text`` with its placeholders filled in; what cannot be is complained of, and left.

    A text that is nothing but a placeholder becomes the value itself, a number or a boolean too.
    ``keep_escapes`` leaves ``$${`` for whoever fills in the rest at run time.
    """
    if "${" not in text:
        return text
    whole = _OPENING.fullmatch(text)
    if whole and whole["name"] in variables.values:
        return variables.values[whole["name"]]

    def replaced(match: re.Match[str]) -> str:
        if match["escape"]:
            return match[0] if keep_escapes else "${"
        if match["run"]:
            return match[0]
        if match["name"] in variables.values:
            return _text(variables.values[match["name"]])
        complain(_unknown(match, variables))
        return match[0]

    return _OPENING.sub(replaced, text)


def has_placeholder(text: str) -> bool:
    """Whether a text has something in it that would be filled in at synth."""
    return any(match["name"] for match in _OPENING.finditer(text))


def foreign_names(text: str) -> tuple[str, ...]:
    """The templates in a variable's value that no run fills in: Terraform's."""
    return tuple(template.name for template in templates(text) if not is_run_time(template.name))


def terraform_text(text: str, variables: Variables) -> str:
    """JSON text as Terraform must be given it, so that it comes out as it is.

    A literal ``${`` or ``%{`` is escaped; Terraform expressions that came in through variables stay.
    """
    kept = [re.escape(json.dumps(expression, ensure_ascii=False)[1:-1]) for expression in variables.expressions]
    *before, last = re.split(f"({'|'.join(kept)})", text) if kept else [text]
    found = []
    for literal, expression in zip(before[::2], before[1::2], strict=True):
        closed, brace, still_open = literal.rpartition("}")
        found += [_escaped(closed + brace), _escaped(still_open, opening=_UNSEEN_OPENING), expression]
    return "".join([*found, _escaped(last)])


def _escaped(literal: str, opening: str = "$${") -> str:
    return literal.replace("%{", "%%{").replace("${", opening)


def _unknown(match: re.Match[str], variables: Variables) -> str:
    known = ", ".join(sorted(variables.values))
    if match["name"]:
        return f"${{{match['name']}}} is not a pipeline variable; there are {known}; write $${{ for a literal ${{"
    written = shown(match[0])
    if not match[0].endswith("}"):
        return f"{written} has no closing brace; write $${{ for a literal ${{"
    return (
        f"{written} is no placeholder: lower case for a pipeline variable ({known}), capitals for a run-time variable"
    )


def _text(value: Scalar) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _refused(name: object, value: object) -> str | None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return "is not a name for a placeholder: lower-case letters, digits and '_', a letter first"
    if not isinstance(value, (str, int, float, bool)):
        return f"{shown(value)} is not valid; expected text, a number, True or False"
    if isinstance(value, str) and ("#{TfToken[" in value or "&{TfToken[" in value):
        return "is a Terraform list or map; a placeholder stands for one text"
    if isinstance(value, float) and struct.pack(">d", value).startswith(_NUMBER_TOKEN):
        return "is a Terraform number; turn it into text with Token.as_string()"
    if isinstance(value, float) and value - value != 0:
        return f"{value} is not a number that can be stored"
    return None
