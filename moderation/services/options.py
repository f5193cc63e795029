"""What a site chose: for the drop-in interfaces, for its readers' reports, for its authors' appeals."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.orm import Session

from moderation.errors import Invalid
from moderation.services.audit import record_audit
from moderation.store.tables import Site

Days = Annotated[int, Field(ge=0, le=36_500)]


class Options(BaseModel):
    """One field a choice; a site that chose nothing has these values."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    strict_attributes: bool = False  # Perspective: an attribute that we don't serve is an error, not left out
    strict_languages: bool = False  # Perspective: a text in an unknown language is an error, also when it is short
    keep_checked_text: bool = False  # keep the texts that were only checked, where the caller does not forbid it
    held_is_spam: bool = False  # Akismet: what would be held for other reasons than spam is `true`, too
    discard_blatant: bool = False  # Akismet: tell the caller to throw blatant spam away unseen
    coral_approves: bool = False  # Coral: what we approve is approved there, past its later checks, not only let pass
    reports_hold_at: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)] = 1.5  # reports: weight that holds
    house_rules_url: Annotated[str, Field(max_length=2048, pattern=r"^(https?://\S+)?$")] = ""  # statements: the rules
    redress_text: Annotated[str, Field(max_length=2000)] = ""  # statements: further ways to complain, in your words
    keep_ip: bool = False  # addresses: keep them as they are sent, not as keyed hashes
    keep_address_days: Days = 90  # addresses and browsers: so long; 0 here and below: until somebody is erased
    keep_email_days: Days = 0  # e-mail addresses of authors: so long
    keep_rejected_days: Days = 0  # rejected and withdrawn comments: so long, then they are emptied
    keep_checks_days: Days = 90  # what the drop-in interfaces were only asked about: so long
    keep_events_days: Days = 0  # what the site was told: so long; statements of reasons end with it
    appeal_days: Annotated[int, Field(ge=0, le=3650)] = 14  # statements: time for an appeal; 0: there are none


def options_of(session: Session, site_id: str) -> Options:
    """The choices of a site."""
    site = session.get(Site, site_id)
    return Options.model_validate(site.options if site else {})


def set_options(session: Session, site: Site, changes: dict[str, Any]) -> Options:
    """Sets some choices, leaves the others. Raises Invalid for a name or a value that can't be."""
    try:
        chosen = Options.model_validate({**site.options, **changes})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise Invalid(f"{place}: {first['msg']}", code="invalid_option", extra={"field": place}) from None
    site.options = chosen.model_dump(exclude_defaults=True)
    record_audit(session, "site.options_set", site_id=site.id, data={"options": site.options})
    return chosen
