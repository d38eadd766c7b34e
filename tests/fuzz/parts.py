"""Building blocks of the fuzzer's byte strings."""

from typing import Final

SECRET: Final = b"SECRET-QUERY"

STREAM: Final = b"GET /api/leaderboard/stream HTTP/1.1\r\nHost: x\r\n\r\n"

METHODS: Final = (
    b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"CONNECT", b"TRACE", b"PURGE", b"PRI",
    b"FOO", b"get", b"", b"M-SEARCH", b"SOURCE", b"\x00", b"GE\xffT",
)  # fmt: skip

TARGETS: Final = (
    b"/", b"/api/scores", b"/api/leaderboard", b"/api/leaderboard/stream", b"/health/live", b"/openapi.json",
    b"/docs", b"/static/scoreboard.js", b"/nowhere", b"*", b"", b"x:1", b"test:443", b"http://x/",
    b"http://x", b"https://x:1/api/leaderboard", b"http://a:99999999/", b"http://u:p@x/", b"http://[::1]/",
    b"http://[::1/", b"http://", b"//x/", b"/../../etc/passwd", b"/%00", b"/%ff%fe", b"/%", b"/%zz",
    b"/\xc3\xa4", b"/static/%2e%2e/%2e%2e/etc/passwd", b"/static/\\..\\x", b"/api/leaderboard/",
    b"/a" * 3_000, b"/admin", b"/#x", b"/api/admin/players", b"/;x", b"/api//scores", b"ftp://x/", b"urn:x",
    b"?x", b"#", b"/\x7f", b"/static/", b"/static",
)  # fmt: skip

QUERIES: Final = (
    b"", b"?", b"?access_token=" + SECRET, b"?board=main&limit=1", b"?limit=-1", b"?limit=" + b"9" * 400,
    b"?a=%ff&%00=%", b"?&&==&", b"?board=" + b"%f0%9f%8e%ae" * 50, b"?delta=1", b"?offset=1&offset=2",
    b"?\xff", b"?limit=1;x=2", b"?limit=%D9%A1", b"?limit=1_0",
)  # fmt: skip

VERSIONS: Final = (
    b"HTTP/1.1", b"HTTP/1.0", b"HTTP/0.9", b"HTTP/2.0", b"HTTP/3.0", b"HTTP/1.2", b"HTTP/11", b"HTTP/1.",
    b"http/1.1", b"", b"ICE/1.0", b"RTSP/1.0",
)  # fmt: skip

HEADERS: Final = (
    b"Host: x", b"Host: x:99999999", b"Host: \xff", b"Host:", b"Host: a@b/c?d", b"Content-Length: 5",
    b"Content-Length: 0", b"Content-Length: 99999999999", b"Content-Length: 5, 5", b"Content-Length: +5",
    b"Content-Length: 0x5", b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity",
    b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: chunked, chunked",
    b"Transfer-Encoding:\tchunked", b"Connection: close", b"Connection: keep-alive", b"Connection: upgrade",
    b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"Upgrade: websocket", b"HTTP2-Settings: x",
    b"Expect: 100-continue", b"Expect: nothing", b"Content-Type: application/json",
    b"Content-Type: application/json; charset=\xff", b"Content-Type: text/plain",
    b"Authorization: Bearer TOKEN", b"Authorization: Bearer x", b"Authorization: \xff\xfe", b"Authorization:",
    b"Authorization: Basic eDp5", b"Idempotency-Key: \xff", b"Idempotency-Key: k",
    b"Last-Event-ID: " + b"9" * 30, b"Last-Event-ID: \xb2", b"If-None-Match: \xff", b"If-None-Match: *",
    b"Origin: null", b"Origin: \xff", b"Origin: https://x", b"Access-Control-Request-Method: POST",
    b"Access-Control-Request-Headers: \xff", b"X-Request-Id: \xff", b"X-Forwarded-For: \xff, 1",
    b"Accept: \xff", b"Accept-Encoding: gzip;q=\xff", b"Range: bytes=0-", b"Range: bytes=-",
    b"Range: bytes=9-1,x", b"If-Range: x", b"If-Modified-Since: \xff", b"If-Modified-Since: x",
    b"Cookie: " + b"x" * 5_000, b" folded", b"A : b", b"A\x00: b", b"A: \x00", b": x", b"x", b"A: b\rC: d",
    b'Forwarded: for="[x"', b"X-Forwarded-Proto: \xff", b"TE: trailers", b"Trailer: Authorization",
    b"Proxy-Connection: close", b"a:" * 30, b"Content-Encoding: gzip",
)  # fmt: skip

BODIES: Final = (
    b"", b"hello", b"{}", b'{"actionId":"quest","userId":"ada"}', b'{"actionId":"\\ud800","userId":"ada"}',
    b"[" * 5_000, b"1e999", b"\xff" * 40, b"5\r\nhello\r\n0\r\n\r\n", b"5;x=y\r\nhello\r\n0\r\nA: b\r\n\r\n",
    b"FFFFFFFFFFFFFFFFF\r\n", b"-1\r\n", b"0\r\n" + b"a:\r\n" * 200 + b"\r\n", b"0\r\n\r\n", b"5\r\nhel",
    b"x" * 20_000, b'{"a":' * 2_000, b"NaN", b"\xef\xbb\xbf{}", b"0\r\nAuthorization: Bearer TOKEN\r\n\r\n",
    b"23\r\n" + b'{"actionId":"quest","userId":"ada"}' + b"\r\n0\r\nConnection: close\r\n\r\n",
)  # fmt: skip

ENDS: Final = (
    b"\r\n", b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b"\r\r\n", b"",
)  # fmt: skip

STRINGS: Final = (
    b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03" + bytes(200),
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", b"SSH-2.0-x\r\n", b"\x00" * 50,
    b"\r\n" * 200, b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n", b"\r\n\r\n\x00\r\nQUIT\n", b"EHLO x\r\n",
    b"*1\r\n$4\r\nPING\r\n", bytes(range(256)), STREAM, STREAM * 2,
)  # fmt: skip
