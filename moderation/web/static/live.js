// Word of what others do, while the desk is open: rows are greyed in place, nothing ever moves. It comes by a stream;
// where none can be had, the desk asks now and then. data-live on <html> says that it comes.

import { done, find, mark, restored } from "./pages.js";

const ASK_MS = 15_000;
const ASK_BEFORE_TRYING = 4;

let source = null, watched = "", asking = null, asked = 0, last = null, beat = null, here = "", held = "", since = "";
const over = new Map(); // id -> what others did to it, as its row says

const token = () => find('meta[name="csrf-token"]').content;
const item = () => find("#item[data-id]");
const visible = () => document.visibilityState === "visible";

// --- the stream ---------------------------------------------------------------------------------------------------

function shownIds() {
  const ids = [...document.querySelectorAll("#queue li[data-id]")].map((row) => row.dataset.id);
  if (item() && !ids.includes(item().dataset.id)) ids.push(item().dataset.id);
  return ids;
}

function address() {
  const query = new URLSearchParams(location.search);
  query.delete("after");
  query.delete("before");
  since = find("#queue").dataset.at; // by the server's clock
  query.set("since", since);
  query.set("see", shownIds().slice(0, 101).join(","));
  return `/review/live?${query}`;
}

function stop() {
  if (source) source.close();
  clearTimeout(asking);
  source = null;
  watched = "";
  delete document.documentElement.dataset.live;
}

function follow() {
  if (!visible() || !find("#queue")) return stop();
  const wanted = address();
  if (wanted === watched) return;
  stop();
  watched = wanted;
  source = new EventSource(wanted);
  source.addEventListener("state", (event) => told(JSON.parse(event.data)));
  source.onerror = () => {
    delete document.documentElement.dataset.live;
    if (source?.readyState === EventSource.CLOSED) ask(); // no room, or no longer signed in
  };
}

function told(state) {
  document.documentElement.dataset.live = source?.readyState === EventSource.OPEN ? "on" : "asks";
  last = state;
  paint();
}

// Now and then, and after a while the stream is tried again: there may be room.
async function ask() {
  stop();
  asking = setTimeout(() => (++asked % ASK_BEFORE_TRYING ? ask() : follow()), ASK_MS);
  try {
    const answer = await fetch(`${address()}&once=1`, { credentials: "same-origin" });
    if (answer.status === 200) return told(await answer.json());
    const count = await fetch("/v1/review/count", { credentials: "same-origin" });
    if (count.status === 401) say(find("#told"), find("#told").dataset.signedOut);
  } catch { /* the next time may do better */ }
}

// --- what it says -------------------------------------------------------------------------------------------------

function paint() {
  if (!last) return;
  if (since === find("#queue").dataset.at) paintNumbers(); // else they are of the list before
  for (const row of document.querySelectorAll("#queue li[data-id]")) paintRow(row, wordOf(row.dataset.id));
  if (item()) paintItem(wordOf(item().dataset.id));
  say(find("#waiting"), last.waiting);
  find("#waiting").hidden = !last.waiting;
  paintAssigned(last.assigned);
}

// What was under way while the comment was restored here is of before that.
function wordOf(id) {
  const before = last.versions?.[id] < (restored.get(id) ?? 0);
  return before ? {} : last.rows[id] || {};
}

// A live region speaks when its text changes, so it is only set when it does.
function say(place, text) {
  if (place && place.textContent.trim() !== (text || "")) place.textContent = text || "";
}

function paintNumbers() {
  paintCount();
  const fresh = find("#fresh");
  if (!fresh) return;
  if (last.new) say(fresh, last.fresh);
  fresh.hidden = !last.new;
}

// What this desk decides it counts itself (deeds.js); a count that was taken before that would take it back.
function paintCount() {
  const { sending, counted = 0 } = document.documentElement.dataset;
  if (sending === undefined && last.counted >= Number(counted)) say(find("#count"), last.count);
}

