"""Runs schemathesis over the whole OpenAPI document of an app: all phases and all checks that the library has.

Half of the generated requests are aimed at things that exist, else nearly every answer would be 404.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import schemathesis
from flask import Flask
from hypothesis.internal.conjecture import providers
from schemathesis import Case, Response, hooks
from schemathesis.auths import AuthContext, AuthProvider
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation
from schemathesis.engine import events, from_schema
from schemathesis.generation.meta import TestPhase
from schemathesis.hooks import HookContext
from schemathesis.specs.openapi import _auth_retry

Headers = dict[str, str]
NO_KEY = "no key"
# Answers to valid data that the document does not tell from invalid: a date-time has no least and no greatest in JSON
# Schema, a pattern against NUL on every text would make the keys of objects patterns, too, and of what is only blanks
# to Unicode no pattern says that it is.
UNSAYABLE = ("must lie between 1970 and 2200", ": must not contain NUL", "a note needs some text")


@dataclass(frozen=True)
class Fuzz:
    """One run: `keys` gives the headers to send by the name of an operation's security scheme; `refused` says that
    they open nothing. `names` are values of what exists by the name of a path parameter, `fields` by that of a
    field or query parameter. `before` is called before each operation of a phase."""

    app: Flask
    keys: Mapping[str, Headers]
    names: Mapping[str, list[str]]
    fields: Callable[[Case, int], dict[str, Any]]
    seed: int = 1
    examples: int = 10
    refused: bool = False
    statuses: dict[str, set[int]] = field(default_factory=dict)
    _oddities: list[str] = field(default_factory=list)

    def failures(self, but: Mapping[str, Mapping[str, str]]) -> list[str]:
        """What the checks found, a line or more each. `but` names what is not checked: operation -> check -> why."""
        schema = schemathesis.openapi.from_wsgi("/openapi.json", self.app, config=self._config(but))
        schema.auth()(self._provider())
        with self._watched():
            found = dict.fromkeys(line for event in from_schema(schema).execute() for line in _said(event))
        return [*(line for line in found if not any(words in line for words in UNSAYABLE)), *self._oddities]

    def _config(self, but: Mapping[str, Mapping[str, str]]) -> SchemathesisConfig:
        return SchemathesisConfig.from_dict({
            "seed": self.seed,
            "generation": {
                "max-examples": self.examples, "with-security-parameters": False, "no-shrink": True,
                "database": "none",  # what former runs kept would take the place of what the seed draws
            },
            "phases": {"stateful": {"enabled": not self.refused, "max-steps": 6}},
            "operations": [
                {"include-name": operation, "checks": {check: {"enabled": False} for check in checks}}
                for operation, checks in but.items()
            ],
        })  # fmt: skip

    def _provider(self) -> type[AuthProvider]:
        keys = self.keys

        class Keys:
            """Shows each operation the key that it asks for."""

            def get(self, case: Case, context: AuthContext) -> Headers:
                return keys.get(scheme_of(case), {})

            def set(self, case: Case, data: Headers, context: AuthContext) -> None:
                case.headers.update(data)

        return Keys

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Hooks of calls can only be registered for the whole process."""

        def before_call(context: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
            self._aim(case)

        def after_call(context: HookContext, case: Case, response: Response) -> None:
            self._note(case, response)

        schemathesis.hook(before_call)
        schemathesis.hook(after_call)
        try:
            with patch.object(_auth_retry, "build_retry_transport_kwargs", _of_a_probe), _of_the_seed_alone():
                yield
        finally:
            hooks.unregister(before_call)
            hooks.unregister(after_call)

    def _note(self, case: Case, response: Response) -> None:
        status, operation = response.status_code, case.operation.label
        self.statuses.setdefault(operation, set()).add(status)
        unready = case.operation.path == "/readyz" and status == 503
        if status >= 400 and not unready and (odd := _odd_problem(response)):
            self._oddities.append(f"{operation}: {status}: {odd}")
        preflight = response.request.method == "OPTIONS"
        if self.refused and not preflight and scheme_of(case) != NO_KEY and status not in (401, 403, 405):
            self._oddities.append(f"{operation}: {status} without the right key")

    def _aim(self, case: Case) -> None:
        """Replaces what names a thing by the name of one that exists, in about half of the requests. In the stateful
        phase paths lead to what an answer has just named: to lead one elsewhere, where an earlier request may have
        deleted what was there, would look as if what was made were gone at once."""
        number = sum(map(ord, repr((case.path_parameters, case.query, case.body))))
        if number % 2 or case.meta is None:
            return
        if case.meta.phase.name is not TestPhase.STATEFUL and not case.meta.is_negative_at(ParameterLocation.PATH):
            for name in case.path_parameters:
                some = self.names[name]
                case.path_parameters[name] = some[number // 2 % len(some)]
        for place, values in ((ParameterLocation.QUERY, case.query), (ParameterLocation.BODY, case.body)):
            if isinstance(values, dict) and not case.meta.is_negative_at(place):
                real = self.fields(case, number)
                values |= {name: value for name, value in real.items() if type(values.get(name)) is type(value)}


@contextmanager
def _of_the_seed_alone() -> Iterator[None]:
    """Hypothesis mixes in constants of all modules that are loaded by then, so that what is sent would hang on which
    tests ran before in this process."""
    providers.CONSTANTS_CACHE.cache.clear()
    with patch.object(providers, "_get_local_constants", providers.Constants):
        yield
    providers.CONSTANTS_CACHE.cache.clear()


def _of_a_probe(*given: Any) -> dict[str, Any]:
    """Without the network's settings, which the library hands to a WSGI application too when it probes without a key
    (4.32.5), though that takes none."""
    kept = _build(*given)
    return {name: value for name, value in kept.items() if name not in ("max_redirects", "verify", "cert", "proxies")}


_build = _auth_retry.build_retry_transport_kwargs


def scheme_of(case: Case) -> str:
    """The security scheme that the operation asks for."""
    needed = case.operation.definition.raw.get("security") or [{NO_KEY: []}]
    return str(next(iter(needed[0])))


def _odd_problem(response: Response) -> str:
    """What is wrong with an error's answer, which must be a problem document with a stable code."""
    if response.request.method == "HEAD":
        return ""
    if response.headers.get("content-type") != ["application/problem+json"]:
        return f"content type {response.headers.get('content-type')}"
    problem: dict[str, Any] = response.json()
    good = re.fullmatch("[a-z_]+", problem["code"]) and problem["status"] == response.status_code and problem["detail"]
    return "" if good else f"problem {problem}"


def _said(event: events.EngineEvent) -> Iterator[str]:
    if isinstance(event, events.NonFatalError):
        yield f"{event.label}: {event.value!r}"
    elif isinstance(event, events.FatalError):
        yield repr(event.exception)
    elif isinstance(event, events.EngineFinished):
        yield from (f"{failure.operation}: {failure.title}: {failure.message}" for failure in event.failures)
    elif isinstance(event, events.ScenarioFinished):
        for case, checks in event.recorder.checks.items():
            response = event.recorder.interactions[case].response
            for check in checks:
                if (wrong := check.failure_info) is not None:
                    answer = (response.status_code, response.content[:300]) if response else None
                    said = f"{wrong.failure.operation}: {check.name}: {wrong.failure.message}"
                    yield f"{said}\n{wrong.code_sample}\n{answer}"
