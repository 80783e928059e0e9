//! The vocabulary of configurations: what elements, attributes, columns and event types there are. The editor is driven by
//! it. `uilog` makes it, as `schemas/config-vocabulary.json`; here its shape is told to the OpenAPI document.

use super::errors::{ApiError, ApiResult};
use axum::Json;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The vocabulary as it is checked in.
const TEXT: &str = include_str!("../../../../schemas/config-vocabulary.json");

/// What a configuration can be made of.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct Vocabulary {
    elements: Vec<VocabularyElement>,
    columns: Vec<VocabularyColumn>,
    /// Columns that have a name together.
    groups: Vec<VocabularyGroup>,
    families: Vec<VocabularyFamily>,
    /// Names that stand for something of the desktop in patterns.
    variables: Vec<String>,
    /// What can be wrong with a text.
    problems: Vec<VocabularyProblem>,
}

/// An element of the XML.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct VocabularyElement {
    /// Unique; differs from the name where one name means two things.
    id: String,
    name: String,
    meaning: String,
    attributes: Vec<VocabularyAttribute>,
    /// Whether every column is an attribute too, as in the events of tests.
    columns_are_attributes: bool,
    content: VocabularyContent,
}

/// What may stand between the tags of an element.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum VocabularyContent {
    /// Nothing.
    Empty,
    /// Text.
    Text {
        /// Of at most so many characters.
        characters_max: usize,
    },
    /// Elements.
    Elements {
        /// In this order.
        particles: Vec<VocabularyParticle>,
    },
}

/// A place for elements inside another one.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct VocabularyParticle {
    /// Ids of the elements that may stand here, in any mixture.
    ids: Vec<String>,
    min: usize,
    /// Null: any number.
    max: Option<usize>,
}

/// An attribute. Which bounds there are depends on its type.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct VocabularyAttribute {
    name: String,
    #[serde(rename = "type")]
    kind: AttributeType,
    meaning: String,
    required: bool,
    /// What holds if it is not there; null: nothing is said.
    default: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    min: Option<AttributeBound>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    max: Option<AttributeBound>,
    /// Whether a duration of nothing at all can be said too.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    zero: Option<bool>,
    /// What it can be.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    words: Option<Vec<String>>,
    /// Columns that it can name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    columns: Option<Vec<String>>,
    /// How many there can be at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    count: Option<usize>,
    /// Whether capital letters are refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    lower_case: Option<bool>,
}

/// The least or the greatest that an attribute can be: a number, or as it is written in the text.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum AttributeBound {
    /// Of whole numbers, and of characters.
    Number(u64),
    /// Of durations and sizes.
    Text(String),
}

/// What the value of an attribute looks like.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttributeType {
    /// A whole number.
    Int,
    /// `true` or `false`.
    Bool,
    /// An identifier (RFC 9562).
    Uuid,
    /// A moment in UTC.
    Moment,
    /// One of `words`.
    Word,
    /// Some of `words`, between spaces.
    Words,
    /// An ISO 8601 duration.
    Duration,
    /// Durations, between spaces.
    Durations,
    /// Bytes, in `KiB`, `MiB` or `GiB`.
    Size,
    /// Text.
    Text,
    /// Values between `|`, few and short.
    Choices,
    /// Values between `|`.
    Values,
    /// Days of the week and ranges of them.
    Days,
    /// A time of day.
    Clock,
    /// A combination of keys.
    Keys,
    /// `user`, or the name of a time zone.
    Zone,
    /// Names between spaces.
    Names,
    /// A name in which `*`, `**` and `?` stand for characters.
    Glob,
    /// The path of a URL, likewise.
    PathGlob,
    /// The name of a host, or `*.` and the end of its name.
    Host,
    /// A regular expression.
    Regex,
    /// A language (BCP 47).
    Lang,
    /// One of `columns`.
    Column,
    /// Some of `columns` and `words`, between spaces.
    Columns,
    /// Event types, families, or `all`, between spaces.
    Events,
}

/// A column of the UI log.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct VocabularyColumn {
    name: String,
    meaning: String,
    /// Whether it may say something about a person.
    personal: bool,
    /// Whether every event has it.
    mandatory: bool,
    decided_by_rules: bool,
    /// Whether neither `all` nor a group means it.
    must_be_named: bool,
    /// Whether `all` means it.
    in_all: bool,
    /// Whether conditions can compare it.
    comparable: bool,
    /// Whether it can be hashed and replaced.
    hashable: bool,
    redactable: bool,
    hashed_unless_named: bool,
}

/// Columns that have a name together.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct VocabularyGroup {
    name: String,
    columns: Vec<String>,
}

/// Event types that have a name together.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct VocabularyFamily {
    name: String,
    event_types: Vec<VocabularyEventType>,
}

/// An event type.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct VocabularyEventType {
    name: String,
    meaning: String,
}

/// A kind of problem.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct VocabularyProblem {
    code: String,
    meaning: String,
}

/// What elements, attributes, columns and event types there are: the editor is driven by it.
#[utoipa::path(get, path = "/config/vocabulary", responses((status = 200, body = Vocabulary)),
    extensions(("x-lode-permission" = json!("signed_in"))))]
pub async fn show() -> ApiResult<Json<Vocabulary>> {
    serde_json::from_str(TEXT).map(Json).map_err(|error| ApiError::internal(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn the_vocabulary_has_the_shape_that_the_document_says_and_nothing_besides() {
        let checked_in: Value = serde_json::from_str(TEXT).unwrap();
        let shown: Vocabulary = serde_json::from_str(TEXT).unwrap();
        assert_eq!(serde_json::to_value(shown).unwrap(), checked_in);
    }
}
