//! Accounts: the named people who use the service. Participants and agents have none.
//!
//! Here stand only hashes and sealed texts; who may log in, and how a password is checked, is decided by the server.
//! Also here: recovery codes (each works once) and links with which a person chooses a password.

use super::Control;
use crate::StoreError;
use sqlx::Row;
use sqlx::any::AnyRow;

pub(super) const TABLES_2: &[&str] = &[
    "CREATE TABLE accounts (
        id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL, admin BIGINT NOT NULL, disabled BIGINT NOT NULL,
        password_hash TEXT, oidc_issuer TEXT, oidc_subject TEXT, totp_secret TEXT, totp_active BIGINT NOT NULL,
        totp_step BIGINT NOT NULL, created_at BIGINT NOT NULL, last_login_at BIGINT)",
    "CREATE UNIQUE INDEX accounts_by_subject ON accounts (oidc_issuer, oidc_subject)",
    "CREATE TABLE recovery_codes (account TEXT NOT NULL, code_hash TEXT NOT NULL, PRIMARY KEY (account, code_hash))",
    "CREATE TABLE password_links (token_hash TEXT PRIMARY KEY, account TEXT NOT NULL, expires_at BIGINT NOT NULL)",
    "CREATE INDEX password_links_by_account ON password_links (account)",
];

/// The longest name of a person, in characters.
pub const PERSON_CHARS_MAX: usize = 200;

/// The longest address, in bytes (RFC 5321).
const EMAIL_BYTES_MAX: usize = 254;

/// One account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// UUID, never used again.
    pub id: String,
    /// The address, in small letters; unique.
    pub email: String,
    /// The name people see.
    pub name: String,
    /// Whether it looks after accounts and the service's settings. It gives no right in any project.
    pub admin: bool,
    /// Whether it is locked out.
    pub disabled: bool,
    /// PHC string of the password; `None` until one is chosen.
    pub password_hash: Option<String>,
    /// (issuer, subject) of the company login, once it was used.
    pub oidc: Option<(String, String)>,
    /// The sealed secret of the second factor; it counts when `totp_active`.
    pub totp_secret: Option<String>,
    /// Whether the second factor is asked for.
    pub totp_active: bool,
    /// The last step whose code was used; no code works twice.
    pub totp_step: i64,
    /// Microseconds since 1970, UTC.
    pub created_at_us: i64,
    /// Likewise; absent until the first login.
    pub last_login_at_us: Option<i64>,
}

/// An account to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewAccount<'a> {
    /// The address; kept in small letters.
    pub email: &'a str,
    /// The name people see.
    pub name: &'a str,
    /// See [`Account::admin`].
    pub admin: bool,
    /// PHC string, if a password is there already.
    pub password_hash: Option<&'a str>,
}

pub(super) const COLUMNS: &str = "a.id, a.email, a.name, a.admin, a.disabled, a.password_hash, a.oidc_issuer, a.oidc_subject, a.totp_secret, \
     a.totp_active, a.totp_step, a.created_at, a.last_login_at";

impl Control {
    /// Makes an account.
    ///
    /// Errors: [`StoreError::Invalid`] for an address or a name that cannot be one, [`StoreError::Exists`] if the address
    /// has an account.
    pub async fn create_account(&self, new: &NewAccount<'_>, now_us: i64) -> Result<Account, StoreError> {
        let account = checked(new, now_us)?;
        let inserted = sqlx::query(INSERT_ACCOUNT);
        bound(inserted, &account).execute(&self.pool).await.map_err(taken(&account.email))?;
        Ok(account)
    }

