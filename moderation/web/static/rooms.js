// For every page of the workspace: the keys that lead from one to another, and the page's own name in sight.

import "./keyboard.js";

// On a phone the names are one line that scrolls; a page that is far along it would not see its own.
const names = document.querySelector(".rooms"), own = names.querySelector("[aria-current]");
if (own) {
  const [line, name] = [names, own].map((one) => one.getBoundingClientRect());
  names.scrollLeft += name.left + name.width / 2 - line.left - line.width / 2;
}
