//! TLS on real sockets, with a client of rustls.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::client::Resumption;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore, StreamOwned};
use server::{Config, Manner, Proxies, Reload, Tls, TlsSettings};
use wire::limits::Limits;

use super::files::{Scratch, content};
use super::running::{Order, Running, ask, leave, read_answer, request};

/// A folder for one test, removed behind it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Folder {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("kingpost-tls-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Folder(path)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        // Written aside and moved, as tools do that renew certificates: the file is another one.
        let draft = self.0.join("draft");
        std::fs::write(&draft, text).unwrap();
        std::fs::rename(&draft, &path).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Whoever signs the certificates of a test.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: rcgen::Certificate,
}

pub(crate) struct Signed {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Authority {
    pub(crate) fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Authority {
            issuer: Issuer::new(params, key),
            certificate,
        }
    }

    pub(crate) fn sign(&self, names: &[&str], change: impl Fn(&mut CertificateParams)) -> Signed {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        Signed {
            certificate: params.signed_by(&key, &self.issuer).unwrap(),
            key,
        }
    }

    /// A client that trusts this authority.
    pub(crate) fn client(&self, own: Option<&Signed>) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        match own {
            None => builder.with_no_client_auth(),
            Some(own) => {
                let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.key.serialize_der()));
                let chain: Vec<CertificateDer<'static>> = vec![own.certificate.der().clone()];
                builder.with_client_auth_cert(chain, key).unwrap()
            }
        }
    }
}

fn plain(_: &mut CertificateParams) {}

/// Certificates in files, in this order.
pub(crate) fn settings(folder: &Folder, signed: &[&Signed]) -> TlsSettings {
    let pairs = signed.iter().enumerate().map(|(number, signed)| {
        (
            folder.file(&format!("{number}.pem"), &signed.certificate.pem()),
            folder.file(&format!("{number}-key.pem"), &signed.key.serialize_pem()),
        )
    });
    TlsSettings {
        certificates: pairs.collect(),
        client_ca: None,
        client_optional: false,
        protocols: vec![b"http/1.1".to_vec()],
        ticket_secret: [3; 32],
        ticket_since: 0,
    }
}

fn speaking(settings: TlsSettings, config: Config) -> Running {
    let tls = Some(Arc::new(Tls::new(settings).unwrap()));
    Running::in_manner(config, Manner { tls, proxies: None })
}

/// A server with one certificate, for "localhost", and who has signed it.
struct Usual {
    authority: Authority,
    server: Running,
    _folder: Folder,
}

fn usual(config: Config) -> Usual {
    let (folder, authority) = (Folder::new(), Authority::new());
    let signed = authority.sign(&["localhost"], plain);
    let server = speaking(settings(&folder, &[&signed]), config);
    Usual {
        authority,
        server,
        _folder: folder,
    }
}

type Client = StreamOwned<ClientConnection, TcpStream>;

fn connect(server: &Running, config: ClientConfig, name: &str) -> Client {
    connect_with(server, &Arc::new(config), name)
}

fn connect_with(server: &Running, config: &Arc<ClientConfig>, name: &str) -> Client {
    let name = ServerName::try_from(name.to_string()).unwrap();
    let connection = ClientConnection::new(Arc::clone(config), name).unwrap();
    StreamOwned::new(connection, server.connect())
}

impl Usual {
    fn connect(&self) -> Client {
        connect(&self.server, self.authority.client(None), "localhost")
    }
}

#[test]
fn requests_are_answered_by_both_versions() {
    let usual = usual(Config::default());
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mut roots = RootCertStore::empty();
        roots
            .add(usual.authority.certificate.der().clone())
            .unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut client = connect(&usual.server, config, "localhost");
        for n in 0..50 {
            let path = format!("/{n}");
            assert_eq!(path, ask(&mut client, &path));
        }
        assert_eq!("127.0.0.1 by TLS", ask(&mut client, "/who"));
        assert_eq!(Some(version.version), client.conn.protocol_version());
    }
}

