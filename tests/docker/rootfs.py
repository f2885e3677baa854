"""Root file systems: a tar that holds a static busybox and whatever else a container shall have."""

import io
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import IO

BUSYBOX = "/bin/busybox"
USER = 1000  # as in the images these stand for: nothing runs as root
_LIBRARY = re.compile(r"(?:=> )?(/\S+) \(0x")
# What a program may load besides: for looking names up, and what wheels from elsewhere are linked with.
_OFTEN = [
    "libnss_dns.so.2",
    "libnss_files.so.2",
    "libresolv.so.2",
    "libpthread.so.0",
    "libdl.so.2",
    "librt.so.1",
    "libutil.so.1",
    "libm.so.6",
    "libstdc++.so.6",
    "libgcc_s.so.1",
]
_ACCOUNTS = f"root:x:0:0:root:/root:/bin/sh\nappuser:x:{USER}:{USER}:appuser:/home/appuser:/bin/sh\n"


class RootFs:
    """A root file system in the making. It has busybox's commands and a user `appuser`.

    Paths are absolute, as in the container. A path that was added already is left as it is.
    """

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as this does
        self._tar = tarfile.TarFile(fileobj=self._file, mode="w")
        self._known: set[str] = set()
        busybox = shutil.which("busybox")
        assert busybox, "busybox-static is not installed"
        self.copy(Path(busybox), BUSYBOX)
        commands = subprocess.run([busybox, "--list"], check=True, capture_output=True, text=True).stdout.split()
        for name in commands:
            self.link(f"/bin/{name}", BUSYBOX)
        self.link("/usr/bin/env", BUSYBOX)
        self.text("/etc/passwd", _ACCOUNTS)
        self.text("/etc/group", f"root:x:0:\nappuser:x:{USER}:\n")
        self.text("/etc/nsswitch.conf", "hosts: files dns\n")
        self.directory("/tmp", mode=0o1777)
        self.directory("/home/appuser", owner=USER)

    def directory(self, path: str, *, mode: int = 0o755, owner: int = 0) -> None:
        """An empty directory, and those above it."""
        if path in self._known or path == "/":
            return
        self.directory(str(Path(path).parent))
        self._add(path, type=tarfile.DIRTYPE, mode=mode, uid=owner, gid=owner)

    def text(self, path: str, content: str, *, mode: int = 0o644) -> None:
        """A small file."""
        self.directory(str(Path(path).parent))
        self._add(path, content.encode(), mode=mode)

    def link(self, path: str, target: str) -> None:
        """A symbolic link."""
        self.directory(str(Path(path).parent))
        self._add(path, type=tarfile.SYMTYPE, linkname=target)

    def copy(self, source: Path, target: str = "", *, without: Iterable[str] = ()) -> None:
        """A file or a whole directory of this machine, under its own path unless `target` names another.

        Modification times are kept: the JVM's AOT cache remembers them. `without`: names left out at any depth.
        """
        target = os.path.normpath(target or source)
        left_out = set(without)
        if source.is_dir():
            self.directory(target)
            for child in sorted(source.iterdir()):
                if child.name not in left_out:
                    self.copy(child, f"{target}/{child.name}", without=left_out)
            return
        if target in self._known:
            return
        self.directory(str(Path(target).parent))
        status = source.stat()
        mode = 0o755 if status.st_mode & 0o100 else 0o644
        with source.open("rb") as file:
            self._add(target, file, size=status.st_size, mtime=int(status.st_mtime), mode=mode)

    def libraries(self, binaries: Iterable[Path]) -> None:
        """The shared libraries these binaries load, as this machine's loader finds them, and the usual ones."""
        found = set()
        for binary in binaries:
            done = subprocess.run(["ldd", str(binary)], capture_output=True, text=True, check=False)
            found.update(_LIBRARY.findall(done.stdout))
        (libc,) = {Path(path).parent for path in found if Path(path).name == "libc.so.6"}
        found.update(str(libc / name) for name in _OFTEN if (libc / name).exists())
        for path in sorted(found):
            self.copy(Path(path))

    def tar(self) -> IO[bytes]:
        """The finished tar, to be read from its start."""
        self._tar.close()
        self._file.seek(0)
        return self._file

    def _add(self, path: str, content: bytes | IO[bytes] = b"", **attributes: object) -> None:
        if path in self._known:
            return
        self._known.add(path)
        member = tarfile.TarInfo(path.lstrip("/"))
        member.mtime = int(time.time())
        if isinstance(content, bytes):
            member.size = len(content)
            content = io.BytesIO(content)
        for name, value in attributes.items():
            setattr(member, name, value)
        self._tar.addfile(member, content)
