//! Pictures that simulated clients send: made-up windows with a title bar, lines that look like text, and one element.
//!
//! Nothing here was ever on a screen. The same words give the same window, so that what is seen can be told apart.

use anyhow::Result;
use store::ingest::landing::hash_of;

/// The place of every made-up window on its desktop: x, y, width, height.
pub const PLACE: [i32; 4] = [60, 40, 720, 450];

/// Rows of the title bar.
const TITLE_ROWS: usize = 28;

/// Pixels between two lines of what looks like text.
const LINE_ROWS: usize = 18;

/// Where the element of this name lies on the desktop.
pub fn element_box(name: &str) -> [i32; 4] {
    let seed = seed(name);
    let (column, row) = ((seed % 4) as i32, (seed / 4 % 7) as i32);
    [PLACE[0] + 40 + column * 160, PLACE[1] + 70 + row * 50, 130, 32]
}

/// The window of an application with the element of this name, as a PNG.
///
/// Errors: those of the encoder.
pub fn window(application: &str, element: &str) -> Result<Vec<u8>> {
    let (width, height) = (PLACE[2] as usize, PLACE[3] as usize);
    let bar = colour(seed(application));
    let [x, y, across, down] = element_box(element);
    let (left, top) = ((x - PLACE[0]) as usize, (y - PLACE[1]) as usize);
    let mut rgb = Vec::with_capacity(width * height * 3);
    for row in 0..height {
        for column in 0..width {
            let inside = (left..left + across as usize).contains(&column) && (top..top + down as usize).contains(&row);
            rgb.extend(match () {
                () if row < TITLE_ROWS => bar,
                () if inside => [40, 96, 200],
                () if is_ink(application, column, row, width) => [150, 158, 166],
                () => [250, 250, 248],
            });
        }
    }
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width as u32, height as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&rgb)?;
    writer.finish()?;
    Ok(bytes)
}

/// Whether a pixel belongs to a line of what looks like text: words of uneven length.
fn is_ink(application: &str, column: usize, row: usize, width: usize) -> bool {
    let (line, within) = (row / LINE_ROWS, row % LINE_ROWS);
    let word = (column / 12) as u64 * 31 + line as u64 * 17 + seed(application);
    (5..11).contains(&within) && (24..width - 24).contains(&column) && !word.is_multiple_of(5) && line > 2
}

fn colour(seed: u64) -> [u8; 3] {
    [0, 8, 16].map(|shift| 60 + ((seed >> shift) as u8) % 120)
}

/// What is the same for the same words, and else looks random.
fn seed(words: &str) -> u64 {
    u64::from(hash_of(words.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_element_is_drawn_where_its_box_says() {
        for name in ["Save", "Post", "Search", "B2"] {
            let bytes = window("saplogon.exe", name).unwrap();
            let mut pixels = vec![0; (PLACE[2] * PLACE[3] * 3) as usize];
            png::Decoder::new(std::io::Cursor::new(&bytes)).read_info().unwrap().next_frame(&mut pixels).unwrap();
            let [x, y, across, down] = element_box(name);
            let blue: Vec<(i32, i32)> = (0..PLACE[2] * PLACE[3])
                .filter(|at| pixels[*at as usize * 3..][..3] == [40, 96, 200])
                .map(|at| (PLACE[0] + at % PLACE[2], PLACE[1] + at / PLACE[2]))
                .collect();
            assert_eq!((blue.first(), blue.len() as i32), (Some(&(x, y)), across * down), "{name}");
            assert!(x + across <= PLACE[0] + PLACE[2] && y + down <= PLACE[1] + PLACE[3]);
        }
    }
}
