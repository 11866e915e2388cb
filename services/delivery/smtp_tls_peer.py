#!/usr/bin/env python3
"""An SMTP server with TLS and login for tests: smtp_tls_peer.py PORT CERT KEY MODE LOG, MODE starttls or implicit.

Accepts user "anna" with password "geheim" (AUTH PLAIN) or token "tok-2" (AUTH XOAUTH2), which it asks for before MAIL.
Writes one line per event to LOG: "tls", "auth ok", "auth refused", "mail".
"""
import base64
import socket
import ssl
import sys

port, cert, key, mode, log_path = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)


def log(word):
    with open(log_path, "a", encoding="utf-8") as file:
        file.write(word + "\n")


def credentials_fit(kind, blob):
    text = base64.b64decode(blob).decode()
    if kind == "PLAIN":
        return text == "\0anna\0geheim"
    return text == "user=anna\x01auth=Bearer tok-2\x01\x01"


def talk(connection):
    secure = mode == "implicit"
    if secure:
        connection = context.wrap_socket(connection, server_side=True)
        log("tls")
    stream = connection.makefile("rwb", buffering=0)

    def say(text):
        stream.write(text.encode() + b"\r\n")

    say("220 peer ESMTP")
    signed_in = False
    while True:
        line = stream.readline().decode("ascii", "replace").strip()
        if not line:
            return
        verb, _, rest = line.partition(" ")
        verb = verb.upper()
        if verb == "EHLO":
            say("250-peer\r\n250-STARTTLS\r\n250 8BITMIME" if not secure else "250-peer\r\n250 AUTH PLAIN XOAUTH2")
        elif verb == "STARTTLS":
            say("220 go ahead")
            connection = context.wrap_socket(connection, server_side=True)
            stream = connection.makefile("rwb", buffering=0)
            secure = True
            log("tls")
        elif verb == "AUTH":
            kind, _, blob = rest.partition(" ")
            if not blob:
                say("334 ")
                blob = stream.readline().decode().strip()
            signed_in = credentials_fit(kind, blob)
            log("auth ok" if signed_in else "auth refused")
            say("235 ok" if signed_in else "535 5.7.8 wrong credentials")
        elif verb == "MAIL" and not (secure and signed_in):
            say("530 5.7.0 sign in first")
        elif verb in ("MAIL", "RCPT", "NOOP", "RSET"):
            say("250 ok")
        elif verb == "DATA":
            say("354 go on")
            while stream.readline() != b".\r\n":
                pass
            log("mail")
            say("250 2.0.0 Ok: queued as TLS1")
        elif verb == "QUIT":
            say("221 bye")
            return
        else:
            say("502 what")


server = socket.create_server(("127.0.0.1", port))
while True:
    accepted, _ = server.accept()
    try:
        talk(accepted)
    except (OSError, ssl.SSLError) as error:
        log("broken: " + type(error).__name__)
    finally:
        accepted.close()
