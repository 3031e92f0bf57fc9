"""What ships: packages, wheel, sdist, light import."""

from __future__ import annotations

import configparser
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = ("torch", "transformers", "datasets", "requests", "sympy", "math_verify", "rich")


def listed_packages() -> list[str]:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    return config["options"]["packages"].split()


def test_the_packages_list_equals_the_folders() -> None:
    mapped = {
        "react_envs": "react_envs",
        "agents": "react_envs.agents",
        "wrappers": "react_envs.wrappers",
    }
    found = set()
    for top, package in mapped.items():
        for init in (ROOT / top).rglob("__init__.py"):
            if any((ROOT / top / p).is_symlink() for p in init.relative_to(ROOT / top).parts):
                continue  # the links for type checking, see CONTRIBUTING.md
            inner = init.parent.relative_to(ROOT / top).parts
            found.add(".".join((package, *inner)))
    assert sorted(found) == sorted(listed_packages())


def test_the_version_is_in_the_changelog() -> None:
    import react_envs

    assert f"## {react_envs.__version__}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


@pytest.mark.parametrize("module", ["react_envs", "react_envs.wrappers", "react_envs.core"])
def test_importing_is_light(module: str) -> None:
    program = f"import sys, {module}; print(*[m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "", "")


def test_making_and_playing_the_default_environment_needs_no_extra() -> None:
    extras = tuple(name for name in HEAVY if name != "rich")
    program = (
        "import sys, gymnasium as gym, react_envs\n"
        "env = gym.make('ReactGSM8K-v0'); env.reset(seed=0)\n"
        "env.step('Action: python\\nAction Input: print(1)\\n')\n"
        "assert env.step('Final Answer: 1')[2]\n"
        f"print(*[m for m in {extras} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist, built from what a clone would have."""
    pytest.importorskip("build")
    folder = tmp_path_factory.mktemp("built")
    tree = folder / "tree"
    tree.mkdir()
    files = subprocess.run(
        ["git", "ls-files", "-z"],
        cwd=ROOT, capture_output=True, check=True,
    ).stdout.decode().split("\0")  # fmt: skip
    for file in filter(None, files):
        if (ROOT / file).is_file():
            (tree / file).parent.mkdir(parents=True, exist_ok=True)
            (tree / file).write_bytes((ROOT / file).read_bytes())
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(tree)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return folder


@pytest.mark.slow
def test_wheel_and_sdist_contain_agents_and_wrappers_in_their_places(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for package in listed_packages():
        assert f"{package.replace('.', '/')}/__init__.py" in names
    assert "react_envs/py.typed" in names
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"react_envs"}
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    assert {"agents/__init__.py", "wrappers/__init__.py", "react_envs/core.py", "LICENSE"} <= packed


@pytest.mark.slow
def test_the_wheel_works_without_the_checkout(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    program = (
        "import gymnasium as gym, react_envs, react_envs.agents, react_envs.wrappers\n"
        "print(react_envs.__file__, react_envs.agents.__file__, react_envs.wrappers.__file__)\n"
        "env = gym.make('ReactGSM8K-v0'); env.reset(seed=0)\n"
        "assert '42' in env.step('Action: python\\nAction Input: print(42)\\n')[0]; env.close()"
    )
    code = f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r})\n{program}"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert all(file.startswith(str(tmp_path)) for file in done.stdout.split())


@pytest.mark.slow
def test_an_editable_install_finds_all_packages(tmp_path: Path) -> None:
    """What `pip install -e .` leaves behind, without touching this interpreter's packages."""
    target = tmp_path / "site"
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation",
         "--target", str(target), "-e", str(ROOT)],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    program = (
        f"import site; site.addsitedir({str(target)!r})\n"
        "import react_envs, react_envs.agents, react_envs.wrappers, os\n"
        "print(os.path.realpath(react_envs.agents.__file__))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()) == (ROOT / "agents/__init__.py").resolve()
