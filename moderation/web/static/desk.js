// The desk works without script. With it: the next comment without waiting, word of new ones, and keys (keys.js).

const POLL_MS = 15000;
export const find = (selector) => document.querySelector(selector);

// --- pages: fetched, kept, put in place -------------------------------------------------------------------------

const kept = new Map(); // address -> promise of its HTML; one page ahead is enough
const state = { busy: false, waiting: [], filter: location.search };

function get(address) {
  return fetch(address, { headers: { Accept: "text/html" }, credentials: "same-origin" }).then(async (answer) => {
    if (!answer.ok || new URL(answer.url).pathname === "/login") throw new Error(String(answer.status));
    return answer.text();
  });
}

function prefetch() {
  const next = find("#next");
  if (!next) return;
  const address = next.getAttribute("href");
  if (!kept.has(address)) {
    kept.clear();
    kept.set(address, get(address));
    kept.get(address).catch(() => kept.delete(address));
  }
}

const parse = (html) => new DOMParser().parseFromString(html, "text/html");

function put(page, selector) {
  const now = find(selector), then = page.querySelector(selector);
  if (!now || !then) return;
  // A live region speaks only when its content changes; the region itself must stay.
  if (now.getAttribute("role") === "status") now.replaceChildren(...document.adoptNode(then).childNodes);
  else now.replaceWith(document.adoptNode(then));
}

// Shows a page. The list stays as it is while the item is in it, so that nothing moves under the cursor.
function show(page, address, { push = true, list = false } = {}) {
  const item = page.querySelector("#item");
  const row = item && item.dataset.id && find(`#queue li[data-id="${item.dataset.id}"]`);
  for (const selector of ["#top", "#said", "#work"]) put(page, selector);
  const filter = new URL(address, location.href).search;
  if (list || !row || filter !== state.filter) {
    put(page, "#queue");
    state.filter = filter;
  } else {
    point(row);
  }
  document.body.className = page.body.className;
  document.title = page.title;
  if (push) history.pushState(null, "", address);
  settle();
}

function point(row) {
  for (const link of document.querySelectorAll("#queue [aria-current]")) link.removeAttribute("aria-current");
  row.querySelector("a").setAttribute("aria-current", "true");
  row.scrollIntoView({ block: "nearest" });
}

// After a page is in place: focus is never lost, keys are shown, the next one is fetched.
function settle(moved = true) {
  const target = find("#trouble") || (moved && find("#item-title"));
  if (target) target.focus({ preventScroll: true });
  const work = find("#work");
  if (work) work.scrollTop = 0;
  if (document.body.classList.contains("view-item") && innerWidth < 736) scrollTo(0, 0);
  find("#keys-button").hidden = false;
  prefetch();
}

async function go(address, options) {
  try {
    const html = await (kept.get(address) || get(address));
    show(parse(html), address, options);
  } catch {
    location.assign(address);
  }
}

// --- deeds ------------------------------------------------------------------------------------------------------

function mark(id, text) {
  const row = find(`#queue li[data-id="${id}"]`);
  if (!row) return;
  row.toggleAttribute("data-done", Boolean(text));
  const done = row.querySelector(".done");
  done.hidden = !text;
  done.textContent = text || "";
}

const DONE = { approve: "Approved", reject: "Rejected", escalate: "Escalated" };

async function send(form, button) {
  const seen = opened();
  if (state.busy) {
    closeMenu();
    state.waiting.push(form.dataset.deed === "undo" ? undo : () => again(button, seen));
    return;
  }
  state.busy = true;
  const address = new URL(button.getAttribute("formaction") || form.getAttribute("action"), location.href);
  const deed = address.pathname.split("/").pop();
  const data = new URLSearchParams(new FormData(form, button));
  closeMenu();
  const next = DONE[deed] && form.dataset.next;
  const here = location.pathname + location.search;
  const before = document.title;
  const post = fetch(address, { method: "POST", body: data, headers: { Accept: "text/html" }, credentials: "same-origin" });
  if (next && kept.has(next)) {
    try {
      show(parse(await kept.get(next)), next);
      find("#said").textContent = `${DONE[deed]}.`;
      mark(seen, DONE[deed]);
    } catch { /* the answer will show it */ }
  }
  try {
    const answer = await post;
    arrive(answer, parse(await answer.text()), { id: seen, deed, here });
  } catch {
    state.waiting = [];
    if (location.pathname + location.search !== here) await go(here, { list: true });
    find("#said").textContent = "The service could not be reached, so nothing was changed. Please try again.";
    document.title = before;
  }
  state.busy = false;
  while (!state.busy && state.waiting.length) state.waiting.shift()();
}

