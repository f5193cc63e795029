// The keys of the desk, as each person has them: the map comes with the page. They act only outside of fields.

import { closeMenu, openDone, openMenu } from "./desk.js";
import { decides, undo, unseen } from "./deeds.js";
import { listen, nameOf, on } from "./keyboard.js";
import { find } from "./pages.js";
import * as select from "./select.js";

const press = (selector) => find(selector)?.click();

const decide = (deed) => press(select.selecting() ? `#selection [value="${deed}"]` : `.actions [data-deed="${deed}"]`);
const unfold = (details, field) => {
  if (!find(details)) return;
  find(details).open = true;
  find(field).focus();
};

const DO = {
  approve: () => decide("approve"),
  escalate: () => decide("escalate"),
  reject: () => openMenu(select.selecting() ? "#selection .reject" : ".actions .reject"),
  undo,
  done: openDone,
  next: () => press("#next"),
  previous: () => press("#previous"),
  reveal: () => press("#veil:not([open]) > summary"),
  claim: () => press('[data-deed="claim"]'),
  assign: () => (select.selecting() ? find("#batch-to")?.focus() : unfold("#assign", "#assign-to")),
  note: () => unfold(".actions .note", "#note"),
  article: () => press("#article-link"),
  thread: () => press("#thread-link"),
  search: () => openSearch(),
  select: () => select.toggle(),
  select_next: () => select.extend(1),
  select_previous: () => select.extend(-1),
  select_all: select.all,
};

function openSearch() {
  if (!find("#queue").checkVisibility()) return location.assign("/review");
  for (const folded of document.querySelectorAll("#queue details:has(#f-q)")) folded.open = true;
  find("#f-q").select();
}

// Escape leaves what is open; Enter beside a reason that needs words takes it, and in a list of people gives to one; while reasons are offered, keys are theirs.
function first(event, field) {
  if (event.key === "Escape") {
    if (field || !closeMenu() && !select.clear()) if (!find("dialog[open]")) leave(field);
    return true;
  }
  if (event.target.matches("#other-note, #batch-note") && event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    event.target.closest(".menu").querySelector(`[value="${event.target.dataset.reason ?? "other"}"]`).click();
    return true;
  }
  if (event.target.matches("#assign-to, #batch-to") && event.key === "Enter") {
    event.preventDefault(); // as beside a reason: who is chosen gets it
    event.target.form.requestSubmit(find("button:is(.give, [value=assign])", event.target.form));
    return true;
  }
  const menu = find(".reject[open]");
  if (!menu || field || !on() || event.metaKey || event.repeat || find("dialog[open]")) return false;
  inMenu(event, menu, nameOf(event, "reason"));
  return true;
}

function leave(field) {
  if (!closeMenu() && field) find("#item-title")?.focus();
}

// While the reasons are offered: the letter of one, the arrows, or the key for rejecting once more.
function inMenu(event, menu, name) {
  const again = menu.dataset.quick && nameOf(event, "desk") === "reject";
  const found = name ? find(`[data-key="${name}"]`, menu) : again ? find(".strongest", menu) : null;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!found && !step) return;
  event.preventDefault();
  if (found) return found.click();
  const buttons = [...menu.querySelectorAll(".menu button")], at = buttons.indexOf(document.activeElement);
  buttons[(at + step + buttons.length) % buttons.length].focus();
}

listen(DO, { may: (name) => !(decides(name) && unseen()), first });
