// Keys of the pages of the workspace: each person's own map comes with the page. They act only outside of fields, and
// not at all for whoever has turned them off. A page's map has the keys that work on it; listen() says what they do.

const find = (selector) => document.querySelector(selector);
const page = document.documentElement;

export const map = JSON.parse(find("#keys").dataset.map);
export const on = () => page.dataset.keys === "on";

// A key as the map writes it. Caps Lock changes nothing; where another alphabet is on, the key's place counts.
function named(event) {
  let key = event.key;
  if (/^\p{L}$/u.test(key)) key = event.shiftKey ? key.toUpperCase() : key.toLowerCase();
  const held = [event.ctrlKey && "ctrl", event.altKey && "alt", key.length > 1 && event.shiftKey && "shift"];
  return [...held, key].filter(Boolean).join("+");
}

function placed(event) {
  const letter = /^Key([A-Z])$/.exec(event.code)?.[1];
  if (!letter || /^[\x20-\x7e]/.test(event.key)) return "";
  return event.shiftKey ? letter : letter.toLowerCase();
}

// What a key is called in this part of the map.
export const nameOf = (event, scope) => map[scope][named(event)] ?? map[scope][placed(event)];

let prefixed = false;

const does = {
  rooms: () => { prefixed = true; },
  help: () => find("#keys").showModal(),
};
const asks = { may: () => true, first: () => false };

// `may(name)` is asked before anything is done. `first(event)` may take an event for itself by returning true.
export function listen(own, guards = {}) {
  Object.assign(does, own);
  Object.assign(asks, guards);
}

document.addEventListener("keydown", (event) => {
  const field = event.target.closest("input:not([type=checkbox], [type=radio]), select, textarea, [contenteditable]");
  if (asks.first(event, field)) return;
  if (event.key === "Escape" || field || !on() || event.metaKey || event.repeat || find("dialog[open]")) return;
  const was = prefixed, name = nameOf(event, was ? "room" : "desk");
  prefixed = false;
  if (!name || event.key === "Enter" && event.target.closest("a, button, summary, input, [role=button]")) return;
  event.preventDefault();
  if (was) return location.assign(map.rooms[name]);
  if (asks.may(name)) does[name]();
});

function show(active) {
  page.dataset.keys = active ? "on" : "off";
}

find("#keys-on").addEventListener("change", async (event) => {
  const form = event.target.form;
  show(event.target.checked);
  const answer = await fetch(form.action, {
    method: "POST", body: new URLSearchParams(new FormData(form)), headers: { Accept: "application/json" }, keepalive: true,
  }).catch(() => null);
  find("#keys-saved").textContent = answer?.ok ? form.dataset.saved : form.dataset.failed;
});

find("#keys-button").hidden = false;
find("#keys-button").addEventListener("click", does.help);
show(Boolean(find("#keys").dataset.on));
