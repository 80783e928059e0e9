//! `lode user`: accounts by hand, on the machine of the data folder. Nobody chooses a password for somebody else here
//! either: the command prints a link.

use super::{ExitKind, print};
use crate::api::accounts::password_link;
use crate::audit;
use crate::jobs::runner::now_us;
use anyhow::Result;
use clap::Subcommand;
use serde_json::{Value, json};
use store::control::Control;
use store::control::accounts::{Account, NewAccount};
use store::control::audit::AuditActor;
use store::{Store, StoreError};

/// Accounts that one list shows.
const ACCOUNTS_SHOWN_MAX: i64 = 10_000;

#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Every account
    List,
    /// Make an account and print the link with which its owner chooses a password
    Add {
        /// The mail address
        email: String,
        /// The name people see; the address unless given
        #[arg(long)]
        name: Option<String>,
        /// Let it look after accounts and settings
        #[arg(long)]
        admin: bool,
    },
    /// Print a new link to choose a password; the second factor is switched off
    Reset {
        /// The mail address
        email: String,
    },
    /// Lock an account out, at once
    Disable {
        /// The mail address
        email: String,
    },
    /// Let a disabled account in again
    Enable {
        /// The mail address
        email: String,
    },
}

impl UserCommand {
    pub async fn run(self, store: &Store, as_json: bool) -> Result<ExitKind> {
        let control = store.control();
        match self {
            Self::List => list(control, as_json).await?,
            Self::Add { email, name, admin } => {
                let name = name.as_deref().unwrap_or(&email);
                let new = NewAccount { email: &email, name, admin, password_hash: None };
                // The first one is admin whatever was said, or nobody could be.
                let account = match control.create_first_account(&NewAccount { admin: true, ..new }, now_us()).await? {
                    Some(account) => account,
                    None => control.create_account(&new, now_us()).await?,
                };
                note(control, "account.create", &account, json!({ "admin": account.admin })).await?;
                tell_link(control, &account, as_json).await?;
            }
            Self::Reset { email } => {
                let account = find(control, &email).await?;
                control.remove_totp(&account.id).await?;
                note(control, "account.reset", &account, json!({ "second_factor_removed": account.totp_active }))
                    .await?;
                tell_link(control, &account, as_json).await?;
            }
            Self::Disable { email } => switch(control, &email, true, as_json).await?,
            Self::Enable { email } => switch(control, &email, false, as_json).await?,
        }
        Ok(ExitKind::Done)
    }
}

async fn list(control: &Control, as_json: bool) -> Result<()> {
    let (accounts, _) = control.accounts(ACCOUNTS_SHOWN_MAX, 0).await?;
    let shown: Vec<Value> = accounts.iter().map(described).collect();
    print(as_json, &json!({ "accounts": shown }), || {
        let row = |account: &Account| {
            let marks =
                [(account.admin, "admin"), (account.disabled, "disabled"), (account.totp_active, "second factor")];
            let marks: Vec<&str> = marks.into_iter().filter(|(is, _)| *is).map(|(_, mark)| mark).collect();
            format!("{:40} {:30} {}", account.email, account.name, marks.join(", "))
        };
        if accounts.is_empty() {
            "There is no account yet; make one with: lode user add name@example.org".into()
        } else {
            accounts.iter().map(row).collect::<Vec<_>>().join("\n")
        }
    });
    Ok(())
}

async fn switch(control: &Control, email: &str, disabled: bool, as_json: bool) -> Result<()> {
    let account = find(control, email).await?;
    let account = control.update_account(&account.id, &account.name, account.admin, disabled).await?;
    note(control, "account.change", &account, json!({ "disabled": disabled })).await?;
    print(as_json, &described(&account), || {
        format!("{} is {}", account.email, if disabled { "locked out" } else { "let in again" })
    });
    Ok(())
}

async fn tell_link(control: &Control, account: &Account, as_json: bool) -> Result<()> {
    let link = password_link(control, &account.id, now_us()).await?;
    print(as_json, &json!({ "account": described(account), "link": link }), || {
        format!("{} chooses a password, within 24 hours, at: ADDRESS-OF-LODE{link}", account.email)
    });
    Ok(())
}

/// The account with this address.
pub async fn find(control: &Control, email: &str) -> Result<Account> {
    let account = control.account_by_email(email).await?;
    Ok(account.ok_or_else(|| StoreError::Missing { kind: "account", name: email.into() })?)
}

/// Whoever may work on the data folder acts for the service.
pub fn operator() -> AuditActor {
    AuditActor { name: "command line".into(), ..audit::service() }
}

async fn note(control: &Control, action: &str, account: &Account, detail: Value) -> Result<()> {
    let subject = Some(("account", account.id.as_str()));
    Ok(audit::record(control, operator(), action, None, subject, detail, now_us()).await?)
}

fn described(account: &Account) -> Value {
    json!({
        "id": account.id, "email": account.email, "name": account.name, "admin": account.admin,
        "disabled": account.disabled, "totp": account.totp_active,
    })
}
