// Comments under an article of another site's page: a form and the approved thread. docs/embed.md says how to use it.
//
// All of it lives in a shadow tree with a stylesheet made by script, so neither the page's styles nor a strict
// Content-Security-Policy get in its way. Nobody's text is ever parsed as HTML. Nothing is stored in the browser.
// It is served without comments and idle space (moderation/web/embed.py): strings in double quotes, a statement a line.

{
  const script = document.currentScript, set = script.dataset; // what the page chose
  const service = new URL("..", script.src).href;

  // data-text-NAME on the script tag replaces any of these; {} stands for a name, a number or an address.
  const TEXTS = {
    title: "Comments", none: "No comments yet.", more: "Show more", retry: "Try again",
    reply: "Reply", "reply-to": "Reply to {}", "in-reply": "in reply to {}", cancel: "Cancel reply",
    report: "Report", "report-to": "Report what {} wrote", name: "Name", email: "E-mail", private: "not published",
    url: "Website", body: "Comment", required: "* required", trap: "Keep empty", send: "Send comment",
    sending: "Sending…", published: "Thank you. Your comment is published.",
    thanks: "Thank you. Your comment will appear once it has been checked.",
    "need-name": "Enter your name.", "need-email": "Enter an e-mail address like name@example.org.",
    "need-url": "Enter an address like https://example.org, or nothing.",
    "need-body": "Write up to 20,000 letters.",
    wait: "Too many comments came from here. Wait {} seconds, then send it again.",
    slow_mode: "Write again in {} seconds.",
    offline: "You seem to be offline. Send it again when you are back.",
    unreachable: "The comments can’t be reached just now. Try again in a moment.",
    refused: "Comments can’t be sent from {}. Please tell the site’s editors.",
    gone: "The comment that you answer is gone. Send yours again to let it stand by itself.",
    closed: "Comments here are closed.", kept: "Your text is still here.",
  };

  const say = (name, value) => (script.getAttribute(`data-text-${name}`) ?? TEXTS[name]).replace("{}", () => value);

  const el = (tag, given, ...children) => {
    const made = document.createElement(tag);
    for (const name in given) made.setAttribute(name, given[name]);
    made.append(...children);
    return made;
  };

  const button = (name, press, given) => {
    const made = el("button", given, say(name));
    made.onclick = press;
    return made;
  };

  // ---- how it looks; --comments-NAME on the page replaces a colour

  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    .c { all: initial; display: block; font: var(--comments-font, inherit); line-height: 1.5; color: var(--ink);
      background: var(--paper); padding: var(--comments-padding, 1em); overflow-wrap: anywhere;
      color-scheme: ${set.scheme ?? "inherit"};
      --ink: var(--comments-ink, light-dark(#1d1c1a, #ece9e2));
      --quiet: var(--comments-quiet, light-dark(#5d5a54, #b0aca3));
      --paper: var(--comments-paper, light-dark(#fff, #181816));
      --line: var(--comments-line, light-dark(#d9d5cc, #3b3934));
      --accent: var(--comments-accent, light-dark(#1f5f8b, #8cc4ec));
      --danger: var(--comments-danger, light-dark(#a3261b, #ff9c8f)) }
    * { box-sizing: border-box }
    h2 { margin: 0 0 .6em; font-size: 1.4em; line-height: 1.2 }
    p, ol { margin: 0; padding: 0; list-style: none }
    li { padding: .8em 0; border-top: 1px solid var(--line) }
    li ol { padding-inline-start: 1em; border-inline-start: 3px solid var(--line) }
    li li { border: 0; padding-bottom: 0 }
    .grid { display: grid; gap: 0 1em; grid-template-columns: repeat(auto-fit, minmax(min(100%, 12em), 1fr)) }
    .field { margin-bottom: .6em }
    .quiet, time, label span, .link + .link { color: var(--quiet); font-size: .875em; font-weight: 400 }
    label { display: block; font-weight: 600 }
    input, textarea, button { min-height: 2.75em; padding: .5em .8em; font: inherit; color: inherit; background: none;
      border: 1px solid; border-radius: 4px }
    input, textarea { display: block; width: 100%; font-size: max(16px, 1em); border-color: var(--quiet) }
    textarea { min-height: 8em; resize: vertical }
    [aria-invalid] { border: 2px solid var(--danger) }
    .error { padding-top: .3em; color: var(--danger) }
    button { font-weight: 600; color: var(--accent) }
    .send { color: var(--paper); background: var(--accent) }
    .link { min-height: 28px; padding: 0; border: 0; text-decoration: underline; margin-inline-end: 1em }
    :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
    .text { white-space: pre-wrap }
    .state { min-height: 1lh; margin: .6em 0 1em }
    .trap { position: fixed; width: 1px; clip-path: inset(50%) }
  `);

  // ---- the form

  const field = (name, given, hint = "") => el("div", { class: "field" },
    el("label", { for: name }, say(name), given.required ? " *" : "", el("span", 0, hint)),
    el(name === "body" ? "textarea" : "input", { id: name, "aria-describedby": `${name}-error`, ...given }),
    el("p", { id: `${name}-error`, class: "error" }));

  const cancel = button("cancel", () => {
    items.get(replyTo)?.reply.focus();
    answer();
  }, { class: "link", type: "button" });
  const whom = el("span"), bar = el("p", { class: "field", hidden: "" }, whom, " ", cancel);
  const sender = el("button", { class: "send" }, say("send")), state = el("p", { class: "state", role: "status" });
  const form = el("form", { novalidate: "" },
    el("p", { class: "quiet field" }, say("required")), bar,
    el("div", { class: "grid" },
      field("name", { required: true, autocomplete: "name", maxlength: 200 }),
      field("email", { required: true, autocomplete: "email", type: "email" }, " (" + say("private") + ")"),
      field("url", { autocomplete: "url", type: "url" })),
    field("body", { required: true, dir: "auto" }),
    el("div", { class: "trap", "aria-hidden": true },
      el("label", { for: "subject" }, say("trap")), el("input", { id: "subject", tabindex: -1, autocomplete: "off" })),
    sender, state);
  const inputs = form.elements;
  const value = name => inputs[name].value.trim() || null;

  let replyTo = null;
  const answer = comment => {
    replyTo = comment?.id ?? null;
    bar.hidden = !comment;
    if (!comment) return;
    whom.textContent = say("reply-to", comment.author_name);
    bar.scrollIntoView({ block: "center" });
    inputs[value("name") ? "body" : "name"].focus();
  };

  const tell = (text, kind = "") => {
    state.className = "state " + kind;
    state.textContent = text;
  };
  const fail = (name, value) => tell(say(name, value) + " " + say("kept"), "error");

  const WRONG = {
    name: () => !value("name"),
    email: () => !/^[^@\s]+@[^@\s]+$/.test(value("email")),
    url: () => value("url") && !/^https?:\/\/\S+$/.test(value("url")),
    body: () => !value("body") || new TextEncoder().encode(inputs.body.value).length > 20480,
  };

  /** Marks the fields that are wrong, clears all others, and goes to the first; that one, or nothing. */
  const mark = isWrong => {
    for (const name in WRONG) {
      const bad = isWrong(name);
      inputs[name].ariaInvalid = bad || null;
      inputs[name].nextSibling.textContent = bad ? say(`need-${name}`) : "";
    }
    const first = form.querySelector("[aria-invalid]");
    first?.focus();
    return first;
  };

  const call = (path, options) =>
    fetch(service + path, { credentials: "omit", signal: AbortSignal.timeout(2e4), ...options });

  /** Says why the service did not take the comment. */
  const refuse = async got => {
    if (got.status >= 500) return fail("unreachable");
    const { field, code } = await got.json();
    if (got.status === 429) return fail(code in TEXTS ? code : "wait", got.headers.get("Retry-After"));
    const why = { parent_id: "gone", article: "closed" }[field];
    if (why) {
      answer();
      return fail(why);
    }
    tell("");
    if (!mark(name => [name, `author.${name}`].includes(field))) fail("refused", location.origin);
  };

  const send = async () => {
    tell("");
    if (mark(name => WRONG[name]())) return;
    tell(say("sending"));
    try {
      const got = await call("v1/public/comments", {
        method: "POST",
        headers: { "Content-Type": "application/json", Authorization: `Bearer ${set.key}` },
        body: JSON.stringify({
          body: inputs.body.value,
          author: { name: value("name"), email: value("email"), url: value("url") },
          article: { url: article, title: (set.title ?? document.title).slice(0, 500) },
          parent_id: replyTo,
          subject: value("subject"),
        }),
      });
      if (!got.ok) return await refuse(got);
      inputs.body.value = "";
      answer();
      tell(say("thanks"));
      watch((await got.json()).id);
    } catch {
      // A browser does not tell a script why. Where reading works, it is the page's origin that is not listed.
      if (await look().catch(() => false)) fail("refused", location.origin);
      else fail(navigator.onLine ? "unreachable" : "offline");
    }
  };

  form.onsubmit = async event => {
    event.preventDefault();
    if (sender.ariaDisabled) return;
    sender.ariaDisabled = true; // not `disabled`, which would lose the focus
    await send();
    sender.ariaDisabled = null;
  };

  // ---- the thread

  const list = el("ol"), count = el("span"), notice = el("p", { class: "quiet", role: "status" });
  const more = button("more", () => {
    const next = list.children.length;
    limit += 20;
    show();
    list.children[next]?.focus();
  }, { hidden: "" });
  const items = new Map();
  let comments = [], limit = 20, last; // exchanges shown at first, and more with each press of the button

  const build = comment => {
    const { author_name: name, created_at: at } = comment, date = { dateStyle: "medium", timeStyle: "short" };
    const link = (kind, press) =>
      button(kind, () => press(comment), { class: "link", "aria-label": say(kind + "-to", name) });
    const about = el("p", { class: "quiet", dir: "auto" });
    const text = el("p", { class: "text", dir: "auto", lang: "" }), replies = el("ol"), reply = link("reply", answer);
    const when = el("time", { datetime: at }, new Date(at).toLocaleString([], date));
    const head = el("p", 0, el("strong", { dir: "auto" }, name), " · ", when);
    const item = el("li", { tabindex: -1 }, head, about, text, reply, link("report", complain), replies);
    return { item, about, text, reply, replies };
  };

  /** Opens the form of a report, which comes in a file of its own when it is first asked for. */
  const complain = comment =>
    import(service + "embed/report.js").then(it => it.open(root, comment, script, call), lost);
  const lost = () => { notice.textContent = say("unreachable"); };

  /** Makes these the children of a list and touches nothing that stays in place. */
  const put = (list, wanted) => {
    wanted.forEach((item, at) => list.children[at] === item || list.insertBefore(item, list.children[at] ?? null));
    while (list.children.length > wanted.length) list.lastChild.remove();
    list.hidden = !wanted.length; // an empty list would be read out
  };

  /** The newest exchange on top; in each, all answers one step in, oldest first. */
  const show = () => {
    const names = new Map(),
      tops = new Map(), // id of a comment -> id of the one that its exchange began with
      answers = new Map();
    for (const comment of comments) { // oldest first: what is answered was there before, so nothing goes in circles
      const { id, parent_id: parent, author_name: name, body } = comment;
      if (!items.has(id)) items.set(id, build(comment));
      const { item, about, text } = items.get(id);
      const top = tops.get(parent) ?? id;
      tops.set(id, top);
      names.set(id, name);
      if (top === id) answers.set(id, []);
      else answers.get(top).push(item);
      about.textContent = top === id || top === parent ? "" : say("in-reply", names.get(parent));
      if (text.textContent !== body) text.textContent = body;
    }
    const order = [...answers.keys()].reverse();
    put(list, order.slice(0, limit).map(id => items.get(id).item));
    for (const { id } of comments) put(items.get(id).replies, answers.get(id) ?? []);
    more.hidden = order.length <= limit;
    count.textContent = " (" + comments.length + ")";
  };

  /** Asks for the thread and shows it; true. Raises when it can't be had. */
  const look = async () => {
    const query = new URLSearchParams({ site: set.site, article_url: article });
    const got = await call(`v1/threads?${query}`, { cache: "no-cache" });
    if (!got.ok) throw got.status;
    const text = await got.text();
    if (text !== last) {
      comments = JSON.parse(text).comments;
      show();
    }
    last = text;
    retry.hidden = true;
    notice.textContent = comments.length ? "" : say("none");
    return true;
  };

  const load = () => look().catch(() => { lost(); retry.hidden = false; });
  const retry = button("retry", () => load().then(() => retry.hidden && inputs.name.focus()), { hidden: "" });

  /** After sending: looks nine times in three minutes, ever less often, and not while nobody sees the page. */
  const watch = async id => {
    for (let pause = 1500; pause < 1e5; pause *= 1.6) {
      do await new Promise(done => setTimeout(done, pause));
      while (document.hidden);
      await look().catch(() => {}); // the next look tells
      if (comments.some(comment => comment.id === id)) {
        if (state.textContent === say("thanks")) tell(say("published"));
        return;
      }
    }
  };

  // ---- where it stands

  const article = set.article ?? document.querySelector("link[rel=canonical]")?.href ?? location.href.split("#")[0];
  const host = document.querySelector(set.target ?? "#comments") ?? el("div");
  if (!host.isConnected) document.body.contains(script) ? script.after(host) : document.body.append(host);
  const root = host.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = [sheet];
  root.append(el("section",
    { class: "c", lang: set.lang ?? "en", "aria-label": say("title") },
    el("h2", 0, say("title"), count), form, notice, retry, list, more));
  load();
}
