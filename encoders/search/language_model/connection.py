"""A server of the OpenAI chat API: one request, its retries, and what must never be seen of it.

The key comes from the environment and goes nowhere but into the header of a request: errors of the
client hold that header, so none is kept, and a server that repeats the key is silenced.
"""

from __future__ import annotations

import ipaddress
import math
import os
import time
import warnings
import weakref
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from ....core.errors import ModelError, UsageError
from .transcript import Reply

LONGEST_WAIT = 60.0
"""Seconds between two tries at most, whatever the server asks for."""

_FIRST_WAIT = 1.0
_BUSY = (408, 409, 425, 429)  # and all from 500 on: another try may help
_REFUSED = (401, 403)
_NO_KEY = "no-key-is-set"  # the client wants one, a server on this machine mostly does not


class Connection:
    """Requests to ``base_url``/chat/completions by the client ``openai``.

    ``timeout`` is in seconds for each try, ``retries`` how many follow the first; ``sleep`` waits
    between them. UsageError for an address that is none, or that holds a secret.
    """

    def __init__(
        self,
        base_url: str,
        key_variable: str,
        timeout: float,
        retries: int,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        host = _host(base_url)
        try:
            import openai
        except ImportError:
            raise UsageError(
                "the client openai is not installed",
                where="strategy llm",
                cure='pip install "layerwise[search]"',
            ) from None
        self._openai = openai
        self._base_url = base_url
        self._key_variable = key_variable
        self._retries = retries
        self._sleep = sleep
        self._client = openai.OpenAI(
            api_key=os.environ.get(key_variable) or _NO_KEY,
            base_url=base_url,
            timeout=timeout,
            max_retries=0,  # counted here, where a test can hold the clock
            # A proxy has no way to this machine's own servers.
            http_client=openai.DefaultHttpxClient(trust_env=not _is_loopback(host)),
        )
        weakref.finalize(self, self._client.close)

    def ask(self, sent: dict[str, Any]) -> Reply:
        """The reply; one with a ``failure`` where the server gave none that could be read.

        ModelError for a request that the server refuses (an unknown model, a wrong key), where no
        other try can help.
        """
        started = time.monotonic()
        failure = ""
        for attempt in range(self._retries + 1):
            wait = min(_FIRST_WAIT * 2**attempt, LONGEST_WAIT)
            try:
                completion = self._client.chat.completions.create(**sent)
                return self._read(completion, time.monotonic() - started)
            except self._openai.APITimeoutError:
                failure = "no reply in time"
            except self._openai.APIStatusError as error:
                failure = f"status {error.status_code}"
                if error.status_code < 500 and error.status_code not in _BUSY:
                    refusal = self._refusal(error.status_code, str(error))
                    raise refusal from None
                wait = min(max(wait, _seconds(error.response.headers)), LONGEST_WAIT)
            except self._openai.APIConnectionError:
                failure = "no connection"
            except (self._openai.APIError, ValueError, TypeError, AttributeError, IndexError):
                failure = "a reply that is no chat completion"
            if attempt < self._retries:
                self._sleep(wait)
        return Reply(None, failure=failure, seconds=round(time.monotonic() - started, 3))

    def _read(self, completion: Any, seconds: float) -> Reply:
        choice = completion.choices[0]
        content = choice.message.content
        if content is not None and not isinstance(content, str):
            raise TypeError
        usage = completion.usage
        return Reply(
            content=self._silence(content or ""),
            truncated=choice.finish_reason == "length",
            model=self._silence(str(completion.model)),
            tokens_read=_count(usage, "prompt_tokens"),
            tokens_written=_count(usage, "completion_tokens"),
            seconds=round(seconds, 3),
        )

    def _refusal(self, status: int, told: str) -> ModelError:
        cure = "look at --model and --base-url"
        if status in _REFUSED:
            cure = f"put its key into the environment variable {self._key_variable}"
        return ModelError(
            f"the server refuses ({self._silence(told)[:300]})", where=self._base_url, cure=cure
        )

    def _silence(self, text: str) -> str:
        key = self._client.api_key
        return text if not key or key == _NO_KEY else text.replace(key, "[key]")


def _host(base_url: str) -> str:
    """The host of an address. UsageError for one that is not http(s), or that holds a secret."""
    try:
        parts = urlsplit(base_url)
        host = parts.hostname
        secret = parts.username is not None or parts.password is not None or bool(parts.query)
    except ValueError:
        host, secret = None, False
    if secret:  # the address itself is not repeated
        raise UsageError(
            "an address with a user, a password or a query",
            where="--base-url",
            cure="the key is read from the environment alone",
        )
    if not host or parts.scheme not in ("http", "https"):
        raise UsageError(
            f"not an address: {base_url[:80]!r}",
            where="--base-url",
            cure="such as https://api.openai.com/v1 or http://localhost:8000/v1",
        )
    if parts.scheme == "http" and not _is_loopback(host):
        warnings.warn(
            f"--base-url: the key and all messages travel to {host} unencrypted; use https",
            stacklevel=4,
        )
    return host


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _seconds(headers: Any) -> float:
    """What ``Retry-After`` asks for in seconds (RFC 9110, section 10.2.3); 0 for anything else."""
    try:
        seconds = float(headers.get("retry-after", 0))
    except ValueError:  # a date: the growing waits do instead
        return 0.0
    return seconds if math.isfinite(seconds) else 0.0


def _count(usage: Any, name: str) -> int | None:
    count = getattr(usage, name, None)
    return count if isinstance(count, int) else None
