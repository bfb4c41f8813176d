#!/usr/bin/env python3
"""An application that knows nothing of Hallpass but the headers that the proxy sets.

python3 app.py 3000

It says as JSON what was asked of it and by whom. It must be reachable by the proxy alone: whoever else could reach it
could send these headers too.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote


class Application(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        if self.headers.get("Upgrade", "").lower() == "websocket":
            return self.accept_upgrade()
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        names = ("User", "User-Id", "Via", "Scopes", "Client", "Key-Id")
        told = {name: self.headers.get(f"X-Hallpass-{name}") for name in names}
        body = json.dumps(
            {
                "method": self.command,
                "path": self.path,
                # What a header cannot hold of a name is percent-encoded.
                "user": unquote(told["User"]) if told["User"] else None,
                "told": {name: value for name, value in told.items() if value},
                # Everything, to see what else came through.
                "headers": [[name.lower(), value] for name, value in self.headers.items()],
            }
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

    def accept_upgrade(self):
        """Says yes to a WebSocket and who opened it, in one frame of text."""
        import base64
        import hashlib

        text = (self.headers.get("X-Hallpass-User") or "nobody").encode()
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        self.end_headers()
        self.wfile.write(bytes([0x81, len(text)]) + text)
        self.close_connection = True

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    ThreadingHTTPServer(("127.0.0.1", port), Application).serve_forever()
