//! [`Frames`] on the h2 crate, without a runtime: it reads and writes a [`Pipe`], and is polled when something has happened.
//!
//! Rule: no waker wakes anybody. The connection is polled with one that does nothing, since the engine polls it whenever
//! bytes came or something was said; streams share one that raises a flag, so that they are looked at only when one of
//! them has news.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use bytes::Bytes;
use h2::server::{Builder, Connection, Handshake, SendResponse};
use h2::{Reason, RecvStream, SendStream};
use http::header::{CONTENT_LENGTH, DATE, HeaderMap, HeaderName, HeaderValue, TE};
use http::{Method, Request, Response, StatusCode};
use wire::http1::{FieldBlock, TrailerBlock};
use wire::http2::{HeadText, is_of_connection, write_head};
use wire::refusal::Refusal;

use super::frames::{Accepted, AnswerHead, Asked, End, Frames, Piece, Stream};
use super::pipe::Pipe;
use crate::config::Config;
use crate::event::Gone;

/// That a stream has news.
#[derive(Debug, Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

enum State {
    Handshaking(Handshake<Pipe, Bytes>),
    Serving(Connection<Pipe, Bytes>),
    Over,
}

/// One connection of the h2 crate.
pub(super) struct H2 {
    pipe: Pipe,
    state: State,
    flag: Arc<Flag>,
    waker: Waker,
    /// To be ended gracefully once the handshake is through.
    ends: bool,
}

impl H2 {
    pub(super) fn new(config: &Config) -> H2 {
        let limits = &config.limits;
        let pipe = Pipe::default();
        pipe.way().room = config.high_water;
        let handshake = Builder::new()
            .initial_window_size(limits.http2_window.min(LARGEST_WINDOW))
            .initial_connection_window_size(limits.http2_connection_window.min(LARGEST_WINDOW))
            .max_concurrent_streams(limits.http2_streams)
            .max_header_list_size(u32::try_from(limits.head).unwrap_or(u32::MAX))
            .max_send_buffer_size(config.high_water)
            .max_local_error_reset_streams(Some(limits.http2_resets))
            .max_pending_accept_reset_streams(limits.http2_resets)
            .handshake(pipe.clone());
        let flag = Arc::new(Flag::default());
        H2 {
            pipe,
            state: State::Handshaking(handshake),
            waker: Waker::from(Arc::clone(&flag)),
            flag,
            ends: false,
        }
    }

    /// The connection, once the handshake is through.
    fn connection(&mut self, room: usize) -> Option<&mut Connection<Pipe, Bytes>> {
        self.pipe.way().room = room;
        if let State::Handshaking(handshake) = &mut self.state {
            let mut context = Context::from_waker(Waker::noop());
            match Pin::new(handshake).poll(&mut context) {
                Poll::Pending => return None,
                Poll::Ready(Ok(mut connection)) => {
                    if self.ends {
                        connection.graceful_shutdown();
                    }
                    self.state = State::Serving(connection);
                }
                Poll::Ready(Err(_)) => self.state = State::Over,
            }
        }
        match &mut self.state {
            State::Serving(connection) => Some(connection),
            State::Handshaking(_) | State::Over => None,
        }
    }

    fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }
}

/// GOAWAY up to its error code: no stream was taken (RFC 9113 6.8).
const GOAWAY_BEFORE_ALL: &[u8; 13] = b"\0\0\x08\x07\0\0\0\0\0\0\0\0\0";

/// Windows are 31 bits wide (RFC 9113 6.9.1).
const LARGEST_WINDOW: u32 = (1 << 31) - 1;

impl Frames for H2 {
    type Stream = H2Stream;

    fn feed(&mut self, bytes: &[u8]) {
        self.pipe.way().feed(bytes);
    }

    fn end_input(&mut self) {
        self.pipe.way().ended = true;
    }

    fn has_input(&self) -> bool {
        !self.is_over() && !self.pipe.way().input.is_empty()
    }

    fn accept(&mut self, room: usize) -> Accepted<H2Stream> {
        let waker = self.waker.clone();
        let Some(connection) = self.connection(room) else {
            return if self.is_over() {
                Accepted::Over
            } else {
                Accepted::Nothing
            };
        };
        let mut context = Context::from_waker(Waker::noop());
        match connection.poll_accept(&mut context) {
            Poll::Pending => Accepted::Nothing,
            Poll::Ready(Some(Ok((request, answer)))) => {
                let head = head_of(&request);
                let is_head = request.method() == Method::HEAD;
                let body = request.into_body();
                let ends = body.is_end_stream();
                Accepted::Request(Asked {
                    head,
                    is_head,
                    ends,
                    stream: H2Stream {
                        body: (!ends).then_some(body),
                        way: Way::Waiting(answer),
                        waker,
                    },
                })
            }
            // An error was said to the peer already, and nobody else has to know.
            Poll::Ready(None | Some(Err(_))) => {
                self.state = State::Over;
                Accepted::Over
            }
        }
    }

