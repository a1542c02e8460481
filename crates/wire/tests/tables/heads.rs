//! Heads and what is to be found in them.

/// What one head says. Texts are Latin-1; `None` means that there is none.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) input: &'static str,
    pub(crate) path: &'static str,
    pub(crate) query: Option<&'static str>,
    pub(crate) authority: Option<&'static str>,
    /// One letter each: O, A or * for the form; k: keep alive; e: expects 100; c: has what browsers send by themselves; z: encoded;
    /// b: a body is to come.
    pub(crate) facts: &'static str,
    pub(crate) upgrade: Option<&'static str>,
    pub(crate) content_type: Option<&'static str>,
}

const PLAIN: Row = Row {
    name: "plain",
    input: "GET /a HTTP/1.1\r\nHost: h\r\n\r\n",
    path: "/a",
    query: None,
    authority: Some("h"),
    facts: "Ok",
    upgrade: None,
    content_type: None,
};

pub(crate) const ROWS: &[Row] = &[
    PLAIN,
    Row {
        name: "cookie",
        input: "GET /a HTTP/1.1\r\nHost: h\r\nCookie: a=b\r\n\r\n",
        facts: "Okc",
        ..PLAIN
    },
    Row {
        name: "basic",
        input: "GET /a HTTP/1.1\r\nHost: h\r\nauthorization: Basic YTpi\r\n\r\n",
        facts: "Okc",
        ..PLAIN
    },
    Row {
        name: "a scheme that begins as bearer does",
        input: "GET /a HTTP/1.1\r\nHost: h\r\nAuthorization: Bearers x\r\n\r\n",
        facts: "Okc",
        ..PLAIN
    },
    Row {
        name: "bearer",
        input: "GET /a HTTP/1.1\r\nHost: h\r\nAuthorization: bEARER x\r\n\r\n",
        ..PLAIN
    },
    Row {
        name: "encoded body",
        input: "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n",
        facts: "Okzb",
        ..PLAIN
    },
    Row {
        name: "query",
        input: "GET /a?b=c?d HTTP/1.1\r\nHost: h\r\n\r\n",
        query: Some("b=c?d"),
        ..PLAIN
    },
    Row {
        name: "empty query",
        input: "GET /a? HTTP/1.1\r\nHost: h\r\n\r\n",
        query: Some(""),
        ..PLAIN
    },
    Row {
        name: "only a query",
        input: "GET /?x HTTP/1.1\r\nHost: h\r\n\r\n",
        path: "/",
        query: Some("x"),
        ..PLAIN
    },
    Row {
        name: "behind empty lines",
        input: "\r\n\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n",
        ..PLAIN
    },
    Row {
        name: "1.0",
        input: "GET /a HTTP/1.0\r\n\r\n",
        authority: None,
        facts: "O",
        ..PLAIN
    },
    Row {
        name: "1.0 with Host",
        input: "GET /a HTTP/1.0\r\nHost: h:80\r\n\r\n",
        authority: Some("h:80"),
        facts: "O",
        ..PLAIN
    },
    Row {
        name: "1.0 kept",
        input: "GET /a HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
        authority: None,
        ..PLAIN
    },
    Row {
        name: "closed",
        input: "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
        facts: "O",
        ..PLAIN
    },
    Row {
        name: "absolute",
        input: "GET http://h:81/a?b HTTP/1.1\r\nHost: H:81\r\n\r\n",
        query: Some("b"),
        authority: Some("h:81"),
        facts: "Ak",
        ..PLAIN
    },
    Row {
        name: "absolute without a path",
        input: "GET https://h HTTP/1.1\r\nHost: h\r\n\r\n",
        path: "/",
        facts: "Ak",
        ..PLAIN
    },
    Row {
        name: "absolute with a query and no path",
        input: "GET http://h?b/c HTTP/1.1\r\nHost: h\r\n\r\n",
        path: "/",
        query: Some("b/c"),
        facts: "Ak",
        ..PLAIN
    },
    Row {
        name: "asterisk",
        input: "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
        path: "*",
        facts: "*k",
        ..PLAIN
    },
    Row {
        name: "expects and has a body",
        input: "PUT /a HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n",
        facts: "Okeb",
        ..PLAIN
    },
    Row {
        name: "expects and has chunks",
        input: "PUT /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n",
        facts: "Okeb",
        ..PLAIN
    },
    Row {
        name: "expects nothing for no bytes",
        input: "PUT /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n",
        ..PLAIN
    },
    Row {
        name: "expects in 1.0",
        input: "PUT /a HTTP/1.0\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n",
        facts: "Ob",
        ..PLAIN
    },
    Row {
        name: "upgrade",
        input: "GET /a HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\r\n",
        upgrade: Some("websocket"),
        ..PLAIN
    },
    Row {
        name: "upgrade, repeated",
        input: "GET /a HTTP/1.1\r\nHost: h\r\nUpgrade: a\r\nUpgrade: b\r\nConnection: upgrade\r\n\r\n",
        upgrade: Some("a"),
        ..PLAIN
    },
    Row {
        name: "upgrade that Connection does not name",
        input: "GET /a HTTP/1.1\r\nHost: h\r\nUpgrade: x\r\n\r\n",
        ..PLAIN
    },
    Row {
        name: "upgrade in 1.0",
        input: "GET /a HTTP/1.0\r\nHost: h\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        facts: "O",
        ..PLAIN
    },
    Row {
        name: "content type",
        input: "POST /a HTTP/1.1\r\nHost: h\r\nCONTENT-TYPE: \ttext/plain \r\n\r\n",
        content_type: Some("text/plain"),
        ..PLAIN
    },
    Row {
        name: "cookie",
        input: "GET /a HTTP/1.1\r\nHost: h\r\ncookie: a=b\r\n\r\n",
        facts: "Okc",
        ..PLAIN
    },
];
