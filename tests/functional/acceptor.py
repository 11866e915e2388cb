"""Takes connections on a thread of its own, until it is closed. Shared by the servers that tests play."""

import contextlib
import socket
import threading


class Acceptor:
    """Calls `serve(connection)` for each connection to a free port of `host`, one after another. `inside` is called first,
    on the thread that makes the socket: tests enter a network namespace there."""

    def __init__(self, serve, host="127.0.0.1", port=0, inside=lambda: None):
        self.serve = serve
        self.closing = False
        ready = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(host, port, inside, ready), daemon=True)
        self.thread.start()
        ready.wait()
        self.port = self.listener.getsockname()[1]

    def _run(self, host, port, inside, ready):
        inside()
        self.listener = socket.create_server((host, port))
        ready.set()
        while not self.closing:
            with contextlib.suppress(OSError):
                connection, _ = self.listener.accept()
                self.serve(connection)

    def close(self):
        """The thread has ended when this returns. Closing the socket alone would leave it in accept(): the kernel then
        goes on with the number of the file, which the next server may have been given, whose connections it would take."""
        self.closing = True
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()
