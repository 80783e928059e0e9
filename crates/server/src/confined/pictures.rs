//! A picture becomes one of ours: checked by its head, decoded row by row, encoded anew (promise S6).
//!
//! What is kept is what this program wrote: no chunk of the sender, nothing after the end, no form but PNG. Memory is
//! bounded by the width of a row and the size of the result, never by what the head promises.

use std::io::{Cursor, Write};
use uilog::planted;

/// Bytes of a picture as sent.
pub const SENT_BYTES_MAX: usize = 16 << 20;

/// Pixels of a side.
pub const SIDE_MAX: u32 = 16_384;

/// Pixels of a picture.
pub const PIXELS_MAX: u64 = 80_000_000;

/// Bytes of a picture as we encode it; one that grows beyond this was made to.
pub const ENCODED_BYTES_MAX: usize = 64 << 20;

/// Bytes that the decoder may hold.
const DECODER_BYTES_MAX: usize = 64 << 20;

/// Bytes before the first chunk's content, and of the content that is read: signature, length, `IHDR`, 13 bytes.
const HEAD_BYTES: usize = 8 + 4 + 4 + 13;

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Width and height of a picture that may be decoded, read from its first bytes alone.
///
/// Errors: a sentence that says which bound it breaks.
pub fn sides(sent: &[u8]) -> Result<(u32, u32), String> {
    let head = sent.get(..HEAD_BYTES).filter(|head| head.starts_with(SIGNATURE) && &head[12..16] == b"IHDR");
    let head = head.ok_or("it is not a PNG")?;
    let number = |at: usize| head[at..at + 4].iter().fold(0, |number, byte| number << 8 | u32::from(*byte));
    let (width, height) = (number(16), number(20));
    let (depth, interlace) = (head[24], head[28]);
    if width == 0 || height == 0 {
        return Err("it has no pixels".into());
    }
    if width > SIDE_MAX || height > SIDE_MAX || u64::from(width) * u64::from(height) > PIXELS_MAX {
        return Err(format!("{width} × {height} pixels are more than {SIDE_MAX} a side and {PIXELS_MAX} in all"));
    }
    if depth != 8 {
        return Err(format!("it has {depth} bits per colour; 8 are taken"));
    }
    if interlace != 0 {
        return Err("it is interlaced; send its rows in order".into());
    }
    Ok((width, height))
}

/// Decodes and encodes, row by row, and paints the areas over (left, top, width, height; what lies outside is no area).
///
/// Errors: a sentence that says what is wrong with the picture.
pub fn encode_anew(sent: &[u8], cover: &[[u32; 4]]) -> Result<Vec<u8>, String> {
    sides(sent)?;
    if planted::is("store-original-png") {
        return Ok(sent.to_vec());
    }
    let said = |error: &dyn std::fmt::Display| format!("it cannot be decoded: {error}");
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(sent), png::Limits { bytes: DECODER_BYTES_MAX });
    decoder.set_ignore_text_chunk(true);
    let mut reader = decoder.read_info().map_err(|error| said(&error))?;
    let (width, height) = reader.info().size();
    let (color, depth) = reader.output_color_type();
    if depth != png::BitDepth::Eight || color == png::ColorType::Indexed {
        return Err("its colours are not 8 bits each of grey or red, green, blue; convert it before it is sent".into());
    }
    let unwritten = |error: &dyn std::fmt::Display| format!("it cannot be encoded: {error}");
    let mut encoded = Bounded::default();
    let mut encoder = png::Encoder::new(&mut encoded, width, height);
    encoder.set_color(color);
    encoder.set_depth(depth);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header().map_err(|error| unwritten(&error))?;
    let mut rows = writer.stream_writer().map_err(|error| unwritten(&error))?;
    let (mut y, pixel_bytes, mut painted) = (0, color.samples(), Vec::new());
    while let Some(row) = reader.next_row().map_err(|error| said(&error))? {
        painted.clear();
        painted.extend_from_slice(row.data());
        for [left, _, across, _] in
            cover.iter().filter(|[_, top, _, down]| (*top..top.saturating_add(*down)).contains(&y))
        {
            let right = left.saturating_add(*across).min(width);
            let span = (*left).min(right) as usize * pixel_bytes..right as usize * pixel_bytes;
            paint(&mut painted[span], color);
        }
        rows.write_all(&painted).map_err(|error| unwritten(&error))?;
        y += 1;
    }
    rows.finish().map_err(|error| unwritten(&error))?;
    writer.finish().map_err(|error| unwritten(&error))?;
    Ok(encoded.0)
}

/// Makes pixels black and opaque.
fn paint(pixels: &mut [u8], color: png::ColorType) {
    pixels.fill(0);
    if matches!(color, png::ColorType::Rgba | png::ColorType::GrayscaleAlpha) {
        pixels.iter_mut().skip(color.samples() - 1).step_by(color.samples()).for_each(|alpha| *alpha = 255);
    }
}

