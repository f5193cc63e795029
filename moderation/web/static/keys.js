// The keys of the desk. They act only outside of fields, and can be switched off.

import { closeMenu, find, undo } from "./desk.js";

const keysOn = () => localStorage.getItem("keys") !== "off";
const press = (selector) => { const found = find(selector); if (found) found.click(); return Boolean(found); };
let prefix = "";

const KEYS = {
  j: () => press("#next"),
  k: () => press("#previous"),
  a: () => press('[data-deed="approve"]'),
  e: () => press('button[data-deed="escalate"]'),
  c: () => press('[data-deed="claim"]'),
  u: () => undo(),
  o: () => press("#article-link"),
  t: () => press("#thread-link"),
  r: () => openMenu(),
  ".": () => openNote(),
  "/": () => openSearch(),
  "?": () => find("#keys").showModal(),
};

function openMenu() {
  const menu = find(".reject");
  if (!menu) return;
  menu.open = true;
  menu.querySelector(".menu button").focus();
}

function openNote() {
  const note = find(".note");
  if (!note) return;
  note.open = true;
  find("#note").focus();
}

function openSearch() {
  if (!find("#queue").checkVisibility()) return location.assign("/review");
  find(".filter").open = true;
  find("#f-q").select();
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input:not([type=checkbox]), select, textarea, [contenteditable]");
  if (event.key === "Escape") {
    if (!closeMenu() && typing && find("#item-title")) find("#item-title").focus();
    return;
  }
  if (typing || !keysOn() || event.ctrlKey || event.metaKey || event.altKey || find("dialog[open]")) return;
  const menu = find(".reject[open]");
  const reason = menu && menu.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  const was = prefix;
  prefix = "";
  if (reason) {
    event.preventDefault();
    reason.click();
  } else if (event.key === "g") {
    prefix = "g";
  } else if (was === "g" && event.key === "q") {
    event.preventDefault();
    location.assign("/review");
  } else if (!menu && Object.hasOwn(KEYS, event.key) && !event.repeat) {
    event.preventDefault();
    KEYS[event.key]();
  }
});

function showKeys() {
  document.documentElement.dataset.keys = keysOn() ? "on" : "off";
  find("#keys-on").checked = keysOn();
}

find("#keys-on").addEventListener("change", (event) => {
  localStorage.setItem("keys", event.target.checked ? "on" : "off");
  showKeys();
});

showKeys();
