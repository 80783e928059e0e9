//! The bytes of a log: counted as they come, unpacked if they are packed, with a look ahead.
//!
//! What is packed is known by its first bytes. Several zstd frames or gzip members in a row are one log. Nothing here
//! knows what the bytes mean.

use std::io::{self, BufRead, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many bytes are asked for at once.
const CHUNK_BYTES: usize = 256 << 10;

/// The largest window of a zstd frame, as a power of two: 128 MiB, what `zstd --long` writes.
const WINDOW_LOG_MAX: u32 = 27;

/// How many layers of packing are taken off; a log is not packed three times by accident.
const LAYERS_MAX: usize = 2;

const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// What some tools put before UTF-8.
const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// Unpacked bytes, with a look ahead.
pub(super) struct Input {
    ahead: Cursor<Vec<u8>>,
    rest: Box<dyn Read + Send>,
}

/// Unpacks a log as far as it is packed, without a byte order mark, and counts the bytes taken from it in `bytes_read`.
pub(super) fn open(raw: Box<dyn Read + Send>, bytes_read: Arc<AtomicU64>) -> io::Result<Input> {
    let mut input = Input::new(Box::new(Counted { raw, bytes_read }));
    for _ in 0..LAYERS_MAX {
        let magic = input.peek(ZSTD_MAGIC.len())?;
        if magic.starts_with(&ZSTD_MAGIC) {
            let mut decoder = zstd::stream::read::Decoder::new(input)?;
            decoder.window_log_max(WINDOW_LOG_MAX)?;
            input = Input::new(Box::new(decoder));
        } else if magic.starts_with(&GZIP_MAGIC) {
            let buffered = io::BufReader::with_capacity(CHUNK_BYTES, input);
            input = Input::new(Box::new(flate2::bufread::MultiGzDecoder::new(buffered)));
        } else {
            break;
        }
    }
    if input.peek(BYTE_ORDER_MARK.len())? == BYTE_ORDER_MARK {
        input.ahead.consume(BYTE_ORDER_MARK.len());
    }
    Ok(input)
}

impl Input {
    fn new(rest: Box<dyn Read + Send>) -> Self {
        Input { ahead: Cursor::new(Vec::new()), rest }
    }

    /// The next bytes, up to `bytes_max` of them, which stay to be read; fewer only at the end.
    pub(super) fn peek(&mut self, bytes_max: usize) -> io::Result<&[u8]> {
        let held = self.ahead.get_ref().len() - self.ahead.position() as usize;
        if held < bytes_max {
            let mut bytes = self.ahead.fill_buf()?.to_vec();
            (&mut self.rest).take((bytes_max - held) as u64).read_to_end(&mut bytes)?;
            self.ahead = Cursor::new(bytes);
        }
        let bytes = self.ahead.fill_buf()?;
        Ok(&bytes[..bytes.len().min(bytes_max)])
    }

    /// The same bytes behind a buffer, for readers that want one.
    pub(super) fn buffered(self) -> io::BufReader<Input> {
        io::BufReader::with_capacity(CHUNK_BYTES, self)
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.ahead.read(buffer)? {
            0 => self.rest.read(buffer),
            read => Ok(read),
        }
    }
}

struct Counted {
    raw: Box<dyn Read + Send>,
    bytes_read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.raw.read(buffer)?;
        self.bytes_read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
