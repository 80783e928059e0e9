//! Whose connection it is, and what becomes of each statement.
//!
//! The password is an API token, the database a project, the user's name anything. Nothing is remembered of what somebody
//! may: each statement looks it up, so that a token, a role or an account that is taken away is gone with the next one.

use super::errors::{
    BAD_SETTING, NOT_SUPPORTED, PROTOCOL, READ_ONLY, REFUSED_LOGIN, SYNTAX, TOO_MANY_CONNECTIONS, TOO_MUCH,
    UNKNOWN_SETTING, at_login, error, fatal, in_statement,
};
use super::{CONNECTIONS_MAX, answers, parameters};
use crate::access::{Actor, Gate, ProjectAccess};
use crate::api::AppState;
use crate::api::errors::ApiError;
use crate::api::query::{self, Ended, SQL_CHARS_MAX, WrittenQuestion};
use crate::jobs::runner::now_us;
use arrow::array::{RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow_pg::datatypes::into_pg_type;
use pgwire::api::portal::Format;
use pgwire::api::results::{Response, Tag};
use pgwire::api::{RandomPidSecretKeyGenerator, Type};
use pgwire::error::{PgWireError, PgWireResult};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock};
use store::postgres::{Catalogue, Kind, Refusal, SETTINGS, Statement, Value, read};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// Connections of one project.
const PROJECT_CONNECTIONS_MAX: usize = 20;

/// Statements that one connection keeps prepared; pools keep a hundred.
const PREPARED_MAX: usize = 256;

/// Portals that one connection keeps open: statements with their values, which may be as long as a message.
const PORTALS_MAX: usize = 16;

/// Settings that one connection remembers, and characters of each.
const SETTINGS_MAX: usize = 100;
const SETTING_CHARS_MAX: usize = 1_000;

/// What all connections share.
pub(super) struct Shared {
    /// The service.
    pub state: AppState,
    /// Whether a password is taken over TLS only.
    pub tls_only: bool,
    /// Room for connections.
    pub places: Places,
    /// Makes the keys with which a client stops its statement.
    pub keys: RandomPidSecretKeyGenerator,
}

/// Room for connections, in all and by project; and what runs on them.
pub(super) struct Places {
    all: Arc<Semaphore>,
    projects: Mutex<HashMap<String, Arc<Semaphore>>>,
    running: Mutex<HashMap<String, Arc<Mutex<CancellationToken>>>>,
}

impl Places {
    pub(super) fn new() -> Self {
        Self { all: Arc::new(Semaphore::new(CONNECTIONS_MAX)), projects: Mutex::default(), running: Mutex::default() }
    }

    /// A place, whichever project it will be for.
    pub(super) fn anywhere(&self) -> Option<OwnedSemaphorePermit> {
        self.all.clone().try_acquire_owned().ok()
    }

    /// Stops the statement that runs on the connection with this key.
    pub(super) fn cancel(&self, key: &str) {
        let running = self.running.lock().ok().and_then(|running| running.get(key).cloned());
        if let Some(running) = running
            && let Ok(cancel) = running.lock()
        {
            cancel.cancel();
        }
    }

    fn in_project(&self, project: &str) -> Option<OwnedSemaphorePermit> {
        let mut projects = self.projects.lock().ok()?;
        let places = projects.entry(project.to_owned());
        let places = places.or_insert_with(|| Arc::new(Semaphore::new(PROJECT_CONNECTIONS_MAX)));
        places.clone().try_acquire_owned().ok()
    }
}

/// One connection.
pub(super) struct Session {
    /// What it shares with the others.
    pub shared: Arc<Shared>,
    login: OnceLock<Login>,
    /// The statement that runs, or ran last.
    running: Arc<Mutex<CancellationToken>>,
    settings: Mutex<BTreeMap<String, String>>,
    prepared: Mutex<HashSet<String>>,
    portals: Mutex<HashSet<String>>,
    /// The catalogue of the last statement that needed one.
    catalogue: Mutex<Option<Arc<Catalogue>>>,
}

/// Who came in.
struct Login {
    token: SecretString,
    /// Id of the project.
    project: String,
    /// As the client calls itself.
    user: String,
    key: String,
    _place: OwnedSemaphorePermit,
}