#[test]
fn large_bodies_and_files_arrive_whole() {
    let usual = usual(Config::default());
    let file = Scratch::new("tls", &content(3_000_001));
    let mut client = usual.connect();
    for _ in 0..2 {
        assert_eq!(5_000_000, ask(&mut client, "/large").len());
        client
            .write_all(request(&file.target()).as_bytes())
            .unwrap();
        assert_eq!(content(3_000_001), read_answer(&mut client).1);
    }
    let body = content(4_000_003);
    let head = format!(
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    client.write_all(head.as_bytes()).unwrap();
    client.write_all(&body).unwrap();
    assert_eq!(body, read_answer(&mut client).1);
}

#[test]
fn a_pipeline_is_answered_in_order() {
    let usual = usual(Config::default());
    let mut client = usual.connect();
    let all: String = (0..500).map(|n| request(&format!("/{n}"))).collect();
    client.write_all(all.as_bytes()).unwrap();
    for n in 0..500 {
        assert_eq!(format!("/{n}").as_bytes(), read_answer(&mut client).1);
    }
}

#[test]
fn what_is_sent_byte_by_byte_is_served() {
    let usual = usual(Config::default());
    let config = Arc::new(usual.authority.client(None));
    let name = ServerName::try_from("localhost").unwrap();
    let mut connection = ClientConnection::new(config, name).unwrap();
    let mut stream = usual.server.connect();
    stream.set_nodelay(true).unwrap();
    connection
        .writer()
        .write_all(request("/slowly").as_bytes())
        .unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"/slowly") {
        let mut out = Vec::new();
        while connection.wants_write() {
            connection.write_tls(&mut out).unwrap();
        }
        for byte in out {
            stream.write_all(&[byte]).unwrap();
        }
        connection.read_tls(&mut stream).unwrap();
        connection.process_new_packets().unwrap();
        let _ = connection.reader().read_to_end(&mut answer);
    }
}

#[test]
fn the_last_answer_is_followed_by_the_last_word_of_tls() {
    let usual = usual(Config::default());
    let mut client = usual.connect();
    client
        .write_all(b"GET /last HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .unwrap();
    let mut all = Vec::new();
    // Without close_notify this is `UnexpectedEof`.
    client.read_to_end(&mut all).unwrap();
    assert!(all.ends_with(b"/last"));
}

#[test]
fn a_file_that_ends_too_early_is_no_end_that_was_meant() {
    let usual = usual(Config::default());
    let file = Scratch::new("tls-short", &content(20_000_000));
    let mut client = usual.connect();
    client
        .write_all(request(&file.target()).as_bytes())
        .unwrap();
    usual.server.wait_for("request /file");
    // The client takes nothing yet, so most of it is still to be read.
    std::fs::File::options()
        .write(true)
        .open(&file.0)
        .unwrap()
        .set_len(1_000)
        .unwrap();
    let mut all = Vec::new();
    let error = client.read_to_end(&mut all).unwrap_err();
    assert_eq!(ErrorKind::UnexpectedEof, error.kind());
}

#[test]
fn a_client_that_has_said_its_last_word_still_gets_its_answer() {
    let usual = usual(Config::default());
    let mut client = usual.connect();
    client.write_all(request("/slow").as_bytes()).unwrap();
    let id = usual.server.wait_for("request /slow").unwrap();
    client.conn.send_close_notify();
    client.flush().unwrap();
    usual.server.wait_for("half-closed");
    usual.server.order(Order::Answer(id, "late".to_string()));
    let mut all = Vec::new();
    client.read_to_end(&mut all).unwrap();
    assert!(all.ends_with(b"late"));
}

#[test]
fn a_client_that_vanishes_is_gone() {
    let usual = usual(Config::default());
    for reset in [true, false] {
        let mut client = usual.connect();
        client.write_all(request("/slow").as_bytes()).unwrap();
        let id = usual.server.wait_for("request /slow").unwrap();
        leave(client.sock, reset);
        usual
            .server
            .wait_for(if reset { "gone" } else { "half-closed" });
        usual.server.order(Order::Answer(id, String::new()));
    }
}

#[test]
fn sessions_are_resumed_also_by_another_worker() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let signed = authority.sign(&["localhost"], plain);
    let settings = settings(&folder, &[&signed]);
    let workers = [
        speaking(settings.clone(), Config::default()),
        speaking(settings.clone(), Config::default()),
    ];
    let stranger = speaking(
        TlsSettings {
            ticket_secret: [4; 32],
            ..settings
        },
        Config::default(),
    );
    let mut config = authority.client(None);
    config.resumption = Resumption::in_memory_sessions(16);
    let config = Arc::new(config);
    let kind = |server: &Running| {
        let mut client = connect_with(server, &config, "localhost");
        assert_eq!("/", ask(&mut client, "/"));
        client.conn.handshake_kind().unwrap()
    };
    assert_eq!(HandshakeKind::Full, kind(&workers[0]));
    assert_eq!(HandshakeKind::Resumed, kind(&workers[1]));
    assert_eq!(HandshakeKind::Resumed, kind(&workers[0]));
    assert_eq!(HandshakeKind::Full, kind(&stranger));
}

