"""docs/ci.md: its pipelines are valid, and every command in them runs: GitHub's in bash, GitLab's in the image."""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from kafkactl.sandbox.running import RunningSandbox
from tests.conftest import REPOSITORY
from tests.docker.engine import Engine
from tests.program import KAFKACTL
from tests.sandboxes import as_user

DOCUMENT = (REPOSITORY / "docs" / "ci.md").read_text(encoding="utf-8")
GITHUB, GITLAB = (yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL))
ACTION = yaml.safe_load((REPOSITORY / "action.yml").read_text(encoding="utf-8"))


@pytest.fixture
def project(tmp_path: Path, secured_one: RunningSandbox) -> Path:
    """A repository with a topics.yaml, whose production is a secured cluster, and a client file for it."""
    flags = as_user(secured_one)
    address, properties = flags[flags.index("-b") + 1], flags[flags.index("--client-config") + 1]
    home = tmp_path / "project"
    home.mkdir()
    (home / "topics.yaml").write_text(
        f"environments: {{production: {{brokers: ['{address}'], protected: true}}}}\n"
        "topics: {payment.created: {partitions: 3}, payment.failed: {partitions: 3}}\n",
        encoding="utf-8",
    )
    text = Path(properties).read_text(encoding="utf-8")
    (authority,) = re.findall(r"^ssl\.ca\.location=(.*)$", text, re.MULTILINE)
    shutil.copy(authority, home / "ca.pem")  # its own directory is for its owner only
    (home / "client.properties").write_text(text.replace(authority, str(home / "ca.pem")), encoding="utf-8")
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "topics"]):
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=home, check=True)
    subprocess.run(["git", "remote", "add", "origin", str(home)], cwd=home, check=True)
    subprocess.run(["git", "fetch", "-q", "origin"], cwd=home, check=True)
    return home


def reports(home: Path) -> Mapping[str, int]:
    """How many test cases each report has."""
    return {path.name: len(list(ET.parse(path).iter("testcase"))) for path in sorted((home / "reports").glob("*.xml"))}


def in_bash(home: Path, step: Mapping[str, Any]) -> "subprocess.CompletedProcess[str]":
    """A step of a workflow as a runner starts it, with kafkactl on the path."""
    path = home.parent / "bin"
    path.mkdir(exist_ok=True)
    (path / "kafkactl").write_text(f'#!/bin/sh\nexec {shlex.join(KAFKACTL)} "$@"\n', encoding="utf-8")
    (path / "kafkactl").chmod(0o755)
    known = {
        "github.base_ref": "main",
        "secrets.KAFKA_CLIENT_PROPERTIES": (home / "client.properties").read_text(encoding="utf-8"),
    }
    given = {
        name: re.sub(r"\$\{\{ (.*?) }}", lambda m: known[m[1]], text) for name, text in step.get("env", {}).items()
    }
    page = home.parent / "summary.md"
    own = {"PATH": f"{path}:{os.environ['PATH']}", "RUNNER_TEMP": str(home.parent), "GITHUB_STEP_SUMMARY": str(page)}
    environment = {name: text for name, text in os.environ.items() if name not in ("KAFKA_BROKERS", "KAFKACTL_CATALOG")}
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=home,
        env={**environment, **own, **given},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_github_actions(project: Path) -> None:
    """On a change, in the morning and after a merge; the next morning there is nothing to tell."""
    jobs = GITHUB["jobs"]
    codes = {}
    for name in ("lint", "rehearse", "drift", "apply"):
        for step in jobs[name]["steps"]:
            if "run" in step:
                done = in_bash(project, step)
                codes[name] = done.returncode
                assert done.returncode == 0 or name == "drift", done.stderr
    assert codes == {"lint": 0, "rehearse": 0, "drift": 1, "apply": 0}
    assert reports(project).keys() == {"diff.xml", "test.xml"}
    page = (project.parent / "summary.md").read_text(encoding="utf-8")
    assert page.startswith("### kafkactl lint\n\n1 fine\n")
    assert "### kafkactl diff\n\n2 " in page
    assert "**payment.created**" in page
    assert "### kafkactl doctor" in page
    (step,) = (step for step in jobs["drift"]["steps"] if "run" in step)
    again = in_bash(project, step)
    assert (again.returncode, again.stdout) == (0, ""), again.stderr
    assert (project.parent / "client.properties").stat().st_mode & 0o777 == 0o600


