// The form in which a reader reports a comment; comments.js asks for this file when somebody first presses Report.
// It stands in the same shadow tree and has the same rules: nobody's text becomes HTML, nothing is stored.

// data-text-NAME on the script tag replaces any of these.
const TEXTS = {
  "report-title": "Report a comment", "report-why": "What is wrong with it?",
  "report-insult": "Hate or insult", "report-threat": "Threat or call for violence",
  "report-personal_data": "Shows somebody’s personal data", "report-spam": "Spam or advertising",
  "report-sexual": "Sexual content", "report-illegal": "Seems to be illegal", "report-other": "Something else",
  "report-text": "What should the editors know?", "report-optional": "you may leave this empty",
  "report-send": "Send report", "report-cancel": "Cancel", "report-close": "Close", "report-sending": "Sending…",
  "report-thanks": "Thank you. The editors will look at this comment.",
  "report-choose": "Choose what is wrong with it.",
  "report-wait": "Too many reports came from here. Wait {} seconds, then send it again.",
  "report-gone": "This comment is not here any more.",
  "report-refused": "Reports can’t be sent from {}. Please tell the site’s editors.",
  "report-failed": "The report could not be sent just now. Try again in a moment.",
};
const REASONS = ["insult", "threat", "personal_data", "spam", "sexual", "illegal", "other"];

const sheet = new CSSStyleSheet();
sheet.replaceSync(`
  dialog { max-width: min(30em, calc(100vw - 2em)); max-height: calc(100vh - 2em); overflow: auto; padding: 1.2em;
    color: var(--ink); background: var(--paper); border: 1px solid var(--quiet); border-radius: 6px; font: inherit }
  dialog::backdrop { background: rgb(0 0 0 / .45) }
  dialog h3 { margin: 0 0 .4em; font-size: 1.2em; line-height: 1.25 }
  dialog blockquote { margin: 0 0 1em; padding-inline-start: .8em; border-inline-start: 3px solid var(--line);
    color: var(--quiet); max-height: 4.5em; overflow: hidden }
  dialog fieldset { margin: 0 0 1em; padding: 0; border: 0 }
  dialog legend { padding: 0; font-weight: 600 }
  dialog label.choice { display: flex; gap: .6em; align-items: center; min-height: 2em; font-weight: 400 }
  dialog input[type=radio] { flex: none; width: 24px; height: 24px; min-height: 0; margin: 0; padding: 0;
    accent-color: var(--accent) }
  dialog textarea { min-height: 5em }
  dialog .buttons { display: flex; flex-wrap: wrap; gap: .6em; margin-top: .8em }
`);

const el = (tag, given, ...children) => {
  const made = document.createElement(tag);
  for (const name in given) made.setAttribute(name, given[name]);
  made.append(...children);
  return made;
};

/** Shows the form about one comment; `call` is that of comments.js, `script` its tag. */
export const open = (root, comment, script, call) => {
  if (!root.adoptedStyleSheets.includes(sheet)) root.adoptedStyleSheets.push(sheet);
  const say = (name, value) =>
    (script.getAttribute(`data-text-report-${name}`) ?? TEXTS[`report-${name}`]).replace("{}", () => value);
  const choice = reason => el("label", { class: "choice" },
    el("input", { type: "radio", name: "reason", value: reason }), say(reason));
  const state = el("p", { class: "state", role: "status", id: "report-state" });
  const send = el("button", { class: "send" }, say("send"));
  const leave = el("button", { type: "button" }, say("cancel"));
  const fields = el("div", 0,
    el("fieldset", { "aria-describedby": "report-state" }, el("legend", 0, say("why")), ...REASONS.map(choice)),
    el("label", { for: "report-text" }, say("text"), " ", el("span", 0, `(${say("optional")})`)),
    el("textarea", { id: "report-text", maxlength: 1000, dir: "auto" }));
  const excerpt = el("blockquote", { dir: "auto", lang: "" }, comment.body.slice(0, 200));
  const buttons = el("div", { class: "buttons" }, send, leave);
  const form = el("form", { novalidate: "" }, excerpt, fields, state, buttons);
  const title = el("h3", { id: "report-title", tabindex: -1 }, say("title"));
  const dialog = el("dialog", { "aria-labelledby": "report-title" }, title, form);

  const tell = (text, kind = "") => {
    state.className = `state ${kind}`;
    state.textContent = text;
  };

  const refused = got => {
    if (got.status === 429) return say("wait", got.headers.get("Retry-After") ?? 60);
    if (got.status === 404 || got.status === 409) return say("gone");
    return got.status === 401 || got.status === 403 ? say("refused", location.origin) : say("failed");
  };

  const post = async reason => {
    const body = { comment_id: comment.id, reason, text: form.elements["report-text"].value.trim() || null };
    const headers = { "Content-Type": "application/json", Authorization: `Bearer ${script.dataset.key}` };
    const got = await call("v1/public/reports", { method: "POST", headers, body: JSON.stringify(body) });
    if (!got.ok) return tell(refused(got), "error");
    fields.hidden = send.hidden = true;
    leave.textContent = say("close");
    tell(say("thanks"));
    leave.focus();
  };

  form.onsubmit = async event => {
    event.preventDefault();
    if (send.ariaDisabled) return;
    const chosen = form.elements.reason.value;
    if (!chosen) {
      tell(say("choose"), "error");
      return form.querySelector("input").focus();
    }
    send.ariaDisabled = true; // not `disabled`, which would lose the focus
    tell(say("sending"));
    await post(chosen).catch(() => tell(say("failed"), "error"));
    send.ariaDisabled = null;
  };
  leave.onclick = () => dialog.close();
  dialog.onclose = () => dialog.remove();
  root.querySelector("section").append(dialog);
  dialog.showModal();
  form.querySelector("input").focus();
};
