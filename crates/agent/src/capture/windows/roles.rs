//! What UI Automation, MSAA and window classes call an element, in ARIA's words.

use crate::win32::elements::Kind;

/// The role; `None` where the interface says nothing that a person would recognise, so that nothing typed there may be kept.
pub fn of_kind(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Automation(number) => automation(number),
        Kind::Accessible(number) => accessible(number),
    }
}

/// Control types of UI Automation.
fn automation(control_type: i32) -> Option<&'static str> {
    Some(match control_type {
        50_000 | 50_031 => "button",
        50_002 => "checkbox",
        50_003 => "combobox",
        50_004 => "textbox",
        50_005 => "link",
        50_006 => "img",
        50_007 => "listitem",
        50_008 => "list",
        50_009 => "menu",
        50_010 => "menubar",
        50_011 => "menuitem",
        50_012 => "progressbar",
        50_013 => "radio",
        50_014 => "scrollbar",
        50_015 => "slider",
        50_016 => "spinbutton",
        50_017 => "status",
        50_018 => "tablist",
        50_019 => "tab",
        50_020 => "statictext",
        50_021 => "toolbar",
        50_022 => "tooltip",
        50_023 => "tree",
        50_024 => "treeitem",
        50_026 | 50_033 => "group",
        50_028 => "grid",
        50_029 => "cell",
        50_030 => "document",
        50_032 => "window",
        50_035 => "columnheader",
        50_036 => "table",
        50_037 => "titlebar",
        50_038 => "separator",
        _ => return None,
    })
}

/// Roles of MSAA.
fn accessible(role: i32) -> Option<&'static str> {
    Some(match role {
        1 => "titlebar",
        2 => "menubar",
        3 => "scrollbar",
        9 => "window",
        11 => "menu",
        12 => "menuitem",
        13 => "tooltip",
        15 => "document",
        18 => "dialog",
        20 => "group",
        21 => "separator",
        22 => "toolbar",
        23 => "status",
        24 => "table",
        25 => "columnheader",
        26 => "rowheader",
        28 => "row",
        29 => "cell",
        30 => "link",
        33 => "list",
        34 => "listitem",
        35 => "tree",
        36 => "treeitem",
        37 => "tab",
        40 => "img",
        41 => "statictext",
        42 => "textbox",
        43 | 56..=58 | 62 => "button",
        44 => "checkbox",
        45 => "radio",
        46 | 47 => "combobox",
        48 => "progressbar",
        51 => "slider",
        52 => "spinbutton",
        60 => "tablist",
        _ => return None,
    })
}

/// Classes of the system's own controls, with the style of buttons.
pub fn of_class(class: &str, style: u32) -> Option<&'static str> {
    /// The bits of a button's style that say which kind it is.
    const BUTTON_KIND: u32 = 0xf;
    let class = class.to_ascii_lowercase();
    Some(match class.as_str() {
        "button" => match style & BUTTON_KIND {
            2 | 3 | 5 | 6 => "checkbox",
            4 | 9 => "radio",
            7 => "group",
            _ => "button",
        },
        "edit" => "textbox",
        "static" => "statictext",
        "combobox" | "comboboxex32" => "combobox",
        "listbox" | "combolbox" | "syslistview32" => "list",
        "systreeview32" => "tree",
        "systabcontrol32" => "tablist",
        "toolbarwindow32" => "toolbar",
        "msctls_statusbar32" => "status",
        "msctls_trackbar32" => "slider",
        "msctls_updown32" => "spinbutton",
        "msctls_progress32" => "progressbar",
        "scrollbar" => "scrollbar",
        "tooltips_class32" => "tooltip",
        "#32768" => "menu",
        "#32770" => "dialog",
        _ if class.starts_with("richedit") => "textbox",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_recognises_has_no_role() {
        assert_eq!(of_kind(Kind::Automation(50_004)), Some("textbox"));
        assert_eq!(of_kind(Kind::Automation(50_025)), None, "custom");
        assert_eq!(of_kind(Kind::Accessible(42)), Some("textbox"));
        assert_eq!(of_kind(Kind::Accessible(10)), None, "the client area of a window");
        assert_eq!(of_class("Button", 0x5001_0003), Some("checkbox"));
        assert_eq!(of_class("RICHEDIT50W", 0), Some("textbox"));
        assert_eq!(of_class("Scintilla", 0), None);
    }
}
