//! Who may do what, decided in one place before any handler runs.
//!
//! Every operation says in the OpenAPI document which permission it needs (`x-lode-permission`); one that says nothing is
//! refused. The check in front of every handler ([`guarded`]) finds out who asks, looks up what they may **now** (nothing is remembered between
//! requests, so a right that was taken away is gone), and hands the answer to the handler as [`Actor`] and
//! [`ProjectAccess`]. A handler that takes one of these cannot run unchecked.
//!
//! A project that somebody is not a member of looks exactly like one that is not there (promise S1). Admins look after
//! accounts and settings; being admin opens no project.

use crate::api::errors::{ApiError, ApiResult};
use crate::identity::Identity;
use crate::identity::secret_text::{KeyKind, hash, same_hash};
use crate::identity::session;
use crate::jobs::runner::now_us;
use axum::extract::{FromRequestParts, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;
use store::StoreError;
use store::control::Control;
use store::control::accounts::Account;
use store::control::api_tokens::ApiToken;
use store::control::audit::AuditActor;
use store::control::login_sessions::LoginSession;
use store::control::members::{Grant, Grants, Membership, Role};
use store::control::projects::Project;
use uilog::planted;
use utoipa_axum::router::{UtoipaMethodRouter, UtoipaMethodRouterExt};

/// Name of the member of an operation that holds its permission.
pub const PERMISSION: &str = "x-lode-permission";

/// Name of the member of an operation that changes nothing although its method could; read-only tokens may use it.
pub const READS_ONLY: &str = "x-lode-reads-only";

/// Name of the path parameter that holds a project.
const PROJECT: &str = "project";

/// Id of the account that everybody is in open mode.
const DEMO: &str = "demo";

/// What an operation asks of whoever calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Nothing.
    Public,
    /// An account.
    SignedIn,
    /// An account that is admin, with a second factor.
    Admin,
    /// Any role in the project.
    Member,
    /// Lead, analyst or viewer: analysis pages behind the minimum group size.
    Pages,
    /// Lead or analyst: SQL, jobs, tables.
    Sql,
    /// Like [`Permission::Sql`], with the grant `raw`: rows of single events.
    Raw,
    /// Lead, analyst or viewer with the grant `pictures`.
    Pictures,
    /// Lead.
    Lead,
    /// Lead or council: rules, counters, the record; no content.
    Oversight,
    /// Lead or council with the grant `identities`.
    Identities,
    /// An enrolled desktop's own token; no account has it, so it never holds here.
    Client,
}

impl Permission {
    /// Whether a member may.
    pub fn allows(self, membership: &Membership) -> bool {
        let role = membership.role;
        let granted = |grant| membership.grants.contains(&grant);
        let sql = matches!(role, Role::Lead | Role::Analyst);
        match self {
            Self::Public | Self::SignedIn | Self::Member => true,
            Self::Pages => role != Role::Council || planted::is("dpo-sees-content"),
            Self::Sql => sql,
            Self::Raw => sql && granted(Grant::Raw),
            Self::Pictures => role != Role::Council && granted(Grant::Pictures),
            Self::Lead => role == Role::Lead,
            Self::Oversight => matches!(role, Role::Lead | Role::Council),
            Self::Identities => matches!(role, Role::Lead | Role::Council) && granted(Grant::Identities),
            Self::Admin | Self::Client => false,
        }
    }
}

/// Who asks, as far as it is known by name.
#[derive(Debug, Clone)]
pub struct Actor {
    /// The account.
    pub account: Account,
    /// What showed it.
    pub by: By,
}

/// What showed who somebody is.
#[derive(Debug, Clone)]
pub enum By {
    /// The cookie of a login session.
    Session(LoginSession),
    /// An API token.
    Token(ApiToken),
    /// Nothing: the service runs open, on loopback, for everybody on this machine.
    Open,
}

impl Actor {
    /// The account that everybody is in open mode.
    fn demo() -> Self {
        let account = Account {
            id: DEMO.into(),
            email: "demo@localhost".into(),
            name: "Demo".into(),
            admin: true,
            disabled: false,
            password_hash: None,
            oidc: None,
            totp_secret: None,
            totp_active: false,
            totp_step: 0,
            created_at_us: 0,
            last_login_at_us: None,
        };
        Self { account, by: By::Open }
    }

    /// Whether it is everybody of open mode, who has no row of its own.
    pub fn is_demo(&self) -> bool {
        matches!(self.by, By::Open)
    }

    /// The one project that a token is bound to.
    pub fn bound_to(&self) -> Option<&str> {
        match &self.by {
            By::Token(token) => token.project.as_deref(),
            _ => None,
        }
    }

