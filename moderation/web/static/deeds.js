// Decisions on their way: shown as done at once, sent one after another in their order, taken back where refused.

import {
  answeredAt, bringBack, count, done, find, following, go, here, mark, opened, remember, restored, say, trouble, typing,
  underWay, word,
} from "./pages.js";

const LIMIT_MS = 15_000;
const UNSEEN_MS = 500; // a key pressed this soon after a comment came back was meant for the one before it

const line = []; // oldest first; the first one is under way
const returned = []; // refused while the moderator was busy with another: shown after the next decision
let sending = false;
let instead = ""; // the action that the next undo takes back, after one that can't be undone any more

export const unseen = () => document.documentElement.dataset.unseen === opened();

function justBack(id) {
  document.documentElement.dataset.unseen = id;
  setTimeout(() => delete document.documentElement.dataset.unseen, UNSEEN_MS);
}

export const decides = (deed) => ["approve", "reject", "escalate"].includes(deed);
const waits = () => ["held", "escalated"].includes(new URLSearchParams(location.search).get("status") ?? "held");
const left = (number) => (number === null ? "" : ` ${word("left").replace("%s", number.toLocaleString("en"))}`);
const listAddress = () => `/review${location.search}`;
const itemAddress = (id) => `/review/${id}${location.search}`;

export function submit(form, button) {
  const address = new URL(button.getAttribute("formaction") || form.getAttribute("action"), location.href);
  const deed = address.pathname.split("/").pop();
  const data = new URLSearchParams(new FormData(form, button));
  const one = { address, deed, data, id: opened(), here: here(), title: document.title };
  if (decides(deed)) decide(one, form);
  else push(one);
}

function decide(one, form) {
  if (underWay.has(one.id)) return;
  one.typed = [one.data.get("note") ?? "", one.data.get("other_note") ?? ""];
  const menu = find(".reject[open]", form);
  if (menu) menu.open = false;
  one.leaves = one.deed !== "escalate" && waits();
  mark(one.id, word(one.deed));
  say(`${word(one.deed)}.${one.leaves ? left(count((now) => now - 1)) : ""}`, { undo: true });
  push(one);
  if (form.dataset.advance) moveOn(one);
}

// The next comment is shown at once; at the end of the list it waits for the answer, for then the list is another one.
function moveOn(one) {
  const refusal = returned.shift();
  const next = refusal ? itemAddress(refusal.id) : following();
  one.work = find("#work");
  one.moved = next ? go(next, { stay: true, fresh: Boolean(refusal) }) : Promise.resolve(false);
  if (refusal) one.moved.then(() => cameBack(refusal));
}

export function push(one) {
  line.push(one);
  if (one.id) underWay.add(one.id);
  if (!sending) pump();
}

function post(one) {
  return fetch(one.address, {
    method: "POST", body: one.data, headers: { Accept: "application/json" }, credentials: "same-origin", keepalive: true,
    signal: AbortSignal.timeout(LIMIT_MS),
  });
}

async function pump() {
  sending = true;
  document.documentElement.dataset.sending = "";
  while (line.length) {
    const one = line[0];
    let answer, body;
    try {
      answer = await post(one);
      if (new URL(answer.url).pathname === "/login" || answer.status === 400) return signedOut(one);
      body = await answer.json();
    } catch (error) {
      lost(error);
      break;
    }
    line.shift();
    underWay.delete(one.id);
    answeredAt.set(one.id, performance.now());
    await (answer.ok ? accepted(one, body) : refused(one, body));
  }
  sending = false;
  delete document.documentElement.dataset.sending;
}

// Whoever leaves the page takes nothing along: what waits in line is sent as well.
addEventListener("pagehide", () => line.splice(1).forEach(post));

async function accepted(one, body) {
  instead = "";
  document.documentElement.dataset.counted = body.at;
  if (one.accepted) return one.accepted(body);
  if (one.deed === "undo") return undone(body);
  if (!decides(one.deed)) {
    await go(body.open, { fresh: true, list: true });
    return say(body.said);
  }
  if (opened() === one.id) for (const field of document.querySelectorAll(".actions textarea")) field.value = "";
  remember(one.id, []);
  const now = body.left === null ? null : body.left - line.filter((other) => other.leaves).length;
  if (now !== null) count(now);
  if (!one.work) await go(itemAddress(one.id), { fresh: true });
  else if (!(await one.moved)) await go(listAddress(), { fresh: true, list: true });
  else return; // what was said with the next comment still stands
  if (!line.length) say(body.said + left(now), { undo: true });
}

async function undone(body) {
  for (const id of body.undone) {
    restored.set(id, body.versions[id]);
    mark(id, "");
  }
  if (line.some((other) => other.deed === "undo")) return; // the next one says it
  await go(body.open, { fresh: true });
  say(body.said);
}

// Refused: the comment comes back with what went wrong and who, and with the note that was typed.
async function refused(one, body) {
  if (one.refused) return one.refused(body);
  if (one.deed === "undo") {
    instead = body.before || "";
    const text = instead ? `${body.detail} ${word("again")}` : body.detail;
    if (body.id) await go(itemAddress(body.id), { fresh: true });
    return body.id ? trouble(text) : say(text);
  }
  mark(one.id, "");
  if (one.leaves) count((now) => now + 1);
  remember(one.id, one.typed);
  one.text = body.detail;
  if (opened() === one.id || !busy()) {
    await go(itemAddress(one.id), { fresh: true });
    if (opened() === one.id) return cameBack(one);
  }
  returned.push(one);
  say(`${word("back")} ${body.detail}`);
}

const busy = () => typing() || find(".reject[open], dialog[open]");

function cameBack(one) {
  if (opened() !== one.id) return void returned.push(one);
  trouble(one.text);
  document.title = `${word("not")} ${one.title}`;
  justBack(one.id);
}

// Out of reach: nothing of what waits was done, as far as anybody can know; the first one is shown again as it was.
function lost(error) {
  const unsent = line.splice(0), first = unsent[0];
  for (const one of unsent) {
    underWay.delete(one.id);
    if (one.refused) one.refused({ detail: word("lost") });
    if (!decides(one.deed) || one.refused) continue;
    mark(one.id, "");
    if (one.leaves) count((now) => now + 1);
    remember(one.id, one.typed);
  }
  if (first.work && opened() !== first.id) bringBack(first.work, first.here, first.title);
  justBack(first.id);
  say(error.name === "TimeoutError" ? word("late") : word("lost"));
}

// What was typed waits in this tab until the moderator has signed in again.
function signedOut(one) {
  remember();
  if (one.typed) remember(one.id, one.typed);
  location.assign(one.here);
}

export function undo() {
  const data = new URLSearchParams({ csrf_token: find('meta[name="csrf-token"]').content, item: opened() });
  if (instead) data.set("deed", instead);
  instead = "";
  say(word("undoing")); // at once: a second press is a second undo
  push({ address: new URL(`/review/undo${location.search}`, location.href), deed: "undo", data, id: "", here: here() });
}
