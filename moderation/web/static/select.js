// Several comments at once: rows are ticked by key, by click or with Shift, and the bar says what can be done to them.

import { push } from "./deeds.js";
import { answeredAt, count, done, find, following, go, here, mark, opened, say, word } from "./pages.js";

const boxes = () => [...document.querySelectorAll('#queue input[name="item"]:not(:disabled)')];
const rowOf = (box) => box.closest("li");
const idOf = (box) => rowOf(box).dataset.id;
const boxOf = (id) => boxes().find((box) => idOf(box) === id);
const ticked = () => boxes().filter((box) => box.checked);
const chosen = new Set(); // ids, so that a selection outlives a list that is put anew
let last = null; // the row from which Shift extends

export const selecting = () => ticked().length > 0 && find("#selection").checkVisibility();

// After every change: how many, and the bar is there only while there are some.
export function tell() {
  const bar = find("#selection");
  if (!bar) return;
  const many = ticked().length;
  chosen.clear();
  for (const box of ticked()) chosen.add(idOf(box));
  for (const box of boxes()) rowOf(box).toggleAttribute("data-ticked", box.checked);
  find("#selected").textContent = find("#selected").dataset.words.replace("%s", many);
  if (!many && bar.contains(document.activeElement)) find("#item-title").focus();
  bar.hidden = !many;
  document.body.toggleAttribute("data-selecting", many > 0);
  if (!many) refusal("");
}

export function toggle(id = opened()) {
  const box = boxOf(id);
  if (!box) return;
  box.checked = !box.checked;
  last = box;
  tell();
}

// Ticks this comment and goes on to the next or the previous, which is ticked as well.
export function extend(step) {
  const all = boxes(), at = all.indexOf(boxOf(opened()));
  if (at < 0) return;
  const other = all[at + step];
  for (const box of [all[at], other]) if (box) box.checked = true;
  last = other ?? all[at];
  tell();
  if (other) go(find("a[href]", rowOf(other)).getAttribute("href"));
}

export function all() {
  const open = boxes().filter((box) => !done.has(idOf(box)));
  const every = open.every((box) => box.checked);
  for (const box of open) box.checked = !every;
  tell();
}

export function clear() {
  if (!selecting()) return false;
  for (const box of ticked()) box.checked = false;
  tell();
  return true;
}

function range(box) {
  const every = boxes(), ends = [every.indexOf(last), every.indexOf(box)].sort((a, b) => a - b);
  for (const one of every.slice(Math.max(0, ends[0]), ends[1] + 1)) one.checked = true;
}

document.addEventListener("click", (event) => {
  const box = event.target.closest('#queue input[name="item"]');
  const row = event.shiftKey && event.target.closest("#queue li[data-id]");
  if (!box && !row) return;
  const aimed = box || boxOf(row.dataset.id);
  if (!aimed) return;
  if (event.shiftKey && last?.isConnected) range(aimed);
  else if (!box) aimed.checked = true;
  if (!box) event.preventDefault(); // the link would open a window
  last = aimed;
  tell();
}, true);

function refusal(text) {
  const line = find("#selection-trouble");
  line.textContent = text;
  line.hidden = !text;
  for (const row of document.querySelectorAll("#queue [data-refused]")) row.removeAttribute("data-refused");
}

// All or none: what is sent stays ticked until the answer is there.
export function submit(form, button) {
  const data = new URLSearchParams(new FormData(form, button));
  const deed = data.get("deed") || "reject", sent = ticked().map(idOf);
  const menu = find(".reject[open]", form);
  if (menu) {
    menu.open = false;
    find("summary", menu).focus(); // what is folded away can't keep it
  }
  refusal("");
  push({
    address: new URL(form.getAttribute("action"), location.href), deed: "batch", data, id: "", here: here(),
    accepted: (body) => accepted(body, deed, sent), refused: (body) => refused(body, sent),
  });
}

async function accepted(body, deed, sent) {
  clear();
  if (deed !== "assign") for (const id of sent) {
    mark(id, word(deed));
    answeredAt.set(id, performance.now());
  }
  if (body.left !== null) count(body.left);
  const text = body.left === null ? body.said : `${body.said} ${word("left").replace("%s", body.left)}`;
  if (deed === "approve" || deed === "reject") {
    if (sent.includes(opened())) await go(following() || `/review${location.search}`, { fresh: true, list: !following() });
  } else {
    await go(here(), { fresh: true, list: true });
  }
  say(text, { undo: true });
}

function refused(body, sent) {
  for (const id of sent) if (boxOf(id)) boxOf(id).checked = true;
  tell();
  refusal(body.detail);
  const row = body.id && find(`#queue li[data-id="${body.id}"]`);
  if (row) {
    row.toggleAttribute("data-refused", true);
    row.scrollIntoView({ block: "nearest" });
  }
  find("#selection-trouble").focus();
}

document.addEventListener("desk:list", () => {
  for (const box of boxes()) box.checked = chosen.has(idOf(box));
  tell();
});
tell();
