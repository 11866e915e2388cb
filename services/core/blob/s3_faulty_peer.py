#!/usr/bin/env python3
"""A gate before an S3 server for tests: s3_faulty_peer.py PORT SERVER_PORT LOG FAULT COUNT PATTERN.

Passes every request on, except that the first COUNT requests whose "METHOD /path?query" matches PATTERN meet FAULT:
  answer:STATUS:CODE  an error of S3's instead of an answer (no error body when CODE is empty)
  html                a page that has nothing to do with S3
  hang                no answer at all, until the client gives up
  lose-answer         the server does what it was asked to, but its answer is lost
  cut-answer          the answer ends in the middle of its body
  flip-answer         one byte of the answer's body is another
  flip-request        one byte of the request's body is another
Writes the "METHOD /path?query" of every request to LOG. Whole requests and answers are held in memory.
"""
import re
import socket
import sys
import threading

port, server_port, log_path, fault, count, pattern = sys.argv[1:7]
left = int(count)
lock = threading.Lock()


def read_head(stream):
    lines = []
    while True:
        line = stream.readline()
        if not line:
            return None
        if line == b"\r\n":
            return lines
        lines.append(line)


def length_of(lines):
    for line in lines:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0


def forward(lines, body):
    """The server's answer: its head and its body."""
    with socket.create_connection(("127.0.0.1", int(server_port))) as server:
        kept = [line for line in lines if not line.lower().startswith((b"expect:", b"connection:"))]
        server.sendall(b"".join(kept) + b"Connection: close\r\n\r\n" + body)
        stream = server.makefile("rb")
        head = read_head(stream)
        answer = b"" if lines[0].startswith(b"HEAD") else stream.read()
    return [line for line in head if not line.lower().startswith(b"connection:")], answer


def flip(data):
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1:]


def takes_fault(request):
    global left
    with lock:
        with open(log_path, "a", encoding="utf-8") as log:
            log.write(request + "\n")
        if left > 0 and re.search(pattern, request):
            left -= 1
            return True
    return False


def talk(client):
    stream = client.makefile("rb")
    while True:
        lines = read_head(stream)
        if lines is None:
            return
        if any(line.lower().startswith(b"expect:") for line in lines):
            client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = stream.read(length_of(lines))
        met = fault if takes_fault(" ".join(lines[0].decode().split()[:2])) else ""
        if met == "hang":
            stream.read()
            return
        if met.startswith("answer:"):
            _, status, code = met.split(":")
            text = f"<Error><Code>{code}</Code><Message>as told</Message></Error>".encode() if code else b""
            client.sendall(f"HTTP/1.1 {status} Told\r\nContent-Length: {len(text)}\r\n\r\n".encode() + text)
            continue
        if met == "html":
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n<html></html>")
            continue
        head, answer = forward(lines, flip(body) if met == "flip-request" else body)
        if met == "lose-answer":
            return
        if met == "flip-answer":
            answer = flip(answer)
        if met == "cut-answer":
            answer = answer[:len(answer) // 2]
        client.sendall(b"".join(head) + b"\r\n" + answer)
        if met == "cut-answer":
            return


def serve(client):
    with client:
        try:
            talk(client)
            client.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the client has gone, or the server has


listener = socket.create_server(("127.0.0.1", int(port)))
while True:
    accepted, _ = listener.accept()
    threading.Thread(target=serve, args=(accepted,), daemon=True).start()
