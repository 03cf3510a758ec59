import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BODY = "The ferry was back in service on Friday, the harbour office said.\n"


def run(*command: str | Path, cwd: Path, stdin: str = "") -> str:
    return subprocess.run(command, cwd=cwd, input=stdin, capture_output=True, text=True, check=True).stdout


@pytest.mark.slow
def test_wheel_alone_cleans_a_text(tmp_path: Path) -> None:
    """Without the clone; that its dependencies install, the README's first command shows in its own test."""
    run(sys.executable, "-m", "build", "--wheel", "--outdir", tmp_path, ROOT, cwd=tmp_path)
    wheel = next(tmp_path.glob("line_cleaner-*.whl"))
    assert wheel.stat().st_size < 12_000_000
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv", cwd=tmp_path)
    binaries = tmp_path / "venv" / "bin"
    pip = (sys.executable, "-m", "pip", "--python", binaries / "python", "install", "--quiet", "--no-deps")
    run(*pip, wheel, cwd=tmp_path)
    packages = next((tmp_path / "venv" / "lib").glob("python3*")) / "site-packages"
    (packages / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n", "utf-8")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert run(binaries / "cleaner", "clean", cwd=elsewhere, stdin=f"{BODY}\nSHARE THIS\n") == BODY
    where = run(binaries / "python", "-c", "import cleaner; print(cleaner.__file__)", cwd=elsewhere)
    assert str(tmp_path / "venv") in where
    code = "import cleaner, sys; sys.stdout.write(cleaner.clean(sys.stdin.read()))"
    assert run(binaries / "python", "-c", code, cwd=elsewhere, stdin=f"{BODY}\nSHARE THIS\n") == BODY
    code = "from cleaner import rehearsal as r; print(r.find_rehearsal(), min(map(len, r.read_rehearsal())) > 50)"
    found = run(binaries / "python", "-c", code, cwd=elsewhere)
    assert found.startswith(str(tmp_path / "venv"))
    assert found.endswith("True\n")
    assert list(elsewhere.iterdir()) == []
