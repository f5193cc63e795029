"""The limits of the default policy are those that the default scorer's artefact was measured with."""

import pytest

from models import ARTEFACTS, ATTRIBUTES, DEFAULT_SCORER
from models.artefacts import read_manifest
from moderation.config import Settings
from moderation.services import policies


def test_limits_are_the_operating_points() -> None:
    points = read_manifest(ARTEFACTS / DEFAULT_SCORER)["operating_points"]["thresholds"]
    rules = policies.compile_policy(policies.default_document(), None).rules
    limits = {rule.attribute: rule.hold for rule in rules if rule.kind == "score"}
    assert limits == {attribute: pytest.approx(points[attribute], abs=0.0005) for attribute in ATTRIBUTES}
    assert all(rule.reject is None for rule in rules)


def test_settings_name_the_default_scorer() -> None:
    assert Settings.model_fields["scorer"].default == DEFAULT_SCORER
