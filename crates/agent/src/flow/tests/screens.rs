//! Two monitors, windows that overlap and move, secret fields, a password box with the focus: attack catalogue TD3, every picture
//! pixel by pixel.

use super::*;

/// How bright each pixel of a picture is, row by row.
pub(super) fn shades(picture: &Png) -> Vec<u8> {
    let mut reader = png::Decoder::new(std::io::Cursor::new(&picture.bytes)).read_info().unwrap();
    let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut rgb).unwrap();
    rgb.chunks_exact(3).map(|pixel| pixel[0]).collect()
}

/// A window as the test knows it: where it lies, and how bright it is.
#[derive(Clone, Copy)]
struct Placed {
    window: WindowId,
    place: [i32; 4],
    shade: u8,
}

/// A desktop, and what the test knows of it.
struct Screens {
    stage: Stage,
    monitors: [[i32; 4]; 2],
    /// Lowest first.
    stack: Vec<Placed>,
    random: Random,
}

fn holds([left, top, width, height]: [i32; 4], x: i32, y: i32) -> bool {
    (left..left + width).contains(&x) && (top..top + height).contains(&y)
}

impl Screens {
    fn new(seed: u64) -> Self {
        let pictures = r#"<screenshots enabled="true" maskText="page" minGap="PT0.2S" settle="PT0.2S"/>"#;
        let stage = Stage::new(rules("a.exe", pictures, r#"columns="all" screenshot="window""#));
        let second = if seed.is_multiple_of(2) { [-160, 20, 160, 100] } else { [200, -40, 120, 160] };
        let monitors = [[0, 0, 200, 120], second];
        stage.script.monitors(&monitors);
        let shades = [200, 180, 90, 60, 30];
        let programs = ["a.exe", "a.exe", "b.exe", "diary.exe", "keepassxc"];
        let window = |(number, program): (usize, &str)| stage.script.window(program, &format!("{program} {number}"));
        let windows: Vec<WindowId> = programs.into_iter().enumerate().map(window).collect();
        windows[2..].iter().for_each(|window| stage.script.guard(*window));
        let placed = |(window, shade)| Placed { window, place: [0; 4], shade };
        let stack = windows.into_iter().zip(shades).map(placed).collect();
        Self { stage, monitors, stack, random: Random::new(seed) }
    }

    fn below(&mut self, bound: i32) -> i32 {
        self.random.below(bound as u64) as i32
    }

    /// Somewhere on the monitors, between them, or half outside.
    fn anywhere(&mut self) -> [i32; 4] {
        [self.below(460) - 200, self.below(200) - 60, 30 + self.below(120), 20 + self.below(90)]
    }

    /// Puts all windows somewhere else, in another order.
    fn shuffle(&mut self) {
        let mut left = std::mem::take(&mut self.stack);
        while !left.is_empty() {
            let at = self.below(left.len() as i32) as usize;
            let placed = Placed { place: self.anywhere(), ..left.remove(at) };
            self.stage.script.place(placed.window, placed.place, placed.shade);
            self.stack.push(placed);
        }
    }

    /// What a picture of a window must show at a point: the window where nothing lies over it, and nothing else anywhere.
    fn wanted(&self, own: Placed, secrets: &[[i32; 4]], x: i32, y: i32) -> u8 {
        let is_lit = self.monitors.iter().any(|monitor| holds(*monitor, x, y));
        let is_secret = secrets.iter().any(|secret| holds(*secret, x, y));
        let topmost = self.stack.iter().rev().find(|each| holds(each.place, x, y));
        let is_own = topmost.is_some_and(|each| each.window == own.window);
        if is_lit && is_own && !is_secret { own.shade } else { 0 }
    }

    /// Whether any pixel of a place is on a monitor, or between the two.
    fn is_on_screen(&self, [left, top, width, height]: [i32; 4]) -> bool {
        let edge = |of: fn(&[i32; 4]) -> i32| self.monitors.each_ref().map(of);
        let (from_x, from_y) = (edge(|each| each[0]).into_iter().min(), edge(|each| each[1]).into_iter().min());
        let (to_x, to_y) =
            (edge(|each| each[0] + each[2]).into_iter().max(), edge(|each| each[1] + each[3]).into_iter().max());
        Some(left + width) > from_x && Some(left) < to_x && Some(top + height) > from_y && Some(top) < to_y
    }
}

/// What has the focus, and whether pictures are possible beside it.
fn focuses() -> [(Element, bool); 5] {
    let unknown = Element { role: Reading::Unknown, ..Element::default() };
    [
        (element("button", "Save"), true),
        (element("textbox", "Amount"), true),
        (element("password", "Password"), false),
        (element("password text", "Password"), false),
        (unknown, false),
    ]
}

/// Clicks into one window, while another may be moving; says how many pictures there are of it.
fn click_and_look(screens: &mut Screens, seed: u64) -> usize {
    screens.shuffle();
    let own: Vec<Placed> = screens.stack.iter().filter(|each| each.shade >= 180).copied().collect();
    let own = own[screens.below(2) as usize];
    let [left, top, width, height] = own.place;
    let secrets: Vec<[i32; 4]> = (0..screens.below(3))
        .map(|_| {
            [left + screens.below(width), top + screens.below(height), 1 + screens.below(40), 1 + screens.below(20)]
        })
        .collect();
    let at = (left + screens.below(width), top + screens.below(height));
    let (focused, is_plain) = focuses()[screens.below(5) as usize].clone();
    let (clicked, is_known) =
        [(element("button", "Save"), true), (Element { role: Reading::Unknown, ..Element::default() }, false)]
            [usize::from(screens.below(5) == 0)]
        .clone();
    let moves = (screens.below(3) == 0).then(|| (screens.below(5) as usize, screens.anywhere()));
    let (script, now) = (&screens.stage.script, screens.stage.now);
    script.secret_fields(own.window, &secrets);
    script.put_element(at.0, at.1, clicked);
    script.focus_element(focused);
    script.button(now, own.window, Button::Right, at.0, at.1);
    script.move_during_picture(moves.map(|(other, place)| (screens.stack[other].window, place)));
    let before = screens.stage.admissions.len();
    (0..5).for_each(|_| screens.stage.pass_ms(300));
    let taken = screens.stage.admissions.split_off(before);
    let taken: Vec<Png> = taken.into_iter().filter_map(|admission| admission.picture).collect();
    let may_be = is_plain && is_known && screens.is_on_screen(own.place) && moves.is_none();
    assert!(may_be || taken.is_empty(), "seed {seed}: a picture beside a doubt");
    for picture in &taken {
        let [left, top, width, height] = picture.note.place;
        let shown = shades(picture);
        assert_eq!(shown.len(), (width * height) as usize, "seed {seed}");
        let points = (top..top + height).flat_map(|y| (left..left + width).map(move |x| (x, y)));
        for ((x, y), shade) in points.zip(shown) {
            assert_eq!(
                shade,
                screens.wanted(own, &secrets, x, y),
                "seed {seed}: at {x}, {y} of {:?}",
                picture.note.place
            );
        }
    }
    screens.stage.script.secret_fields(own.window, &[]);
    taken.len()
}

#[test]
fn d3_td3_a_picture_shows_the_window_and_nothing_that_lies_over_it_or_is_secret_pixel_by_pixel() {
    let mut taken = 0;
    for seed in 0..20 {
        let mut screens = Screens::new(seed);
        taken += (0..30).map(|_| click_and_look(&mut screens, seed)).sum::<usize>();
    }
    assert!(taken > 60, "{taken} pictures");
}

#[test]
fn d3_td3_the_focus_that_comes_to_a_password_box_after_the_event_is_seen_before_the_picture() {
    for (later, pictures) in [("textbox", 1), ("password", 0)] {
        let mut screens = Screens::new(1);
        let Stage { script, now, .. } = &screens.stage;
        let own = screens.stack[0].window;
        script.place(own, [0, 0, 100, 50], 200);
        script.focus_element(element("button", "Log in"));
        script.put_element(5, 5, element("button", "Log in"));
        script.button(*now, own, Button::Right, 5, 5);
        screens.stage.pass_ms(100);
        screens.stage.script.focus_element(element(later, "Code"));
        screens.stage.rest();
        let taken = screens.stage.admissions.iter().filter(|admission| admission.picture.is_some()).count();
        assert_eq!(taken, pictures, "{later}");
    }
}
