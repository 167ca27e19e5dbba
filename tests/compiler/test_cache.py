"""jit(f, cache=folder): what one process compiled another one runs, but no file that is not what it says."""

import os
import subprocess
import sys

import numpy as np
import pytest

from autograd import jit, sin, value_and_grad, vmap
from autograd.compiler.lower import plan
from autograd.compiler.run import cache


def f(x, y):
    return sin(x) * y + (x if x > 1.0 else y) ** 3


def compiled(folder):
    return jit(value_and_grad(f, argnums=(0, 1)), cache=folder)


def stored(monkeypatch):
    """The keys of what is stored from now on."""
    keys, store = [], cache.Cache.store
    monkeypatch.setattr(cache.Cache, "store", lambda self, key, code: (keys.append(key), store(self, key, code))[1])
    return keys


SCRIPT = """
import sys
sys.path[:0] = {path!r}
from autograd.compiler.run.cache import Cache
from tests.compiler.test_cache import compiled
Cache.store = None  # nothing is to be compiled
print(compiled({folder!r})(0.5, 2.0))
"""


def test_another_process_compiles_nothing_and_computes_the_same(tmp_path, monkeypatch):
    keys = stored(monkeypatch)
    expected = compiled(tmp_path)(0.5, 2.0)
    assert sorted(f"{key}.o" for key in keys) == sorted(os.listdir(tmp_path))
    script = SCRIPT.format(path=[os.getcwd(), *sys.path], folder=str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, "PYTHONHASHSEED": "7"}, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert (done.stdout.strip(), done.stderr) == (str(expected), "")


def test_other_paths_and_other_programs_have_files_of_their_own(tmp_path):
    g = compiled(tmp_path)
    g(0.5, 2.0)
    assert len(os.listdir(tmp_path)) == 1
    g(1.5, 2.0)
    assert len(os.listdir(tmp_path)) == 2
    jit(f, cache=str(tmp_path))(0.5, 2.0)
    assert len(os.listdir(tmp_path)) == 3


def test_the_key_is_of_program_machine_and_versions(tmp_path, monkeypatch):
    folder = cache.Cache(tmp_path)
    keys = {folder.key("a", 0), folder.key("b", 0), folder.key("a", 1)}
    known = cache._circumstances()
    for i in range(len(known)):
        monkeypatch.setattr(cache, "_circumstances", lambda i=i: (*known[:i], "another", *known[i + 1 :]))
        keys.add(folder.key("a", 0))
    assert len(keys) == 3 + len(known)


def halved(content):
    return content[: len(content) // 2]


def flipped(content):
    return content[:-100] + bytes([content[-100] ^ 1]) + content[-99:]


@pytest.mark.parametrize("damage", [halved, flipped, lambda _: b"", lambda _: b"x" * 5000, lambda c: b"\x7fELF" + c])
def test_a_damaged_file_is_compiled_again_and_replaced(damage, tmp_path, monkeypatch):
    expected = compiled(tmp_path)(0.5, 2.0)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    keys = stored(monkeypatch)
    assert compiled(tmp_path)(0.5, 2.0) == expected
    assert len(keys) == 1
    assert path.read_bytes() == whole


def test_code_of_another_program_under_the_name_is_not_run(tmp_path, monkeypatch):
    compiled(tmp_path)(0.5, 2.0)
    (path,) = tmp_path.iterdir()
    jit(lambda x, y: x - y, cache=tmp_path)(0.5, 2.0)
    (other,) = set(tmp_path.iterdir()) - {path}
    path.write_bytes(other.read_bytes())
    keys = stored(monkeypatch)
    assert compiled(tmp_path)(0.5, 2.0) == value_and_grad(f, argnums=(0, 1))(0.5, 2.0)
    assert keys == [path.stem]


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions are those of POSIX")
def test_a_file_that_others_may_write_is_not_run(tmp_path, monkeypatch):
    compiled(tmp_path)(0.5, 2.0)
    (path,) = tmp_path.iterdir()
    path.chmod(0o666)
    keys = stored(monkeypatch)
    compiled(tmp_path)(0.5, 2.0)
    assert keys == [path.stem]


def test_a_folder_that_cannot_be_written_to_is_an_error_first_and_a_warning_later(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        jit(f, cache=tmp_path / "file")
    g = compiled(tmp_path / "folder")
    (tmp_path / "folder").rmdir()
    with pytest.warns(RuntimeWarning, match="compiled code is not kept: .*No such file"):
        g(0.5, 2.0)


def test_code_that_is_compiled_quickly_is_a_module_of_its_own_and_computes_the_same(tmp_path, monkeypatch):
    mean = vmap(lambda w, x: sin(w * x) / (x + 2.0), in_axes=(None, 0), reduce="mean")
    step = value_and_grad(lambda w, X: mean(sin(w), X) * w)
    X = np.linspace(0.0, 1.0, 21)
    expected = jit(step)(0.5, X)
    monkeypatch.setattr(plan, "QUICK_ABOVE", 0)
    keys = stored(monkeypatch)
    quick = jit(step, cache=tmp_path)
    assert "optnone" in quick.llvm_ir(0.5, X)
    assert quick(0.5, X) == expected
    assert len(keys) == 2
    assert jit(step, cache=tmp_path)(0.5, X) == expected
    assert len(keys) == 2