    fn drive(&mut self, room: usize) {
        let mut context = Context::from_waker(Waker::noop());
        if let Some(connection) = self.connection(room)
            && connection.poll_closed(&mut context).is_ready()
        {
            self.state = State::Over;
        }
    }

    fn take_output(&mut self, out: &mut Vec<u8>) -> usize {
        self.pipe.way().take_output(out)
    }

    fn has_news(&mut self) -> bool {
        self.flag.0.swap(false, Ordering::Relaxed)
    }

    fn end_gracefully(&mut self) {
        self.ends = true;
        if let State::Serving(connection) = &mut self.state {
            connection.graceful_shutdown();
        }
    }

    fn end(&mut self, why: End) {
        let reason = match why {
            End::Done => Reason::NO_ERROR,
            End::Flood => Reason::ENHANCE_YOUR_CALM,
        };
        // What is to be sent here is bounded: it needs no room.
        if let Some(connection) = self.connection(usize::MAX) {
            connection.abrupt_shutdown(reason);
        } else if !self.is_over() {
            // Nothing was taken in yet, so the h2 crate has nobody to say it to.
            let mut way = self.pipe.way();
            way.output.extend_from_slice(GOAWAY_BEFORE_ALL);
            way.output
                .extend_from_slice(&u32::from(reason).to_be_bytes());
            drop(way);
            self.state = State::Over;
        }
    }
}

/// The request's head as that of HTTP/1.1.
fn head_of(request: &Request<RecvStream>) -> Result<Vec<u8>, Refusal> {
    let uri = request.uri();
    let pseudo = HeadText {
        method: request.method().as_str().as_bytes(),
        scheme: uri.scheme_str().map(str::as_bytes),
        authority: uri
            .authority()
            .map(|authority| authority.as_str().as_bytes()),
        path: uri.path_and_query().map(|path| path.as_str().as_bytes()),
    };
    let fields = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()));
    let mut text = Vec::with_capacity(512);
    write_head(&mut text, pseudo, fields)?;
    Ok(text)
}

/// How far the answer is.
enum Way {
    Waiting(SendResponse<Bytes>),
    Begun(SendStream<Bytes>),
    Over,
}

/// One stream of the h2 crate.
pub(super) struct H2Stream {
    body: Option<RecvStream>,
    way: Way,
    waker: Waker,
}

impl H2Stream {
    fn put(&mut self, data: Bytes, ends: bool) -> Result<(), Gone> {
        let Way::Begun(answer) = &mut self.way else {
            return Err(Gone);
        };
        answer.send_data(data, ends).map_err(|_| Gone)?;
        if ends {
            self.way = Way::Over;
        }
        Ok(())
    }
}

impl Stream for H2Stream {
    fn is_reset(&mut self) -> bool {
        let mut context = Context::from_waker(&self.waker);
        let answer = match &mut self.way {
            Way::Waiting(answer) => answer.poll_reset(&mut context),
            Way::Begun(answer) => answer.poll_reset(&mut context),
            Way::Over => return false,
        };
        answer.is_ready()
    }

    fn inform(&mut self, status: u16, blocks: &[&FieldBlock]) {
        if let Way::Waiting(answer) = &mut self.way
            && let Ok(status) = StatusCode::from_u16(status)
        {
            let mut response = Response::new(());
            *response.status_mut() = status;
            push_blocks(response.headers_mut(), blocks);
            // It is refused only where the stream is over, which is told elsewhere.
            let _ = answer.send_informational(response);
        }
    }

