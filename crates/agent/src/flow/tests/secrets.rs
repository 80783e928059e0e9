//! Everything secret that a person types, copies or clicks on, under everything that a rule can do to a column: attack catalogue
//! TD2. The matrix is made of the columns themselves, so a new one is in it from its first day.

use super::*;
use uilog::column::{COLUMNS, Column, ColumnId};
use uilog::policy::columns;

/// What a rule does to one column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Treatment {
    Log,
    Hash,
    Redact,
    Drop,
}

/// One cell of the matrix.
#[derive(Clone, Copy, Debug)]
struct Cell {
    column: &'static Column,
    treatment: Treatment,
    /// Whether the rule names the column `text` besides.
    names_text: bool,
}

/// Every treatment of every column about which a rule decides, with the column `text` named and not.
fn cells() -> Vec<Cell> {
    use Treatment::{Drop, Hash, Log, Redact};
    let decided = COLUMNS.iter().filter(|column| columns::may_be_logged(column.id));
    let treated = decided.flat_map(|column| [Log, Hash, Redact, Drop].map(|treatment| (column, treatment)));
    let is_possible = |(column, treatment): &(&Column, Treatment)| match treatment {
        Log | Drop => true,
        Hash => columns::texts().contains(column.id),
        Redact => columns::redactable().contains(column.id),
    };
    let both = |(column, treatment)| [false, true].map(|names_text| Cell { column, treatment, names_text });
    treated.filter(is_possible).flat_map(both).collect()
}

