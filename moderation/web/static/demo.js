// The demo's article page: sends the form without leaving the page, and shows approved comments as they come.
// Everything here also works without this script, by posting the form and loading the page anew.

const PAUSE = 3000;
const DEEPEST = 4;
const FIELDS = ["name", "email", "url", "body"];
const THANKS = "Thank you. Your comment appears after a check.";
const PUBLISHED = "Your comment is published.";

const byId = (id) => document.getElementById(id);
const form = byId("form");
const list = byId("comments");
const fields = form.elements;
let sentId = null;

// ---- the thread

function ago(iso) {
  const seconds = Math.floor(Math.abs(Date.now() - Date.parse(iso)) / 1000);
  for (const [size, unit] of [[86400, "d"], [3600, "h"], [60, "min"]]) {
    if (seconds >= size) return `${Math.floor(seconds / size)} ${unit} ago`;
  }
  return seconds < 10 ? "now" : `${seconds} s ago`;
}

function full(iso) {
  const said = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "medium", timeZone: "UTC" });
  return `${said.format(new Date(iso)).replace(" at ", ", ")} UTC`;
}

/** Each comment followed by its answers, with how deep it stands: the same order as the server's. */
function inOrder(comments) {
  const answers = new Map();
  for (const comment of comments) {
    if (!answers.has(comment.parent_id)) answers.set(comment.parent_id, []);
    answers.get(comment.parent_id).push(comment);
  }
  const below = (id, depth) => (answers.get(id) ?? []).map((comment) => ({ comment, depth })).reverse();
  const ordered = [];
  const waiting = below(null, 0);
  while (waiting.length) {
    const next = waiting.pop();
    ordered.push(next);
    waiting.push(...below(next.comment.id, Math.min(next.depth + 1, DEEPEST)));
  }
  return ordered;
}

function build(comment) {
  const item = byId("one").content.firstElementChild.cloneNode(true);
  item.id = `comment-${comment.id}`;
  item.dataset.id = comment.id;
  for (const name of item.querySelectorAll(".name")) name.textContent = comment.author_name;
  const when = item.querySelector(".when");
  when.dateTime = comment.created_at;
  when.title = full(comment.created_at);
  item.querySelector(".reply").href = `/demo?reply_to=${encodeURIComponent(comment.id)}#respond`;
  return item;
}

function update(item, comment, depth, parent) {
  const marked = item.classList.contains("new") ? " new" : "";
  item.className = `comment depth-${depth}${marked}`;
  item.querySelector(".answers").hidden = !parent;
  item.querySelector(".parent").textContent = parent ?? "";
  const text = item.querySelector(".text");
  if (text.textContent !== comment.body) text.textContent = comment.body;
  item.querySelector(".when").textContent = ago(comment.created_at);
}

/** Brings the list to this state and touches nothing that stays; returns how many are new. */
function arrange(comments) {
  const names = new Map(comments.map((comment) => [comment.id, comment.author_name]));
  const old = new Map([...list.children].map((item) => [item.dataset.id, item]));
  for (const [id, item] of old) if (!names.has(id)) item.remove();
  inOrder(comments).forEach(({ comment, depth }, place) => {
    const item = old.get(comment.id) ?? build(comment);
    item.classList.toggle("new", item.classList.contains("new") || !old.has(comment.id));
    update(item, comment, depth, names.get(comment.parent_id));
    if (list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null);
  });
  return comments.filter((comment) => !old.has(comment.id)).length;
}

function show(comments) {
  // Whoever is writing must not see the form jump when a comment comes in above it.
  const still = form.contains(document.activeElement) || form.getBoundingClientRect().top < innerHeight / 2;
  const before = form.getBoundingClientRect().top;
  const added = arrange(comments);
  byId("count").textContent = comments.length;
  byId("none").hidden = comments.length > 0;
  if (added) byId("news").textContent = added === 1 ? "A new comment has appeared." : `${added} new comments have appeared.`;
  if (sentId && comments.some((comment) => comment.id === sentId)) {
    byId("sent").textContent = PUBLISHED;
    sentId = null;
  }
  if (still) scrollBy({ top: form.getBoundingClientRect().top - before, behavior: "instant" });
}

let etag = null;

