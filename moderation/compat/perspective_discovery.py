"""The discovery document of Perspective's interface, from which Google's own clients build theirs."""

from typing import Any

_TEXTS = {
    "analyze": "Scores of a text, of the attributes that are asked for.",
    "suggestscore": "What the caller thinks a text should have scored; kept as a labelled example.",
}


def document(root_url: str) -> dict[str, Any]:
    """The document for a service at this address, which ends in a slash."""
    return {
        "kind": "discovery#restDescription", "discoveryVersion": "v1", "id": "commentanalyzer:v1alpha1",
        "name": "commentanalyzer", "version": "v1alpha1", "title": "Perspective Comment Analyzer API",
        "description": "Scores comments; served by a self-hosted moderation service.", "protocol": "rest",
        "rootUrl": root_url, "baseUrl": root_url, "basePath": "", "servicePath": "", "batchPath": "batch",
        "parameters": _PARAMETERS, "auth": {"oauth2": {"scopes": {_SCOPE: {"description": "Not looked at."}}}},
        "schemas": {name: {"id": name, "type": "object", "properties": fields} for name, fields in _SCHEMAS.items()},
        "resources": {"comments": {"methods": {
            "analyze": _method("analyze", "AnalyzeComment"),
            "suggestscore": _method("suggestscore", "SuggestCommentScore"),
        }}},
    }  # fmt: skip


_SCOPE = "https://www.googleapis.com/auth/userinfo.email"


def _method(name: str, schema: str) -> dict[str, Any]:
    path = f"v1alpha1/comments:{name}"
    return {
        "id": f"commentanalyzer.comments.{name}", "description": _TEXTS[name], "httpMethod": "POST",
        "path": path, "flatPath": path, "parameters": {}, "parameterOrder": [], "scopes": [_SCOPE],
        "request": {"$ref": f"{schema}Request"}, "response": {"$ref": f"{schema}Response"},
    }  # fmt: skip


def _parameter(description: str, kind: str = "string") -> dict[str, str]:
    return {"type": kind, "location": "query", "description": description}


_PARAMETERS = {
    "key": _parameter("A key of the site."),
    "access_token": _parameter("A key of the site."),
    "oauth_token": _parameter("A key of the site."),
    "alt": _parameter("Always json."),
    "callback": _parameter("Not looked at."),
    "fields": _parameter("Not looked at."),
    "prettyPrint": _parameter("Not looked at.", "boolean"),
    "quotaUser": _parameter("Not looked at."),
    "uploadType": _parameter("Not looked at."),
    "upload_protocol": _parameter("Not looked at."),
    "$.xgafv": _parameter("Not looked at."),
}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": name}


def _list(items: dict[str, str]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _map(name: str) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": _ref(name)}


_STRING = {"type": "string"}
_FLAG = {"type": "boolean"}
_WHOLE = {"type": "integer", "format": "int32"}
_FLOAT = {"type": "number", "format": "float"}
_SCORE_TYPE = {
    "type": "string", "enum": ["SCORE_TYPE_UNSPECIFIED", "PROBABILITY", "STD_DEV_SCORE", "PERCENTILE", "RAW"],
}  # fmt: skip
_REQUEST = {
    "comment": _ref("TextEntry"), "context": _ref("Context"), "languages": _list(_STRING), "clientToken": _STRING,
    "communityId": _STRING, "sessionId": _STRING,
}  # fmt: skip

_SCHEMAS: dict[str, dict[str, Any]] = {
    "AnalyzeCommentRequest": _REQUEST | {
        "requestedAttributes": _map("AttributeParameters"), "spanAnnotations": _FLAG, "doNotStore": _FLAG,
    },
    "AnalyzeCommentResponse": {
        "attributeScores": _map("AttributeScores"), "languages": _list(_STRING), "detectedLanguages": _list(_STRING),
        "clientToken": _STRING,
    },
    "SuggestCommentScoreRequest": _REQUEST | {"attributeScores": _map("AttributeScores")},
    "SuggestCommentScoreResponse": {
        "clientToken": _STRING, "requestedLanguages": _list(_STRING), "detectedLanguages": _list(_STRING),
    },
    "TextEntry": {
        "text": _STRING,
        "type": {"type": "string", "enum": ["TEXT_TYPE_UNSPECIFIED", "PLAIN_TEXT", "HTML"]},
    },
    "Context": {"entries": _list(_ref("TextEntry")), "articleAndParentComment": _ref("ArticleAndParentComment")},
    "ArticleAndParentComment": {"article": _ref("TextEntry"), "parentComment": _ref("TextEntry")},
    "AttributeParameters": {"scoreType": _SCORE_TYPE, "scoreThreshold": _FLOAT},
    "AttributeScores": {"summaryScore": _ref("Score"), "spanScores": _list(_ref("SpanScore"))},
    "SpanScore": {"begin": _WHOLE, "end": _WHOLE, "score": _ref("Score")},
    "Score": {"value": _FLOAT, "type": _SCORE_TYPE},
}  # fmt: skip