/// A statement that is prepared: what it takes and what it gives.
pub(super) struct Prepared {
    /// The statement.
    pub statement: Statement,
    /// Types of its parameters.
    pub parameters: Vec<Type>,
    /// Columns of its answer; `None` for one that gives no rows.
    pub schema: Option<SchemaRef>,
}

impl Drop for Session {
    fn drop(&mut self) {
        if let (Some(login), Ok(mut running)) = (self.login.get(), self.shared.places.running.lock()) {
            running.remove(&login.key);
        }
    }
}

impl Session {
    /// A connection of somebody who has not said yet who it is.
    pub(super) fn new(shared: Arc<Shared>) -> Arc<Self> {
        Arc::new(Self {
            shared,
            login: OnceLock::new(),
            running: Arc::default(),
            settings: Mutex::default(),
            prepared: Mutex::default(),
            portals: Mutex::default(),
            catalogue: Mutex::default(),
        })
    }

    fn gate(&self) -> Gate {
        let state = &self.shared.state;
        Gate { control: state.store.control().clone(), identity: state.identity.clone() }
    }

    fn login(&self) -> PgWireResult<&Login> {
        self.login.get().ok_or_else(|| fatal(REFUSED_LOGIN, "nobody is logged in", ""))
    }

    /// Lets in whoever shows a token for a project; `key` is what a cancel request will know it by.
    ///
    /// Errors: a token, project or role that does not hold, and a project with too many connections.
    pub(super) async fn log_in(
        &self,
        token: SecretString,
        database: &str,
        user: String,
        key: String,
    ) -> PgWireResult<()> {
        let admitted = self.gate().admit_to_sql(token.expose_secret(), database, now_us()).await;
        let (_, access) = admitted.map_err(|refused| at_login(&refused))?;
        let place = self.shared.places.in_project(access.id()).ok_or_else(|| {
            let message = format!("this project has {PROJECT_CONNECTIONS_MAX} PostgreSQL connections already");
            fatal(TOO_MANY_CONNECTIONS, message, "close one, or try again later")
        })?;
        if let Ok(mut running) = self.shared.places.running.lock() {
            running.insert(key.clone(), self.running.clone());
        }
        let login = Login { token, project: access.id().to_owned(), user, key, _place: place };
        self.login.set(login).map_err(|_| fatal(PROTOCOL, "this connection has a login already", ""))
    }

    /// Whether somebody is in.
    pub(super) fn is_in(&self) -> bool {
        self.login.get().is_some()
    }

    /// Makes room for a prepared statement of this name.
    ///
    /// Errors: too many of them.
    pub(super) fn keep(&self, name: &str) -> PgWireResult<()> {
        let Ok(mut prepared) = self.prepared.lock() else { return Ok(()) };
        if prepared.len() >= PREPARED_MAX && !prepared.contains(name) {
            return Err(error(TOO_MUCH, format!("a connection keeps {PREPARED_MAX} prepared statements"), "close one"));
        }
        prepared.insert(name.to_owned());
        Ok(())
    }

    /// Forgets the prepared statement of this name.
    pub(super) fn forget(&self, name: &str) {
        if let Ok(mut prepared) = self.prepared.lock() {
            prepared.remove(name);
        }
    }

    /// Makes room for a portal of this name.
    ///
    /// Errors: too many of them.
    pub(super) fn open_portal(&self, name: &str) -> PgWireResult<()> {
        let Ok(mut portals) = self.portals.lock() else { return Ok(()) };
        if portals.len() >= PORTALS_MAX && !portals.contains(name) {
            return Err(error(TOO_MUCH, format!("a connection keeps {PORTALS_MAX} portals open"), "close one"));
        }
        portals.insert(name.to_owned());
        Ok(())
    }

    /// Forgets the portal of this name.
    pub(super) fn close_portal(&self, name: &str) {
        if let Ok(mut portals) = self.portals.lock() {
            portals.remove(name);
        }
    }

    /// Forgets every portal.
    pub(super) fn close_portals(&self) {
        if let Ok(mut portals) = self.portals.lock() {
            portals.clear();
        }
    }

    /// Who asks, and what they may now.
    async fn admitted(&self) -> PgWireResult<(Actor, ProjectAccess)> {
        let login = self.login()?;
        let admitted = self.gate().admit_to_sql(login.token.expose_secret(), &login.project, now_us()).await;
        admitted.map_err(|refused| in_statement(&refused, "", 0))
    }