    /// Refuses an account that a stolen password opens, for what decides about others: to manage the service, to name a person
    /// (promise S9). Whoever has no password logs in at the company's provider, which asks for what it wants; open mode has
    /// nobody to protect from.
    ///
    /// Errors: 403 that says how to get a second factor.
    pub fn second_factor(&self) -> ApiResult<()> {
        let account = &self.account;
        let by_provider = account.oidc.is_some() && account.password_hash.is_none();
        if account.totp_active || by_provider || self.is_demo() || planted::is("admin-by-password") {
            Ok(())
        } else {
            Err(ApiError::without_second_factor())
        }
    }

    /// The login session, for what only a person may do: change a password, make a token.
    ///
    /// Errors: a token, or open mode, is refused.
    pub fn session(&self) -> ApiResult<&LoginSession> {
        match &self.by {
            By::Session(session) => Ok(session),
            By::Token(_) => Err(ApiError::forbidden("a token cannot do this", "log in and do it yourself")),
            By::Open => Err(ApiError::forbidden("the demo has no accounts", "start the service with lode serve")),
        }
    }
}

impl From<&Actor> for AuditActor {
    fn from(actor: &Actor) -> Self {
        let (kind, id) = match &actor.by {
            By::Token(token) => ("token", &token.id),
            By::Session(_) | By::Open => ("account", &actor.account.id),
        };
        Self { kind: kind.into(), id: id.clone(), name: actor.account.name.clone() }
    }
}

/// A project in which the actor may do what the operation asks for.
#[derive(Debug, Clone)]
pub struct ProjectAccess {
    /// The project.
    pub project: Project,
    /// What the actor is in it.
    pub role: Role,
    /// What it may besides.
    pub grants: Grants,
}

impl ProjectAccess {
    /// Id of the project.
    pub fn id(&self) -> &str {
        &self.project.id
    }

    /// Refuses unless a further permission holds, where one operation needs more for some of its answers.
    ///
    /// Errors: 403 that names the permission.
    pub fn require(&self, permission: Permission) -> ApiResult<()> {
        let membership = Membership { role: self.role, grants: self.grants.clone(), since_us: 0 };
        if permission.allows(&membership) { Ok(()) } else { Err(not_allowed(permission)) }
    }
}

/// What an operation asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Operation {
    permission: Permission,
    reads_only: bool,
}

/// The operations of one path with their permissions, as their handlers declare them.
#[derive(Debug, Clone, Default)]
struct Declared(HashMap<Method, Operation>);

impl Declared {
    /// Reads paths of an OpenAPI document; an operation without a permission that is known is left out, and so refused.
    fn in_paths(paths: &Value) -> Self {
        let mut known = HashMap::new();
        let methods = paths.as_object().into_iter().flatten().filter_map(|(_, methods)| methods.as_object()).flatten();
        for (method, operation) in methods {
            let method = Method::from_bytes(method.to_uppercase().as_bytes());
            let permission = Permission::deserialize(&operation[PERMISSION]);
            if let (Ok(method), Ok(permission)) = (method, permission) {
                let reads_only = operation[READS_ONLY] == true || method == Method::GET;
                known.insert(method, Operation { permission, reads_only });
            }
        }
        Self(known)
    }

    fn operation(&self, method: &Method) -> Option<Operation> {
        let method = if *method == Method::HEAD { &Method::GET } else { method };
        self.0.get(method).copied()
    }
}

/// Puts the check in front of the handlers of a path. What is registered with [`crate::api`] goes through here.
pub fn guarded<S: Clone + Send + Sync + 'static>(routes: UtoipaMethodRouter<S>) -> UtoipaMethodRouter<S> {
    let declared = Declared::in_paths(&serde_json::to_value(&routes.1).unwrap_or_default());
    let declared = Arc::new(declared);
    let guard = middleware::from_fn(move |request: Request, next: Next| check(declared.clone(), request, next));
    // Methods that the path does not have are not ours to refuse: the router answers 405.
    routes.map(|methods| methods.route_layer(guard))
}

/// What the check needs; the service puts it into every request.
#[derive(Clone)]
pub struct Gate {
    /// Where accounts, members and tokens are.
    pub control: Control,
    /// Whether the service is open.
    pub identity: Arc<Identity>,
}

/// The check in front of every operation.
async fn check(declared: Arc<Declared>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let admitted = match parts.extensions.get::<Gate>().cloned() {
        Some(gate) => gate.admit(declared.operation(&parts.method), &mut parts).await,
        None => Err(ApiError::internal("the service was built without its gate")),
    };
    match admitted {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(error) => error.into_response(),
    }
}

