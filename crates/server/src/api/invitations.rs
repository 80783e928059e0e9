//! Invitations: a link for each person who is asked to record, without an account; and the page behind the link.

use super::app_keys::{DAY_US, DAYS_DEFAULT, InstallLines, install_lines};
use super::clients::TEAM_CHARS_MAX;
use super::errors::{ApiError, ApiResult};
use super::paging::{Page, time_text};
use super::path::ItemId;
use super::state::AppState;
use crate::access::{Actor, ProjectAccess};
use crate::audit;
use crate::configuring;
use crate::identity::master_key::Sealer;
use crate::identity::secret_text::{self, KeyKind};
use crate::jobs::runner::now_us;
use crate::plain_words::plain_words;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::control::app_keys::AppKey;
use store::control::invitations::Invitation;
use store::ingest::clients::Standing;
use uilog::policy;
use utoipa::ToSchema;

/// People in one request.
const PEOPLE_MAX: usize = 2_000;

/// Characters of a person's name.
const NAME_CHARS_MAX: usize = 120;

/// Characters of an address.
const EMAIL_CHARS_MAX: usize = 254;

/// Desktops that one person may enrol with the key of an invitation.
const DESKTOPS_MAX: i64 = 5;

/// Days that an invitation is good at most.
const DAYS_MAX: u32 = 366;

/// People to be invited: a list, or lines of CSV with the columns name, email and team.
#[derive(Deserialize, ToSchema)]
pub struct Invite {
    #[serde(default)]
    people: Vec<Person>,
    csv: Option<String>,
    /// 90 unless asked otherwise.
    days: Option<u32>,
}

/// Somebody to be invited.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, PartialEq, Eq)]
pub struct Person {
    name: String,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    team: Option<String>,
}

/// Invitations of a project.
#[derive(Serialize, ToSchema)]
pub struct InvitationList {
    invitations: Vec<InvitationShown>,
    total: i64,
}

/// An invitation. What became of it is told in a word; which client it was is not, for that takes two people.
#[derive(Serialize, ToSchema)]
pub struct InvitationShown {
    id: String,
    name: String,
    email: Option<String>,
    team: Option<String>,
    state: InvitationState,
    created_at: Option<String>,
    expires_at: Option<String>,
    /// Path of the person's page; shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    link: Option<String>,
}

/// What became of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvitationState {
    /// Nobody used it yet.
    Invited,
    /// A client enrolled with it.
    Enrolled,
    /// Its time is over.
    Expired,
    /// Somebody took it back.
    Revoked,
}

/// What was made, and which lines could not be read.
#[derive(Serialize, ToSchema)]
pub struct Invited {
    invitations: Vec<InvitationShown>,
    rejects: Vec<Reject>,
}

/// A line that is no person.
#[derive(Serialize, ToSchema, Debug, PartialEq, Eq)]
pub struct Reject {
    line: usize,
    reason: String,
}

/// Invitations of the project, newest first.
#[utoipa::path(get, path = "/projects/{project}/invitations", params(Page), responses((status = 200, body = InvitationList)),
    extensions(("x-lode-permission" = json!("lead"))))]
pub async fn list(
    State(state): State<AppState>,
    access: ProjectAccess,
    Query(page): Query<Page>,
) -> ApiResult<Json<InvitationList>> {
    let (found, total) = state.store.control().invitations(access.id(), page.limit(), page.offset()).await?;
    let mut invitations = Vec::with_capacity(found.len());
    for invitation in found {
        invitations.push(shown(&state, invitation, None).await?);
    }
    Ok(Json(InvitationList { invitations, total }))
}

/// Invites people; each gets a link, shown once.
#[utoipa::path(post, path = "/projects/{project}/invitations", request_body = Invite,
    responses((status = 201, body = Invited)), extensions(("x-lode-permission" = json!("lead"))))]