    /// Makes the first account, an admin who leads every project that nobody leads; `None` if there is one already,
    /// whoever asks at the same moment.
    pub async fn create_first_account(&self, new: &NewAccount<'_>, now_us: i64) -> Result<Option<Account>, StoreError> {
        let account = checked(new, now_us)?;
        let mut transaction = self.pool.begin().await?;
        // The row of `meta` is the turnstile: its key can be there only once.
        let first =
            sqlx::query("INSERT INTO meta (key, value) VALUES ('first_account', $1) ON CONFLICT (key) DO NOTHING")
                .bind(&account.id)
                .execute(&mut *transaction)
                .await?;
        let others: i64 =
            sqlx::query("SELECT count(*) FROM accounts").fetch_one(&mut *transaction).await?.try_get(0)?;
        if first.rows_affected() == 0 || others > 0 {
            return Ok(None);
        }
        bound(sqlx::query(INSERT_ACCOUNT), &account).execute(&mut *transaction).await?;
        sqlx::query(super::members::LEAD_WHAT_NOBODY_LEADS)
            .bind(&account.id)
            .bind(now_us)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(Some(account))
    }

    /// How many accounts there are.
    pub async fn account_count(&self) -> Result<i64, StoreError> {
        Ok(sqlx::query("SELECT count(*) FROM accounts").fetch_one(&self.pool).await?.try_get(0)?)
    }

