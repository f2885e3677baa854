"""Tokens for OAUTHBEARER. librdkafka gets its own; kafka-python, and Amazon's IAM, are given one from here."""

import base64
import json
import os
import re
import time
from collections.abc import Mapping
from typing import Any

from kafkactl.errors import UnreachableError

AMAZON = "AWS_MSK_IAM"
_REGION = re.compile(r"\.kafka(?:-serverless)?\.([a-z0-9-]+)\.amazonaws\.com")


def bearer_token(properties: Mapping[str, str], address: str, timeout: float) -> str:
    """A token for a client with these librdkafka properties, by the method that they name.

    Raises UnreachableError where the token endpoint gives none.
    """
    if is_amazon(properties):
        return amazon_token(address)[0]
    if properties.get("enable.sasl.oauthbearer.unsecure.jwt", "").lower() == "true":
        return _unsigned(properties.get("sasl.oauthbearer.config", ""))
    return _fetched(properties, timeout)


def is_amazon(properties: Mapping[str, str]) -> bool:
    """Whether a client logs in by Amazon's IAM, which Kafka sees as OAUTHBEARER."""
    return (properties.get("sasl.mechanism") or properties.get("sasl.mechanisms") or "").upper() == AMAZON


def amazon_token(address: str) -> tuple[str, float]:
    """A token signed with the AWS credentials of this machine, and when it expires (s since 1970).

    Raises ImportError without the extra `msk`, and what the signer raises.
    """
    from aws_msk_iam_sasl_signer import MSKAuthTokenProvider

    found = _REGION.search(address)
    region = found[1] if found else os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION", "")
    token, expires = MSKAuthTokenProvider.generate_auth_token(region)
    return token, expires / 1000


def _unsigned(config: str) -> str:
    """A token that nobody has signed, as librdkafka makes it of `principal=NAME lifeSeconds=N`."""
    told = dict(re.findall(r"(\w+)=(\S+)", config))
    now = int(time.time())
    life = int(told.get("lifeSeconds", "3600"))
    claims = {told.get("principalClaimName", "sub"): told.get("principal", ""), "iat": now, "exp": now + life}
    return f"{_part({'alg': 'none'})}.{_part(claims)}."


def _part(content: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def _fetched(properties: Mapping[str, str], timeout: float) -> str:
    """A token of the endpoint, for the client's own credentials (RFC 6749, section 4.4)."""
    import ssl
    from urllib import parse, request

    endpoint = properties.get("sasl.oauthbearer.token.endpoint.url", "")
    client, secret = (properties.get(f"sasl.oauthbearer.client.{part}", "") for part in ("id", "secret"))
    form = {"grant_type": "client_credentials"}
    if scope := properties.get("sasl.oauthbearer.scope"):
        form["scope"] = scope
    asked = request.Request(endpoint, parse.urlencode(form).encode())
    asked.add_header("Authorization", f"Basic {base64.b64encode(f'{client}:{secret}'.encode()).decode()}")
    authorities = properties.get("https.ca.location")
    context = ssl.create_default_context(cafile=authorities if authorities and authorities != "probe" else None)
    try:
        with request.urlopen(asked, timeout=timeout, context=context) as answer:
            return str(json.load(answer)["access_token"])
    except (OSError, ValueError, KeyError):
        raise UnreachableError(f"{parse.urlsplit(endpoint).hostname} gave no token.") from None