    /// What may be known of the project's tables now; refused inside, where it is told with the statement.
    async fn catalogue(&self, access: &ProjectAccess) -> PgWireResult<Result<Arc<Catalogue>, ApiError>> {
        let before = self.catalogue.lock().ok().and_then(|catalogue| catalogue.clone());
        let now = query::catalogue(&self.shared.state, access, &self.login()?.user, before).await;
        if let (Ok(now), Ok(mut kept)) = (&now, self.catalogue.lock()) {
            *kept = Some(now.clone());
        }
        Ok(now)
    }

    /// A fresh sign for the next statement, which the client's cancel request raises.
    fn begin(&self) -> CancellationToken {
        let cancel = CancellationToken::new();
        if let Ok(mut running) = self.running.lock() {
            *running = cancel.clone();
        }
        cancel
    }

    /// Does what a statement wants. `promised` are the columns that the client was told before, if it was.
    pub(super) async fn answer(
        &self,
        statement: &Statement,
        values: &[Value],
        promised: Option<&SchemaRef>,
        format: &Format,
    ) -> PgWireResult<Response> {
        match statement.kind() {
            Kind::Question => self.question(statement, values, promised, format).await,
            Kind::Catalogue => {
                let (_, access) = self.admitted().await?;
                let refused = |refused: ApiError| in_statement(&refused, &statement.source(), statement.offset_chars());
                let catalogue = self.catalogue(&access).await?.map_err(refused)?;
                let answered = catalogue.answer(statement, values).await;
                let (schema, rows) = answered.map_err(|failure| refused(failure.into()))?;
                Ok(Response::Query(answers::of_batches(&schema, rows, format, statement.tag())?))
            }
            Kind::Set { name, value } => self.set(name, value),
            Kind::Show(name) => {
                let schema = shown_schema(name);
                let column: StringArray = [Some(self.setting(name)?)].into_iter().collect();
                let row = RecordBatch::try_new(schema.clone(), vec![Arc::new(column)]);
                let row = row.map_err(|error| PgWireError::ApiError(Box::new(error)))?;
                Ok(Response::Query(answers::of_batches(&schema, vec![row], format, statement.tag())?))
            }
            Kind::Begin => Ok(Response::TransactionStart(Tag::new("BEGIN"))),
            Kind::Commit => Ok(Response::TransactionEnd(Tag::new("COMMIT"))),
            Kind::Rollback => Ok(Response::TransactionEnd(Tag::new("ROLLBACK"))),
            Kind::Nothing(tag) => Ok(Response::Execution(Tag::new(tag))),
            Kind::Refused(Refusal::ReadOnly) => Err(error(
                READ_ONLY,
                "tables can be read here and not changed",
                "a data job, or write_table of the Python package, makes a table",
            )),
            Kind::Refused(Refusal::Unknown) => Err(error(
                NOT_SUPPORTED,
                "this service does not know cursors, LISTEN or PREPARE in SQL",
                "ask with SELECT",
            )),
        }
    }

    async fn question(
        &self,
        statement: &Statement,
        values: &[Value],
        promised: Option<&SchemaRef>,
        format: &Format,
    ) -> PgWireResult<Response> {
        let cancel = self.begin();
        let (actor, access) = self.admitted().await?;
        let (state, text) = (&self.shared.state, statement.text(&access.project.slug, values));
        let offset_chars = statement.offset_chars();
        let refused = |refused: ApiError| in_statement(&refused, &text, offset_chars);
        let detail = json!({ "door": "postgres" });
        let written = WrittenQuestion::begin(state, &actor, &access, &text, detail).await.map_err(refused)?;
        let asked = tokio::select! {
            () = cancel.cancelled() => Err(PgWireError::QueryCanceled),
            asked = query::run_sql(state, &access, &text) => Ok(asked),
        };
        let answer = match asked {
            Ok(Ok(answer)) => answer,
            Ok(Err(failure)) => {
                written.end(Ended::Failed(failure.message())).await.map_err(refused)?;
                return Err(refused(failure));
            }
            Err(cancelled) => {
                written.end(Ended::Cancelled).await.map_err(refused)?;
                return Err(cancelled);
            }
        };
        let running = answers::Running { answer, written, cancel, text, offset_chars };
        Ok(Response::Query(answers::of_question(running, promised, format, statement.tag())?))
    }

