// The calls of npm's @cedx/akismet.
import { readFileSync } from "node:fs";
import { Author, Blog, CheckResult, Client, Comment } from "@cedx/akismet";

const given = JSON.parse(readFileSync(0, "utf8"));
const blog = new Blog({ charset: "UTF-8", languages: ["en", "fr"], url: given.blog });
const nameOf = (result) => Object.keys(CheckResult).find((name) => CheckResult[name] === result);

function comment(content, name = "Ann") {
  return new Comment({
    author: new Author({ email: "canary-9@example.org", ipAddress: "203.0.113.9", name, userAgent: "a browser" }),
    content, context: ["politics", "war"], date: new Date(), permalink: `${given.blog}article`, type: "comment",
  });
}

async function walk(baseUrl) {
  const client = new Client(given.key, blog, { baseUrl });
  const trying = new Client(given.key, blog, { baseUrl, isTest: true });
  const wrong = new Client("wrong", blog, { baseUrl: given.url });
  const said = {
    valid: await client.verifyKey(),
    wrong: await wrong.verifyKey(),
    ham: nameOf(await client.checkComment(comment(given.ham))),
    spam: nameOf(await client.checkComment(comment(given.spam))),
    test: nameOf(await trying.checkComment(comment(given.ham, "akismet-guaranteed-spam"))),
    error: await client.checkComment(comment(given.unscored)).then(() => "", (error) => error.message),
  };
  await client.submitSpam(comment(given.ham));
  await client.submitHam(comment(given.spam));
  return said;
}

console.log(JSON.stringify({ plain: await walk(given.url), prefix: await walk(`${given.url}/s/${given.key}/`) }));