pub async fn create(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    Json(invite): Json<Invite>,
) -> ApiResult<(StatusCode, Json<Invited>)> {
    let days = invite.days.unwrap_or(DAYS_DEFAULT);
    if !(1..=DAYS_MAX).contains(&days) {
        return Err(ApiError::bad_request(
            format!("an invitation is good for 1 to {DAYS_MAX} days"),
            "choose fewer days",
        ));
    }
    let (mut people, mut rejects) = (Vec::new(), Vec::new());
    for (person, line) in invite.people.into_iter().zip(1..) {
        match checked(person) {
            Ok(person) => people.push(person),
            Err(reason) => rejects.push(Reject { line, reason }),
        }
    }
    if let Some(csv) = &invite.csv {
        let (read, unread) = read_csv(csv);
        people.extend(read);
        rejects.extend(unread);
    }
    if people.len() > PEOPLE_MAX {
        let message = format!("{} people at once; at most {PEOPLE_MAX}", people.len());
        return Err(ApiError::bad_request(message, "send several lists"));
    }
    let (control, now_us) = (state.store.control(), now_us());
    let (mut rows, mut links) = (Vec::new(), Vec::new());
    for person in people {
        let (id, token) = (uuid::Uuid::now_v7().to_string(), secret_text::random_secret());
        rows.push(Invitation {
            person: state.identity.sealer.seal(&purpose(&id), &json!(person).to_string())?,
            id,
            project: access.id().to_owned(),
            token_hash: secret_text::hash_of(&token),
            team: person.team,
            created_at_us: now_us,
            expires_at_us: now_us + i64::from(days) * DAY_US,
            revoked_at_us: None,
        });
        links.push(format!("/join/{}", token.expose_secret()));
    }
    let detail = json!({ "people": rows.len(), "days": days });
    audit::record(control, &actor, "invitation.create", Some(access.id()), None, detail, now_us).await?;
    control.put_invitations(&rows).await?;
    let mut invitations = Vec::with_capacity(rows.len());
    for (row, link) in rows.into_iter().zip(links) {
        invitations.push(shown(&state, row, Some(link)).await?);
    }
    Ok((StatusCode::CREATED, Json(Invited { invitations, rejects })))
}

/// Takes an invitation back: its link is dead, and the key that it gave out enrols nobody.
#[utoipa::path(delete, path = "/projects/{project}/invitations/{invitation}", responses((status = 204)),
    extensions(("x-lode-permission" = json!("lead"))))]
pub async fn revoke(
    State(state): State<AppState>,
    actor: Actor,
    access: ProjectAccess,
    ItemId(invitation): ItemId,
) -> ApiResult<StatusCode> {
    let (control, now_us) = (state.store.control(), now_us());
    if !control.revoke_invitation(access.id(), &invitation, now_us).await? {
        return Err(ApiError::not_found(format!("there is no invitation '{invitation}'"), "look at the list"));
    }
    let subject = Some(("invitation", invitation.as_str()));
    audit::record(control, &actor, "invitation.revoke", Some(access.id()), subject, json!({}), now_us).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What an invited person sees.
#[derive(Serialize, ToSchema)]
pub struct JoinPage {
    /// Name of the project.
    project: String,
    purposes: Vec<String>,
    /// What is recorded and what is not, in plain sentences made from the published configuration.
    what: Vec<String>,
    /// What the client will ask the person to agree to.
    consent: Vec<ConsentText>,
    install: Vec<InstallLines>,
    /// Of an invitation that is over or taken back there is no page.
    state: InvitationState,
    expires_at: Option<String>,
}

/// A text of the consent, in one language.
#[derive(Serialize, ToSchema)]
pub struct ConsentText {
    lang: String,
    text: String,
}

/// The page behind an invitation's link. Each look at it makes a new personal key, which takes the place of the one before.
#[utoipa::path(get, path = "/join/{token}", responses((status = 200, body = JoinPage)),
    extensions(("x-lode-permission" = json!("public"))))]
pub async fn join(State(state): State<AppState>, Path(token): Path<String>) -> ApiResult<Json<JoinPage>> {
    let (control, now_us) = (state.store.control(), now_us());
    let over = || {
        let hint = "ask whoever sent it for a new one";
        ApiError::not_found("this link is unknown, over or taken back", hint)
    };
    let invitation = control.invitation_by_token(&secret_text::hash(&token)).await?.ok_or_else(over)?;
    if invitation.revoked_at_us.is_some() || invitation.expires_at_us <= now_us {
        return Err(over());
    }
    let project = control.project(&invitation.project).await?;
    let (active, rolling) = control.current_revisions(&project.id).await?;
    let configuration = active.or(rolling).and_then(|revision| policy::parse(&revision.xml).ok());
    let issued = KeyKind::AppKey.issue();
    control.revoke_invitation_keys(&invitation.id, now_us).await?;
    control
        .put_app_key(&AppKey {
            id: issued.id.clone(),
            project: project.id.clone(),
            name: "invitation".into(),
            hash: issued.hash.clone(),
            created_at_us: now_us,
            expires_at_us: invitation.expires_at_us,
            uses: 0,
            uses_max: Some(DESKTOPS_MAX),
            hold: false,
            address_range: None,
            invitation: Some(invitation.id.clone()),
            revoked_at_us: None,
        })
        .await?;
    let (what, consent) = match &configuration {
        Some(configuration) => {
            let texts = configuring::consent_texts(configuration);
            let texts =
                texts.map(|(lang, text)| ConsentText { lang: lang.to_owned(), text: text.to_owned() }).collect();
            (plain_words(configuration), texts)
        }
        None => {
            (vec!["Nothing is recorded yet: the project has not published what it wants to record.".into()], vec![])
        }
    };
    Ok(Json(JoinPage {
        project: project.name.clone(),
        purposes: control.project_settings(&project.id).await?.purposes,
        what,
        consent,
        install: install_lines(&state.url(), issued.text.expose_secret()),
        state: state_of(&state, &invitation).await?,
        expires_at: time_text(invitation.expires_at_us),
    }))
}

