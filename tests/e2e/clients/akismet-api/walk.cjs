// The calls of npm's akismet-api, which Coral uses: all but verify-key go to KEY.HOST.
const dns = require("node:dns");
const { readFileSync } = require("node:fs");

const given = JSON.parse(readFileSync(0, "utf8"));
const { port } = new URL(given.url);
const DOMAIN = "moderation.test";

// What an operator's name server does with a wildcard record: every name below DOMAIN is this machine.
const lookup = dns.lookup;
dns.lookup = (name, options, callback) =>
  lookup(name === DOMAIN || name.endsWith(`.${DOMAIN}`) ? "127.0.0.1" : name, options, callback);

const { AkismetClient } = require("akismet-api");
const client = (key) => new AkismetClient({ key, blog: given.blog, host: `${DOMAIN}:${port}`, protocol: "http" });
const comment = (content, more = {}) => ({
  ip: "203.0.113.9", useragent: "a browser", content, email: "canary-9@example.org", name: "Ann", type: "comment",
  permalink: `${given.blog}article`, ...more,
});

async function walk() {
  const ours = client(given.key);
  const said = {
    valid: await ours.verifyKey(),
    wrong: await client("wrong").verifyKey(),
    ham: await ours.checkSpam(comment(given.ham)),
    spam: await ours.checkSpam(comment(given.spam)),
    trap: await ours.checkSpam(comment(given.ham, { honeypot: "filled", isTest: true })),
    test: await ours.checkSpam(comment(given.ham, { name: "akismet-guaranteed-spam", isTest: true })),
    error: await client("wrong").checkSpam(comment(given.ham)).then(() => "", (error) => error.message),
  };
  said.submit_spam = (await ours.submitSpam(comment(given.ham))).text;
  said.submit_ham = (await ours.submitHam(comment(given.spam))).text;
  console.log(JSON.stringify(said));
}

walk();
