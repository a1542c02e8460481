//! What is said to the engine, and that it is sent.

use std::sync::Arc;

use pyo3::prelude::*;
use server::{BodyState, FileBody, Now, RequestId, Room};
use wire::http1::{FieldBlock, TrailerBlock};
use wire::refusal::Refusal;

use super::Core;
use crate::shell::Shell;

impl Core {
    /// Something was written: inside a batch its end sends it, outside one flush per turn of the loop does.
    pub(crate) fn output_changed(&self, py: Python<'_>) -> PyResult<()> {
        if self.in_batch.get(py) {
            return Ok(());
        }
        if !self.is_loop_thread() {
            self.wake_loop(py);
            return Ok(());
        }
        self.turn_soon(py)
    }

    /// Asks the loop for a turn of ours. It stands on the loop's list once, however often it is asked for: with one
    /// entry for each asking, a busy server would fill a turn of the loop and its timers would wait.
    pub(crate) fn turn_soon(&self, py: Python<'_>) -> PyResult<()> {
        if self.turn_due.get(py) {
            return Ok(());
        }
        let turn = self.callbacks.with(py, |callbacks| {
            callbacks
                .as_ref()
                .map(|callbacks| callbacks.turn.clone_ref(py))
        });
        let Some(turn) = turn else { return Ok(()) };
        self.turn_due.set(py, true);
        self.asyncio.call_soon(py, turn.bind(py))
    }

    /// The loop's turn to send what tasks have answered, and to go on with what is ready.
    pub(crate) fn turn(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        self.turn_due.set(py, false);
        let woken = self.run_woken(py);
        self.shell(py, |shell| shell.flush(Now::current()));
        self.shell(py, Shell::take_notices).call(py);
        let more = self.shell(py, |shell| shell.has_ready());
        if more {
            return self.run_batch(py).and(woken);
        }
        woken
    }

    // ---- the engine, one call at a time. A request that is gone is nobody's fault: what is said to it is dropped.

    #[inline]
    pub(crate) fn respond(
        &self,
        py: Python<'_>,
        id: RequestId,
        status: u16,
        block: &FieldBlock,
        body: &[u8],
    ) {
        let _gone = !self.respond_if_there(py, id, status, block, body);
    }

    /// As `respond`; false where the client has left.
    #[inline]
    pub(crate) fn respond_if_there(
        &self,
        py: Python<'_>,
        id: RequestId,
        status: u16,
        block: &FieldBlock,
        body: &[u8],
    ) -> bool {
        let told = self.shell(py, |shell| shell.respond(id, status, &[block], body));
        if let Some(meter) = &self.meter {
            meter.sent(py, body.len() as u64);
            meter.end(py, id, Some(status));
        }
        told.is_ok()
    }

    pub(crate) fn respond_file(
        &self,
        py: Python<'_>,
        id: RequestId,
        status: u16,
        block: &FieldBlock,
        body: FileBody,
    ) {
        let length = body.length();
        let _gone = self.shell(py, |shell| shell.respond_file(id, status, &[block], body));
        if let Some(meter) = &self.meter {
            meter.sent(py, length);
            meter.end(py, id, Some(status));
        }
    }

    /// Sends `103 Early Hints`; nothing where the answer has begun or the client has left.
    pub(crate) fn early_hints(
        &self,
        py: Python<'_>,
        id: RequestId,
        block: &FieldBlock,
    ) -> PyResult<()> {
        let _gone = self.shell(py, |shell| shell.early_hints(id, &[block]));
        if self.is_loop_thread() {
            return self.output_changed(py);
        }
        self.flush_from_thread(py);
        Ok(())
    }

    /// The last resort: an answer without any Python.
    pub(crate) fn respond_plainly(&self, py: Python<'_>, id: RequestId, status: u16) {
        let body: &[u8] = match status {
            503 => br#"{"type":"about:blank","title":"Service Unavailable","status":503,"code":"server.queue-full","detail":"all worker threads are busy and their queue is full: try again in a moment"}"#,
            _ => br#"{"type":"about:blank","title":"Internal Server Error","status":500,"code":"internal-server-error","detail":"the server failed to answer; its log says why"}"#,
        };
        let block = match status {
            503 => &self.blocks.later,
            _ => &self.blocks.problem,
        };
        self.respond(py, id, status, block, body);
    }

    pub(crate) fn start(
        &self,
        py: Python<'_>,
        id: RequestId,
        status: u16,
        block: &FieldBlock,
        length: Option<u64>,
    ) -> bool {
        let started = self
            .shell(py, |shell| shell.start(id, status, &[block], length))
            .is_ok();
        if started {
            self.note_streaming(py, id);
            if let Some(meter) = &self.meter {
                meter.head(py, id, status);
            }
        }
        started
    }

    pub(crate) fn write(&self, py: Python<'_>, id: RequestId, bytes: &[u8]) -> Option<Room> {
        if bytes.is_empty() {
            return Some(Room::Free);
        }
        if let Some(meter) = &self.meter {
            meter.sent(py, bytes.len() as u64);
        }
        self.shell(py, |shell| shell.write(id, bytes)).ok()
    }

    pub(crate) fn finish(&self, py: Python<'_>, id: RequestId) {
        let _gone = self.shell(py, |shell| shell.finish(id));
        if let Some(meter) = &self.meter {
            meter.end(py, id, None);
        }
    }

    /// As `finish`, with trailer fields where they have a place.
    pub(crate) fn finish_with(&self, py: Python<'_>, id: RequestId, trailers: &TrailerBlock) {
        let _gone = self.shell(py, |shell| shell.finish_with(id, trailers));
        if let Some(meter) = &self.meter {
            meter.end(py, id, None);
        }
    }

    pub(crate) fn abort(&self, py: Python<'_>, id: RequestId) {
        self.shell(py, |shell| shell.abort(id));
        if let Some(meter) = &self.meter {
            meter.end(py, id, None);
        }
    }

    pub(crate) fn read_body(&self, py: Python<'_>, id: RequestId) -> (BodyState, Vec<u8>) {
        self.shell(py, |shell| {
            let mut bytes = Vec::new();
            let state = shell.read_body(id, &mut bytes);
            (state, bytes)
        })
    }

    pub(crate) fn request_number(&self, py: Python<'_>, id: RequestId) -> u64 {
        self.shell(py, |shell| shell.request_number(id))
    }

    /// The exception for a body that broke a rule.
    pub(crate) fn refusal_error(&self, py: Python<'_>, refusal: &Refusal) -> PyErr {
        let made =
            self.hooks
                .refusal
                .bind(py)
                .call1((refusal.status, refusal.code, refusal.sentence));
        match made {
            Ok(error) => PyErr::from_value(error),
            Err(error) => error,
        }
    }
}
