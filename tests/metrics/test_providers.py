"""The administrator's file: read strictly, with sentences that say what is wrong."""

from pathlib import Path

import pytest

from headgate.metrics import Providers


def load(tmp_path: Path, text: str) -> Providers:
    path = tmp_path / "providers.yaml"
    path.write_text(text)
    return Providers.load(path)


def test_a_provider_has_the_defaults(tmp_path: Path) -> None:
    providers = load(tmp_path, "providers: {default: {url: 'http://prometheus:9090/'}}")
    default = providers.get("default")
    assert default is not None
    assert (default.url, default.scrape_interval) == ("http://prometheus:9090", 15.0)
    assert (default.timeout, default.max_bytes) == (5.0, 4194304)


def test_durations_are_written_as_in_a_manifest(tmp_path: Path) -> None:
    text = "providers: {p: {url: 'https://p', scrapeInterval: 1m30s, timeout: 2s, maxBytes: 9999}}"
    provider = load(tmp_path, text).get("p")
    assert provider is not None
    assert (provider.scrape_interval, provider.timeout, provider.max_bytes) == (90, 2, 9999)


def test_an_empty_file_has_no_providers(tmp_path: Path) -> None:
    providers = load(tmp_path, "")
    assert providers.get("x") is None
    assert providers.unknown("x").endswith("the administrator configured: none")


def test_an_unknown_name_is_answered_with_the_configured_ones(tmp_path: Path) -> None:
    text = "providers: {b: {url: 'http://b'}, a: {url: 'http://a'}}"
    assert load(tmp_path, text).unknown("x") == (
        'metrics provider "x" is not configured; the administrator configured: a, b'
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("providers: {p: {url: 'ftp://p'}}", "providers.p.url"),
        ("providers: {p: {url: 'http://user:secret@p'}}", "no user, password"),
        ("providers: {p: {url: 'http://p?x=1'}}", "no user, password"),
        ("providers: {p: {}}", "providers.p.url"),
        ("providers: {p: {url: 'http://p', timeout: soon}}", "no duration"),
        ("providers: {p: {url: 'http://p', timeot: 5s}}", "timeot"),
        ("providers: [", "is no YAML"),
        ("- a", "the document"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        load(tmp_path, text)
    assert said in str(caught.value)
