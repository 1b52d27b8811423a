"""Queries are built from parts, and nothing in a part can change what is asked."""

import re

from hypothesis import given
from hypothesis import strategies as st

from headgate.api.status import LONGEST_QUERY
from headgate.metrics import promql
from headgate.metrics.presets import PRESETS
from tests.judge.worlds import PATIENT

HTTP = PRESETS["http"]


def literals(query: str) -> list[str]:
    """The unquoted string literals of a query, and a check that quotes are balanced."""
    found = re.findall(r'"((?:[^"\\\n]|\\.)*)"', query)
    assert '"' not in re.sub(r'"((?:[^"\\\n]|\\.)*)"', "", query)
    return [re.sub(r"\\(.)", r"\1", each) for each in found]


def test_every_selector_names_namespace_and_pod() -> None:
    pods = [("risk", "fraud-1-a"), ("risk", "fraud-1-b")]
    for query in (
        promql.counters(HTTP, pods, {1.0}, 30),
        promql.quantiles(HTTP, pods, 75),
        promql.boundaries(HTTP, pods),
    ):
        selectors = re.findall(r"http_\w+\{[^}]*\}", query)
        assert selectors
        for selector in selectors:
            assert 'namespace=~"risk",pod=~"fraud-1-a|fraud-1-b"' in selector


def test_every_selector_of_a_proxy_names_namespace_and_service() -> None:
    preset, names = PRESETS["ingress-nginx"], [("risk", "fraud"), ("shop", "basket")]
    spelled = (
        'exported_namespace=~"risk|shop",exported_service=~"|basket|fraud"',
        'exported_namespace="",namespace=~"risk|shop",service=~"basket|fraud"',
    )
    for query in (
        promql.counters(preset, names, {1.0}, 30),
        promql.native(preset, names, {1.0}, 30),
        promql.quantiles(preset, names, 75),
        promql.boundaries(preset, names),
    ):
        selectors = re.findall(r"nginx_\w+\{[^}]*\}", query)
        assert {each for each in spelled if any(each in found for found in selectors)} == {*spelled}
        for selector in selectors:
            assert any(each in selector for each in spelled)
            assert 'canary=~"|-"' in selector


def test_the_spellings_of_a_boundary_are_all_asked_for() -> None:
    query = promql.counters(HTTP, [("n", "p")], {1.0, 0.25}, 30)
    matcher = re.search(r'le=~"([^"]*)"', query)
    assert matcher is not None
    alternatives = matcher[1].replace("\\\\", "\\").split("|")
    assert sorted(alternatives) == sorted([r"\+Inf", r"0\.25", "1", r"1\.0"])


def test_no_buckets_are_asked_for_without_a_limit() -> None:
    assert "bucket" not in promql.counters(HTTP, [("n", "p")], set(), 30)


@PATIENT
@given(value=st.text(alphabet="ab\"'`\\\n\r\t\x00{}=~,é"))
def test_no_value_gets_out_of_its_quotes(value: str) -> None:
    matcher = str(promql.Matcher("pod", "=", value))
    assert len(literals(matcher)) == 1


@PATIENT
@given(values=st.sets(st.text(alphabet='ab.*+|()"\\[]{}^$?', min_size=1), min_size=1))
def test_one_of_matches_exactly_its_values(values: set[str]) -> None:
    matcher = promql.one_of("pod", values)
    for value in values:
        assert re.fullmatch(matcher.value, value)
    assert re.fullmatch(matcher.value, "ab" * 40) is None


def test_the_query_that_people_see_is_short_enough_for_status_and_names_the_release() -> None:
    for runtime, preset in PRESETS.items():
        query = promql.shown(preset, "n" * 63, "f" * 53, {1.0, 5.0}, 30)
        assert len(query) <= LONGEST_QUERY, runtime
    query = promql.shown(HTTP, "risk", "fraud", {1.0}, 30)
    for selector in re.findall(r"http_\w+\{[^}]*\}", query):
        assert 'namespace="risk",pod=~"fraud-.*"' in selector