impl Gate {
    /// Puts [`Actor`] and [`ProjectAccess`] into the request, or says why not.
    async fn admit(&self, operation: Option<Operation>, parts: &mut Parts) -> ApiResult<()> {
        let operation = operation.ok_or_else(undeclared)?;
        let actor = self.actor(&parts.headers, now_us()).await;
        if operation.permission == Permission::Public {
            if let Ok(Some(actor)) = actor {
                parts.extensions.insert(actor);
            }
            return Ok(());
        }
        let actor =
            actor?.ok_or_else(|| ApiError::unauthenticated("nobody is logged in", "log in, or show a token"))?;
        let project = project_in(parts).await;
        if let By::Token(token) = &actor.by {
            token_may(token, operation, project.is_some())?;
        }
        match project {
            Some(handle) => {
                let access = self.project(&actor, &handle).await?;
                access.require(operation.permission)?;
                parts.extensions.insert(access);
            }
            None => service_allows(operation.permission, &actor)?,
        }
        parts.extensions.insert(actor);
        Ok(())
    }

    /// Who asks; `None` without a credential. A token that does not hold is an error, a cookie that does not is none.
    async fn actor(&self, headers: &HeaderMap, now_us: i64) -> ApiResult<Option<Actor>> {
        if let Some(shown) = headers.get(header::AUTHORIZATION) {
            let shown = shown.to_str().unwrap_or("");
            return self.by_token(shown.strip_prefix("Bearer ").unwrap_or(""), now_us).await.map(Some);
        }
        if let Some(secret) = session::shown(headers)
            && let Some((account, session)) = self.control.login_session(&hash(secret), session::ended(now_us)).await?
        {
            if session::is_stale(&session, now_us) {
                note_use(self.control.see_login_session(&session.id, now_us).await);
            }
            return Ok(Some(Actor { account, by: By::Session(session) }));
        }
        Ok(self.identity.open.then(Actor::demo))
    }

    async fn by_token(&self, shown: &str, now_us: i64) -> ApiResult<Actor> {
        let wrong = || ApiError::unauthenticated("this token does not hold", "make a new one under your account");
        let shown = KeyKind::ApiToken.read(shown).ok_or_else(wrong)?;
        let known = self.control.api_token(&shown.id, now_us).await?.ok_or_else(wrong)?;
        if !same_hash(&known.secret_hash, &shown.hash) {
            return Err(wrong());
        }
        if known.token.last_used_at_us.is_none_or(|used_us| now_us - used_us > TOKEN_USE_STALE_US) {
            note_use(self.control.note_token_use(&shown.id, now_us).await);
        }
        Ok(Actor { account: known.owner, by: By::Token(known.token) })
    }

    /// Who shows a token, and the project in which it may ask in SQL, for doors other than HTTP: what the check in front of
    /// every operation does, in the same order.
    ///
    /// Errors: 401 for a token that does not hold, 404 for a project that is not there or somebody else's, 403 for a role that
    /// may not ask in SQL.
    pub async fn admit_to_sql(&self, token: &str, project: &str, now_us: i64) -> ApiResult<(Actor, ProjectAccess)> {
        let actor = self.by_token(token, now_us).await?;
        let access = self.project(&actor, project).await?;
        access.require(Permission::Sql)?;
        Ok((actor, access))
    }

    /// The project and what the actor is in it; the same answer whether it is not there or somebody else's.
    async fn project(&self, actor: &Actor, handle: &str) -> ApiResult<ProjectAccess> {
        let found = self.control.project_for(handle, &actor.account.id).await?;
        let found = found.filter(|(project, _)| actor.bound_to().is_none_or(|bound| bound == project.id));
        match found {
            Some((project, Some(Membership { role, grants, .. }))) => Ok(ProjectAccess { project, role, grants }),
            Some((project, None)) if actor.is_demo() || planted::is("project-filter-off") => {
                Ok(ProjectAccess { project, role: Role::Lead, grants: Grant::ALL.into() })
            }
            _ => Err(ApiError::not_found(format!("there is no project '{handle}'"), "check the name of the project")),
        }
    }
}

/// How stale `last_used_at` of a token may be, in microseconds: 1 min.
const TOKEN_USE_STALE_US: i64 = 60 * 1_000_000;

async fn project_in(parts: &mut Parts) -> Option<String> {
    let parameters = RawPathParams::from_request_parts(parts, &()).await.ok()?;
    parameters.iter().find(|(name, _)| *name == PROJECT).map(|(_, value)| value.to_owned())
}