#[test]
fn a_client_gets_the_certificate_for_the_name_that_it_asks_for() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let signed = [
        authority.sign(&["first.example"], plain),
        authority.sign(&["*.shop.example"], plain),
        authority.sign(&["www.shop.example"], plain),
    ];
    let server = speaking(
        settings(&folder, &signed.iter().collect::<Vec<_>>()),
        Config::default(),
    );
    for (name, expected) in [
        ("first.example", Some(0)),
        ("FIRST.example", Some(0)),
        ("a.shop.example", Some(1)),
        ("www.shop.example", Some(2)),
        // The first stands in, and a client that looks does not take it.
        ("other.example", None),
        ("shop.example", None),
        ("a.b.shop.example", None),
    ] {
        let mut client = connect(&server, authority.client(None), name);
        let result = client.write_all(request("/").as_bytes()).and_then(|()| {
            let mut byte = [0];
            client.read_exact(&mut byte)
        });
        assert_eq!(expected.is_some(), result.is_ok(), "{name}");
        if let Some(expected) = expected {
            let shown = &client.conn.peer_certificates().unwrap()[0];
            assert_eq!(signed[expected].certificate.der(), shown, "{name}");
        }
    }
}

#[test]
fn what_is_offered_is_agreed_on() {
    let usual = usual(Config::default());
    let mut config = usual.authority.client(None);
    config.alpn_protocols = vec![b"h3".to_vec(), b"http/1.1".to_vec()];
    let mut client = connect(&usual.server, config, "localhost");
    assert_eq!("/", ask(&mut client, "/"));
    assert_eq!(Some(b"http/1.1".as_slice()), client.conn.alpn_protocol());
}

#[test]
fn clients_are_known_by_their_certificates() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let others = Authority::new();
    let signed = authority.sign(&["localhost"], plain);
    let till = authority.sign(&[], |params| {
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "till 7");
    });
    let forged = others.sign(&[], plain);
    let mut settings = settings(&folder, &[&signed]);
    settings.client_ca = Some(folder.file("clients.pem", &authority.certificate.pem()));
    let strict = speaking(settings.clone(), Config::default());
    settings.client_optional = true;
    let open = speaking(settings, Config::default());

    let answer = |server: &Running, own: Option<&Signed>| {
        let mut client = connect(server, authority.client(own), "localhost");
        client.write_all(request("/who").as_bytes()).ok()?;
        let mut byte = [0];
        client.read_exact(&mut byte).ok()?;
        Some(())
    };
    assert!(answer(&strict, None).is_none());
    assert!(answer(&strict, Some(&forged)).is_none());
    assert!(answer(&open, Some(&forged)).is_none());
    for server in [&strict, &open] {
        let mut client = connect(server, authority.client(Some(&till)), "localhost");
        assert_eq!("127.0.0.1 by TLS as CN=till 7", ask(&mut client, "/who"));
    }
    let mut client = connect(&open, authority.client(None), "localhost");
    assert_eq!("127.0.0.1 by TLS", ask(&mut client, "/who"));
}

