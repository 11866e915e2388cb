"""An SMTP server whose answers a test holds back: at which command, and in which conversation. What was said before the
final dot counts as taken, whether or not the client is still there for the answer."""

import email
import email.policy
import threading

from acceptor import Acceptor


class SmtpGate:
    """Context manager. `hold("RCPT")` keeps back the answer of the next conversation that comes to that command ("." is
    the end of the message): `held` is set then, and `go` lets it through."""

    def __init__(self):
        self.lock = threading.Lock()
        self.taken = []        # messages, in the order of their final dots
        self.conversations = []  # the commands of each, "EHLO", …, "." and at last "end"
        self.hold_at = None
        self.held, self.go = threading.Event(), threading.Event()
        self.held_conversation = None
        self.acceptor = Acceptor(
            lambda connection: threading.Thread(target=self.talk, args=(connection,), daemon=True).start())
        self.port = self.acceptor.port

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.go.set()
        self.acceptor.close()

    def hold(self, command):
        with self.lock:
            self.held.clear()
            self.go.clear()
            self.hold_at = command

    def messages(self):
        with self.lock:
            return list(self.taken)

    def gate(self, command, commands):
        with self.lock:
            commands.append(command)
            if command != self.hold_at:
                return
            self.hold_at = None
            self.held_conversation = commands
        self.held.set()
        self.go.wait()

    def talk(self, connection):
        commands = []
        with self.lock:
            self.conversations.append(commands)
        try:
            with connection, connection.makefile("rb") as stream:
                connection.sendall(b"220 gate\r\n")
                while line := stream.readline():
                    command = line.split()[0].upper().decode() if line.split() else ""
                    self.gate(command, commands)
                    if command == "DATA":
                        connection.sendall(b"354 go on\r\n")
                        if not self.take(stream):
                            return
                        self.gate(".", commands)
                    connection.sendall(b"221 bye\r\n" if command == "QUIT" else b"250 ok\r\n")
        except OSError:
            pass
        finally:
            with self.lock:
                commands.append("end")

    def take(self, stream):
        lines = []
        while (line := stream.readline()) != b".\r\n":
            if not line:
                return False  # broken off: no message
            lines.append(line)
        with self.lock:
            self.taken.append(email.message_from_bytes(b"".join(lines), policy=email.policy.default))
        return True