    /// One page of accounts, by address, and how many there are.
    pub async fn accounts(&self, limit: i64, offset: i64) -> Result<(Vec<Account>, i64), StoreError> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM accounts a ORDER BY a.email LIMIT $1 OFFSET $2"
        )))
        .bind(limit)
        .bind(offset)
        .fetch_all(&self.pool)
        .await?;
        Ok((rows.iter().map(account).collect::<Result<_, _>>()?, self.account_count().await?))
    }

    /// The account with this id.
    ///
    /// Errors: [`StoreError::Missing`] if there is none.
    pub async fn account(&self, id: &str) -> Result<Account, StoreError> {
        self.account_where("a.id = $1", &[id]).await?.ok_or_else(|| missing(id))
    }

    /// The account with this address, written in any letters.
    pub async fn account_by_email(&self, email: &str) -> Result<Option<Account>, StoreError> {
        self.account_where("a.email = $1", &[&email.trim().to_lowercase()]).await
    }

    /// The account that logged in as this subject of this issuer before.
    pub async fn account_by_subject(&self, issuer: &str, subject: &str) -> Result<Option<Account>, StoreError> {
        self.account_where("a.oidc_issuer = $1 AND a.oidc_subject = $2", &[issuer, subject]).await
    }

    async fn account_where(&self, condition: &'static str, values: &[&str]) -> Result<Option<Account>, StoreError> {
        let text = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM accounts a WHERE {condition}"));
        let mut query = sqlx::query(text);
        for value in values {
            query = query.bind(*value);
        }
        query.fetch_optional(&self.pool).await?.as_ref().map(account).transpose()
    }

    /// Changes name and rights of an account.
    ///
    /// Errors: [`StoreError::Invalid`] for a name that cannot be one, or when nobody would be left who can log in as admin.
    pub async fn update_account(
        &self,
        id: &str,
        name: &str,
        admin: bool,
        disabled: bool,
    ) -> Result<Account, StoreError> {
        let name = checked_name(name)?;
        let mut transaction = self.pool.begin().await?;
        let done = sqlx::query("UPDATE accounts SET name = $2, admin = $3, disabled = $4 WHERE id = $1")
            .bind(id)
            .bind(name)
            .bind(i64::from(admin))
            .bind(i64::from(disabled))
            .execute(&mut *transaction)
            .await?;
        if done.rows_affected() == 0 {
            return Err(missing(id));
        }
        let admins: i64 = sqlx::query("SELECT count(*) FROM accounts WHERE admin = 1 AND disabled = 0")
            .fetch_one(&mut *transaction)
            .await?
            .try_get(0)?;
        if admins == 0 {
            return Err(StoreError::Invalid("one account must stay admin; make another one admin first".into()));
        }
        if disabled {
            sqlx::query("DELETE FROM login_sessions WHERE account = $1").bind(id).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        self.account(id).await
    }

    /// Sets a password; every login session but `kept` ends, and every link to choose one is void.
    pub async fn set_password(&self, id: &str, password_hash: &str, kept: Option<&str>) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query("UPDATE accounts SET password_hash = $2 WHERE id = $1")
            .bind(id)
            .bind(password_hash)
            .execute(&mut *transaction)
            .await?;
        sqlx::query("DELETE FROM login_sessions WHERE account = $1 AND id <> $2")
            .bind(id)
            .bind(kept.unwrap_or(""))
            .execute(&mut *transaction)
            .await?;
        sqlx::query("DELETE FROM password_links WHERE account = $1").bind(id).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Ties an account to a subject of an issuer.
    pub async fn set_subject(&self, id: &str, issuer: &str, subject: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE accounts SET oidc_issuer = $2, oidc_subject = $3 WHERE id = $1")
            .bind(id)
            .bind(issuer)
            .bind(subject)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Writes down that somebody logged in.
    pub async fn note_login(&self, id: &str, now_us: i64) -> Result<(), StoreError> {
        sqlx::query("UPDATE accounts SET last_login_at = $2 WHERE id = $1")
            .bind(id)
            .bind(now_us)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Keeps a sealed secret that is not asked for yet. An active one stays as it is: false.
    pub async fn prepare_totp(&self, id: &str, sealed: &str) -> Result<bool, StoreError> {
        let done = sqlx::query("UPDATE accounts SET totp_secret = $2 WHERE id = $1 AND totp_active = 0")
            .bind(id)
            .bind(sealed)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Switches the second factor on, with its first used step and fresh recovery codes.
    pub async fn activate_totp(&self, id: &str, step: i64, code_hashes: &[String]) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query("UPDATE accounts SET totp_active = 1, totp_step = $2 WHERE id = $1")
            .bind(id)
            .bind(step)
            .execute(&mut *transaction)
            .await?;
        sqlx::query("DELETE FROM recovery_codes WHERE account = $1").bind(id).execute(&mut *transaction).await?;
        for hash in code_hashes {
            sqlx::query("INSERT INTO recovery_codes (account, code_hash) VALUES ($1, $2)")
                .bind(id)
                .bind(hash)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Switches the second factor off and forgets everything about it.
    pub async fn remove_totp(&self, id: &str) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query("UPDATE accounts SET totp_active = 0, totp_secret = NULL WHERE id = $1")
            .bind(id)
            .execute(&mut *transaction)
            .await?;
        sqlx::query("DELETE FROM recovery_codes WHERE account = $1").bind(id).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Marks a step as used; false if it, or a later one, was used before.
    pub async fn use_totp_step(&self, id: &str, step: i64) -> Result<bool, StoreError> {
        let done = sqlx::query("UPDATE accounts SET totp_step = $2 WHERE id = $1 AND totp_step < $2")
            .bind(id)
            .bind(step)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Uses up a recovery code; false if it is none, or was used before.
    pub async fn use_recovery_code(&self, id: &str, code_hash: &str) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM recovery_codes WHERE account = $1 AND code_hash = $2")
            .bind(id)
            .bind(code_hash)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Keeps the hash of a link with which the account's owner chooses a password; older links are void.
    pub async fn put_password_link(&self, id: &str, token_hash: &str, expires_at_us: i64) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query("DELETE FROM password_links WHERE account = $1").bind(id).execute(&mut *transaction).await?;
        sqlx::query("INSERT INTO password_links (token_hash, account, expires_at) VALUES ($1, $2, $3)")
            .bind(token_hash)
            .bind(id)
            .bind(expires_at_us)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The account whose link this is, while it holds; a disabled account's does not.
    pub async fn account_by_link(&self, token_hash: &str, now_us: i64) -> Result<Option<Account>, StoreError> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM password_links l JOIN accounts a ON a.id = l.account
             WHERE l.token_hash = $1 AND l.expires_at > $2 AND a.disabled = 0"
        )))
        .bind(token_hash)
        .bind(now_us)
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(account).transpose()
    }

    /// Uses up a link; false if somebody else was faster.
    pub async fn use_password_link(&self, token_hash: &str) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM password_links WHERE token_hash = $1")
            .bind(token_hash)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() == 1)
    }
}

