//! Words of other crates, told to the OpenAPI document: `store` and `uilog` know nothing of it.
//!
//! A member keeps its type and says here what it is one of: `#[schema(value_type = words::Role)]`. The words are those that
//! the type itself travels as, so none stands here a second time. Where the interface makes a word itself, an enum beside
//! the handler derives its schema.

use super::clients::{client_sorts, client_states};
use serde::Serialize;
use serde_json::Value;
use store::control::{
    Control, audit, configurations, members, project_settings, projects, queries, requests, runs, task_corrections,
};
use uilog::event::Family;
use uilog::policy;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// Declares schemas: the name in the document, and every value that has a word.
macro_rules! words {
    ($($(#[doc = $about:literal])+ $name:ident: $all:expr;)+) => {
        $($(#[doc = $about])+
        pub enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                spelled(concat!($($about),+).trim(), $all)
            }
        }

        impl ToSchema for $name {})+
    };
}

words! {
    /// The database that keeps what is not a table of events.
    ControlKind: Control::KINDS;
    /// Where a project's events come from.
    ProjectKind: projects::ProjectKind::ALL;
    /// What a member is.
    Role: members::Role::ALL;
    /// A right that a role alone does not give.
    Grant: members::Grant::ALL;
    /// From which set of defaults a project began.
    Preset: project_settings::Preset::ALL;
    /// What is said of a task.
    CorrectionKind: task_corrections::CorrectionKind::ALL;
    /// Where a revision stands.
    RevisionState: configurations::RevisionState::ALL;
    /// How bad a problem of a configuration is.
    Severity: policy::Severity::ALL;
    /// What decided about an event.
    RuleKind: policy::preview::RuleKind::ALL;
    /// What was decided about an event.
    Outcome: policy::preview::OUTCOMES;
    /// What happens to a value.
    Fate: policy::preview::Fate::ALL;
    /// What a picture shows.
    Scope: policy::words::Scope::WORDS;
    /// What the user did, or what happened to the recording.
    EventType: Family::ALL.iter().flat_map(|family| family.declarations()).map(|declaration| declaration.name);
    /// The state of a client.
    ClientState: client_states();
    /// What a list of clients is sorted by; with a `-` in front from the end.
    ClientSort: client_sorts();
    /// What takes two people.
    RequestKind: requests::RequestKind::ALL;
    /// How a request stands.
    RequestState: requests::STATES;
    /// Who did something: a person, a program in a person's name, a client, or the service itself.
    ActorKind: audit::ACTOR_KINDS;
    /// How a question ended.
    QueryState: queries::STATES;
    /// How a run stands.
    RunState: runs::STATES;
}

/// The schema of a text that is one of these.
fn spelled(about: &str, words: impl IntoIterator<Item = impl Serialize>) -> RefOr<Schema> {
    let words = words.into_iter().filter_map(|word| serde_json::to_value(word).ok());
    let words: Vec<Value> = words.collect();
    ObjectBuilder::new().schema_type(Type::String).description(Some(about)).enum_values(Some(words)).into()
}
