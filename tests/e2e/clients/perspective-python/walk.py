"""Makes the calls of google-api-python-client: standard input says where and with which texts, standard output what
was answered."""

import json
import sys

from googleapiclient import discovery
from googleapiclient.errors import HttpError

given = json.load(sys.stdin)
address = given["url"] + "/$discovery/rest?version=v1alpha1"


def build(key: str):
    return discovery.build(
        "commentanalyzer", "v1alpha1", developerKey=key, discoveryServiceUrl=address, static_discovery=False
    )


def told(call) -> dict:
    """The answer, or the error as the client understands it."""
    try:
        return {"answer": call()}
    except HttpError as error:
        return {"code": error.status_code, "reason": error.reason, "details": error.error_details}


def asking(text: str, *names: str, **more) -> dict:
    return {"comment": {"text": text}, "requestedAttributes": {name: {} for name in names}, **more}


api = build(given["key"])
comments = api.comments()
bodies = {
    "calm": asking(given["calm"], "TOXICITY", clientToken="t1"),
    "abuse": asking(given["abuse"], "TOXICITY", "OBSCENE", "FLIRTATION", "INSULT_EXPERIMENTAL", doNotStore=True),
    "spans": asking(given["calm"] + " 😀 " + given["abuse"], "TOXICITY", spanAnnotations=True, languages=["en"]),
    "empty": asking("", "TOXICITY"),
    "german": asking(given["german"], "TOXICITY"),
    "unknown": asking(given["calm"], "NICENESS"),
}
said = {name: told(comments.analyze(body=body).execute) for name, body in bodies.items()}
said["wrong key"] = told(lambda: build("wrong"))

label = {
    "comment": {"text": given["abuse"]}, "attributeScores": {"TOXICITY": {"summaryScore": {"value": 1}}},
    "clientToken": "comment:1", "communityId": "walk",
}  # fmt: skip
said["label"] = told(comments.suggestscore(body=label).execute)

batch = api.new_batch_http_request()
in_batch: dict[str, dict] = {}
for name, body in bodies.items():
    batch.add(
        comments.analyze(body=body),
        request_id=name,
        callback=lambda name, answer, error: in_batch.update(
            {name: {"answer": answer} if error is None else {"code": error.status_code, "details": error.error_details}}
        ),
    )
batch.execute()
json.dump({"alone": said, "batch": in_batch}, sys.stdout)