    fn send_head(&mut self, head: AnswerHead<'_>) -> Result<(), Gone> {
        let Way::Waiting(answer) = &mut self.way else {
            return Err(Gone);
        };
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::from_u16(head.status).map_err(|_| Gone)?;
        let fields = response.headers_mut();
        fields.reserve(8);
        if let Ok(date) = HeaderValue::from_bytes(head.date) {
            let _ = fields.try_append(DATE, date);
        }
        if let Some(number) = head.request_id
            && let Ok(value) = HeaderValue::from_str(&format!("{number:016x}"))
        {
            let _ = fields.try_append(HeaderName::from_static("x-request-id"), value);
        }
        push_blocks(fields, head.blocks);
        if let Some(length) = head.length {
            let _ = fields.try_append(CONTENT_LENGTH, HeaderValue::from(length));
        }
        let stream = answer
            .send_response(response, head.ends)
            .map_err(|_| Gone)?;
        self.way = if head.ends {
            Way::Over
        } else {
            Way::Begun(stream)
        };
        Ok(())
    }

    fn room(&mut self, wanted: usize) -> usize {
        let Way::Begun(answer) = &mut self.way else {
            return 0;
        };
        answer.reserve_capacity(wanted);
        let room = answer.capacity();
        if room < wanted {
            // What it says is known already; this asks to be told of more.
            let _ = answer.poll_capacity(&mut Context::from_waker(&self.waker));
        }
        room.min(wanted)
    }

    fn send(&mut self, data: Vec<u8>, ends: bool) -> Result<(), Gone> {
        self.put(Bytes::from(data), ends)
    }

    fn send_copy(&mut self, data: &[u8], ends: bool) -> Result<(), Gone> {
        self.put(Bytes::copy_from_slice(data), ends)
    }

    fn send_trailers(&mut self, trailers: &TrailerBlock) -> Result<(), Gone> {
        let Way::Begun(answer) = &mut self.way else {
            return Err(Gone);
        };
        let mut fields = HeaderMap::new();
        push_pairs(&mut fields, trailers.pairs());
        answer.send_trailers(fields).map_err(|_| Gone)?;
        self.way = Way::Over;
        Ok(())
    }

    fn reset(&mut self) {
        match &mut self.way {
            Way::Waiting(answer) => answer.send_reset(Reason::INTERNAL_ERROR),
            Way::Begun(answer) => answer.send_reset(Reason::INTERNAL_ERROR),
            Way::Over => {}
        }
        self.way = Way::Over;
    }

    fn receive(&mut self, out: &mut Vec<u8>) -> Piece {
        let Some(body) = &mut self.body else {
            return Piece::End(None);
        };
        let mut context = Context::from_waker(&self.waker);
        match body.poll_data(&mut context) {
            Poll::Pending => Piece::Pending,
            Poll::Ready(Some(Ok(data))) => {
                out.extend_from_slice(&data);
                Piece::Data(data.len())
            }
            Poll::Ready(Some(Err(_))) => Piece::Broken,
            Poll::Ready(None) => match body.poll_trailers(&mut context) {
                Poll::Pending => Piece::Pending,
                Poll::Ready(Ok(None)) => Piece::End(None),
                Poll::Ready(Ok(Some(fields))) => Piece::End(Some(lines(&fields))),
                Poll::Ready(Err(_)) => Piece::Broken,
            },
        }
    }

    fn held(&mut self) -> usize {
        self.body
            .as_mut()
            .map_or(0, |body| body.flow_control().used_capacity())
    }

    fn release(&mut self, count: usize) {
        if let Some(body) = &mut self.body {
            // More than was received is never released.
            let _ = body.flow_control().release_capacity(count);
        }
    }
}

/// Fields as lines.
fn lines(fields: &HeaderMap) -> Vec<u8> {
    let mut lines = Vec::new();
    for (name, value) in fields {
        lines.extend_from_slice(name.as_str().as_bytes());
        lines.extend_from_slice(b": ");
        lines.extend_from_slice(value.as_bytes());
        lines.extend_from_slice(b"\r\n");
    }
    lines
}

fn push_blocks(fields: &mut HeaderMap, blocks: &[&FieldBlock]) {
    push_pairs(fields, blocks.iter().flat_map(|block| block.pairs()));
}

/// Appends fields but those of the connection: "an intermediary transforming an HTTP/1.x message to HTTP/2 MUST remove"
/// them (RFC 9113 8.2.2), and what answers may have copied them from elsewhere. The h2 crate sends no head that has one.
fn push_pairs<'a>(fields: &mut HeaderMap, pairs: impl Iterator<Item = (&'a [u8], &'a [u8])>) {
    for (name, value) in pairs {
        // Both were checked when they came into the block, by rules that are not laxer.
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
        {
            let text = name.as_str().as_bytes();
            if is_of_connection(text) || (name == TE && value != "trailers") {
                continue;
            }
            let _ = fields.try_append(name, value);
        }
    }
}