function paintRow(row, { done: text = "", has = "" }) {
  const id = row.dataset.id, own = done.has(id) && !over.has(id);
  if (text && !own && (over.get(id) !== text || !row.hasAttribute("data-done"))) {
    over.set(id, text);
    mark(id, text);
  } else if (!text && over.delete(id)) {
    mark(id, "");
  }
  const holder = row.querySelector(".has");
  if (!holder) return;
  say(holder, has);
  holder.hidden = !has;
}

// `held` is the item that was this moderator's by the last word of it: only such a claim can run out.
function paintItem({ done: over = "", line = "", mine = "", claimed = "" }) {
  const place = find("#together"), form = find("#take-over"), id = item().dataset.id;
  if (!place) return;
  const claimedHere = item().hasAttribute("data-mine");
  if (mine) held = id;
  if (mine) say(place, place.dataset.yours);
  else if (over || line) say(place, over ? `${over}.` : line);
  else if (claimedHere && held === id) say(place, place.dataset.lapsed);
  else if (!claimedHere) say(place, ""); // else it was claimed just now, and the next word will know
  if (form) form.hidden = !claimed;
}

function paintAssigned(assigned) {
  const place = find("#told");
  if (!assigned) return;
  if (place.dataset.about === assigned.id) return;
  place.dataset.about = assigned.id;
  const link = document.createElement("a");
  link.href = `/review/${assigned.id}?assigned=me`;
  link.textContent = place.dataset.open;
  place.replaceChildren(`${assigned.text} `, link);
}

// --- where this moderator is --------------------------------------------------------------------------------------

const BEFORE_FIRST_MS = 1500; // a comment that is decided at once needs no sign of life

function post(id, deed) {
  return fetch(`/review/${id}/${deed}`, {
    method: "POST", headers: { "X-CSRFToken": token() }, credentials: "same-origin", keepalive: true, redirect: "manual",
  }).catch(() => null);
}

function leave() {
  clearTimeout(beat);
  if (here) post(here, "away");
  here = "";
}

function stay() {
  clearTimeout(beat);
  if (!visible() || !item()) return leave();
  const id = item().dataset.id, pause = Number(item().dataset.beat);
  const alive = () => {
    here = id;
    post(id, "here");
    beat = setTimeout(alive, pause);
  };
  beat = setTimeout(alive, here === id ? pause : BEFORE_FIRST_MS);
}

// --- forms that change one part of the page -----------------------------------------------------------------------

// The rest of the page stays as it is, with whatever was typed there.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.dataset.part) return;
  event.preventDefault();
  const id = form.dataset.part, about = item()?.dataset.id;
  try {
    const answer = await fetch(form.action, {
      method: "POST", body: new URLSearchParams(new FormData(form)), headers: { Accept: "text/html" },
      credentials: "same-origin",
    });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const then = page.getElementById(id), trouble = page.querySelector("#trouble");
    if (!then) return location.reload();
    if (trouble) say(find("#said"), trouble.textContent.trim());
    else find("#said").replaceChildren(...document.adoptNode(page.querySelector("#said")).childNodes);
    if (item()?.dataset.id !== about) return; // another comment is open by now
    document.getElementById(id).replaceWith(document.adoptNode(then));
    const [row, now] = [page, document].map((one) => one.querySelector("#queue .rows [aria-current]"));
    if (row && now && !now.closest("[data-done]")) now.replaceWith(document.adoptNode(row));
    const part = document.getElementById(id);
    (trouble && part.querySelector("textarea") || part.querySelector("summary"))?.focus();
  } catch {
    form.submit();
  }
});

// --- the page changes under way -----------------------------------------------------------------------------------

let settled = 0;

function changed() {
  clearTimeout(settled);
  paint(); // at once, from what is known; the stream follows
  settled = setTimeout(() => { follow(); stay(); }, 250);
}

const columns = find(".columns");
if (columns) {
  new MutationObserver(changed).observe(columns, { childList: true });
  document.addEventListener("visibilitychange", changed);
  addEventListener("pagehide", () => { leave(); stop(); });
  addEventListener("pageshow", (event) => { if (event.persisted) changed(); });
  changed();
}
