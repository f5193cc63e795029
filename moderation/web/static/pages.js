// Pages of the desk: fetched, kept ahead, put in place. What is shown next is here before it is asked for.

export const find = (selector, root = document) => root.querySelector(selector);
export const opened = () => find("#item")?.dataset.id ?? "";
export const here = () => location.pathname + location.search;
export const word = (name) => find("#words").dataset[name] ?? "";

const AHEAD = 2;
const STALE_MS = 60_000;
const LIMIT_MS = 15_000;

const kept = new Map(); // address -> { page: promise of the parsed page, at }
export const done = new Map(); // id -> what was done to it here, in words
export const underWay = new Set(); // ids of those that the service has not answered for yet
export const answeredAt = new Map(); // id -> when it did
export const restored = new Map(); // id -> in which version an undo left it: older word of it is of before that
let filter = filterOf(location.href);

function filterOf(address) {
  const query = new URL(address, location.href).searchParams;
  query.sort();
  return query.toString();
}

// A whole page, or only the comment with what stands around it.
async function get(address, part = {}) {
  const asked = performance.now();
  const answer = await fetch(address, {
    headers: { Accept: "text/html", ...part }, credentials: "same-origin", signal: AbortSignal.timeout(LIMIT_MS),
  });
  if (!answer.ok || new URL(answer.url).pathname === "/login") throw new Error(String(answer.status));
  return Object.assign(new DOMParser().parseFromString(await answer.text(), "text/html"), { asked });
}

function keep(address) {
  const known = kept.get(address);
  if (known && performance.now() - known.at < STALE_MS) return known.page;
  const page = get(address, { "X-Desk": "item" });
  kept.set(address, { page, at: performance.now() });
  page.catch(() => kept.delete(address));
  return page;
}

// A page is shown once: its nodes move into this document.
function take(address) {
  const page = keep(address);
  kept.delete(address);
  return page;
}

async function ahead() {
  const wanted = new Set();
  let address = following();
  for (let n = 0; n < AHEAD && address && !wanted.has(address); n++) {
    wanted.add(address);
    for (const old of kept.keys()) if (kept.size > AHEAD && !wanted.has(old)) kept.delete(old);
    try {
      address = following(await keep(address));
    } catch {
      return;
    }
  }
}

const idOf = (address) => new URL(address, location.href).pathname.split("/")[2] ?? "";

// The address of the next comment that nothing was done to here; null at the end.
export function following(page = document) {
  const next = find("#next", page)?.getAttribute("href");
  if (!next || !done.has(idOf(next))) return next ?? null;
  const rows = [...document.querySelectorAll("#queue li[data-id]")];
  const at = rows.findIndex((row) => row.dataset.id === idOf(next));
  const row = rows.slice(at + 1).find((one) => !done.has(one.dataset.id) && one.dataset.id !== opened());
  return row ? find("a[href]", row).getAttribute("href") : null;
}

function put(page, selector) {
  const now = find(selector), then = find(selector, page);
  if (!now || !then) return;
  // A live region speaks only when its content changes; the region itself must stay.
  if (now.getAttribute("role") === "status") now.replaceChildren(...document.adoptNode(then).childNodes);
  else now.replaceWith(document.adoptNode(then));
}

// Shows a page. The list stays as it is while the item is in it, so that nothing moves under the cursor. A page that was
// kept ahead knows nothing of what was decided since, so the numbers are taken from a `fresh` one only.
function show(page, address, { push = true, list = false, fresh = false } = {}) {
  const id = find("#item", page)?.dataset.id;
  const row = id && find(`#queue li[data-id="${id}"]`);
  const wanted = filterOf(address);
  remember();
  for (const selector of fresh ? [".numbers", "#work"] : ["#work"]) put(page, selector);
  if (list || !row || wanted !== filter) {
    filter = wanted;
    if (find("#queue", page)) putList(page);
    else listLater(address, wanted);
  } else {
    point(row);
    if (fresh) renew(page);
  }
  document.body.className = page.body.className;
  document.title = page.title;
  if (push && address !== here()) history.pushState(null, "", address);
  settle();
}

// The comment is there already; the list follows, unless somebody is at work in it.
async function listLater(address, wanted) {
  const page = await get(address).catch(() => null);
  if (page && filter === wanted && !find("#queue").contains(document.activeElement)) putList(page);
}

