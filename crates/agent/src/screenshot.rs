//! Pictures of windows: whether one is taken, whether it shows anything new, and the PNG.
//!
//! Taken after an event, never on a timer, and only if the rule that records the event asks. A picture comes masked from the
//! backend, which paints over every window that is not allowed (promise D3); this module never sees an unmasked one. Equal
//! pictures are one picture: the event points to the earlier one.

use crate::capture::{Mask, Picture};
use crate::clock::Moment;
use sha2::{Digest, Sha256};
use std::collections::VecDeque;
use uilog::planted;
use uilog::policy::model::Screenshots;
use uuid::Uuid;

/// Microseconds of an hour.
const HOUR_US: u64 = 3_600_000_000;

/// Columns and rows of the difference hash: coarse enough to ignore a blinking cursor, fine enough to see text scroll.
const HASH_COLUMNS: usize = 65;
const HASH_ROWS: usize = 48;

/// A picture, encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Png {
    /// Its id, which the event carries.
    pub id: Uuid,
    /// 8-bit PNG without ancillary chunks.
    pub bytes: Vec<u8>,
    /// What the service has to know to show it.
    pub note: Note,
}

/// What travels with a picture: where an element's box lies on it, and why parts of it show nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Note {
    /// The part of the virtual desktop that it shows: x, y, width, height in physical pixels.
    pub place: [i32; 4],
    /// What was painted over, in pixels of the picture.
    pub masks: Vec<Mask>,
}

/// What a picture is to the ones before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shot {
    /// It shows something new.
    New(Png),
    /// It shows what the picture of this id shows.
    Same(Uuid),
}

/// The last picture, as far as the next one is compared with it.
struct Last {
    id: Uuid,
    place: [i32; 4],
    exact: [u8; 32],
    looks: Vec<bool>,
}

/// Remembers the pictures of the last hour, by number only, and the looks of the last one.
#[derive(Default)]
pub struct Shooter {
    taken_us: VecDeque<u64>,
    last: Option<Last>,
}

impl Shooter {
    /// Whether another picture may be taken now.
    pub fn may(&mut self, now: Moment, settings: &Screenshots) -> bool {
        while self.taken_us.front().is_some_and(|taken| now.uptime_us.saturating_sub(*taken) >= HOUR_US) {
            self.taken_us.pop_front();
        }
        let gap_us = u64::try_from(settings.min_gap.as_micros()).unwrap_or(u64::MAX);
        let is_apart = self.taken_us.back().is_none_or(|taken| now.uptime_us.saturating_sub(*taken) >= gap_us);
        settings.enabled && is_apart && self.taken_us.len() < settings.max_per_hour as usize
    }

    /// Takes a picture in.
    ///
    /// Errors: what the encoder says.
    pub fn add(&mut self, now: Moment, picture: &Picture) -> Result<Shot, png::EncodingError> {
        self.taken_us.push_back(now.uptime_us);
        let exact: [u8; 32] = Sha256::digest(&picture.rgb).into();
        let looks = difference_hash(picture);
        // On a window that moved the same pixels stand for other places of the desktop.
        if let Some(last) =
            self.last.as_ref().filter(|last| last.place == picture.place || planted::is("moved-is-the-same"))
            && (last.exact == exact || last.looks == looks)
        {
            return Ok(Shot::Same(last.id));
        }
        let id = Uuid::new_v4();
        let bytes = encode(picture)?;
        let Picture { place, masks, .. } = picture;
        self.last = Some(Last { id, place: *place, exact, looks });
        Ok(Shot::New(Png { id, bytes, note: Note { place: *place, masks: masks.clone() } }))
    }

    /// Forgets the last picture: it was deleted, so nothing may point to it.
    pub fn forget(&mut self) {
        self.last = None;
    }
}

/// Whether luma grows from one cell to the next, for a grid of cells.
///
/// Source: the difference hash as described by N. Krawetz, *Kind of Like That* (2013), with a finer grid.
fn difference_hash(picture: &Picture) -> Vec<bool> {
    let luma = |column: usize, row: usize| {
        let x = column * picture.width as usize / HASH_COLUMNS;
        let y = row * picture.height as usize / HASH_ROWS;
        let at = (y * picture.width as usize + x) * 3;
        picture.rgb.get(at..at + 3).map_or(0, |rgb| u32::from(rgb[0]) * 3 + u32::from(rgb[1]) * 6 + u32::from(rgb[2]))
    };
    let rows = (0..HASH_ROWS).flat_map(|row| (1..HASH_COLUMNS).map(move |column| (column, row)));
    rows.map(|(column, row)| luma(column, row) > luma(column - 1, row)).collect()
}

fn encode(picture: &Picture) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, picture.width, picture.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&picture.rgb)?;
    writer.finish()?;
    Ok(bytes)
}

