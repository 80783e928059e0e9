//! `lode project member`: who belongs to a project, by hand, on the machine of the data folder.

use super::user::{find, operator};
use super::{ExitKind, print};
use crate::audit;
use crate::jobs::runner::now_us;
use anyhow::Result;
use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};
use store::control::members::{Grant, Grants, Member, Role};
use store::{Store, StoreError};

#[derive(Debug, Subcommand)]
pub enum MemberCommand {
    /// The members of a project
    List {
        /// The project
        project: String,
    },
    /// Make an account a member, or change what it may
    Put {
        /// The project
        project: String,
        /// The account's mail address
        email: String,
        /// What it is to be
        #[arg(long, value_enum)]
        role: RoleName,
        /// What it may besides; repeat for several
        #[arg(long = "grant", value_enum)]
        grants: Vec<GrantName>,
    },
    /// Take a member out
    Remove {
        /// The project
        project: String,
        /// The account's mail address
        email: String,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum RoleName {
    /// Decides about the project
    Lead,
    /// Works with SQL and jobs
    Analyst,
    /// Looks at pages
    Viewer,
    /// Works council or data protection officer
    Council,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum GrantName {
    /// Rows of single events
    Raw,
    /// Screenshots
    Pictures,
    /// Who a participant is; takes two people
    Identities,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Lead => Self::Lead,
            RoleName::Analyst => Self::Analyst,
            RoleName::Viewer => Self::Viewer,
            RoleName::Council => Self::Council,
        }
    }
}

impl From<GrantName> for Grant {
    fn from(name: GrantName) -> Self {
        match name {
            GrantName::Raw => Self::Raw,
            GrantName::Pictures => Self::Pictures,
            GrantName::Identities => Self::Identities,
        }
    }
}

impl MemberCommand {
    pub async fn run(self, store: &Store, as_json: bool) -> Result<ExitKind> {
        let control = store.control();
        let project = match &self {
            Self::List { project } | Self::Put { project, .. } | Self::Remove { project, .. } => {
                control.project(project).await?
            }
        };
        match self {
            Self::List { .. } => {}
            Self::Put { email, role, grants, .. } => {
                let (account, role) = (find(control, &email).await?, Role::from(role));
                let grants: Grants = grants.into_iter().map(Grant::from).collect();
                control.put_member(&project.id, &account.id, role, &grants, now_us()).await?;
                let words: Vec<&str> = grants.iter().map(|grant| grant.as_str()).collect();
                let (subject, detail) =
                    (("account", account.id.as_str()), json!({ "role": role.as_str(), "grants": words }));
                audit::record(control, operator(), "member.put", Some(&project.id), Some(subject), detail, now_us())
                    .await?;
            }
            Self::Remove { email, .. } => {
                let account = find(control, &email).await?;
                if !control.remove_member(&project.id, &account.id).await? {
                    return Err(StoreError::Missing { kind: "member", name: email }.into());
                }
                let subject = Some(("account", account.id.as_str()));
                audit::record(control, operator(), "member.remove", Some(&project.id), subject, json!({}), now_us())
                    .await?;
            }
        }
        let members = control.members(&project.id).await?;
        print(as_json, &json!({ "members": members.iter().map(described).collect::<Vec<_>>() }), || {
            members.iter().map(row).collect::<Vec<_>>().join("\n")
        });
        Ok(ExitKind::Done)
    }
}

fn grants(member: &Member) -> Vec<&'static str> {
    member.membership.grants.iter().map(|grant| grant.as_str()).collect()
}

fn row(member: &Member) -> String {
    format!("{:40} {:10} {}", member.email, member.membership.role.as_str(), grants(member).join(", "))
}

fn described(member: &Member) -> Value {
    json!({ "email": member.email, "name": member.name, "role": member.membership.role, "grants": grants(member) })
}
