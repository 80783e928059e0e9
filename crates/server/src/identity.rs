//! Who somebody is: passwords, second factors, login sessions, tokens, the company's login, and the key that seals secrets.
//!
//! Nothing here decides what somebody may do ([`crate::access`] does), and nothing here speaks HTTP except [`oidc`], which
//! asks the company's login. Time comes in as an argument.

pub mod master_key;
pub mod oidc;
pub mod password;
pub mod secret_text;
pub mod session;
pub mod setup;
pub mod throttle;
pub mod totp;

use master_key::Sealer;
use oidc::CompanyLogins;
use password::Passwords;
use setup::SetupToken;
use throttle::Throttle;

/// Everything about identity that lives as long as the service.
pub struct Identity {
    /// Whether requests without a credential act as the demo account; the service is on loopback then.
    pub open: bool,
    /// Seals secrets for the control database.
    pub sealer: Sealer,
    /// Hashes and checks passwords, a few at a time.
    pub passwords: Passwords,
    /// Slows down guessing.
    pub throttle: Throttle,
    /// Opens the door for the first account.
    pub setup: SetupToken,
    /// Company logins under way.
    pub company_logins: CompanyLogins,
}

impl Identity {
    /// Identity with the master key's sealer; `open` as in [`Identity::open`].
    pub fn new(sealer: Sealer, open: bool) -> Self {
        Self {
            open,
            sealer,
            passwords: Passwords::new(),
            throttle: Throttle::new(),
            setup: SetupToken::default(),
            company_logins: CompanyLogins::default(),
        }
    }
}
