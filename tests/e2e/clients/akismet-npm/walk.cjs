// The calls of npm's akismet. Its host can be set and its path can't, so the key is in verify-key only.
const { readFileSync } = require("node:fs");
const { promisify } = require("node:util");
const akismet = require("akismet");

const given = JSON.parse(readFileSync(0, "utf8"));
const { hostname, port } = new URL(given.url);

const client = (apiKey) => akismet.client({ apiKey, blog: given.blog, host: hostname, endPoint: hostname, port });
const comment = (content, author = "Ann") => ({
  user_ip: "203.0.113.9", referrer: given.blog, permalink: `${given.blog}article`, comment_type: "comment",
  comment_content: content, comment_author: author, comment_author_email: "canary-9@example.org",
});

async function walk() {
  const ours = client(given.key);
  const call = (name, ...rest) => promisify(ours[name].bind(ours))(...rest);
  const wrong = client("wrong");
  const said = {
    valid: await call("verifyKey"),
    wrong: await promisify(wrong.verifyKey.bind(wrong))(),
    ham: await call("checkComment", comment(given.ham)),
    spam: await call("checkComment", comment(given.spam)),
    test: await call("checkComment", { ...comment(given.ham, "akismet-guaranteed-spam"), is_test: 1 }),
  };
  await call("submitSpam", comment(given.ham));
  await call("submitHam", comment(given.spam));
  console.log(JSON.stringify(said));
}

walk();
