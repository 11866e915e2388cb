"""A TCP gate between a client and a server that it does not trust: it can lose answers, go silent, or cut. The machine's
network stays whole; what has really gone is tested in namespaces (half_open_test.py)."""

import contextlib
import math
import socket
import struct
import threading

from functional.acceptor import Acceptor

END_STREAM = 0x1
HEADERS, DATA = 0x1, 0x0


class Gate:
    """Context manager. Listens on a free port of loopback and passes on to `host`:`port`."""

    def __init__(self, host, port, inside=None, http2=True):
        """`inside` is called on the thread that makes the sockets: tests enter a network namespace there. Without `http2`
        bytes are passed on as they come, and no answers are known."""
        self.host, self.port_behind = host, port
        self.http2 = http2
        self.inside = inside or (lambda: None)
        self.lock = threading.Condition()
        self.closed = False
        self.pairs = []
        self.silent_from = None     # connections up to this number say and hear nothing any more
        self.lose = set()           # numbers of the answers that are lost, counted over all connections from 1
        self.answers = 0            # how many complete answers the server gave
        self.lost = 0
        self.bytes_max = None       # of one connection from the client (without http2 also to it); then it is held
        self.times_full = 0         # how often that happened
        self.hold_words = None      # a client that says them is held there, see hold()
        self.held = threading.Event()

    def __enter__(self):
        self.acceptor = Acceptor(self._connect, inside=self.inside)
        self.port = self.acceptor.port
        self.address = f"127.0.0.1:{self.port}"
        return self

    def __exit__(self, *unused):
        with self.lock:
            self.closed = True
            self.lock.notify_all()
        self.acceptor.close()
        self.cut()

    # --- what can go wrong ----------------------------------------------------------------------------------------

    def go_silent(self, for_ever=False):
        """Connections of now stay open and pass nothing on; later ones are served, unless it is `for_ever`."""
        with self.lock:
            self.silent_from = math.inf if for_ever else len(self.pairs)

    def speak(self):
        """Everything is passed on again, also what was held."""
        with self.lock:
            self.silent_from = None
            self.lock.notify_all()

    def hold(self, words):
        """The first to say these bytes is held before they reach the server, and `held` is set, until let_go()."""
        self.held.clear()
        self.hold_words = words

    def let_go(self):
        with self.lock:
            self.hold_words = None
            self.lock.notify_all()

    def cut(self):
        for pair in self.pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    end.shutdown(socket.SHUT_RDWR)
                end.close()

    def wait_full(self, times):
        with self.lock:
            assert self.lock.wait_for(lambda: self.times_full >= times, timeout=60), f"bytes_max was reached {self.times_full} times only"

    def lift_bytes_max(self):
        """What is held goes on, and nothing is held any more."""
        with self.lock:
            self.bytes_max = None
            self.lock.notify_all()

    # --- passing on -----------------------------------------------------------------------------------------------

    def _connect(self, client):
        server = socket.create_connection((self.host, self.port_behind), 10)
        server.settimeout(None)
        with self.lock:
            self.pairs.append((client, server))
            number = len(self.pairs)
        threading.Thread(target=self._pass, args=(client, server, number, True), daemon=True).start()
        back = self._pass_answers if self.http2 else self._pass
        threading.Thread(target=back, args=(server, client, number), daemon=True).start()

    def _held(self, number):
        with self.lock:
            self.lock.wait_for(lambda: self.closed or self.silent_from is None or number > self.silent_from)
            return self.closed

    def _pass(self, source, sink, number, from_client=False):
        passed = 0
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                passed += len(data)
                if self.bytes_max is not None and passed > self.bytes_max:
                    with self.lock:
                        self.times_full += 1
                        self.lock.notify_all()
                        self.lock.wait_for(lambda: self.closed or self.bytes_max is None)
                if from_client and self.hold_words is not None and self.hold_words in data and not self.held.is_set():
                    self.held.set()
                    with self.lock:
                        self.lock.wait_for(lambda: self.closed or self.hold_words is None)
                if self._held(number):
                    return
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def _pass_answers(self, source, sink, number):
        """HTTP/2 frames (RFC 9113, 4.1) from the server, one by one: an answer is what one stream carries."""
        buffer = source.makefile("rb", buffering=65536)
        losing = set()
        with contextlib.suppress(OSError, ValueError):
            while head := buffer.read(9):
                size, kind, flags, stream = int.from_bytes(head[:3], "big"), head[3], head[4], int.from_bytes(head[5:9], "big")
                body = buffer.read(size)
                if self._held(number):
                    return
                with self.lock:
                    if stream and kind == HEADERS and stream not in losing and self.answers + 1 in self.lose:
                        losing.add(stream)
                    ended = stream and kind in (HEADERS, DATA) and flags & END_STREAM
                    if ended:
                        self.answers += 1
                        self.lost += stream in losing
                        self.lock.notify_all()
                if ended and stream in losing:
                    # Carried out and answered; the client hears of a broken connection only.
                    for end in (source, sink):
                        end.shutdown(socket.SHUT_RDWR)
                    return
                if stream not in losing:
                    sink.sendall(head + body)
            sink.shutdown(socket.SHUT_WR)
