// Makes the calls of googleapis: standard input says where and with which texts, standard output what was answered.
const { google } = require("googleapis");
const given = JSON.parse(require("node:fs").readFileSync(0, "utf8"));

async function told(call) {
  try {
    return { answer: (await call()).data };
  } catch (error) {
    return { code: error.status, reason: error.message, details: error.response.data.error.details };
  }
}

async function walk() {
  const api = await google.discoverAPI(`${given.url}/$discovery/rest?version=v1alpha1`);
  const key = given.key;
  const asking = (text, more) => ({ comment: { text }, requestedAttributes: { TOXICITY: {} }, ...more });
  const analyze = (resource) => told(() => api.comments.analyze({ key, resource }));
  return {
    calm: await analyze(asking(given.calm, { clientToken: "t1" })),
    abuse: await analyze(asking(given.abuse, { languages: ["en"], doNotStore: true })),
    spans: await analyze(asking(`${given.calm} 😀 ${given.abuse}`, { spanAnnotations: true })),
    german: await analyze(asking(given.german)),
    "wrong key": await told(() => api.comments.analyze({ key: "wrong", resource: asking(given.calm) })),
    label: await told(() => api.comments.suggestscore({
      key,
      resource: {
        comment: { text: given.abuse }, attributeScores: { TOXICITY: { summaryScore: { value: 1 } } },
        clientToken: "comment:1", communityId: "walk",
      },
    })),
  };
}

walk().then((said) => process.stdout.write(JSON.stringify(said)));
