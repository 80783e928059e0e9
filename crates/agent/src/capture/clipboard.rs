//! Reads the clipboard on a thread of its own: the program that owns it may take its time, or never answer.

use super::{Answer, CaptureError, Clipboard, RawSink, Reading, Ticket};
use crossbeam_channel::{Sender, bounded};

/// Questions that wait at most.
const QUEUE_MAX: usize = 16;

/// The thread.
pub struct Reader(Sender<(Ticket, bool)>);

impl Reader {
    /// Starts it. What `open` gives on the thread reads the clipboard, with its text or without.
    pub fn start<R: FnMut(bool) -> Option<Clipboard>>(
        sink: RawSink,
        open: impl FnOnce() -> Option<R> + Send + 'static,
    ) -> Result<Self, CaptureError> {
        let (questions, questions_out) = bounded(QUEUE_MAX);
        let thread = std::thread::Builder::new().name("lode-clipboard".into());
        let answer_all = move || {
            let Some(mut read) = open() else { return };
            for (ticket, with_text) in questions_out {
                let answer = read(with_text).map_or(Reading::Unknown, Reading::Known);
                sink.answer(Answer::Clipboard(ticket, answer));
            }
        };
        thread.spawn(answer_all).map_err(CaptureError::Thread)?;
        Ok(Self(questions))
    }

    /// Asks; one that finds no room is never answered, and its event goes without.
    pub fn ask(&self, ticket: Ticket, with_text: bool) {
        let _ = self.0.try_send((ticket, with_text));
    }
}