#[test]
fn new_certificates_are_used_and_bad_ones_are_not() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let signed = authority.sign(&["localhost"], plain);
    let settings = settings(&folder, &[&signed]);
    let tls = Tls::new(settings).unwrap();
    let mut millis = 0;
    let mut look = || {
        millis += 1_000;
        tls.look(millis)
    };
    assert_eq!(None, look());

    let second = authority.sign(&["localhost"], plain);
    folder.file("0.pem", &second.certificate.pem());
    // The key is still the old one.
    let Some(Reload::Kept(problem)) = look() else {
        panic!("taken");
    };
    assert_eq!("tls.mismatch", problem.code);
    assert_eq!(None, look());
    folder.file("0-key.pem", &second.key.serialize_pem());
    assert_eq!(Some(Reload::Done), look());
    assert_eq!(None, look());

    std::fs::remove_file(folder.0.join("0.pem")).unwrap();
    let Some(Reload::Kept(problem)) = look() else {
        panic!("taken");
    };
    assert_eq!("tls.unreadable", problem.code);
    // Never more than once a second, however many clients come.
    folder.file("0.pem", &second.certificate.pem());
    assert_eq!(None, tls.look(millis + 999));
    assert_eq!(Some(Reload::Done), tls.look(millis + 1_000));
}