/// When a session or a token was last used is good to know, and no reason to let nobody read anything on a full disk.
fn note_use(noted: Result<(), StoreError>) {
    if let Err(error) = noted {
        tracing::warn!(%error, "when somebody was last seen could not be noted");
    }
}

/// Operations that concern no project.
fn service_allows(permission: Permission, actor: &Actor) -> ApiResult<()> {
    match permission {
        Permission::SignedIn => Ok(()),
        Permission::Admin if actor.account.admin => actor.second_factor(),
        _ => Err(not_allowed(permission)),
    }
}

/// What a token may not, although its owner may.
fn token_may(token: &ApiToken, operation: Operation, in_project: bool) -> ApiResult<()> {
    if token.read_only && !operation.reads_only {
        return Err(ApiError::forbidden("this token only reads", "make one that may change things"));
    }
    let reads_own = operation.permission == Permission::SignedIn && operation.reads_only;
    if token.project.is_some() && !in_project && !reads_own {
        return Err(ApiError::forbidden("this token works in one project", "use one that is not bound to a project"));
    }
    Ok(())
}

fn not_allowed(permission: Permission) -> ApiError {
    let (message, hint) = match permission {
        Permission::Admin => ("only admins may do this", "ask an admin"),
        Permission::Client => ("only enrolled desktops may do this", "use the client"),
        Permission::Raw => {
            ("this shows single events, which needs the grant 'raw'", "ask a lead of the project for it")
        }
        Permission::Pictures => ("pictures need the grant 'pictures'", "ask a lead of the project for it"),
        Permission::Identities => ("this needs the grant 'identities'", "ask a lead of the project for it"),
        _ => ("your role in the project does not allow this", "ask a lead of the project"),
    };
    ApiError::forbidden(message, hint)
}

fn undeclared() -> ApiError {
    ApiError::forbidden("this operation declares no permission, so nobody may use it", "report it as a bug")
}

impl<S: Send + Sync> FromRequestParts<S> for Actor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> ApiResult<Self> {
        let actor = parts.extensions.get::<Self>().cloned();
        actor.ok_or_else(|| ApiError::unauthenticated("nobody is logged in", "log in, or show a token"))
    }
}

/// Who asks, if anybody: for public operations.
pub struct MaybeActor(pub Option<Actor>);

impl<S: Send + Sync> FromRequestParts<S> for MaybeActor {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.extensions.get::<Actor>().cloned()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ProjectAccess {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> ApiResult<Self> {
        let access = parts.extensions.get::<Self>().cloned();
        access.ok_or_else(|| ApiError::internal("this operation's path names no project"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each role may, as `docs/promises.md` section 3 has it.
    #[test]
    fn s1_every_role_may_what_the_table_says() {
        use Permission::*;
        let may = |role, grants: &[Grant]| {
            let membership = Membership { role, grants: grants.iter().copied().collect(), since_us: 0 };
            [Member, Pages, Sql, Raw, Pictures, Lead, Oversight, Identities, Admin, Client]
                .into_iter()
                .filter(|permission| permission.allows(&membership))
                .collect::<Vec<_>>()
        };
        assert_eq!(may(Role::Viewer, &[Grant::Raw, Grant::Identities]), [Member, Pages]);
        assert_eq!(may(Role::Analyst, &[]), [Member, Pages, Sql]);
        assert_eq!(may(Role::Analyst, &[Grant::Raw, Grant::Pictures]), [Member, Pages, Sql, Raw, Pictures]);
        assert_eq!(may(Role::Lead, &[]), [Member, Pages, Sql, Lead, Oversight]);
        assert_eq!(may(Role::Council, &[Grant::Raw, Grant::Pictures]), [Member, Oversight]);
        assert_eq!(may(Role::Council, &[Grant::Identities]), [Member, Oversight, Identities]);
    }

    #[test]
    fn s1_an_operation_without_a_permission_is_unknown() {
        let paths = serde_json::json!({ "/a": {
            "get": { PERMISSION: "sql" }, "post": {}, "delete": { PERMISSION: "everybody" },
            "put": { PERMISSION: "sql", READS_ONLY: true },
        } });
        let declared = Declared::in_paths(&paths);
        let found = |method| declared.operation(&method);
        assert_eq!(found(Method::HEAD), Some(Operation { permission: Permission::Sql, reads_only: true }));
        assert_eq!(found(Method::PUT), found(Method::GET));
        assert_eq!((found(Method::POST), found(Method::DELETE)), (None, None));
    }
}
