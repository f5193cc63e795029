// Keys of the pages of reports and appeals: those that the desk has for the same things, on the card that has the focus.

import { listen } from "./keyboard.js";

const cards = [...document.querySelectorAll(".voice")];
const focused = () => document.activeElement?.closest(".voice");

// At either end of the page it goes on to the next or the last one, where there is one.
const go = (step) => {
  const at = focused() ? cards.indexOf(focused()) + step : 0;
  if (cards[at]) return cards[at].focus();
  document.querySelector(step > 0 ? '.pages [rel="next"]' : '.pages [rel="prev"]')?.click();
};

// A list or a field of that name is gone to, a button is pressed; but nothing is done to a card that nobody is on.
const use = (name) => {
  if (name !== "undo" && !focused()) return go(1);
  const target = (name === "undo" ? document : focused()).querySelector(`[data-deed="${name}"]`);
  const needed = target?.hasAttribute("data-needs") && target.form.querySelector("textarea");
  if (needed && !needed.value.trim()) needed.focus();
  else if (target?.matches("select, input, textarea")) target.focus();
  else target?.click();
};

// Escape in a field goes back to its card; Enter in the list of reasons is the ruling.
function first(event, field) {
  if (event.key === "Escape") {
    field?.closest(".voice")?.focus();
    return Boolean(field);
  }
  if (!field?.matches("select[data-deed]") || event.key !== "Enter") return false;
  event.preventDefault();
  field.form.querySelector('[data-deed="do-reject"]').click();
  return true;
}

// A blurred comment is shown; false where there is none.
function reveal() {
  const veil = focused()?.querySelector(".veil:not([open])");
  if (veil) veil.open = true;
  return Boolean(veil);
}

listen({
  next: () => go(1),
  previous: () => go(-1),
  approve: () => use("approve"),
  reject: () => use("reject"),
  undo: () => use("undo"),
  note: () => use("note"),
  reveal: () => reveal() || use("article"),
  article: () => use("article"),
}, { first });

(document.querySelector("#trouble") ?? document.getElementById(location.hash.slice(1)) ?? document.body).focus();
