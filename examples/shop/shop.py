#!/usr/bin/env python3
"""The shop in Python, behind a proxy that asks Hallpass: it checks no key and no password.

python3 shop.py 3000

`application` is plain WSGI, so that Flask, Django or gunicorn would do it the same way. The proxy says in X-Hallpass-User
and X-Hallpass-User-Id who sent a request, so the shop must be reachable by the proxy alone.
"""

import json
import re
import sys
from html import escape
from itertools import count
from socketserver import ThreadingMixIn
from urllib.parse import unquote
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

invoices = {}
numbers = count(1)


def application(environ, start_response):
    # What a header cannot hold of a name is percent-encoded.
    customer = unquote(environ.get("HTTP_X_HALLPASS_USER_ID", ""))
    name = unquote(environ.get("HTTP_X_HALLPASS_USER", ""))
    status, content_type, text = answer(environ, customer, name)
    body = text.encode()
    headers = [("Content-Type", content_type), ("Content-Length", str(len(body)))]
    start_response(status, headers)
    return [body]


def answer(environ, customer, name):
    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
    if (method, path) == ("GET", "/"):
        return page(customer, name)
    if not re.fullmatch(r"/invoices(/\d+)?", path):
        return problem("404 Not Found", "there is no such page")
    if not customer:
        return problem("401 Unauthorized", "sign in at /login, or send a user API key")
    if (method, path) == ("GET", "/invoices"):
        return as_json("200 OK", {"invoices": invoices_of(customer), "customer": name})
    if (method, path) == ("POST", "/invoices"):
        return order(environ, customer)
    if method == "GET":
        number = int(path.rsplit("/", 1)[1])
        found = [invoice for invoice in invoices_of(customer) if invoice["id"] == number]
        return as_json("200 OK", found[0]) if found else problem("404 Not Found", "you have no such invoice")
    return problem("405 Method Not Allowed", "an invoice can be read, and that is all")


def order(environ, customer):
    try:
        length = min(int(environ.get("CONTENT_LENGTH") or 0), 10_000)
        item = json.loads(environ["wsgi.input"].read(length))["item"]
    except (ValueError, KeyError, TypeError):
        item = None
    if not isinstance(item, str) or not item.strip():
        return problem("422 Unprocessable Content", "say which item")
    invoice = {"id": next(numbers), "item": item.strip()}
    invoices_of(customer).append(invoice)
    return as_json("201 Created", invoice)


def invoices_of(customer):
    """Everybody has bought a kite."""
    if customer not in invoices:
        invoices[customer] = [{"id": next(numbers), "item": "a kite"}]
    return invoices[customer]


def page(customer, name):
    if customer:
        items = "".join(f"<li>No. {one['id']}: {escape(one['item'])}</li>" for one in invoices_of(customer))
        body = f"<h1>Hello, {escape(name)}</h1><ul>{items}</ul>"
        body += '<p><a href="/hallpass/apps">Apps that may use your account</a></p>'
    else:
        body = '<h1>Welcome</h1><p><a href="/login?redirect=/">Sign in</a> to see your invoices.</p>'
    head = '<!doctype html><html lang="en"><meta charset="utf-8"><title>The kite shop</title>'
    return "200 OK", "text/html; charset=utf-8", head + body


def problem(status, words):
    return as_json(status, {"errors": [words]})


def as_json(status, value):
    return status, "application/json", json.dumps(value)


class QuietHandler(WSGIRequestHandler):
    def log_message(self, *_):
        pass


class ThreadingServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    make_server("127.0.0.1", port, application, ThreadingServer, QuietHandler).serve_forever()
