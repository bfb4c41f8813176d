#!/usr/bin/env python3
"""Get a user API key by copy and paste, read with it, and print it.

    python3 paste.py http://localhost:4000

Needs the package `cryptography` (Debian: python3-cryptography).
"""

import base64
import json
import secrets
import sys
import urllib.request
import uuid
from dataclasses import dataclass
from urllib.parse import quote

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa


@dataclass
class Payload:
    """What the site seals. Another field, or a missing one, is an error."""

    key: str
    nonce: str
    push: bool
    api: int


def main() -> None:
    site = sys.argv[1].rstrip("/")
    private_key = rsa.generate_private_key(public_exponent=65537, key_size=4096)
    public_pem = private_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    nonce = secrets.token_urlsafe(32)
    parameters = {
        "application_name": "Paste in Python",
        "client_id": str(uuid.uuid4()),
        "scopes": "read",
        "public_key": public_pem.decode(),
        "nonce": nonce,
    }
    # quote() leaves "/" as it is, which a query allows, and escapes "+", which it must.
    query = "&".join(f"{name}={quote(value)}" for name, value in parameters.items())
    print(f"open {site}/user-api-key/new?{query}")

    # One line: the site shows the sealed payload without line breaks.
    sealed = base64.b64decode(input("paste the payload: "))
    payload = Payload(**json.loads(private_key.decrypt(sealed, padding.PKCS1v15())))
    if not secrets.compare_digest(payload.nonce, nonce):
        sys.exit("the payload answers another request")

    request = urllib.request.Request(f"{site}/new.json", headers={"User-Api-Key": payload.key})
    with urllib.request.urlopen(request) as answer:
        topics = json.load(answer)["topic_list"]["topics"]
    print(f"\nnew topics: {', '.join(topic['title'] for topic in topics) or 'none'}")
    print(f"the key: {payload.key}")


if __name__ == "__main__":
    main()
