"""Requests to one service with one token, over what Python brings along.

No redirect is followed, because it would carry the token elsewhere; and the token goes over plain HTTP to this machine only.
"""

from __future__ import annotations

import ipaddress
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from lode._errors import LodeError, told

SECONDS_MAX = 330
"""How long an answer may take: a question may run 300 s."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class Caller:
    """Asks in JSON; how bytes come and go is for who inherits it."""

    def json(self, method: str, path: str, body: Any = None) -> Any:
        """Asks and answers in JSON."""
        answer = self.bytes(method, path, body)
        return json.loads(answer) if answer else None

    def bytes(self, method: str, path: str, body: Any = None) -> bytes:
        """Asks in JSON, or with bytes as they are; answers with bytes."""
        raise NotImplementedError


def encoded(body: Any) -> tuple[bytes | memoryview | None, str]:
    """What is sent for a body, and of which type it is: bytes as they are, everything else as JSON."""
    if isinstance(body, (bytes, memoryview)):
        return body, "application/octet-stream"
    return None if body is None else json.dumps(body).encode(), "application/json"


class Service(Caller):
    """Where requests go, and as whom."""

    def __init__(self, url: str, token: str, ca_file: str | None = None) -> None:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise LodeError(f"'{url}' is no address of a service", hint="write it as https://lode.example.org")
        if parts.scheme == "http" and not _is_this_machine(parts.hostname):
            raise LodeError("a token does not travel unencrypted", hint="use https, or a service on this machine")
        self._base = f"{parts.scheme}://{parts.netloc}/api/v1"
        self._token = token
        handlers: list[urllib.request.BaseHandler] = [_NoRedirects()]
        if parts.scheme == "https":
            handlers.append(urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=ca_file)))
        self._opener = urllib.request.build_opener(*handlers)

    def bytes(self, method: str, path: str, body: Any = None) -> bytes:
        data, kind = encoded(body)
        request = urllib.request.Request(self._base + path, data=data, method=method)
        request.add_header("authorization", f"Bearer {self._token}")
        if data is not None:
            request.add_header("content-type", kind)
        try:
            with self._opener.open(request, timeout=SECONDS_MAX) as answer:
                text: bytes = answer.read()
                return text
        except urllib.error.HTTPError as error:
            raise told(error.read(), error.code, error.reason) from None
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            reason = getattr(error, "reason", error)
            raise LodeError(f"the service at {self._base} cannot be reached: {reason}") from None


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

