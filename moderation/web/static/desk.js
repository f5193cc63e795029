// The desk works without script. With it: the next comment without waiting, several decisions on their way, and keys.

import { submit, undo } from "./deeds.js";
import { count, find, go, here, settle, underWay, word } from "./pages.js";
import * as select from "./select.js";

const POLL_MS = 15_000;

export function openMenu(selector) {
  const menu = find(selector);
  if (!menu) return;
  menu.open = true;
  find(".menu", menu).focus(); // not a button: Enter must not take a reason that nobody has chosen
}

export function closeMenu() {
  const menu = find(".reject[open]");
  if (!menu) return false;
  menu.open = false;
  find("summary", menu).focus();
  return true;
}

// A reason that has to be explained: the words are asked for in the menu, and Enter there goes on with that reason.
function askFor(note, button) {
  button.closest(".reject").open = true;
  note.dataset.reason = button.value;
  note.focus();
}

// The last actions are a page of their own; here they open over the desk.
export async function openDone() {
  const dialog = find("#done");
  try {
    const answer = await fetch(`/review/done${location.search}`, { headers: { Accept: "text/html" }, credentials: "same-origin" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    find("#deeds", dialog).replaceWith(find("#deeds", page));
    dialog.showModal();
  } catch {
    location.assign("/review/done");
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target, button = event.submitter;
  if (!button || form.method !== "post") return;
  if (form.dataset.deed === "undo") {
    event.preventDefault();
    find("#done").close();
    undo();
  } else if (form.matches(".actions, #selection")) {
    event.preventDefault();
    const note = button.dataset.note && document.getElementById(button.dataset.note);
    if (note && !note.value.trim()) askFor(note, button);
    else if (form.matches(".actions")) submit(form, button);
    else select.submit(form, button);
  }
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  const plain = link && !event.defaultPrevented && event.button === 0 &&
    !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) && !link.target;
  const menu = find(".reject[open]");
  if (menu && !event.target.closest(".reject")) menu.open = false;
  if (!plain) return;
  if (link.id === "done-link") {
    event.preventDefault();
    openDone();
  } else if (link.closest("#queue .rows, #work, #done") && !link.hash && link.pathname.startsWith("/review")) {
    event.preventDefault();
    find("#done").close();
    go(link.getAttribute("href"));
  }
});

addEventListener("popstate", () => go(here(), { push: false }));

// Where no stream tells (live.js), the desk asks now and then. New comments wait until they are asked for.
async function poll() {
  if (document.visibilityState !== "visible" || document.documentElement.dataset.live) return;
  const query = new URLSearchParams(location.search);
  query.delete("after");
  query.delete("before");
  query.set("since", find("#queue").dataset.at); // by the server's clock
  try {
    const answer = await fetch(`/v1/review/count?${query}`, { credentials: "same-origin" });
    if (!answer.ok) return;
    const { count: held, new: fresh } = await answer.json();
    if (!underWay.size) count(held);
    const link = find("#fresh"), text = word("fresh").replace("%s", fresh);
    if (fresh && link.textContent !== text) link.textContent = text;
    link.hidden = !fresh;
  } catch { /* the next one may do better */ }
}

setInterval(poll, POLL_MS);
settle(false);