// The answer to a post: the next item's page, or this one's with what went wrong.
function arrive(answer, page, { id, deed, here }) {
  const came = new URL(answer.url);
  if (came.pathname === "/login" || !page.querySelector("#work")) {
    location.assign(answer.ok ? came : here);
    return;
  }
  const there = came.pathname + came.search;
  if (!answer.ok) {
    mark(id, "");
    state.waiting = []; // they were meant for what would have come after
    show(page, here, { push: location.pathname + location.search !== here });
    return;
  }
  const shown = find("#item"), item = page.querySelector("#item");
  if (DONE[deed]) mark(id, DONE[deed]);
  if (deed === "undo" && item) mark(item.dataset.id, "");
  const same = shown && item && shown.dataset.id === item.dataset.id && shown.dataset.version === item.dataset.version;
  if (same && deed in DONE) {
    put(page, "#top");
    put(page, "#said");
    find("#keys-button").hidden = false;
    prefetch();
  } else {
    show(page, there, { push: there !== location.pathname + location.search });
  }
}

const opened = () => (find("#item") && find("#item").dataset.id) || "";

// A key that was pressed while a post was under way; only ever for the comment that was before the moderator's eyes.
function again(button, seen) {
  if (opened() !== seen) return;
  const deed = button.dataset.deed || button.dataset.key;
  const now = document.querySelector(`button[data-deed="${deed}"], .menu button[data-key="${deed}"]`);
  if (now) now.form.requestSubmit(now);
}

// Undoes the last action, also when the page has no button for it.
export function undo() {
  const shown = find("#said button");
  if (shown) return shown.click();
  const form = document.createElement("form");
  form.method = "post";
  form.action = `/review/undo${location.search}`;
  form.dataset.deed = "undo";
  form.hidden = true;
  const button = document.createElement("button");
  form.append(field("csrf_token", find('meta[name="csrf-token"]').content),
    field("item", opened()), button);
  document.body.append(form);
  form.requestSubmit(button);
  form.remove();
}

function field(name, value) {
  const made = document.createElement("input");
  Object.assign(made, { type: "hidden", name, value });
  return made;
}

export function closeMenu() {
  const menu = find(".reject[open]");
  if (!menu) return false;
  menu.open = false;
  menu.querySelector("summary").focus();
  return true;
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  const button = event.submitter;
  if (!button || form.method !== "post" || !(form.matches(".actions") || form.dataset.deed === "undo")) return;
  event.preventDefault();
  send(form, button);
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  const plain = link && !event.defaultPrevented && event.button === 0 &&
    !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) && !link.target;
  if (event.target.closest("#keys-button")) find("#keys").showModal();
  const menu = find(".reject[open]");
  if (menu && !event.target.closest(".reject")) menu.open = false;
  if (!plain || !link.closest("#queue .rows, #work .buttons, #context")) return;
  if (!new URL(link.href).pathname.startsWith("/review")) return;
  event.preventDefault();
  go(link.getAttribute("href"));
});

addEventListener("popstate", () => go(location.pathname + location.search, { push: false }));

// --- new comments wait until they are asked for ----------------------------------------------------------------

async function poll() {
  if (document.visibilityState !== "visible") return;
  const query = new URLSearchParams(location.search);
  query.delete("after");
  query.set("since", find("#queue").dataset.at); // by the server's clock
  try {
    const answer = await fetch(`/v1/review/count?${query}`, { credentials: "same-origin" });
    if (!answer.ok) return;
    const { count, new: fresh } = await answer.json();
    find("#count").textContent = count;
    const link = find("#fresh");
    if (fresh && link.textContent !== `${fresh} new`) link.textContent = `${fresh} new`;
    link.hidden = !fresh;
  } catch { /* the next poll may do better */ }
}

setInterval(poll, POLL_MS);
settle(false);