const INSERT_ACCOUNT: &str =
    "INSERT INTO accounts (id, email, name, admin, disabled, password_hash, totp_active, totp_step, created_at)
     VALUES ($1, $2, $3, $4, 0, $5, 0, 0, $6)";

type AnyQuery<'q> = sqlx::query::Query<'q, sqlx::Any, sqlx::any::AnyArguments>;

fn bound<'q>(query: AnyQuery<'q>, account: &'q Account) -> AnyQuery<'q> {
    query
        .bind(&account.id)
        .bind(&account.email)
        .bind(&account.name)
        .bind(i64::from(account.admin))
        .bind(account.password_hash.as_deref())
        .bind(account.created_at_us)
}

fn checked(new: &NewAccount<'_>, now_us: i64) -> Result<Account, StoreError> {
    Ok(Account {
        id: uuid::Uuid::new_v4().to_string(),
        email: checked_email(new.email)?,
        name: checked_name(new.name)?,
        admin: new.admin,
        disabled: false,
        password_hash: new.password_hash.map(str::to_owned),
        oidc: None,
        totp_secret: None,
        totp_active: false,
        totp_step: 0,
        created_at_us: now_us,
        last_login_at_us: None,
    })
}

/// Something before and after one `@`, no blanks: whether mail arrives there only mail can tell.
fn checked_email(email: &str) -> Result<String, StoreError> {
    let email = email.trim().to_lowercase();
    let parts = email.split_once('@').filter(|(before, after)| !before.is_empty() && !after.is_empty());
    let one_at = parts.is_some_and(|(_, after)| !after.contains('@'));
    let plain = email.chars().all(|character| !character.is_whitespace() && !character.is_control());
    if !one_at || !plain || email.len() > EMAIL_BYTES_MAX {
        return Err(StoreError::Invalid("that is no mail address; write it like name@example.org".into()));
    }
    Ok(email)
}

fn checked_name(name: &str) -> Result<String, StoreError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > PERSON_CHARS_MAX || name.chars().any(char::is_control) {
        return Err(StoreError::Invalid(format!("an account needs a name of 1 to {PERSON_CHARS_MAX} characters")));
    }
    Ok(name.to_owned())
}

fn taken(email: &str) -> impl FnOnce(sqlx::Error) -> StoreError {
    let email = email.to_owned();
    move |error| match error.as_database_error() {
        Some(database) if database.is_unique_violation() => StoreError::Exists { kind: "account", name: email },
        _ => error.into(),
    }
}

fn missing(id: &str) -> StoreError {
    StoreError::Missing { kind: "account", name: id.into() }
}

/// Reads the [`COLUMNS`] of a row, from the first on.
pub(super) fn account(row: &AnyRow) -> Result<Account, StoreError> {
    let issuer: Option<String> = row.try_get(6)?;
    let subject: Option<String> = row.try_get(7)?;
    Ok(Account {
        id: row.try_get(0)?,
        email: row.try_get(1)?,
        name: row.try_get(2)?,
        admin: row.try_get::<i64, _>(3)? != 0,
        disabled: row.try_get::<i64, _>(4)? != 0,
        password_hash: row.try_get(5)?,
        oidc: issuer.zip(subject),
        totp_secret: row.try_get(8)?,
        totp_active: row.try_get::<i64, _>(9)? != 0,
        totp_step: row.try_get(10)?,
        created_at_us: row.try_get(11)?,
        last_login_at_us: row.try_get(12)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_in_small_letters_and_must_be_one() {
        assert_eq!(checked_email(" Ann@Example.ORG ").unwrap(), "ann@example.org");
        for wrong in ["", "ann", "@x", "ann@", "a@b@c", "a b@c", "a\n@c"] {
            assert!(checked_email(wrong).is_err(), "{wrong:?}");
        }
    }
}
