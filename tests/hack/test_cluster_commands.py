"""The command lines and settings of a cluster's parts, and of the tool itself."""

from __future__ import annotations

import json
import os
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from hack.cluster import control_plane, dns, kind_cluster, local, network, node, node_cpus
from hack.cluster.__main__ import main, parser
from hack.cluster.certificates import Authority, Identity
from hack.cluster.commands import direct_environment, run
from hack.cluster.errors import ClusterError
from hack.cluster.processes import ProcessRecord
from hack.cluster.record import ClusterRecord
from hack.cluster.slots import Slot


@pytest.fixture(autouse=True)
def own_directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADGATE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("HEADGATE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def whole() -> ClusterRecord:
    return ClusterRecord("e2e", Slot(1), False, True, {"node": ProcessRecord(77, 1, "boot")})


@pytest.fixture
def control() -> ClusterRecord:
    return ClusterRecord("api", Slot(2), True)


def options(command: list[str]) -> dict[str, str]:
    return dict(word.removeprefix("--").split("=", 1) for word in command if "=" in word)


def test_the_api_server_of_a_cluster_listens_where_its_node_reaches_it(
    whole: ClusterRecord,
) -> None:
    given = options(control_plane.api_server_command(whole))
    assert given["bind-address"] == given["advertise-address"] == "198.18.0.5"
    assert given["secure-port"] == "26004"
    assert given["etcd-servers"] == "http://127.0.0.1:26005"
    assert given["service-cluster-ip-range"] == "198.18.65.0/24"
    assert given["kubelet-preferred-address-types"] == "InternalIP"


def test_a_control_plane_alone_stays_on_loopback(control: ClusterRecord) -> None:
    given = options(control_plane.api_server_command(control))
    assert given["bind-address"] == "127.0.0.1"
    assert given["endpoint-reconciler-type"] == "none"
    assert "kubelet-client-key" not in given


def test_no_two_clusters_share_a_port_or_a_directory(
    whole: ClusterRecord, control: ClusterRecord
) -> None:
    def unshared(record: ClusterRecord) -> set[str]:
        commands = [control_plane.etcd_command(record), control_plane.api_server_command(record)]
        values = {value for command in commands for value in options(command).values()}
        return {value for value in values if "/" in value or value.isdigit()}

    common = unshared(whole) & unshared(control)
    assert common <= {control_plane.SERVICE_ACCOUNT_ISSUER}


def test_programs_of_the_node_enter_its_namespaces(whole: ClusterRecord) -> None:
    assert node.inside(whole, ["kubelet", "--x"]) == [
        "nsenter",
        "--net=/run/netns/headgate-e2e",
        "--mount=/proc/77/ns/mnt",
        "--pid=/proc/77/ns/pid_for_children",
        "kubelet",
        "--x",
    ]


def test_the_node_dies_with_its_first_process(whole: ClusterRecord) -> None:
    command = node.init_command(whole, [(Path("/a"), Path("/b"))])
    assert command[:2] == network.enter("e2e")
    assert {"--pid", "--mount", "--fork", "--kill-child"} <= set(command)
    assert command[-1] == "/a=/b"


def test_the_kubelet_keeps_to_its_own_control_groups_and_disk_limits_never_evict(
    whole: ClusterRecord,
) -> None:
    settings = node.kubelet_settings(whole)
    assert settings["cgroupRoot"] == "/headgate-e2e"
    assert settings["failCgroupV1"] is False
    assert settings["clusterDNS"] == ["198.18.65.10"]
    assert set(settings["evictionHard"].values()) == {"0%"}


def test_containerd_settings_are_valid_toml() -> None:
    settings = tomllib.loads(node.containerd_settings("native"))
    runtime = settings["plugins"]["io.containerd.grpc.v1.cri"]
    assert runtime["restrict_oom_score_adj"] is True
    assert runtime["sandbox_image"] == node.PAUSE_IMAGE
    assert runtime["containerd"]["snapshotter"] == "native"


def test_pods_get_addresses_of_their_cluster(whole: ClusterRecord) -> None:
    (plugin,) = node.network_settings(whole)["plugins"]
    assert plugin["ipam"]["ranges"] == [[{"subnet": "198.19.4.0/22"}]]


def test_a_small_machine_is_shown_larger_and_a_large_one_as_it_is(tmp_path: Path) -> None:
    ((source, target),) = node_cpus.create(tmp_path / "small", cpus=2)
    assert str(target) == "/sys/devices/system/node"
    assert len(list(source.glob("node*/cpu*/topology/core_id"))) == 16
    assert {path.name for path in source.glob("node*/cpu*")} == {"cpu0", "cpu1"}
    assert node_cpus.create(tmp_path / "large", cpus=16) == []


def test_dns_serves_the_cluster_names_and_no_others(whole: ClusterRecord) -> None:
    text = dns.corefile(whole)
    assert text.startswith("cluster.local:26007 in-addr.arpa:26007 ip6.arpa:26007 {\n")
    assert text.count("bind 198.18.0.5") == 2
    assert "rcode NXDOMAIN" in text
    objects = {each["kind"]: each for each in yaml.safe_load_all(dns.manifests(whole))}
    assert objects["Service"]["spec"]["clusterIP"] == "198.18.65.10"
    assert "selector" not in objects["Service"]["spec"]
    assert objects["EndpointSlice"]["endpoints"] == [{"addresses": ["198.18.0.5"]}]
    assert {port["port"] for port in objects["EndpointSlice"]["ports"]} == {26007}


def test_signed_certificates_are_believed_for_their_addresses_only(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "keys")
    server = Identity("server", "kube-apiserver", "", ("198.18.0.5",), ("kubernetes",))
    authority.create([server, Identity("client", "administrator", "system:masters")])

    def verify(file: str, *more: str) -> subprocess.CompletedProcess[str]:
        trust = ["openssl", "verify", "-x509_strict", "-CAfile", str(authority.certificate("ca"))]
        return subprocess.run(
            [*trust, *more, authority.certificate(file)],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    assert verify("server", "-verify_ip", "198.18.0.5").returncode == 0
    assert verify("server", "-verify_ip", "198.18.0.6").returncode != 0
    assert verify("server", "-verify_hostname", "kubernetes").returncode == 0
    assert verify("client").returncode == 0
    subject = run(["openssl", "x509", "-noout", "-subject", "-in", authority.certificate("client")])
    assert subject.strip() == "subject=O = system:masters, CN = administrator"
    for key in ("ca", "server", "client", "service-accounts"):
        assert authority.key(key).stat().st_mode & 0o077 == 0

    authority.kubeconfig(tmp_path / "kubeconfig", "client", "https://198.18.0.5:26004")
    assert (tmp_path / "kubeconfig").stat().st_mode & 0o077 == 0
    written = json.loads((tmp_path / "kubeconfig").read_text())
    assert written["clusters"][0]["cluster"]["server"] == "https://198.18.0.5:26004"


def test_kind_gets_a_cluster_of_our_name_and_a_kubeconfig_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kind").write_text("#!/bin/sh\n")
    (tmp_path / "kind").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    tool, kubeconfig = tmp_path / "kind", kind_cluster.kubeconfig_file("e2e")
    assert kubeconfig == tmp_path / "state" / "kind" / "e2e" / "kubeconfig"
    assert kind_cluster.create_command("e2e") == [
        *(tool, "create", "cluster", "--name", "headgate-e2e"),
        *("--kubeconfig", kubeconfig, "--wait", "180s"),
    ]
    assert kind_cluster.delete_command("e2e") == [
        *(tool, "delete", "cluster", "--name", "headgate-e2e", "--kubeconfig", kubeconfig)
    ]
    assert kind_cluster.load_command("e2e", Path("x.tar")) == [
        *(tool, "load", "image-archive", Path("x.tar"), "--name", "headgate-e2e")
    ]
    assert kind_cluster.node_container("e2e") == "headgate-e2e-control-plane"
    assert kind_cluster.docker_build_command(Path("c"), Path("c/Dockerfile"), "t:1") == [
        *("docker", "build", "--file", Path("c/Dockerfile"), "--tag", "t:1", Path("c"))
    ]


def test_a_kind_cluster_says_how_to_reach_pods_where_it_cannot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    with pytest.raises(ClusterError, match="port-forward"):
        kind_cluster.KindCluster("e2e").start_process(["true"])


def test_who_is_not_root_has_docker_run_a_program_beside_the_kind_node() -> None:
    command = kind_cluster.container_command(
        "headgate-e2e-control-plane", "sha256:1", Path("/repository"), ["python", "-m", "x"]
    )
    assert "--network=container:headgate-e2e-control-plane" in command
    words = command[command.index("sha256:1") + 1 :]
    assert words[:2] == [f"--userspec={os.geteuid()}:{os.getegid()}", "/host"]
    assert words[-4:] == ["/repository", "python", "-m", "x"]
    script = words[words.index("sh") :]
    done = subprocess.run(
        [*script[:-4], "/", "pwd"], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout == "/\n"


def test_a_control_plane_has_no_node_to_run_anything_on(control: ClusterRecord) -> None:
    cluster = local.LocalCluster(control)
    with pytest.raises(ClusterError, match="control plane only"):
        cluster.start_process(["true"])
    with pytest.raises(ClusterError, match="control plane only"):
        cluster.load_image(Path("x.tar"))


def test_proxies_do_not_come_between_us_and_the_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")
    monkeypatch.setenv("no_proxy", "")
    environment = direct_environment()
    assert "HTTPS_PROXY" not in environment
    assert "PATH" in environment


@pytest.mark.parametrize(
    ("argv", "limit", "words"),
    [
        (["sh", "-c", "echo the reason >&2; exit 3"], 30.0, "exit code 3: .*\nthe reason"),
        (["sleep", "30"], 0.1, "no end after 0 s: sleep 30"),
        (["/nonexistent"], 30.0, "/nonexistent is not installed"),
    ],
)
def test_a_failed_command_is_reported_in_its_own_words(
    argv: list[str], limit: float, words: str
) -> None:
    with pytest.raises(ClusterError, match=words):
        run(argv, timeout=limit)


def test_the_default_cluster_is_dev() -> None:
    chosen = parser().parse_args(["up"])
    assert (chosen.name, chosen.control_plane_only, chosen.controllers) == ("dev", False, False)
    assert parser().parse_args(["down", "--name", "e2e"]).name == "e2e"
    image = parser().parse_args(["image", "--tag", "headgate.local/x:1"])
    assert (image.context, image.file) == (Path(), None)


def test_help_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(["--help"])
    assert ended.value.code == 0
    assert "export KUBECONFIG=$(python -m hack.cluster up)" in capsys.readouterr().out


@pytest.mark.parametrize("wrong", [[], ["start"], ["image"], ["up", "--nodes", "3"]])
def test_wrong_usage_ends_with_code_2(wrong: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(wrong)
    assert ended.value.code == 2


def test_an_impossible_name_is_an_error_not_a_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["down", "--name", "../etc"]) == 1
    assert "cannot name a cluster" in capsys.readouterr().err


def test_status_lists_clusters_and_what_ended(
    whole: ClusterRecord, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status"]) == 0
    assert capsys.readouterr().out == "no clusters\n"
    whole.save()
    assert main(["status"]) == 1
    shown = capsys.readouterr().out
    assert "e2e: not healthy (whole cluster)" in shown
    assert "ended" in shown