// What was answered for before this list was asked for stands in it as it is now.
function putList(page) {
  put(page, "#queue");
  for (const one of done.keys()) if (!underWay.has(one) && answeredAt.get(one) < page.asked) done.delete(one);
  for (const [one, text] of done) mark(one, text);
  const row = find(`#queue li[data-id="${opened()}"]`);
  if (row) point(row);
  document.dispatchEvent(new CustomEvent("desk:list"));
}

// Rows that stay where they are still learn in which version their comments are now.
function renew(page) {
  for (const then of page.querySelectorAll('#queue input[name="item"]')) {
    const now = find(`#queue li[data-id="${then.value.split(":")[0]}"] input[name="item"]`);
    if (now) now.value = then.value;
  }
}

function point(row) {
  for (const link of document.querySelectorAll("#queue [aria-current]")) link.removeAttribute("aria-current");
  find("a[href]", row).setAttribute("aria-current", "true");
  row.scrollIntoView({ block: "nearest" });
}

// After a page is in place: focus is never lost, what was typed is there again, the next ones are fetched.
export function settle(moved = true) {
  recall();
  const target = find("#trouble") || (moved && find("#item-title"));
  if (target && !typing()) target.focus({ preventScroll: true });
  const work = find("#work");
  if (work) work.scrollTop = 0;
  if (document.body.classList.contains("view-item") && innerWidth < 736) scrollTo(0, 0);
  document.dispatchEvent(new CustomEvent("desk:item", { detail: opened() }));
  ahead();
}

// Whether somebody is writing, so that no answer takes the focus away.
export const typing = () => document.activeElement?.matches("textarea, select, input:not([type=checkbox])");

// What was typed beside a comment is kept until a decision takes it along, also while somebody signs in again.
const FIELDS = ["note", "other-note"];
const written = () => FIELDS.map((id) => document.getElementById(id)?.value ?? "");

export function remember(id = opened(), texts = written()) {
  if (!id) return;
  if (texts.join("").trim()) sessionStorage.setItem(`typed ${id}`, JSON.stringify(texts));
  else sessionStorage.removeItem(`typed ${id}`);
}

function recall() {
  const texts = JSON.parse(sessionStorage.getItem(`typed ${opened()}`) ?? "[]");
  texts.forEach((text, at) => {
    const field = document.getElementById(FIELDS[at]);
    if (!field || !text || field.value) return;
    field.value = text;
    if (field.id === "note") field.closest("details").open = true;
  });
}

let asked = 0;

// Opens a page in this document; false where it can't be had, and then with `stay` nothing changes. Whoever has asked for
// another one meanwhile gets that one.
export async function go(address, options = {}) {
  const turn = ++asked;
  if (options.fresh) kept.clear();
  try {
    const page = await (options.fresh || options.list ? get(address) : take(address));
    if (turn === asked) show(page, address, options);
    return true;
  } catch {
    if (!options.stay && turn === asked) location.assign(address);
    return false;
  }
}

// Puts a work area back as it was, with all that was typed there.
export function bringBack(work, address, title) {
  find("#work").replaceWith(work);
  document.title = title;
  if (address !== here()) history.pushState(null, "", address);
  const row = find(`#queue li[data-id="${opened()}"]`);
  if (row) point(row);
  settle();
}

export function mark(id, text) {
  if (text) done.set(id, text);
  else done.delete(id);
  const row = find(`#queue li[data-id="${id}"]`), words = row && find(".done", row);
  if (!words) return;
  row.toggleAttribute("data-done", Boolean(text));
  words.hidden = !text;
  words.textContent = text || "";
}

export function say(text, { undo = false } = {}) {
  const line = document.createElement("span");
  line.textContent = text;
  const parts = [line];
  if (undo) parts.push(find("#undo-form").content.cloneNode(true));
  find("#said").replaceChildren(...parts);
}

// What went wrong, above the comment that it is about; the focus goes there.
export function trouble(text) {
  find("#trouble")?.remove();
  const notice = document.createElement("p");
  Object.assign(notice, { id: "trouble", className: "notice bad", tabIndex: -1, textContent: text });
  notice.setAttribute("role", "alert");
  find("#work").prepend(notice);
  find("#said").replaceChildren(); // what was said of it before holds no more
  notice.focus();
}

// Changes the number of comments that wait, and returns it as shown; null where only "so many or more" is known.
export function count(change) {
  const shown = find("#count"), text = shown.textContent.trim();
  if (!/^[\d,]+$/.test(text)) return null;
  const now = Number(text.replaceAll(",", ""));
  shown.textContent = Math.max(0, typeof change === "function" ? change(now) : change).toLocaleString("en");
  return shown.textContent;
}
