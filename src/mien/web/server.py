"""The server: uvicorn with one or several processes on one socket, stopped without losing a request."""

from __future__ import annotations

import errno
import signal
import socket
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from mien.core.errors import OptionError
from mien.web import settings_table, start
from mien.web.locks import lock
from mien.web.settings_table import WebSettings

_BACKLOG = 2048


def serve(settings: WebSettings, *, open_browser: bool = False, say: Callable[[str], None] = print) -> None:
    """Serve until SIGTERM or Ctrl-C, then let open requests finish.

    Args:
        settings: where to listen, and everything else.
        open_browser: show the start page on this machine.
        say: takes lines for whoever started the server.

    Raises:
        OptionError: the settings are unsafe, or the port is taken.
        MienError: the data folder, the database or the model cannot be used.
    """
    settings_table.check_safe(settings)
    with _listening(settings.host, settings.port) as listener:
        start.set_up(settings)
        start.check_deployment(settings)
        start.check_model(settings)
        with lock(settings.folder, "serving", shared=True):
            if start.prepare(settings):
                say(f"The database in {settings.folder} is up to date.")
            from mien.web.privacy import at_start

            at_start.show_notice(say)
            at_start.keep_retention()
            for line in _greeting(settings, listener):
                say(line)
            if open_browser:
                threading.Thread(
                    target=webbrowser.open, args=(_addresses(settings, listener)[0],), daemon=True
                ).start()
            _run(settings, listener)
    say("Stopped.")


def _run(settings: WebSettings, listener: socket.socket) -> None:
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    class Processes(Multiprocess):
        """Takes no one new when it stops: who came then would wait in a queue that nobody reads."""

        def terminate_all(self) -> None:
            for taken in self.sockets:
                taken.close()
            super().terminate_all()

    trusted = settings_table.listed(settings.trusted_proxies)
    config = uvicorn.Config(
        "mien.web.asgi:application",
        workers=settings.web_concurrency,
        log_config=None,
        log_level=settings.log_level,
        access_log=settings.log_level == "debug",
        server_header=False,
        lifespan="off",
        proxy_headers=bool(trusted),
        forwarded_allow_ips=trusted,
        timeout_graceful_shutdown=settings.drain_seconds,
        backlog=_BACKLOG,
    )
    # uvicorn raises the signal that stopped it once more at the end; here that is no accident
    with suppress(KeyboardInterrupt), _calm(signal.SIGTERM):
        if settings.web_concurrency > 1:
            Processes(config, sockets=[listener]).run()
        else:
            uvicorn.Server(config).run(sockets=[listener])


@contextmanager
def _calm(number: int) -> Iterator[None]:
    before = signal.signal(number, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(number, before)


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    """Take the address before anything else: who starts a second server hears of it at once."""
    try:
        family, kind, protocol, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise OptionError(f"{host!r} is no address of this machine: {error.strerror}") from error
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
        listener.set_inheritable(True)
    except OSError as error:
        listener.close()
        raise OptionError(_why_not(error, host, port)) from error
    with listener:
        yield listener


def _why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is taken by another program; stop it, or give another with --port"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"port {port} may not be used without more rights; give one above 1023 with --port"
    return f"{host}:{port} cannot be listened on: {error.strerror}; check --host and --port"


def _addresses(settings: WebSettings, listener: socket.socket) -> list[str]:
    """Return where the server is reached, the best for this machine's browser first."""
    port = listener.getsockname()[1]
    if settings.production:
        return [f"https://{name.lstrip('.')}" for name in settings_table.listed(settings.allowed_hosts)]
    named = [name for name in settings_table.listed(settings.allowed_hosts) if not settings.on_loopback]
    names = ["localhost", *(name.lstrip(".") for name in named)]
    if settings.host not in ("0.0.0.0", "::", "127.0.0.1"):
        names[0] = f"[{settings.host}]" if ":" in settings.host else settings.host
    return [f"http://{name}:{port}" for name in dict.fromkeys(names)]


def _greeting(settings: WebSettings, listener: socket.socket) -> Iterator[str]:
    from mien.web.accounts.models import User

    addresses = _addresses(settings, listener)
    yield f"Mien is at {addresses[0]}" + "".join(f", {other}" for other in addresses[1:])
    if settings.production:
        host, port = listener.getsockname()[:2]
        yield f"It listens on {host}:{port} for a proxy that speaks HTTPS."
    elif not settings.on_loopback:
        yield "Others on this network reach it, without encryption; for more than that see MIEN_MODE."
    if not User.objects.filter(is_superuser=True).exists():
        yield "There is no administrator yet: mien user create NAME --admin"
    yield f"Everything is kept in {settings.folder}. Ctrl-C stops the server."