async function look() {
  const query = new URLSearchParams({ site: list.dataset.site, article_url: list.dataset.article });
  // no-cache: ask each time, with the ETag of what the browser has; nothing is sent again that has not changed.
  const answer = await fetch(`/v1/threads?${query}`, { cache: "no-cache" });
  if (answer.ok && answer.headers.get("ETag") !== etag) {
    show((await answer.json()).comments);
    etag = answer.headers.get("ETag");
  }
  for (const when of list.querySelectorAll(".when")) when.textContent = ago(when.dateTime);
}

async function watch() {
  if (!document.hidden) await look().catch(() => {}); // offline for a moment: the next look tells
  setTimeout(watch, PAUSE);
}

// ---- the form

function say(errors) {
  for (const name of FIELDS) {
    const place = byId(`${name}-error`);
    place.textContent = errors[name] ?? "";
    place.hidden = !errors[name];
    if (errors[name]) fields[name].setAttribute("aria-invalid", "true");
    else fields[name].removeAttribute("aria-invalid");
  }
  const lines = Object.entries(errors).map(([name, said]) => {
    const line = document.createElement("li");
    const link = name ? document.createElement("a") : line;
    link.textContent = said;
    if (name) {
      link.href = `#${name}`;
      line.append(link);
    }
    return line;
  });
  byId("problems").querySelector("ul").replaceChildren(...lines);
  byId("problems").hidden = lines.length === 0;
  if (lines.length) {
    byId("sent").hidden = true;
    byId("problems").focus();
  }
}

function check() {
  const errors = {};
  for (const name of FIELDS) {
    const field = fields[name];
    if (field.required && !field.value.trim()) errors[name] = field.dataset.missing;
    else if (field.validity.patternMismatch) errors[name] = field.dataset.wrong;
  }
  return errors;
}

function post() {
  const value = (name) => fields[name].value.trim();
  return fetch("/v1/public/comments", {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${form.dataset.key}` },
    body: JSON.stringify({
      body: fields.body.value,
      author: { name: value("name"), email: value("email"), url: value("url") || null },
      article: { url: list.dataset.article, title: document.querySelector("h1").textContent },
      parent_id: value("parent_id") || null,
      subject: value("subject"),
    }),
  });
}

async function refusal(answer) {
  if (answer.status === 429 && (await answer.clone().json().catch(() => ({}))).code === "slow_mode") {
    return { "": `One comment every ${answer.headers.get("Retry-After")} seconds, please. Yours is still here: send it again then.` };
  }
  if (answer.status === 429) {
    return { "": `Too many comments were sent from here. Wait ${answer.headers.get("Retry-After") ?? 60} seconds, then send it again.` };
  }
  const problem = await answer.json();
  const name = String(problem.field ?? "").split(".").pop();
  if (FIELDS.includes(name)) return { [name]: fields[name].dataset.wrong };
  if (name === "parent_id") {
    answering(null);
    return { "": "The comment that you answer is no longer here. Send yours again, and it stands by itself." };
  }
  if (problem.code === "article_closed") return { "": "Comments on this article are closed." };
  return { "": `It could not be taken: ${problem.detail}.` };
}

function thank(id) {
  sentId = id;
  fields.body.value = "";
  answering(null);
  byId("sent").textContent = THANKS;
  byId("sent").hidden = false;
  byId("sent").focus();
}

async function send() {
  const errors = check();
  say(errors);
  if (Object.keys(errors).length) return;
  try {
    const answer = await post();
    if (answer.ok) thank((await answer.json()).id);
    else say(await refusal(answer));
  } catch {
    say({ "": "The site could not be reached. Your comment is still here: try again in a moment." });
  }
}

let busy = false;

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (busy) return;
  const button = form.querySelector("button");
  busy = true;
  button.setAttribute("aria-disabled", "true"); // not `disabled`, which would lose the focus
  await send();
  button.removeAttribute("aria-disabled");
  busy = false;
});

// ---- replies

function answering(item) {
  fields.parent_id.value = item?.dataset.id ?? "";
  byId("answered").textContent = item?.querySelector(".name").textContent ?? "";
  byId("answering").hidden = !item;
}

list.addEventListener("click", (event) => {
  const link = event.target.closest(".reply");
  if (!link) return;
  event.preventDefault();
  answering(link.closest(".comment"));
  byId("respond").scrollIntoView();
  (fields.name.value ? fields.body : fields.name).focus({ preventScroll: true });
});

byId("cancel").addEventListener("click", (event) => {
  event.preventDefault();
  answering(null);
  fields.body.focus();
});

watch();
