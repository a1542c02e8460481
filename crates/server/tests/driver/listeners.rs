//! The ways in: v4, v6, Unix sockets, inherited descriptors.

use std::io::ErrorKind;
use std::net::{Ipv6Addr, TcpStream};
use std::os::fd::IntoRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;

use super::running::{Running, ask};
use server::{Config, Listener};

/// A folder that is removed with its contents.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("kingpost-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir(&path).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_v6_address_is_served() {
    let Ok(listener) = Listener::tcp((Ipv6Addr::LOCALHOST, 0).into(), 16) else {
        eprintln!("this machine has no IPv6");
        return;
    };
    let server = Running::on(Config::default(), listener);
    assert!(server.address.is_ipv6());
    assert_eq!(
        "/v6",
        ask(&mut TcpStream::connect(server.address).unwrap(), "/v6")
    );
}

#[test]
fn a_unix_socket_has_its_mode_and_its_file_goes_with_it() {
    let folder = Folder::new("mode");
    let path = folder.0.join("socket");
    let server = Running::on(Config::default(), Listener::unix(&path, 0o600, 16).unwrap());
    assert_eq!(
        0o600,
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777
    );
    assert_eq!(
        "/unix",
        ask(&mut UnixStream::connect(&path).unwrap(), "/unix")
    );
    drop(server);
    assert!(!path.exists());
    assert_eq!(0, std::fs::read_dir(&folder.0).unwrap().count());
}

#[test]
fn the_file_of_a_dead_server_is_replaced_and_that_of_a_living_one_is_not() {
    let folder = Folder::new("stale");
    let path = folder.0.join("socket");
    let living = UnixListener::bind(&path).unwrap();
    assert_eq!(
        ErrorKind::AddrInUse,
        Listener::unix(&path, 0o600, 16).err().unwrap().kind()
    );
    drop(living);
    assert!(path.exists(), "nobody removed it");
    let server = Running::on(Config::default(), Listener::unix(&path, 0o600, 16).unwrap());
    assert_eq!(
        "/unix",
        ask(&mut UnixStream::connect(&path).unwrap(), "/unix")
    );
    drop(server);
}

#[test]
fn a_file_that_is_no_socket_is_left_alone() {
    let folder = Folder::new("file");
    let path = folder.0.join("notes");
    std::fs::write(&path, "keep me").unwrap();
    assert_eq!(
        ErrorKind::AlreadyExists,
        Listener::unix(&path, 0o600, 16).err().unwrap().kind()
    );
    assert_eq!("keep me", std::fs::read_to_string(&path).unwrap());
}

#[test]
fn an_inherited_listener_is_served() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listener = Listener::inherited(listener.into_raw_fd()).unwrap();
    let server = Running::on(Config::default(), listener);
    assert_eq!("/fd", ask(&mut server.connect(), "/fd"));
}

#[test]
fn what_does_not_listen_is_not_inherited() {
    assert!(Listener::inherited(-1).is_err());
    assert!(Listener::inherited(1_000_000).is_err());
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    assert!(Listener::inherited(socket.into_raw_fd()).is_err());
}

#[test]
fn an_address_in_use_is_an_error() {
    let first = Listener::tcp(([127, 0, 0, 1], 0).into(), 16).unwrap();
    let again = Listener::tcp(first.local_address().unwrap(), 16);
    assert_eq!(ErrorKind::AddrInUse, again.err().unwrap().kind());
}

#[test]
fn listeners_may_share_a_port() {
    let first = Listener::tcp_reuse_port(([127, 0, 0, 1], 0).into(), 16).unwrap();
    let address = first.local_address().unwrap();
    let second = Listener::tcp_reuse_port(address, 16).unwrap();
    assert_eq!(address, second.local_address().unwrap());
}