async fn shown(state: &AppState, invitation: Invitation, link: Option<String>) -> ApiResult<InvitationShown> {
    let person = person(&state.identity.sealer, &invitation)?;
    Ok(InvitationShown {
        state: state_of(state, &invitation).await?,
        id: invitation.id,
        name: person.name,
        email: person.email,
        team: invitation.team,
        created_at: time_text(invitation.created_at_us),
        expires_at: time_text(invitation.expires_at_us),
        link,
    })
}

async fn state_of(state: &AppState, invitation: &Invitation) -> ApiResult<InvitationState> {
    let clients = state.store.ingest().clients_of_invitation(&invitation.project, &invitation.id).await?;
    Ok(if invitation.revoked_at_us.is_some() {
        InvitationState::Revoked
    } else if clients.iter().any(|(_, standing)| *standing != Standing::Revoked) {
        InvitationState::Enrolled
    } else if invitation.expires_at_us <= now_us() {
        InvitationState::Expired
    } else {
        InvitationState::Invited
    })
}

/// Who was invited.
pub fn person(sealer: &Sealer, invitation: &Invitation) -> ApiResult<Person> {
    let person = sealer.unseal(&purpose(&invitation.id), &invitation.person)?;
    serde_json::from_str(&person).map_err(|error| ApiError::internal(error.to_string()))
}

/// What the name behind an invitation is sealed for.
pub fn purpose(invitation: &str) -> String {
    format!("invitation/{invitation}")
}

/// Trims and bounds what was typed.
fn checked(person: Person) -> Result<Person, String> {
    let trimmed = |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let name = person.name.trim().to_owned();
    let (email, team) = (trimmed(person.email), trimmed(person.team));
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
        return Err(format!("a name has 1 to {NAME_CHARS_MAX} characters"));
    }
    if email.as_ref().is_some_and(|email| email.len() > EMAIL_CHARS_MAX || !email.contains('@')) {
        return Err("this is no e-mail address".into());
    }
    if team.as_ref().is_some_and(|team| team.chars().count() > TEAM_CHARS_MAX) {
        return Err(format!("a team has at most {TEAM_CHARS_MAX} characters"));
    }
    Ok(Person { name, email, team })
}

/// Reads lines of CSV; a first line with the names of the columns is understood, and without one they are name, email, team.
fn read_csv(text: &str) -> (Vec<Person>, Vec<Reject>) {
    let (mut people, mut rejects) = (Vec::new(), Vec::new());
    let mut places: [Option<usize>; 3] = [Some(0), Some(1), Some(2)];
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    for (record, line) in reader.records().zip(1..) {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                rejects.push(Reject { line, reason: error.to_string() });
                continue;
            }
        };
        let named = |name: &str| record.iter().position(|cell| cell.eq_ignore_ascii_case(name));
        if line == 1 && named("name").is_some() {
            places = [named("name"), named("email"), named("team")];
            continue;
        }
        let cell = |place: usize| places[place].and_then(|place| record.get(place)).map(str::to_owned);
        match checked(Person { name: cell(0).unwrap_or_default(), email: cell(1), team: cell(2) }) {
            Ok(person) => people.push(person),
            Err(reason) => rejects.push(Reject { line, reason }),
        }
    }
    (people, rejects)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_people_is_read_with_and_without_names_of_columns_and_bad_lines_are_named() {
        let person = |name: &str, email: &str, team: Option<&str>| Person {
            name: name.into(),
            email: Some(email.into()),
            team: team.map(str::to_owned),
        };
        let (people, rejects) = read_csv("Mia,mia@example.org,AP\nNoah,noah@example.org\n,x@example.org\nEve,nowhere");
        assert_eq!(people, [person("Mia", "mia@example.org", Some("AP")), person("Noah", "noah@example.org", None)]);
        assert_eq!(rejects.iter().map(|reject| reject.line).collect::<Vec<_>>(), [3, 4]);
        let (people, rejects) = read_csv("Team,Name,Email\nAP,\"Muster, Mia\",mia@example.org\n");
        assert_eq!(people, [person("Muster, Mia", "mia@example.org", Some("AP"))]);
        assert_eq!(rejects, []);
    }
}