    /// Remembers a setting; none changes how the service works, so those that would are refused.
    fn set(&self, name: &str, value: &str) -> PgWireResult<Response> {
        let encoding = value.replace('-', "").to_uppercase();
        if name == "client_encoding" && !["UTF8", "UNICODE", "DEFAULT"].contains(&encoding.as_str()) {
            return Err(error(BAD_SETTING, format!("texts are sent in UTF-8, not in {value}"), "set UTF8"));
        }
        let writes = ["transaction_read_only", "default_transaction_read_only"].contains(&name);
        if writes && !["on", "true", "1", "yes", "default"].contains(&value.to_lowercase().as_str()) {
            return Err(error(READ_ONLY, "tables can be read here and not changed", ""));
        }
        let mut settings =
            self.settings.lock().map_err(|_| error("XX000", "the session is damaged", "connect again"))?;
        let has_room = settings.len() < SETTINGS_MAX || settings.contains_key(name);
        if !has_room || name.len() + value.len() > SETTING_CHARS_MAX {
            return Err(error(TOO_MUCH, "too many settings, or one that is too long", ""));
        }
        if !FIXED.contains(&name) {
            settings.insert(name.to_owned(), value.to_owned());
        }
        Ok(Response::Execution(Tag::new("SET")))
    }

    /// What a setting is: the client's own, or the service's.
    ///
    /// Errors: one that is not known.
    pub(super) fn setting(&self, name: &str) -> PgWireResult<String> {
        let own = self.settings.lock().ok().and_then(|settings| settings.get(name).cloned());
        let known = || SETTINGS.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        own.or_else(known)
            .ok_or_else(|| error(UNKNOWN_SETTING, format!("unrecognized configuration parameter \"{name}\""), ""))
    }

    /// Takes a statement in that is to be run with values later.
    pub(super) async fn prepare(&self, text: &str, types: &[Option<Type>]) -> PgWireResult<Option<Prepared>> {
        bounded(text)?;
        let mut statements = read(text);
        let Some(statement) = statements.pop() else { return Ok(None) };
        if !statements.is_empty() {
            return Err(error(SYNTAX, "cannot insert multiple commands into a prepared statement", ""));
        }
        let told = |place: usize| types.get(place).cloned().flatten().filter(|kind| *kind != Type::UNKNOWN);
        let count = statement.parameter_count();
        let (parameters, schema) = match statement.kind() {
            Kind::Question | Kind::Catalogue => {
                let (_, access) = self.admitted().await?;
                let refused = |refused: ApiError| in_statement(&refused, &statement.source(), 0);
                let catalogue = self.catalogue(&access).await?.map_err(refused)?;
                let known: Vec<_> =
                    (0..count).map(|place| told(place).as_ref().and_then(parameters::sql_type)).collect();
                let described = catalogue.describe(&statement, &known).await;
                let described = described.map_err(|failure| refused(failure.into()))?;
                let inferred = |place: usize| into_pg_type(described.parameters[place].as_ref()?).ok();
                let kinds = (0..count).map(|place| told(place).or_else(|| inferred(place)).unwrap_or(Type::TEXT));
                (kinds.collect(), Some(answers::travelling(&described.schema)))
            }
            Kind::Show(name) => (Vec::new(), Some(shown_schema(name))),
            _ => (vec![Type::TEXT; count], None),
        };
        Ok(Some(Prepared { statement, parameters, schema }))
    }
}

/// Settings that clients may set and that stay as they are: times travel with their offset, texts in UTF-8, and there is one
/// schema.
const FIXED: [&str; 5] = ["timezone", "client_encoding", "datestyle", "intervalstyle", "search_path"];

fn shown_schema(name: &str) -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new(name, DataType::Utf8, false)]))
}

/// Refuses a text that is too long to be looked at.
pub(super) fn bounded(text: &str) -> PgWireResult<()> {
    if text.chars().count() > SQL_CHARS_MAX {
        return Err(error(TOO_MUCH, format!("the statement is longer than {SQL_CHARS_MAX} characters"), ""));
    }
    Ok(())
}
