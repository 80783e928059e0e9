//! Machine settings: where the client keeps its data and how it reaches the network. What may be recorded is not among them.
//!
//! Read from `agent.toml` of the machine, then of the user; then from the environment (`LODE_…`), then from flags; later ones win.

use crate::paths;
use crate::wire::Network;
use serde::Deserialize;
use std::path::PathBuf;

/// The settings of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where the client keeps what it knows.
    pub data: Option<PathBuf>,
    /// `system`, `none`, or an address.
    pub proxy: Option<String>,
    /// A certificate authority besides the system's, in PEM.
    pub extra_ca: Option<PathBuf>,
}

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use '{path}': {why}")]
pub struct SettingsError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong.
    pub why: String,
}

/// Reads what the machine and the user set.
///
/// Errors: a file with a mistake; it is named, with the place.
pub fn read() -> Result<Settings, SettingsError> {
    let mut settings = Settings::default();
    for path in paths::settings_files() {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let file = toml::from_str(&text).map_err(|error| SettingsError { path, why: error.to_string() })?;
        settings = settings.under(file);
    }
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let environment = Settings {
        data: variable("LODE_DATA").map(PathBuf::from),
        proxy: variable("LODE_PROXY").map(|value| value.to_string_lossy().into_owned()),
        extra_ca: variable("LODE_EXTRA_CA").map(PathBuf::from),
    };
    Ok(settings.under(environment))
}

impl Settings {
    /// These, where the stronger ones say nothing.
    fn under(self, stronger: Settings) -> Settings {
        Settings {
            data: stronger.data.or(self.data),
            proxy: stronger.proxy.or(self.proxy),
            extra_ca: stronger.extra_ca.or(self.extra_ca),
        }
    }

    /// How the machine reaches the network.
    pub fn network(&self) -> Network {
        Network { proxy: self.proxy.clone().unwrap_or_else(|| "system".into()), extra_ca: self.extra_ca.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stronger_settings_win_and_unknown_ones_are_mistakes() {
        let weak: Settings = toml::from_str("proxy = \"none\"\ndata = \"/a\"").unwrap();
        let strong: Settings = toml::from_str("data = \"/b\"").unwrap();
        let both = weak.under(strong);
        assert_eq!((both.data, both.proxy.as_deref()), (Some("/b".into()), Some("none")));
        assert!(toml::from_str::<Settings>("capture_everything = true").is_err());
    }
}
