"""The audit trail in words: who did what. What has no words here is shown by its code, and a test names it."""

from datetime import UTC, datetime
from typing import Any

from babel.dates import format_datetime
from flask_babel import gettext as _
from flask_babel import lazy_gettext as marked

from moderation.domain.lifecycle import ACTIONS, REJECT_REASONS, Role, Source
from moderation.domain.voices import REPORT_REASONS
from moderation.store.audit import AuditEvent
from moderation.web.words import locale
from moderation.web.words_of_people import ROLE_WORDS

# Action -> (its name in the filter, the sentence). In a sentence `who` is a person or what acted by itself.
ACTION_WORDS: dict[str, tuple[str, str]] = {
    "comment.received": (marked("Comment came in"), marked("A comment came in")),
    "comment.edited": (marked("Comment edited"), marked("A comment was edited by its author")),
    "comment.withdrawn": (marked("Comment withdrawn"), marked("A comment was withdrawn by its site")),
    "comment.rescored": (marked("Comment checked anew"), marked("A comment went back to be checked anew")),
    "comment.approved": (marked("Comment approved"), marked("%(who)s approved a comment")),
    "comment.held": (marked("Comment held"), marked("%(who)s held a comment")),
    "comment.rejected": (marked("Comment rejected"), marked("%(who)s rejected a comment")),
    "comment.escalated": (marked("Comment escalated"), marked("%(who)s escalated a comment")),
    "comment.assigned": (marked("Comment assigned"), marked("%(who)s assigned a comment")),
    "comment.taken_over": (marked("Comment taken over"), marked("%(who)s took a comment over")),
    "comment.reported": (marked("Comment reported"), marked("A reader reported a comment")),
    "appeal.filed": (marked("Appeal made"), marked("An author appealed against a rejection")),
    "appeal.decided": (marked("Appeal decided"), marked("%(who)s decided an appeal")),
    "batch.done": (marked("Batch done"), marked("%(who)s decided a batch by score")),
    "batch.undone": (marked("Batch undone"), marked("%(who)s took a batch by score back")),
    "queue.saved": (marked("Queue saved"), marked("%(who)s saved a queue under a name")),
    "queue.changed": (marked("Queue changed"), marked("%(who)s changed a saved queue")),
    "queue.deleted": (marked("Queue deleted"), marked("%(who)s deleted a saved queue")),
    "note.added": (marked("Note added"), marked("%(who)s added a note")),
    "note.deleted": (marked("Note deleted"), marked("%(who)s deleted a note")),
    "author.held": (marked("Author held"), marked("%(who)s has all comments of an author held")),
    "author.banned": (marked("Author banned"), marked("%(who)s banned an author")),
    "author.trusted": (marked("Author trusted"), marked("%(who)s trusts an author")),
    "author.cleared": (marked("Author's standing ended"), marked("%(who)s ended what was said of an author")),
    "article.closed": (marked("Article closed"), marked("%(who)s closed an article for comments")),
    "article.opened": (marked("Article opened"), marked("%(who)s opened an article for comments")),
    "article.held": (marked("Article held"), marked("%(who)s has all comments under an article held")),
    "article.released": (
        marked("Article released"),
        marked("%(who)s ended that all comments under an article are held"),
    ),
    "article.slowed": (marked("Slow mode set"), marked("%(who)s set the slow mode of an article")),
    "site.locked": (marked("Lock-down begun"), marked("%(who)s has all comments of the site held")),
    "site.unlocked": (marked("Lock-down ended"), marked("%(who)s ended that all comments of the site are held")),
    "domains.loaded": (marked("Domains listed"), marked("%(who)s loaded a list of bad domains")),
    "domains.removed": (marked("Domains taken off"), marked("%(who)s took bad domains off the list")),
    "retention.applied": (marked("Old data removed"), marked("What was kept long enough was removed")),
    "policy.applied": (marked("Policy changed"), marked("%(who)s put a version of the policy in force")),
    "moderator.created": (marked("Person created"), marked("%(who)s created an account")),
    "moderator.sign_in_slowed": (
        marked("Sign-in slowed down"),
        marked("Wrong passwords slowed the sign-in to %(whom)s's account down"),
    ),
    "moderator.invited": (marked("Person invited"), marked("%(who)s invited somebody")),
    "moderator.invitation_revoked": (marked("Invitation revoked"), marked("%(who)s revoked an invitation")),
    "moderator.joined": (marked("Person joined"), marked("%(who)s joined the site")),
    "moderator.role_set": (marked("Role changed"), marked("%(who)s changed the role of %(whom)s")),
    "moderator.removed": (marked("Person removed"), marked("%(who)s removed %(whom)s from the site")),
    "moderator.signed_in": (marked("Signed in"), marked("%(who)s signed in")),
    "moderator.signed_out": (marked("Signed out"), marked("%(who)s signed out")),
    "moderator.sessions_ended": (marked("Sessions ended"), marked("%(who)s ended sessions")),
    "moderator.renamed": (marked("Name changed"), marked("%(who)s changed a name")),
    "moderator.password_changed": (marked("Password changed"), marked("%(who)s changed a password")),
    "moderator.reset_made": (marked("Password link made"), marked("%(who)s made a link to set a password anew")),
    "moderator.password_reset": (marked("Password set anew"), marked("%(who)s set a password anew by a link")),
    "moderator.oidc_linked": (marked("Single sign-on linked"), marked("%(who)s linked single sign-on")),
    "moderator.preferences_changed": (marked("Settings changed"), marked("%(who)s changed their settings")),
    "site.created": (marked("Site created"), marked("The site was created")),
    "site.webhook_set": (marked("Webhook changed"), marked("%(who)s changed the webhook")),
    "site.origins_set": (marked("Origins changed"), marked("%(who)s changed whose readers may post")),
    "site.options_set": (marked("Options changed"), marked("%(who)s changed options of the drop-in interfaces")),
    "site.coral_secrets_set": (marked("Coral's secrets changed"), marked("%(who)s changed the secrets of Coral")),
    "author.erased": (marked("Author erased"), marked("%(who)s erased an author for good")),
    "site.webhook_secret_rotated": (
        marked("Webhook secret changed"),
        marked("%(who)s changed the secret of the webhook"),
    ),
    "key.created": (marked("Key created"), marked("%(who)s made a key of the site")),
    "key.ended": (marked("Key ended"), marked("%(who)s set the end of a key of the site")),
    "example.kept": (marked("Example kept"), marked("A labelled example came in")),
    "backup.restored": (marked("Backup restored"), marked("The service was made anew from a backup")),
    "audit.exported": (marked("Trail exported"), marked("%(who)s exported the audit trail")),
    "audit.erased": (marked("Trail erased in part"), marked("%(who)s erased what audit events said of somebody")),
    "audit.chain_broken": (marked("Chain broken"), marked("The sealer found the chain not as it had left it")),
}