def test_every_step_is_one_that_github_knows() -> None:
    for job in GITHUB["jobs"].values():
        assert job.keys() <= {"if", "runs-on", "environment", "concurrency", "steps"}
        for step in job["steps"]:
            assert ("uses" in step) != ("run" in step)
            if "your-organisation/kafkactl" in step.get("uses", ""):
                assert step.get("with", {}).keys() <= ACTION["inputs"].keys()


def test_the_action_installs_it(tmp_path: Path) -> None:
    (step,) = (step for step in ACTION["runs"]["steps"] if "run" in step)
    import sys

    own = {"PYTHON": sys.executable, "PROJECT": str(REPOSITORY), "RUNNER_TEMP": str(tmp_path)}
    files = {"GITHUB_PATH": str(tmp_path / "path"), "GITHUB_OUTPUT": str(tmp_path / "output")}
    command = ["bash", "-eo", "pipefail", "-c", step["run"]]
    subprocess.run(command, env={**os.environ, **own, **files}, check=True, cwd=tmp_path)
    (added,) = (tmp_path / "path").read_text().split()
    told = subprocess.run([f"{added}/kafkactl", "--version"], capture_output=True, text=True, check=True)
    assert told.stdout.startswith("kafkactl ")
    assert re.fullmatch(r"build=kafkactl0[a-z0-9.]+\n", (tmp_path / "output").read_text())


@pytest.fixture(scope="module")
def image(engine: Engine) -> str:
    """kafkactl:sandbox, built from the Dockerfile on the tests' own base."""
    name = "kafkactl-test/sandbox"
    engine.client.images.build(
        path=str(REPOSITORY),
        dockerfile="Dockerfile.sandbox",
        buildargs={"PYTHON_IMAGE": engine.images.name("python-sandbox"), "KAFKACTL_COMMIT": "0123456789abcdef"},
        tag=name,
        rm=True,
    )
    engine.images.adopt(name)
    return name


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash")
def test_gitlab_in_the_image(engine: Engine, image: str, project: Path) -> None:
    project.chmod(0o777)
    for name in ("client.properties", "ca.pem"):
        (project / name).chmod(0o644)
    kept = engine.client.images.get(image)
    assert kept.attrs["Config"]["User"] == "65532:65532"
    base = engine.client.images.get(engine.images.name("python-sandbox")).attrs["Size"]
    assert kept.attrs["Size"] - base < 500 * 2**20

    def job(name: str) -> tuple[int, str]:
        entry = GITLAB[name]
        variables = {"CI_PROJECT_DIR": str(project), "CLIENT_PROPERTIES": str(project / "client.properties")}
        given = {
            key: re.sub(r"\$(\w+)", lambda found: variables[found[1]], text)
            for key, text in entry.get("variables", {}).items()
        }
        container = engine.client.containers.run(
            image,
            ["-e", "-c", "\n".join(entry["script"])],
            entrypoint="/bin/sh",
            network_mode="host",
            volumes={str(project): {"bind": str(project)}},
            working_dir=str(project),
            environment={**variables, **given},
            labels={"kafkactl.test": "yes"},
            detach=True,
        )
        try:
            code = container.wait(timeout=120)["StatusCode"]
            return code, container.logs().decode()
        finally:
            container.remove(force=True)

    for name, expected in {"lint": 0, "rehearse": 0, "drift": 1, "apply": 0}.items():
        code, logs = job(name)
        assert code == expected, (name, logs)
    assert job("drift")[0] == 0
    assert reports(project).keys() == {"diff.xml", "lint.xml", "test.xml"}
    said = engine.client.containers.run(image, ["--version"], remove=True, network_mode="none").decode()
    assert "(commit 0123456789ab)" in said
