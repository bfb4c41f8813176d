#!/usr/bin/env python3
"""Get a user API key through a redirect to this machine, post with it, give it back.

    python3 loopback.py http://localhost:4000 [PORT]

Needs the package `pycryptodome` (Debian: python3-pycryptodome, where it is called Cryptodome).
"""

import base64
import hmac
import json
import secrets
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

try:
    from Crypto.Cipher import PKCS1_v1_5
    from Crypto.PublicKey import RSA
except ImportError:
    from Cryptodome.Cipher import PKCS1_v1_5
    from Cryptodome.PublicKey import RSA


def main() -> None:
    site = sys.argv[1].rstrip("/")
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 8787
    private_key = RSA.generate(2048)
    client_id = f"loopback-in-python-{secrets.token_urlsafe(16)}"
    nonce = secrets.token_urlsafe(32)
    server = listen(port)
    query = urlencode(
        {
            "auth_redirect": f"http://127.0.0.1:{port}/callback",
            "application_name": "Loopback in Python",
            "client_id": client_id,
            "scopes": "read,write,notifications,session_info",
            "public_key": private_key.publickey().export_key().decode(),
            "nonce": nonce,
        }
    )
    print(f"open {site}/user-api-key/new?{query}", flush=True)

    payload = open_sealed(private_key, wait_for_payload(server))
    if not hmac.compare_digest(payload["nonce"], nonce):
        sys.exit("the payload answers another request")

    def call(method: str, path: str, body: "dict | None" = None) -> dict:
        request = urllib.request.Request(
            f"{site}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "User-Api-Key": payload["key"],
                "User-Api-Client-Id": client_id,
                "Content-Type": "application/json",
            },
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    user = call("GET", "/session/current.json")["current_user"]
    print(f"hello, {user['username']}")
    post = call("POST", "/posts.json", {"title": "Hello from Python", "raw": "Written with pycryptodome and a key."})
    print(f"posted {site}/t/{post['topic_slug']}/{post['topic_id']}")
    call("POST", "/user-api-key/revoke.json")
    print("gave the key back")


def listen(port: int) -> HTTPServer:
    class Callback(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            found = parse_qs(address.query).get("payload") if address.path == "/callback" else None
            self.send_response(200 if found else 404)
            self.end_headers()
            self.wfile.write(b"You can close this page." if found else b"Nothing here.")
            if found:
                self.server.payload = found[0]

        def log_message(self, *_: object) -> None:
            """Says nothing: what it would print holds the payload."""

    return HTTPServer(("127.0.0.1", port), Callback)


def wait_for_payload(server: HTTPServer) -> str:
    server.payload = None
    while server.payload is None:
        server.handle_request()
    server.server_close()
    # Some browsers and proxies escape what is escaped already; Base64 holds no "%", so that once more does no harm.
    return unquote(server.payload)


def open_sealed(private_key: "RSA.RsaKey", payload: str) -> dict:
    opened = PKCS1_v1_5.new(private_key).decrypt(base64.b64decode(payload), None)
    if opened is None:
        sys.exit("the payload was sealed for another key")
    return json.loads(opened)


if __name__ == "__main__":
    main()
