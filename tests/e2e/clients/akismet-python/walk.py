"""The calls of PyPI's akismet, by the blocking client and by the asynchronous one. Input and output are JSON."""

import asyncio
import json
import sys
from typing import Any

import akismet
import akismet._common

given = json.load(sys.stdin)
akismet._common._API_URL = given["url"]
akismet._common._TIMEOUT = given["time_limit"]  # a busy machine is no mistake of the service


def config(key: str) -> akismet.Config:
    return akismet.Config(key=key, url=given["blog"])


def comment(text: str, author: str = "Ann") -> dict[str, Any]:
    return {
        "user_ip": "203.0.113.9", "comment_content": text, "comment_author": author, "comment_type": "comment",
        "comment_author_email": "canary-9@example.org", "permalink": f"{given['blog']}article", "blog_lang": "en",
    }  # fmt: skip


def blocking() -> dict[str, Any]:
    client = akismet.SyncClient.validated_client(config(given["key"]))
    try:
        akismet.SyncClient.validated_client(config("wrong"))
        refused = False
    except akismet.APIKeyError:
        refused = True
    return {
        "refused": refused,
        "ham": client.comment_check(**comment(given["ham"])).name,
        "spam": client.comment_check(**comment(given["spam"])).name,
        "test": client.comment_check(**comment(given["ham"], "akismet-guaranteed-spam"), is_test=True).name,
        "submit_spam": client.submit_spam(**comment(given["ham"])),
        "submit_ham": client.submit_ham(**comment(given["spam"])),
        "limit": client.usage_limit()["limit"],
    }


async def asynchronous() -> dict[str, Any]:
    client = await akismet.AsyncClient.validated_client(config(given["key"]))
    try:
        await akismet.AsyncClient.validated_client(config("wrong"))
        refused = False
    except akismet.APIKeyError:
        refused = True
    return {
        "refused": refused,
        "ham": (await client.comment_check(**comment(given["ham"]))).name,
        "spam": (await client.comment_check(**comment(given["spam"]))).name,
        "test": (await client.comment_check(**comment(given["ham"], "akismet-guaranteed-spam"), is_test=True)).name,
        "submit_spam": await client.submit_spam(**comment(given["ham"])),
        "submit_ham": await client.submit_ham(**comment(given["spam"])),
        "limit": (await client.usage_limit())["limit"],
    }


json.dump({"sync": blocking(), "async": asyncio.run(asynchronous())}, sys.stdout)