#[test]
fn a_running_server_takes_a_new_certificate_over() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let signed = authority.sign(&["localhost"], plain);
    let server = speaking(settings(&folder, &[&signed]), Config::default());
    let shown = || {
        let mut client = connect(&server, authority.client(None), "localhost");
        assert_eq!("/", ask(&mut client, "/"));
        client.conn.peer_certificates().unwrap()[0].clone()
    };
    assert_eq!(signed.certificate.der(), &shown());
    let second = authority.sign(&["localhost"], plain);
    folder.file("0-key.pem", &second.key.serialize_pem());
    folder.file("0.pem", &second.certificate.pem());
    let start = std::time::Instant::now();
    while second.certificate.der() != &shown() {
        assert!(start.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn each_mistake_is_named() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let good = authority.sign(&["localhost"], plain);
    let other = authority.sign(&["localhost"], plain);
    let expired = authority.sign(&["localhost"], |params| {
        params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    });
    let early = authority.sign(&["localhost"], |params| {
        params.not_before = rcgen::date_time_ymd(2900, 1, 1);
        params.not_after = rcgen::date_time_ymd(2901, 1, 1);
    });
    let (pem, key) = (good.certificate.pem(), good.key.serialize_pem());
    let damaged = pem.replace("MII", "MIJ");
    for (certificate, key, code) in [
        (pem.clone(), other.key.serialize_pem(), "tls.mismatch"),
        (
            expired.certificate.pem(),
            expired.key.serialize_pem(),
            "tls.expired",
        ),
        (
            early.certificate.pem(),
            early.key.serialize_pem(),
            "tls.not-yet-valid",
        ),
        (key.clone(), key.clone(), "tls.no-certificate"),
        (String::new(), key.clone(), "tls.no-certificate"),
        (damaged, key, "tls.no-certificate"),
        (pem.clone(), pem.clone(), "tls.no-key"),
        (
            pem.clone(),
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"
                .to_string(),
            "tls.no-key",
        ),
        (
            pem,
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".to_string(),
            "tls.unusable-key",
        ),
    ] {
        let mut settings = settings(&folder, &[&good]);
        folder.file("0.pem", &certificate);
        folder.file("0-key.pem", &key);
        let problem = Tls::new(settings.clone()).expect_err(code);
        assert_eq!(code, problem.code);
        assert!(problem.sentence.contains("0.pem") || problem.sentence.contains("0-key.pem"));
        settings.certificates.clear();
        assert!(Tls::new(settings).is_err());
    }
    let mut settings = settings(&folder, &[&good]);
    settings.client_ca = Some(settings.certificates[0].1.clone());
    assert_eq!(
        "tls.no-certificate",
        Tls::new(settings.clone()).unwrap_err().code
    );
    settings.client_ca = None;
    settings.certificates[0].0 = folder.0.join("none.pem");
    let problem = Tls::new(settings).unwrap_err();
    assert_eq!("tls.unreadable", problem.code);
    assert!(
        problem
            .sentence
            .ends_with("none.pem cannot be read: no such file or directory")
    );
}

#[test]
fn who_speaks_http_is_told() {
    let usual = usual(Config::default());
    let mut stream = usual.server.connect();
    stream.write_all(request("/").as_bytes()).unwrap();
    let (head, body) = read_answer(&mut stream);
    assert!(head.starts_with("HTTP/1.1 400 "));
    assert!(body.ends_with(b"begin with https://\n"));
    assert_eq!(0, stream.read(&mut [0]).unwrap());
}

#[test]
fn a_handshake_that_is_not_finished_in_time_ends() {
    let limits = Limits {
        head_timeout: 60,
        ..Limits::default()
    };
    let usual = usual(Config {
        limits,
        ..Config::default()
    });
    for start in [
        b"".as_slice(),
        b"\x16",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ] {
        let mut stream = usual.server.connect();
        // It may have ended before these are written: then they are answered with a reset.
        let _late = stream.write_all(start);
        let ended = match stream.read(&mut [0; 100]) {
            Ok(count) => count == 0,
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        };
        assert!(ended, "{start:?}");
    }
}

#[test]
fn a_client_that_takes_nothing_is_dropped_in_time() {
    let limits = Limits {
        write_timeout: 200,
        ..Limits::default()
    };
    let usual = usual(Config {
        limits,
        ..Config::default()
    });
    let mut client = usual.connect();
    client.write_all(request("/large").as_bytes()).unwrap();
    usual.server.wait_for("request /large");
    // Asked by another connection, since the log is silent about it: the slow one does not hold the others up.
    let mut other = usual.connect();
    assert_eq!("/", ask(&mut other, "/"));
    let start = std::time::Instant::now();
    while ask(&mut other, "/connections") != "1" {
        assert!(start.elapsed() < Duration::from_secs(60));
    }
    let mut all = Vec::new();
    let error = client.read_to_end(&mut all).unwrap_err();
    assert!(
        matches!(
            error.kind(),
            ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset
        ),
        "{error}"
    );
    assert!(all.len() < 5_000_000);
}

#[test]
fn what_ends_without_the_last_word_is_no_panic_and_no_spin() {
    let usual = usual(Config::default());
    let mut client = usual.connect();
    assert_eq!("/", ask(&mut client, "/"));
    // Rubbish where records were, then silence.
    client
        .sock
        .write_all(&[0x17, 3, 3, 0, 5, 1, 2, 3, 4, 5])
        .unwrap();
    let mut all = Vec::new();
    let _ = client.sock.read_to_end(&mut all);
    assert!(!all.is_empty(), "an alert");
    assert_eq!("/", ask(&mut usual.connect(), "/"));
}

#[test]
fn tls_may_come_behind_the_header_of_a_proxy() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let signed = authority.sign(&["localhost"], plain);
    let tls = Tls::new(settings(&folder, &[&signed])).unwrap();
    let proxies = Proxies {
        networks: vec![([127, 0, 0, 1].into(), 32)],
        unix: false,
    };
    let manner = Manner {
        tls: Some(Arc::new(tls)),
        proxies: Some(proxies),
    };
    let server = Running::in_manner(Config::default(), manner);
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(Arc::new(authority.client(None)), name).unwrap();
    let mut stream = server.connect();
    stream
        .write_all(b"PROXY TCP4 203.0.113.7 192.0.2.1 40000 443\r\n")
        .unwrap();
    let mut client = StreamOwned::new(connection, stream);
    assert_eq!("203.0.113.7 by TLS", ask(&mut client, "/who"));
}

#[test]
fn a_stop_finishes_what_is_under_way_and_says_so() {
    let usual = usual(Config::default());
    let mut client = usual.connect();
    client.write_all(request("/slow").as_bytes()).unwrap();
    let id = usual.server.wait_for("request /slow").unwrap();
    usual.server.order(Order::Stop(5_000));
    usual.server.order(Order::Answer(id, "done".to_string()));
    let mut all = Vec::new();
    client.read_to_end(&mut all).unwrap();
    assert!(all.ends_with(b"done"));
    drop(client);
    usual.server.join();
}
