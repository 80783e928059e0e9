//! The backend that sees nothing: complete, and the place to start a new one from. Mounted where no other fits.

use super::{
    Ability, Admitted, Capabilities, Capture, CaptureError, Drained, Identity, Key, Modifiers, NoPicture, Picture,
    Query, RawSink, Reading, Request, SIGNALS, Ticket, Want, WindowId,
};
use std::time::Duration;

/// See the module.
#[derive(Default)]
pub struct Null {
    sink: Option<RawSink>,
}

impl Capture for Null {
    fn capabilities(&self) -> Capabilities {
        SIGNALS.map(|signal| (signal, Ability::No("no backend for this desktop".into()))).into()
    }

    fn os(&self) -> &'static str {
        std::env::consts::OS
    }

    fn start(&mut self, sink: RawSink) -> Result<(), CaptureError> {
        self.sink = Some(sink);
        Ok(())
    }

    fn arm(&mut self, _want: Want) {}

    fn identify(&self, _window: WindowId) -> Reading<Identity> {
        Reading::Unknown
    }

    fn title(&self, _ok: &Admitted) -> Reading<String> {
        Reading::Unknown
    }

    fn element(&self, _ok: &Admitted, _at: Query, _time_max: Duration) -> Ticket {
        Ticket(0)
    }

    fn clipboard(&self, _ok: &Admitted, _with_text: bool) -> Ticket {
        Ticket(0)
    }

    fn key(&self, _code: u32, _modifiers: Modifiers) -> Key {
        Key::Unknown
    }

    fn picture(&self, _ok: &Admitted, _request: &Request) -> Result<Picture, NoPicture> {
        Err(NoPicture::Unsupported)
    }

    fn idle_us(&self) -> Reading<u64> {
        Reading::Absent
    }

    fn front(&self) -> Reading<WindowId> {
        Reading::Unknown
    }

    fn stop(&mut self) -> Drained {
        self.sink.take().map(|sink| sink.drained()).unwrap_or_default()
    }
}