/// Bytes up to a bound.
#[derive(Default)]
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > ENCODED_BYTES_MAX {
            return Err(std::io::Error::other("it grows beyond what one picture may take"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture as an attacker may build it: any head, any chunks.
    fn built(width: u32, height: u32, depth: u8, interlace: u8, chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let mut bytes = SIGNATURE.to_vec();
        let mut head = [width.to_be_bytes(), height.to_be_bytes()].concat();
        head.extend([depth, 2, 0, 0, interlace]);
        let head: (&[u8; 4], &[u8]) = (b"IHDR", &head);
        for (name, content) in [head].iter().chain(chunks) {
            bytes.extend((content.len() as u32).to_be_bytes());
            bytes.extend(*name);
            bytes.extend(*content);
            bytes.extend(crc(&[name.as_slice(), content].concat()).to_be_bytes());
        }
        bytes
    }

    fn crc(bytes: &[u8]) -> u32 {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        crc.sum()
    }

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// 2 × 1 pixels, red and green.
    const ROW: &[u8] = &[0, 255, 0, 0, 0, 255, 0];

    fn good(before: &[(&[u8; 4], &[u8])], after: &[u8]) -> Vec<u8> {
        let data = packed(ROW);
        let mut chunks = before.to_vec();
        chunks.push((b"IDAT", &data));
        chunks.push((b"IEND", &[]));
        [built(2, 1, 8, 0, &chunks).as_slice(), after].concat()
    }

    #[test]
    fn s6_what_is_kept_is_what_we_encoded() {
        let text = b"Comment\0canary";
        let sent = good(&[(b"tEXt", text), (b"eXIf", b"canary")], b"canary after the end");
        let kept = encode_anew(&sent, &[]).unwrap();
        assert!(!kept.windows(6).any(|window| window == b"canary"), "something of the sender is left");
        let mut names = Vec::new();
        let mut rest = &kept[8..];
        while let Some((length, name)) = rest.split_at_checked(8).map(|(head, _)| head.split_at(4)) {
            names.push(String::from_utf8_lossy(name).into_owned());
            let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
            rest = &rest[12 + length..];
        }
        assert_eq!(names, ["IHDR", "IDAT", "IEND"]);
        let mut pixels = vec![0; 6];
        png::Decoder::new(Cursor::new(&kept)).read_info().unwrap().next_frame(&mut pixels).unwrap();
        assert_eq!(pixels, ROW[1..]);
    }

    #[test]
    fn what_is_covered_is_black_and_nothing_beside_it() {
        let (width, height) = (4_u32, 3_u32);
        for (color, opaque) in [
            (png::ColorType::Grayscale, &[0][..]),
            (png::ColorType::GrayscaleAlpha, &[0, 255]),
            (png::ColorType::Rgb, &[0, 0, 0]),
            (png::ColorType::Rgba, &[0, 0, 0, 255]),
        ] {
            let samples = color.samples();
            let mut sent = Vec::new();
            let mut encoder = png::Encoder::new(&mut sent, width, height);
            encoder.set_color(color);
            encoder.set_depth(png::BitDepth::Eight);
            let mut writer = encoder.write_header().unwrap();
            writer.write_image_data(&vec![9; (width * height) as usize * samples]).unwrap();
            writer.finish().unwrap();
            // The second one reaches beyond the right and lower edge, the third lies outside.
            let kept = encode_anew(&sent, &[[1, 0, 2, 1], [3, 2, 9, u32::MAX], [u32::MAX, 0, 5, 5]]).unwrap();
            let mut pixels = vec![1; (width * height) as usize * samples];
            png::Decoder::new(Cursor::new(&kept)).read_info().unwrap().next_frame(&mut pixels).unwrap();
            let black: Vec<usize> = (0..(width * height) as usize)
                .filter(|at| &pixels[at * samples..(at + 1) * samples] == opaque)
                .collect();
            assert_eq!(black, [1, 2, 11], "{color:?}");
            assert_eq!(pixels.iter().filter(|sample| **sample == 9).count(), 9 * samples, "{color:?}");
        }
    }

    #[test]
    fn s6_a_head_that_promises_too_much_is_refused_before_decoding() {
        for (width, height, depth, interlace, said) in [
            (65_535, 65_535, 8, 0, "pixels are more"),
            (SIDE_MAX + 1, 1, 8, 0, "pixels are more"),
            (SIDE_MAX, SIDE_MAX, 8, 0, "pixels are more"),
            (0, 10, 8, 0, "no pixels"),
            (2, 1, 16, 0, "16 bits"),
            (2, 1, 8, 1, "interlaced"),
        ] {
            let error = encode_anew(&built(width, height, depth, interlace, &[]), &[]).unwrap_err();
            assert!(error.contains(said), "{width} × {height}, {depth}, {interlace}: {error}");
        }
        assert_eq!(sides(&built(SIDE_MAX, 1, 8, 0, &[])), Ok((SIDE_MAX, 1)));
    }

    #[test]
    fn s6_what_is_no_whole_picture_is_refused() {
        let whole = good(&[], &[]);
        for other in [&b""[..], b"GIF89a", b"\xff\xd8\xff\xe0", b"<svg/>", SIGNATURE] {
            assert!(encode_anew(other, &[]).is_err());
        }
        for cut in HEAD_BYTES..whole.len() - 13 {
            assert!(encode_anew(&whole[..cut], &[]).is_err(), "cut at {cut} of {}", whole.len());
        }
        let mut wrong = whole.clone();
        let at = wrong.len() - 14;
        wrong[at] ^= 1;
        assert!(encode_anew(&wrong, &[]).is_err(), "a wrong checksum");
    }

    #[test]
    fn s6_data_that_unpack_to_more_than_the_head_says_cost_nothing() {
        let data = packed(&vec![0; 64 << 20]);
        let bomb = built(2, 1, 8, 0, &[(b"IDAT", &data), (b"IEND", &[])]);
        if let Ok(kept) = encode_anew(&bomb, &[]) {
            assert!(kept.len() < 1_000, "{} bytes", kept.len());
        }
        let profile = [b"x\0\0".as_slice(), &packed(&vec![0; 256 << 20])].concat();
        let bomb = good(&[(b"iCCP", &profile)], &[]);
        if let Ok(kept) = encode_anew(&bomb, &[]) {
            assert!(kept.len() < 1_000, "{} bytes", kept.len());
        }
    }
}
