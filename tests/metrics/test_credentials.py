"""Providers that ask who is there, over real TLS on loopback: bearer tokens, passwords, client
certificates; and what is said when they do not fit."""

from __future__ import annotations

import contextlib
import ssl
import threading
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from hack.cluster.certificates import Authority, Identity
from headgate.metrics import Poller, Provider, Providers
from tests.metrics.servers import Handler, Server, healthy, send
from tests.metrics.test_poller import poll, target


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = Authority(tmp_path_factory.mktemp("certificates"))
    made.create(
        [Identity("server", "prometheus", addresses=("127.0.0.1",)), Identity("client", "headgate")]
    )
    return made


@contextlib.contextmanager
def serving_tls(authority: Authority, wanted: str = "", client: bool = False) -> Iterator[str]:
    """A healthy Prometheus over TLS that wants this Authorization header, or a certificate."""

    def answer(handler: Handler) -> None:
        if wanted and handler.headers.get("Authorization") != wanted:
            send(handler, {"status": "error", "error": "who are you?"}, status=401)
        else:
            healthy(handler)

    server = Server(answer, bytes)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certificate("server"), authority.key("server"))
    if client:
        context.load_verify_locations(authority.certificate("ca"))
        context.verify_mode = ssl.CERT_REQUIRED
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


async def outage_of(url: str, **fields: Any) -> str | None:
    """Why a provider with these fields gives no sample; None when it gives one."""
    provider = Provider.model_validate({"url": url, **fields})
    poller = Poller(Providers(providers={"default": provider}))
    try:
        return (await poll(poller, target()))[("a", "fraud")].outage
    finally:
        poller.close()


async def test_a_bearer_token_is_read_anew_for_every_poll(
    authority: Authority, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    tls = {"caFile": str(authority.certificate("ca"))}
    fields = {"bearerTokenFile": str(token), "tls": tls}
    with serving_tls(authority, wanted="Bearer second") as url:
        assert "has credentials that cannot be read" in str(await outage_of(url, **fields))
        token.write_text("first\n")
        said = str(await outage_of(url, **fields))
        assert "answered HTTP 401" in said
        assert "first" not in said
        token.write_text("second\n")
        assert await outage_of(url, **fields) is None


async def test_a_user_and_a_password(authority: Authority, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("pass:word\n")
    wanted = f"Basic {b64encode(b'headgate:pass:word').decode()}"
    fields: dict[str, Any] = {
        "basicAuth": {"username": "headgate", "passwordFile": str(password)},
        "tls": {"caFile": str(authority.certificate("ca"))},
    }
    with serving_tls(authority, wanted=wanted) as url:
        assert await outage_of(url, **fields) is None
        fields["basicAuth"]["username"] = "somebody"
        assert "answered HTTP 401" in str(await outage_of(url, **fields))


async def test_a_client_certificate(authority: Authority) -> None:
    tls = {"caFile": str(authority.certificate("ca"))}
    own = {
        "certFile": str(authority.certificate("client")),
        "keyFile": str(authority.key("client")),
    }
    with serving_tls(authority, client=True) as url:
        assert await outage_of(url, tls={**tls, **own}) is None
        assert "could not be reached" in str(await outage_of(url, tls=tls))


async def test_a_server_that_nobody_vouches_for_is_not_asked(authority: Authority) -> None:
    with serving_tls(authority) as url:
        assert "could not be reached" in str(await outage_of(url))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"url": "http://p:9090", "bearerTokenFile": "/t"}, "https:// url only"),
        ({"url": "http://p:9090", "tls": {"caFile": "/c"}}, "https:// url only"),
        ({"url": "https://p", "tls": {"certFile": "/c"}}, "belong together"),
        (
            {
                "url": "https://p",
                "bearerTokenFile": "/t",
                "basicAuth": {"username": "u", "passwordFile": "/p"},
            },
            "exclude each other",
        ),
    ],
)
def test_credentials_that_cannot_work_are_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Provider.model_validate(fields)