/// A picture no longer than this on its longer side: every n-th pixel of every n-th row.
pub fn scaled_down(picture: Picture, side_px_max: u32) -> Picture {
    let longer = picture.width.max(picture.height);
    let step = longer.div_ceil(side_px_max.max(1)).max(1) as usize;
    if step == 1 {
        return picture;
    }
    let (width, height) = (picture.width as usize, picture.height as usize);
    let pixels =
        (0..height).step_by(step).flat_map(|row| (0..width).step_by(step).map(move |column| row * width + column));
    let rgb = pixels.flat_map(|pixel| picture.rgb[pixel * 3..pixel * 3 + 3].to_vec()).collect();
    let masks = picture.masks.iter().filter_map(|mask| scaled_mask(mask, step as u32)).collect();
    Picture { width: width.div_ceil(step) as u32, height: height.div_ceil(step) as u32, rgb, masks, ..picture }
}

/// Where an area lies when every n-th pixel of every n-th row is left; nothing if none of its pixels is.
fn scaled_mask(mask: &Mask, step: u32) -> Option<Mask> {
    let span = |from: u32, length: u32| (from.div_ceil(step), (from + length).div_ceil(step));
    let ((left, right), (top, bottom)) = (span(mask.x, mask.width), span(mask.y, mask.height));
    let scaled = Mask { x: left, y: top, width: right - left, height: bottom - top, reason: mask.reason };
    (scaled.width > 0 && scaled.height > 0).then_some(scaled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::MaskReason;
    use std::time::Duration;

    fn at(seconds: u64) -> Moment {
        Moment { uptime_us: seconds * 1_000_000, time_us: 0 }
    }

    fn settings() -> Screenshots {
        let configuration = uilog::policy::parse(&crate::configuration::tests::xml(
            1,
            "a.exe",
            r#"<screenshots enabled="true" minGap="PT2S" maxPerHour="3"/>"#,
        ));
        configuration.unwrap().screenshots
    }

    fn picture(shade: impl Fn(u32, u32) -> u8) -> Picture {
        let rgb = (0..48).flat_map(|y| (0..64).map(move |x| (x, y))).flat_map(|(x, y)| [shade(x, y); 3]).collect();
        Picture { width: 64, height: 48, rgb, place: [0, 0, 64, 48], masks: Vec::new() }
    }

    #[test]
    fn d3_pictures_are_apart_and_few_and_off_means_none() {
        let mut shooter = Shooter::default();
        assert_eq!(settings().min_gap, Duration::from_secs(2));
        let mut taken = 0;
        for second in 0..60 {
            if shooter.may(at(second), &settings()) {
                shooter.add(at(second), &picture(|x, y| (x * second as u32 + y) as u8)).unwrap();
                taken += 1;
            }
        }
        assert_eq!(taken, 3, "per hour");
        assert!(shooter.may(at(3_700), &settings()), "an hour later");
        let off = Screenshots { enabled: false, ..settings() };
        assert!(!Shooter::default().may(at(0), &off));
    }

    #[test]
    fn an_unchanged_window_gives_no_second_picture_a_scrolled_text_does() {
        let mut shooter = Shooter::default();
        let text = |offset: u32| picture(move |x, y| if (y + offset) % 6 < 3 && x % 5 < 3 { 0 } else { 255 });
        let Shot::New(first) = shooter.add(at(0), &text(0)).unwrap() else { panic!("the first one is new") };
        assert_eq!(shooter.add(at(1), &text(0)).unwrap(), Shot::Same(first.id));
        assert!(matches!(shooter.add(at(2), &text(1)).unwrap(), Shot::New(_)));
        let moved = Picture { place: [30, 20, 64, 48], ..text(1) };
        assert!(matches!(shooter.add(at(3), &moved).unwrap(), Shot::New(_)), "boxes would point beside it");
    }

    #[test]
    fn a_picture_is_a_plain_png_without_other_chunks_and_no_longer_than_asked() {
        let mask = |x, y, width, height| Mask { x, y, width, height, reason: MaskReason::Window };
        let masks = vec![mask(3, 0, 6, 10), mask(1, 1, 2, 2), mask(90, 4, 10, 3)];
        let large = Picture { width: 100, height: 10, rgb: vec![9; 3_000], place: [-5, 0, 100, 10], masks };
        let small = scaled_down(large, 40);
        assert_eq!(small.masks, [mask(1, 0, 2, 4), mask(30, 2, 4, 1)], "areas go with the pixels");
        assert_eq!(small.place, [-5, 0, 100, 10], "the place on the desktop does not");
        assert_eq!((small.width, small.height, small.rgb.len()), (34, 4, 34 * 4 * 3));
        let bytes = encode(&small).unwrap();
        let kinds: Vec<&[u8]> = ["IHDR", "IDAT", "IEND"].map(str::as_bytes).into();
        let mut at = 8;
        while at < bytes.len() {
            let length = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
            assert!(kinds.contains(&&bytes[at + 4..at + 8]));
            at += length + 12;
        }
    }
}