_ACTED: dict[str, str] = {
    Source.POLICY: marked("The policy"),
    Source.SITE: marked("The site"),
    Source.REPORT: marked("Readers' reports"),
}
_UNDONE = {
    "comment.approved": marked("%(who)s took a ruling back: a comment is approved again"),
    "comment.held": marked("%(who)s took a ruling back: a comment is held again"),
    "comment.rejected": marked("%(who)s took a ruling back: a comment is rejected again"),
}


def name_of(action: str) -> str:
    """An action as the filter calls it; its code where there are no words."""
    return str(ACTION_WORDS[action][0]) if action in ACTION_WORDS else action


def sentence(event: AuditEvent, names: dict[str, str]) -> str:
    """Who did what: "Ann rejected a comment: Insult". `names` are of people, by id."""
    words = ACTION_WORDS.get(event.action, (event.action, event.action))[1]
    if event.data.get("undoes"):
        words = _UNDONE.get(event.action, words)
    said = str(words) % {"who": who(event, names), "whom": _name(event.subject_id, names)}
    if event.erased_at:
        return _("%(said)s (the rest was erased)", said=said)
    told = details(event, names)
    return _("%(said)s: %(details)s", said=said, details=", ".join(told)) if told else said


def who(event: AuditEvent, names: dict[str, str]) -> str:
    """A person's name, or what acted by itself. What a site calls its own staff stays with the site."""
    if event.actor in names:
        return names[event.actor or ""]
    return str(_ACTED.get(str(event.data.get("source")), "")) or (_("Somebody") if event.actor else _("The service"))


def details(event: AuditEvent, names: dict[str, str]) -> list[str]:
    """What else there is to tell, for people."""
    data, told = event.data, []
    if reason := data.get("reason"):
        told.append(_reason(str(reason)))
    if "from" in data and "to" in data:
        told.append(_("from %(old)s to %(new)s", old=_value(data["from"], names), new=_value(data["to"], names)))
    elif "to" in data:
        told.append(_("to %(new)s", new=_value(data["to"], names)) if data["to"] else _("to nobody"))
    elif "from" in data:
        told.append(_("from %(old)s", old=_value(data["from"], names)))
    if "role" in data:
        told.append(_value(data["role"], names))
    if "version" in data:
        told.append(_("version %(number)s", number=data["version"]))
    if "outcome" in data:
        told.append(_value(data["outcome"], names))
    if "count" in data:
        told.append(_("%(number)s in number", number=data["count"]))
    if "scopes" in data:
        told.append(", ".join(str(scope) for scope in data["scopes"]))
    if "key" in data:
        told.append(str(data["key"]))
    if "format" in data:
        told.append(str(data["format"]).upper())
    return told


_OUTCOMES = {"uphold": marked("upheld"), "overturn": marked("overturned")}


def _value(value: Any, names: dict[str, str]) -> str:
    if value in set(Role):
        return str(ROLE_WORDS[Role(value)])
    return str(_OUTCOMES.get(str(value), "")) or _name(str(value), names)


def _name(id: str | None, names: dict[str, str]) -> str:
    if id in names:
        return names[id or ""]
    return _("somebody") if id is None or len(id) == 32 else id


def _reason(reason: str) -> str:
    if reason in REJECT_REASONS:
        return _(REJECT_REASONS[reason][1])
    if reason in ACTIONS:  # an escalation is a decision to hold, for that reason
        return _(ACTIONS[reason].done)
    return _(REPORT_REASONS[reason]) if reason in REPORT_REASONS else reason.replace("_", " ").capitalize()


def moment(at: int) -> str:
    """A time as the trail shows it, in UTC."""
    return str(format_datetime(datetime.fromtimestamp(at / 1000, UTC), "d MMM y, HH:mm:ss", locale=locale()))