impl Cell {
    fn effective(self) -> Arc<Effective> {
        let Cell { column: Column { name, .. }, treatment, names_text } = self;
        let text = if names_text { "text" } else { "" };
        let (log, redaction) = match treatment {
            Treatment::Log => (format!(r#"columns="all {text} {name}""#), String::new()),
            Treatment::Hash => (format!(r#"columns="all {text}" hash="{name}""#), String::new()),
            Treatment::Redact => {
                let pattern = format!(r#"<pattern name="it" mode="mask" columns="{name}" regex="\w+"/>"#);
                (format!(r#"columns="all {text}""#), format!("<redaction>{pattern}</redaction>"))
            }
            Treatment::Drop => (format!(r#"columns="all {text}" omit="{name}""#), String::new()),
        };
        let extra = r#"<screenshots enabled="true" maskText="page" minGap="PT0.2S" settle="PT0S"/><extension required="false"/>"#;
        let xml = xml(1, "a.exe chromium", extra)
            .replace(r#"columns="all" hash="user_name machine_name""#, &format!(r#"{log} screenshot="window""#))
            .replace("</rules>", &format!("</rules>{redaction}"));
        let configuration = policy::parse(&xml).unwrap_or_else(|problems| panic!("{self:?}: {problems:?}"));
        Arc::new(effective(&configuration, None, &Variables::none()).unwrap())
    }

    /// What must be left of a text that is no secret.
    fn left_of(self, text: &str) -> (Option<String>, bool) {
        let is_about_text = self.column.id == ColumnId::Text;
        match self.treatment {
            Treatment::Hash if is_about_text => (None, true),
            Treatment::Drop if is_about_text => (None, false),
            Treatment::Redact if is_about_text && self.names_text => (Some("****".into()), false),
            Treatment::Log if is_about_text => (Some(text.into()), false),
            _ => (self.names_text.then(|| text.into()), false),
        }
    }
}

/// Fields whose content is a secret, in all spellings of the platforms, and fields of which nobody knows what they are.
fn secret_fields() -> Vec<Element> {
    let roles = ["password", "password text", "password_text", "PasswordBox"];
    let unknown = Element { role: Reading::Unknown, name: Some("Field".into()), ..Element::default() };
    roles.map(|role| element(role, "Field")).into_iter().chain([unknown]).collect()
}

/// Card numbers as people write them, of 13 to 19 digits.
const CARDS: [&str; 5] =
    ["4111 1111 1111 1111", "5500-0000-0000-0004", "378282246310005", "4222222222222", "pay 6304000000000000000 now"];

/// Types, with AltGr too, copies, cuts, pastes, confirms and clicks.
fn use_field(stage: &mut Stage, window: WindowId, field: &Element) {
    stage.script.focus_element(field.clone());
    stage.script.focus(stage.now, window);
    stage.script.type_text(stage.now, "CANARY");
    stage.script.push(stage.now, alt_gr('@', false));
    stage.script.press(stage.now, "ctrl+alt+€");
    stage.script.type_text(stage.now, "CANARY");
    for command in ["ctrl+c", "ctrl+x"] {
        stage.script.copy(stage.now, command, "CANARY of some length", false);
        stage.pass_ms(20);
    }
    for command in ["ctrl+v", "shift+insert", "enter"] {
        stage.script.press(stage.now, command);
        stage.pass_ms(20);
    }
    stage.script.click(stage.now, window, Button::Right, field.clone());
    stage.pass_ms(1_500);
}

fn alt_gr(character: char, shift: bool) -> RawKind {
    let modifiers = Modifiers { alt_gr: true, shift, ..Modifiers::default() };
    RawKind::Key { code: character as u32, modifiers }
}

/// All secrets there are, one after the other.
fn keep_secrets(stage: &mut Stage, cell: Cell) {
    let window = stage.script.window("a.exe", "Order");
    for field in secret_fields() {
        use_field(stage, window, &field);
    }
    stage.script.elements_answer(false);
    use_field(stage, window, &element("textbox", "nobody tells"));
    stage.script.elements_answer(true);
    let private = stage.script.window("chromium", "CANARY (Incognito)");
    stage.script.make_private(private);
    stage.script.guard(private);
    use_field(stage, private, &element("textbox", "CANARY"));
    stage.script.focus_element(element("textbox", "Amount"));
    stage.script.focus(stage.now, window);
    stage.script.copy(stage.now, "ctrl+c", "CANARY of some length", true);
    stage.pass_ms(20);
    stage.script.press(stage.now, "ctrl+v");
    stage.pass_ms(1_500);
    for card in CARDS {
        // Which characters are typed is looked at only where a rule asks for them; else a card is so many keys.
        let asks_for_text =
            matches!(cell.treatment, Treatment::Log | Treatment::Hash) && cell.column.id == ColumnId::Text;
        if cell.names_text || asks_for_text {
            stage.script.type_text(stage.now, card);
        }
        stage.script.copy(stage.now, "ctrl+c", card, false);
        stage.pass_ms(20);
        stage.script.press(stage.now, "ctrl+v");
        stage.pass_ms(1_500);
    }
}

#[test]
fn d2_td2_no_secret_is_left_whatever_a_rule_does_to_a_column() {
    let mut seen = 0;
    for cell in cells() {
        let mut stage = Stage::new(cell.effective());
        keep_secrets(&mut stage, cell);
        stage.pass_ms(2_000);
        let left = serde_json::to_string(&stage.events).unwrap();
        let digits: String = left.chars().filter(char::is_ascii_digit).collect();
        assert!(!left.contains("CANARY"), "{cell:?}: {left}");
        let numbers = CARDS.map(|card| card.chars().filter(char::is_ascii_digit).collect::<String>());
        assert!(!numbers.iter().any(|number| digits.contains(number)), "{cell:?}: {left}");
        for event in stage.events.iter().filter(|event| event.process_name.is_some()) {
            let told = (&event.text, event.text_length, event.value_fingerprint, event.attributes.get("size_bucket"));
            assert_eq!(told, (&None, None, None, None), "{cell:?}: {event:?}");
            assert!(!event.hashed.contains_key("text"), "{cell:?}: {event:?}");
            // Masked it is stars.
            let command = event.key_command.as_deref().unwrap_or_default();
            let is_plain = |sign: char| sign.is_ascii_alphanumeric() || "+*".contains(sign);
            assert!(command.chars().all(is_plain), "{cell:?}: {command}");
            let is_field = event.element_name.as_deref() == Some("Field");
            assert!(!is_field || event.screenshot_id.is_none(), "{cell:?}: {event:?}");
            seen += 1;
        }
    }
    assert!(seen > 10_000, "{seen} events");
}

#[test]
fn d2_td2_a_text_that_is_no_secret_is_left_as_the_rule_says_and_only_where_it_names_text() {
    for cell in cells() {
        let mut stage = Stage::new(cell.effective());
        let window = stage.script.window("a.exe", "Order");
        stage.script.focus_element(element("textbox", "Number"));
        stage.script.focus(stage.now, window);
        stage.script.type_text(stage.now, "ORDER4711");
        stage.script.press(stage.now, "tab");
        stage.pass_ms(1_500);
        stage.script.copy(stage.now, "ctrl+c", "ORDER4711", false);
        stage.pass_ms(1_500);
        stage.pass_ms(2_000);
        let types = [EventType::TextEntered, EventType::Copy];
        for event_type in types {
            let event = stage.events.iter().find(|event| event.event_type == event_type).expect("it was done");
            let left = (event.text.clone(), event.hashed.contains_key("text"));
            assert_eq!(left, cell.left_of("ORDER4711"), "{cell:?} {event_type:?}");
        }
        let is_told = cell.left_of("ORDER4711").0.is_some_and(|text| text.contains("ORDER"));
        let left = serde_json::to_string(&stage.events).unwrap();
        assert_eq!(left.contains("ORDER4711"), is_told, "{cell:?}: {left}");
    }
}

/// What AltGr makes on keyboards of some countries, without and with shift.
const LAYOUTS: [(&str, &str, &str); 8] = [
    ("German", "@€{[]}\\|~²³µ", ""),
    ("French", "~#{[|`\\^@]}¤€", ""),
    ("Polish", "ąćęłńóśźż€", "ĄĆĘŁŃÓŚŹŻ"),
    ("Spanish", "|@#~€¬[]{}", ""),
    ("US international", "¡²³¤€¼½¾‘’¥×äåéþüúíóö«»áßðøæñµç¿", "¹£÷ÄÅÉÞÜÚÍÓÖÁ§ÐØÆÑÇ"),
    ("Turkish", "@€₺#$½{[]}\\|", ""),
    ("Czech", "\\|€đĐ[]łŁ$ß¤#&@{}<>*", ""),
    ("Nordic", "@£$€{[]}\\|~µ", ""),
];

#[test]
fn d2_td2_what_altgr_makes_is_text_on_every_keyboard_and_no_command() {
    for (country, plain, shifted) in LAYOUTS {
        for (columns, role) in [(ALL, "textbox"), (r#"columns="all text""#, "textbox"), (ALL, "password")] {
            let mut stage = Stage::new(rules("a.exe", "", columns));
            let window = stage.script.window("a.exe", "Mail");
            stage.script.focus(stage.now, window);
            stage.script.focus_element(element(role, "To"));
            let keys = plain.chars().map(|key| (key, false)).chain(shifted.chars().map(|key| (key, true)));
            let mut typed = String::new();
            for (key, shift) in keys {
                stage.script.push(stage.now, alt_gr(key, shift));
                // So it comes where the system knows no AltGr.
                let modifiers = Modifiers { ctrl: true, alt: true, shift, ..Modifiers::default() };
                stage.script.push(stage.now, RawKind::Key { code: key as u32, modifiers });
                typed.extend([key, key]);
            }
            stage.rest();
            let commands: Vec<_> = stage.events.iter().filter_map(|event| event.key_command.as_deref()).collect();
            assert_eq!(commands, [""; 0], "{country}, {role}");
            let event = stage.events.iter().find(|event| event.event_type == EventType::TextEntered).unwrap();
            let length = (role != "password").then_some(typed.chars().count() as u32);
            assert_eq!(event.text_length, length, "{country}, {role}");
            assert_eq!(event.text, columns.contains("text").then_some(typed), "{country}, {role}");
        }
    }
}
