"""ConfigMaps that a template uses: found wherever they stand, hashed, replaced by copies."""

from typing import Any

import pytest

from headgate.api.config_maps import MOST_CONFIG_MAPS, config_maps_of
from headgate.api.spec import ModelDeploymentSpec
from headgate.core.revision import content_digest, revision_of
from headgate.render.config_maps import LONGEST_NAME, config_map_copy, copy_name
from headgate.render.revision import controller_revision, keep, read_kept

IMAGE = {"name": "server", "image": "registry.example/f:1"}


def container(**fields: Any) -> dict[str, Any]:
    return {**IMAGE, **fields}


def template(*containers: dict[str, Any], **pod: Any) -> dict[str, Any]:
    return {"spec": {"containers": list(containers) or [IMAGE], **pod}}


def env_from(name: str, **more: Any) -> dict[str, Any]:
    return {"envFrom": [{"configMapRef": {"name": name, **more}}]}


PLACES = {
    "volume": template(volumes=[{"name": "v", "configMap": {"name": "a"}}]),
    "projected volume": template(
        volumes=[{"name": "v", "projected": {"sources": [{"configMap": {"name": "a"}}]}}]
    ),
    "envFrom": template(container(**env_from("a"))),
    "env": template(
        container(env=[{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "a", "key": "k"}}}])
    ),
    "init container": template(initContainers=[container(**env_from("a"))]),
}


def spec_of(written: dict[str, Any]) -> ModelDeploymentSpec:
    return ModelDeploymentSpec.model_validate(
        {"model": {"name": "fraud", "version": "1"}, "template": written}
    )


@pytest.mark.parametrize("place", PLACES)
def test_a_config_map_is_found_and_replaced_by_its_copy(place: str) -> None:
    spec = spec_of(PLACES[place])
    assert config_maps_of(spec.template) == {"a": False}
    kept = keep(spec, "fraud", {"a": "digest"})
    assert config_maps_of(kept.template) == {f"fraud-{kept.revision}-a": False}
    assert config_maps_of(spec.template) == {"a": False}, "the author's template was changed"


def test_one_place_that_needs_it_is_enough_to_need_it() -> None:
    optional = container(**env_from("a", optional=True))
    assert config_maps_of(template(optional)) == {"a": True}
    assert config_maps_of(template(optional, container(**env_from("a")))) == {"a": False}


def test_a_secret_is_none_of_it() -> None:
    secret = template(container(envFrom=[{"secretRef": {"name": "a"}}]))
    assert config_maps_of(secret) == {}


@pytest.mark.parametrize(
    "broken", [{}, {"spec": None}, {"spec": {"containers": [7], "volumes": 3}}]
)
def test_a_template_of_another_shape_uses_nothing(broken: dict[str, Any]) -> None:
    assert config_maps_of(broken) == {}


def test_the_revision_follows_the_content() -> None:
    spec = spec_of(PLACES["volume"])
    one, other = content_digest({"data": {"k": "1"}}), content_digest({"data": {"k": "2"}})
    assert revision_of(spec, {"a": one}) != revision_of(spec, {"a": other})
    assert revision_of(spec, {"a": one}) == revision_of(spec, {"a": one})
    assert revision_of(spec, {"a": one}) != revision_of(spec)


def test_only_data_and_binary_data_are_content() -> None:
    plain = {"data": {"k": "1"}}
    assert content_digest(plain) == content_digest(
        {**plain, "binaryData": None, "immutable": True, "metadata": {"resourceVersion": "9"}}
    )
    assert content_digest(plain) != content_digest({"binaryData": {"k": "1"}})


def test_a_template_without_config_maps_hashes_as_ever() -> None:
    # Written down from version 0.1.0: an upgrade must release nothing.
    assert revision_of(spec_of(template())) == "3a272exrxr"


def test_what_is_copied_is_kept_and_read_again() -> None:
    kept = keep(spec_of(PLACES["volume"]), "fraud", {"a": "digest"})
    stored = controller_revision(kept, "risk", "fraud", {"uid": "u"}, 1)
    assert read_kept(stored) == kept
    del stored["data"]["configMaps"]
    assert read_kept(stored).config_maps == {}


def test_an_optional_one_that_is_missing_stays_missing_for_its_pods() -> None:
    spec = spec_of(template(container(**env_from("a", optional=True))))
    kept = keep(spec, "fraud", {})
    assert kept.revision == revision_of(spec)
    assert config_maps_of(kept.template) == {f"fraud-{kept.revision}-a": True}
    assert kept.config_maps == {}


def test_a_copy_is_immutable_and_has_a_name_that_kubernetes_takes() -> None:
    body = config_map_copy({"data": {"k": "v"}, "binaryData": {}}, "c", "risk", {}, {"uid": "u"})
    assert body["immutable"] is True
    assert body["data"] == {"k": "v"}
    assert "binaryData" not in body
    assert copy_name("fraud", "abc", "a.b") == "fraud-abc-a.b"
    long = [copy_name("f" * 53, "h" * 10, "c" * 180 + "." + end * 72) for end in "ab"]
    assert len(set(long)) == 2
    assert all(len(each) <= LONGEST_NAME for each in long)
    assert all(".-" not in each for each in long)


def test_more_than_can_be_copied_are_refused() -> None:
    def many(count: int) -> dict[str, Any]:
        return template(
            container(envFrom=[{"configMapRef": {"name": f"c{i}"}} for i in range(count)])
        )

    spec_of(many(MOST_CONFIG_MAPS))
    with pytest.raises(ValueError, match="more than 16 ConfigMaps"):
        spec_of(many(MOST_CONFIG_MAPS + 1))
