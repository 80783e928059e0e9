//! The work that is done in front of every candidate: the same strokes, clicks and changes of window, at the same moments.
//!
//! ```text
//! a round of 4 s at 50 slots a second: 171 inputs, the other slots rest
//! to the editor, click, 60 letters, click, 40 letters, ctrl+a, ctrl+x, 10 notches │ to the calculator, 55 keys
//! ```
//! The hand is one `xdotool` that reads a line for each slot; nothing is typed faster than the desktop takes it.

use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::desktop::Desktop;

/// Slots of a round.
const SLOTS: usize = 200;
/// Slots from the change to the calculator on.
const CALCULATOR_FROM: usize = 130;
/// A hand that is further behind than this does not do what was asked.
const LATE_MAX: Duration = Duration::from_secs(2);

/// What was done, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Letters typed into the editor.
    pub letters: u64,
    /// Key commands in the editor, cutting among them.
    pub commands: u64,
    /// Clicks into the editor.
    pub clicks: u64,
    /// Notches of the wheel over the editor.
    pub notches: u64,
    /// Changes to the editor.
    pub switches: u64,
    /// Changes to the calculator, and keys there.
    pub elsewhere: u64,
    /// Those of them that are keys.
    pub keys_elsewhere: u64,
}

impl Done {
    /// Inputs in the editor.
    pub fn in_editor(self) -> u64 {
        self.letters + self.commands + self.clicks + self.notches + self.switches
    }

    /// All inputs.
    pub fn all(self) -> u64 {
        self.in_editor() + self.elsewhere
    }
}

/// What a slot is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    Rest,
    ToEditor,
    ToCalculator,
    /// So many pixels from the left edge.
    Click(i32),
    Letter(char),
    Command(&'static str),
    Notch,
    Digit(char),
}

/// What happens in a slot of a round.
fn slot(position: usize) -> Slot {
    let letter = |at: usize| char::from(b'a' + (at * 7 % 26) as u8);
    match position {
        0 => Slot::ToEditor,
        10 => Slot::Click(180),
        11..71 => Slot::Letter(letter(position)),
        71 => Slot::Click(300),
        72..112 => Slot::Letter(letter(position)),
        112 => Slot::Command("ctrl+a"),
        114 => Slot::Command("ctrl+x"),
        120..130 => Slot::Notch,
        CALCULATOR_FROM => Slot::ToCalculator,
        140..195 => Slot::Digit(char::from(b'1' + (position % 9) as u8)),
        _ => Slot::Rest,
    }
}

/// Does whole rounds for so long; gives what was done.
///
/// Errors: the hand fails, or cannot keep the pace.
pub fn play(desktop: &Desktop, duration: Duration, slots_per_s: u32) -> Result<Done> {
    let mut hand = desktop.hand().spawn().context("cannot start xdotool")?;
    let mut lines = hand.stdin.take().context("the hand's input is not piped")?;
    let (start, mut done) = (Instant::now(), Done::default());
    let slots = (duration.as_secs_f64() * f64::from(slots_per_s)) as usize / SLOTS * SLOTS;
    for number in 0..slots {
        let due = Duration::from_secs_f64(number as f64 / f64::from(slots_per_s));
        std::thread::sleep(due.saturating_sub(start.elapsed()));
        if let Some(line) = line(desktop, slot(number % SLOTS), &mut done) {
            lines.write_all(line.as_bytes()).context("xdotool ended")?;
        }
    }
    drop(lines);
    let status = hand.wait()?;
    let late = start.elapsed().saturating_sub(Duration::from_secs_f64(slots as f64 / f64::from(slots_per_s)));
    if !status.success() || late > LATE_MAX {
        bail!("the hand ended with {status}, {:.1} s late; a lower --rate may help", late.as_secs_f64());
    }
    Ok(done)
}

/// What the hand reads, and counts it.
fn line(desktop: &Desktop, slot: Slot, done: &mut Done) -> Option<String> {
    let (count, line) = match slot {
        Slot::Rest => return None,
        Slot::ToEditor => (&mut done.switches, format!("windowactivate --sync {}\n", desktop.editor)),
        Slot::Click(right) => {
            let (x, y) = desktop.point_in_text(right);
            (&mut done.clicks, format!("mousemove {x} {y} click 1\n"))
        }
        Slot::Letter(letter) => (&mut done.letters, format!("key {letter}\n")),
        Slot::Command(keys) => (&mut done.commands, format!("key {keys}\n")),
        Slot::Notch => (&mut done.notches, "click 5\n".to_owned()),
        Slot::ToCalculator => (&mut done.elsewhere, format!("windowactivate --sync {}\n", desktop.calculator)),
        Slot::Digit(digit) => {
            done.keys_elsewhere += 1;
            (&mut done.elsewhere, format!("key {digit}\n"))
        }
    };
    *count += 1;
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_has_the_inputs_that_its_description_says_and_rests_after_each_change_of_window() {
        let inputs = (0..SLOTS).filter(|position| slot(*position) != Slot::Rest).count();
        assert_eq!(inputs, 171);
        for change in [0, CALCULATOR_FROM] {
            assert!((change + 1..change + 10).all(|position| slot(position) == Slot::Rest));
        }
    }
}
