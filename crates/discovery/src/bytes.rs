//! The compact form of states on their way between partitions: numbers as varints, signed ones zigzag.
//!
//! It lives for one query and is never stored, so there is one version, and a state of another version is refused.

use crate::kernel::KernelError;

/// Changes whenever the meaning of any state's bytes does.
const VERSION: u8 = 1;

pub(crate) struct Writer(Vec<u8>);

impl Writer {
    /// Begins a state of the operator with this tag.
    pub(crate) fn new(tag: u8) -> Writer {
        Writer(vec![VERSION, tag])
    }

    pub(crate) fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    pub(crate) fn signed(&mut self, value: i64) {
        self.number(((value << 1) ^ (value >> 63)) as u64);
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    operator: &'static str,
}

impl<'a> Reader<'a> {
    /// Opens a state and checks that it is one of this operator.
    pub(crate) fn new(bytes: &'a [u8], tag: u8, operator: &'static str) -> Result<Reader<'a>, KernelError> {
        match bytes {
            [VERSION, found, rest @ ..] if *found == tag => Ok(Reader { rest, operator }),
            _ => Err(KernelError::State { operator, reason: "it is of another operator or version" }),
        }
    }

    pub(crate) fn number(&mut self) -> Result<u64, KernelError> {
        let mut value = 0;
        for (at, &byte) in self.rest.iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7F) << (7 * at);
            if byte < 0x80 {
                self.rest = &self.rest[at + 1..];
                return Ok(value);
            }
        }
        Err(self.error("a number is cut off"))
    }

    pub(crate) fn signed(&mut self) -> Result<i64, KernelError> {
        let value = self.number()?;
        Ok(((value >> 1) as i64) ^ -((value & 1) as i64))
    }

    pub(crate) fn small(&mut self) -> Result<u32, KernelError> {
        u32::try_from(self.number()?).map_err(|_| self.error("a number is too large"))
    }

    /// A count of things that follow; each takes at least one byte, so a larger count is refused before any memory is.
    pub(crate) fn count(&mut self) -> Result<usize, KernelError> {
        let count = self.number()?;
        if count > self.rest.len() as u64 { Err(self.error("a count is too large")) } else { Ok(count as usize) }
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], KernelError> {
        let count = self.count()?;
        let (bytes, rest) = self.rest.split_at(count);
        self.rest = rest;
        Ok(bytes)
    }

    pub(crate) fn error(&self, reason: &'static str) -> KernelError {
        KernelError::State { operator: self.operator, reason }
    }

    /// Checks that nothing is left over.
    pub(crate) fn end(self) -> Result<(), KernelError> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.error("there are bytes left over")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_undoes_encoding() {
        let mut writer = Writer::new(9);
        let numbers = [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX];
        let signed = [0, -1, 1, i64::MIN, i64::MAX, -64, 64];
        numbers.iter().for_each(|&value| writer.number(value));
        signed.iter().for_each(|&value| writer.signed(value));
        writer.bytes(b"case");
        let bytes = writer.into_bytes();
        let mut reader = Reader::new(&bytes, 9, "test").unwrap();
        numbers.iter().for_each(|&value| assert_eq!(reader.number(), Ok(value)));
        signed.iter().for_each(|&value| assert_eq!(reader.signed(), Ok(value)));
        assert_eq!(reader.bytes(), Ok(b"case".as_slice()));
        assert_eq!(reader.end(), Ok(()));
    }

    #[test]
    fn a_state_of_another_operator_or_cut_short_is_refused() {
        let mut writer = Writer::new(9);
        writer.number(1 << 40);
        let bytes = writer.into_bytes();
        assert!(Reader::new(&bytes, 8, "test").is_err());
        let mut cut = Reader::new(&bytes[..4], 9, "test").unwrap();
        assert_eq!(cut.number(), Err(KernelError::State { operator: "test", reason: "a number is cut off" }));
    }
}
