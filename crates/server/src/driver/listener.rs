//! What clients connect to: TCP, a Unix socket, or a descriptor that somebody else made.

use std::fs;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, RawFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use socket2::{Domain, SockAddr, Socket, Type};

use crate::peer::Peer;
use crate::sys;

/// A listening socket.
pub struct Listener {
    socket: Socket,
    is_unix: bool,
    /// The file of a Unix socket that we made, to be removed with it.
    file: Option<SocketFile>,
}

impl Listener {
    /// Listens on a TCP address, v4 or v6. `backlog` clients may wait to be accepted.
    ///
    /// # Errors
    /// What the system says: the address is in use, not ours, or not allowed.
    pub fn tcp(address: SocketAddr, backlog: i32) -> io::Result<Listener> {
        Self::bind(address, backlog, false)
    }

    /// As `tcp`, beside others on the same address: the system spreads the clients over them.
    ///
    /// # Errors
    /// As `tcp`.
    pub fn tcp_reuse_port(address: SocketAddr, backlog: i32) -> io::Result<Listener> {
        Self::bind(address, backlog, true)
    }

    fn bind(address: SocketAddr, backlog: i32, reuse_port: bool) -> io::Result<Listener> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        if reuse_port {
            socket.set_reuse_port(true)?;
        }
        socket.bind(&address.into())?;
        socket.listen(backlog)?;
        Self::prepare(socket, None)
    }

    /// Listens on a Unix socket at `path` that whoever `mode` allows may connect to. The file of a server that is
    /// no more is replaced, and at no moment does a file with other permissions stand there.
    ///
    /// # Errors
    /// `AddrInUse` if a server listens there, `AlreadyExists` if something else than a socket is there, and what
    /// the system says.
    pub fn unix(path: &Path, mode: u32, backlog: i32) -> io::Result<Listener> {
        match fs::symlink_metadata(path) {
            Ok(found) if !found.file_type().is_socket() => {
                let reason = format!("{} is there already and is no socket", path.display());
                return Err(io::Error::new(ErrorKind::AlreadyExists, reason));
            }
            Ok(_) if is_served(path)? => {
                let reason = format!("another server listens on {}", path.display());
                return Err(io::Error::new(ErrorKind::AddrInUse, reason));
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        // Made under another name in the same folder and moved: `bind` alone leaves a moment with the umask's mode.
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        name.push(format!(".{}", std::process::id()));
        let draft = path.with_file_name(name);
        let _ = fs::remove_file(&draft);
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.bind(&SockAddr::unix(&draft)?)?;
        let made = (|| -> io::Result<SocketFile> {
            fs::set_permissions(&draft, fs::Permissions::from_mode(mode))?;
            socket.listen(backlog)?;
            let file = SocketFile::new(path, &draft)?;
            fs::rename(&draft, path)?;
            Ok(file)
        })();
        if made.is_err() {
            let _ = fs::remove_file(&draft);
        }
        Self::prepare(socket, Some(made?))
    }

    /// Takes over a listening socket that was made elsewhere, TCP or Unix. It belongs to the listener from here on.
    ///
    /// # Errors
    /// `EBADF` or `ENOTSOCK` if it is no socket, `InvalidInput` if it does not listen.
    pub fn inherited(fd: RawFd) -> io::Result<Listener> {
        let socket = Socket::from(sys::adopt(fd)?);
        if !is_listening(&socket)? {
            let reason = format!("descriptor {fd} is a socket that does not listen");
            // It was not what the caller took it for, so it stays the caller's.
            let _ = std::os::fd::IntoRawFd::into_raw_fd(socket);
            return Err(io::Error::new(ErrorKind::InvalidInput, reason));
        }
        Self::prepare(socket, None)
    }

    fn prepare(socket: Socket, file: Option<SocketFile>) -> io::Result<Listener> {
        socket.set_nonblocking(true)?;
        socket.set_cloexec(true)?;
        let is_unix = socket.local_addr()?.domain() == Domain::UNIX;
        if !is_unix {
            // Linux and the BSDs give it to every socket that is accepted: no system call per client.
            socket.set_tcp_nodelay(true)?;
        }
        Ok(Listener {
            socket,
            is_unix,
            file,
        })
    }

    /// The TCP address that it listens on, with the port that the system chose for port 0.
    ///
    /// # Errors
    /// `InvalidInput` if it is a Unix socket.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        let address = self.socket.local_addr()?.as_socket();
        address.ok_or_else(|| {
            io::Error::new(ErrorKind::InvalidInput, "a Unix socket has no TCP address")
        })
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// The next client that waits, ready to be read from and written to without blocking.
    pub(crate) fn accept(&self) -> io::Result<(Socket, Peer)> {
        #[cfg(not(target_vendor = "apple"))]
        let (socket, address) = self
            .socket
            .accept4(libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC)?;
        #[cfg(target_vendor = "apple")]
        let (socket, address) = {
            let (socket, address) = self.socket.accept_raw()?;
            socket.set_nonblocking(true)?;
            socket.set_cloexec(true)?;
            socket.set_nosigpipe(true)?;
            if !self.is_unix {
                socket.set_tcp_nodelay(true)?;
            }
            (socket, address)
        };
        let peer = match address.as_socket() {
            Some(address) => Peer::Tcp(address),
            None if self.is_unix => Peer::Unix,
            None => Peer::Unknown,
        };
        Ok((socket, peer))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            file.remove();
        }
    }
}

/// The file of a Unix socket that this process made.
struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
    process: u32,
}

impl SocketFile {
    /// Notes what is at `draft` now and will be at `path`.
    fn new(path: &Path, draft: &Path) -> io::Result<SocketFile> {
        let made = fs::symlink_metadata(draft)?;
        let process = std::process::id();
        Ok(SocketFile {
            path: path.to_path_buf(),
            device: made.dev(),
            inode: made.ino(),
            process,
        })
    }

    /// Removes the file, unless a successor has put its own there or we are a fork of its maker.
    fn remove(&self) {
        let is_ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|found| found.dev() == self.device && found.ino() == self.inode);
        if is_ours && self.process == std::process::id() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Whether the socket is one that clients connect to.
fn is_listening(socket: &Socket) -> io::Result<bool> {
    // macOS answers the question only for sockets of its own kinds; a wrong "yes" shows at the first `accept`.
    #[cfg(target_vendor = "apple")]
    return socket.local_addr().map(|_| true);
    #[cfg(not(target_vendor = "apple"))]
    socket.is_listener()
}

/// Whether somebody accepts connections on this Unix socket.
fn is_served(path: &Path) -> io::Result<bool> {
    match std::os::unix::net::UnixStream::connect(path) {
        Ok(_) => Ok(true),
        Err(error) => match error.kind() {
            ErrorKind::ConnectionRefused | ErrorKind::NotFound => Ok(false),
            // Its queue is full: somebody is there.
            ErrorKind::WouldBlock => Ok(true),
            _ => Err(error),
        },
    }
}
