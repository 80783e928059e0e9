//! Closed lists of words: what an attribute of the configuration may say when it is one of few.
//!
//! Each list is an enum whose names stand beside its variants; vocabulary, parser, writer and schema ask it. What a word
//! *does* is said where it is used.

/// Declares an enum together with the word for each variant, in the order in which documents show them.
macro_rules! words {
    ($($(#[doc = $doc:literal])+ $name:ident { $($(#[doc = $word_doc:literal])+ $variant:ident $word:literal,)+ })+) => {
        $($(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
        pub enum $name {
            #[default]
            $($(#[doc = $word_doc])+ #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// The words, in the order of the variants.
            pub const WORDS: &'static [&'static str] = &[$($word,)+];

            /// The word for this variant.
            pub fn word(self) -> &'static str {
                Self::WORDS[self as usize]
            }

            /// The variant for that word, if there is one; letters in the case of the list.
            pub fn from_word(word: &str) -> Option<Self> {
                [$($name::$variant,)+].into_iter().find(|variant| variant.word() == word)
            }
        })+
    };
}

words! {
    /// When the client starts.
    Startup {
        /// With the participant's session, after consent.
        Login "login",
        /// When the participant starts it.
        Manual "manual",
    }
    /// What the client does about newer versions of itself.
    Update {
        /// Nothing.
        Off "off",
        /// It tells the participant.
        Notify "notify",
    }
    /// How much the client writes into its own log; never contents.
    LogLevel {
        /// Errors only.
        Error "error",
        /// Warnings too.
        Warn "warn",
        /// What a support person needs.
        Info "info",
        /// Everything but contents.
        Debug "debug",
    }
    /// Which text of the consent dialog.
    ConsentKind {
        /// What is recorded, why, until when.
        Text "text",
        /// Which pictures are taken.
        Pictures "pictures",
        /// Which typed text is kept.
        Typed "typed",
    }
    /// By which way keys and buttons are seen on Windows.
    Input {
        /// Raw input, hooks if registering for it fails.
        Auto "auto",
        /// Raw input only.
        Raw "raw",
        /// Low-level hooks only.
        Hook "hook",
    }
    /// How boxes of texts to be masked are found for a picture.
    MaskText {
        /// By one bounded read of the window; without an answer there is no picture.
        Window "window",
        /// By the browser extension in pages only; other windows are not text-masked.
        Page "page",
    }
    /// How the length of a value in a page is told.
    ValueLength {
        /// Not at all.
        Off "off",
        /// To the character.
        Exact "exact",
        /// As the lower bound of 1, 2–5, 6–20, 21–100, over 100.
        Bucket "bucket",
    }
    /// What a picture shows.
    Scope {
        /// There is no picture.
        None "none",
        /// The window of the event.
        Window "window",
        /// All allowed windows; the rest is painted over.
        Desktop "desktop",
    }
    /// What a pattern of the redaction does with its matches.
    Mode {
        /// Each match becomes `****`.
        Mask "mask",
        /// Only the matches stay.
        KeepMatch "keepMatch",
    }
    /// Patterns that Lode brings along.
    BuiltinPattern {
        /// E-mail addresses.
        Email "email",
        /// Bank account numbers whose check digits are right.
        Iban "iban",
        /// Payment card numbers whose check digit is right.
        Card "card",
        /// Social security numbers of the United States.
        UsSsn "us_ssn",
        /// The name of the participant's account.
        UserName "user_name",
        /// The name of the machine.
        MachineName "machine_name",
    }
    /// What a rule test expects.
    Expect {
        /// The event is logged.
        Log "log",
        /// A rule drops it.
        Drop "drop",
        /// The gate refuses it.
        Refused "refused",
    }
    /// How a comparison treats capital letters.
    Case {
        /// Capital and small letters are equal.
        Ignore "ignore",
        /// They are not.
        Exact "exact",
    }
    /// Days of the week.
    Day {
        /// Monday.
        Mon "mon",
        /// Tuesday.
        Tue "tue",
        /// Wednesday.
        Wed "wed",
        /// Thursday.
        Thu "thu",
        /// Friday.
        Fri "fri",
        /// Saturday.
        Sat "sat",
        /// Sunday.
        Sun "sun",
    }
    /// Groups of columns that a rule can name at once.
    ColumnGroup {
        /// The application.
        App "@app",
        /// The window.
        Window "@window",
        /// The page.
        Web "@web",
        /// The element.
        Element "@element",
        /// The pointer and the screen.
        Pointer "@pointer",
        /// Keys and lengths.
        Keys "@keys",
        /// The person.
        Person "@person",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_finds_its_variant() {
        assert_eq!(Mode::from_word("keepMatch"), Some(Mode::KeepMatch));
        assert_eq!(Mode::from_word("keepmatch"), None);
        for word in ColumnGroup::WORDS {
            assert_eq!(ColumnGroup::from_word(word).map(ColumnGroup::word), Some(*word));
        }
    }
}
