// An OpenID Connect provider on a port of its own. The first line of standard input says who there is:
// {"client_id", "client_secret", "people": {login: {claims}}}; the answer is the line {"issuer"}.
// Each further line is a redirect address to accept, {"redirect_uri"}, answered by {"ready": true}.
import http from "node:http";
import readline from "node:readline";
import { Provider } from "oidc-provider";

const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const next = async () => JSON.parse((await lines.next()).value ?? process.exit(0));
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

const { client_id, client_secret, people } = await next();
let answer = (_request, response) => response.writeHead(503).end();
const server = http.createServer((request, response) => answer(request, response));
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const issuer = `http://127.0.0.1:${server.address().port}`;
say({ issuer });

const redirect_uris = [];
for (;;) {
  redirect_uris.push((await next()).redirect_uri);
  const provider = new Provider(issuer, {
    clients: [{ client_id, client_secret, redirect_uris }],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
    pkce: { required: () => true },
    cookies: { keys: ["a key of this test alone"] },
    ttl: { Session: 600, Interaction: 600, Grant: 600, AccessToken: 600, IdToken: 600 },
  });
  answer = provider.callback();
  say({ ready: true });
}
