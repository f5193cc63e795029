"""The OpenAPI document holds each shape under its name, so no two may share one."""

import importlib
import pkgutil
from collections import defaultdict

from pydantic import BaseModel

import moderation.api


def test_no_two_shapes_share_a_name() -> None:
    places = defaultdict(set)
    for found in pkgutil.iter_modules(moderation.api.__path__, "moderation.api."):
        for name, thing in vars(importlib.import_module(found.name)).items():
            if isinstance(thing, type) and issubclass(thing, BaseModel):
                places[name].add(thing.__module__)
    assert len(places) > 50
    assert {name: sorted(modules) for name, modules in places.items() if len(modules) > 1} == {}
