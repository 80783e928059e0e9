//! A configuration under a floor: what both allow, and nothing more (promise D12).
//!
//! A floor is a file on the machine that only its administrator writes. The service can ask a client to record less than the
//! floor, never more, even if the service is in foreign hands. Where the common part of two allowances has no word in the
//! format, the result is narrower than both: two path globs of which neither contains the other give nothing.
//!
//! Names of rules and the revision stay, so the service finds the rule of an event that was narrowed.

use super::columns::{ColumnSet, Selection};
use super::gate::{EVERY_PATH, host_fits};
use super::model::*;
use super::scrub::Work;
use crate::planted;

/// The configuration that holds on a machine with this floor.
///
/// Shape: the same rules in the same order. Every event that the result records, the configuration records too, with at
/// most the same columns; and no column, picture, application, page or time that the floor forbids is left.
pub fn narrow(configuration: &Configuration, floor: &Floor) -> Configuration {
    let mut narrowed = configuration.clone();
    if planted::is("service-widens-floor") {
        return narrowed;
    }
    narrowed.schedules.extend(floor.schedule.clone());
    if let Some(bound) = &floor.allow {
        narrowed.allow.apps = common_apps(&configuration.allow.apps, &bound.apps);
        narrowed.allow.never.extend(bound.never.iter().cloned());
    }
    narrowed.allow.never.extend(floor.never.iter().cloned());
    let actions = narrowed.rules.iter_mut().map(|rule| &mut rule.action).chain([&mut narrowed.otherwise]);
    for log in actions.filter_map(Action::log_mut) {
        narrow_log(log, floor);
    }
    narrowed.screenshots.enabled &= !floor.forbid_screenshots;
    narrow_redaction(&mut narrowed.redaction, &floor.redaction);
    narrowed.upload.hold = narrowed.upload.hold.max(floor.min_hold);
    narrowed
}

/// Forbidden columns go, columns to be hashed are hashed where they were logged in clear.
fn narrow_log(log: &mut Log, floor: &Floor) {
    let before = Work::of(log, false);
    let forbidden = floor.forbid.forbidden();
    let in_clear = before.kept.without(before.replaced).without(before.hashed);
    let hashed = before.hashed.or(floor.hash.texts().and(in_clear)).without(forbidden);
    let named = ColumnSet::of(|column| log.columns.names(column));
    let kept = before.kept.without(forbidden);
    // In single names: `all` and groups could mean what is forbidden. Only a name keeps a person's name in clear, so what
    // was not named must not be named now; it is hashed, and `hash` counts as logged.
    log.columns = Selection::of(kept.without(hashed).without(before.replaced).or(kept.and(named)));
    log.omit = Selection::of(log.omit.logged().or(forbidden));
    log.hash = Selection::of(hashed);
    for replace in &mut log.replace {
        replace.columns = Selection::of(replace.columns.texts().without(forbidden));
    }
    log.replace.retain(|replace| !replace.columns.0.is_empty());
    if floor.forbid_screenshots {
        log.screenshot = Scope::None;
    }
}

/// The floor's patterns come after those of the configuration: they have the last word.
fn narrow_redaction(redaction: &mut Redaction, floor: &Redaction) {
    if redaction.builtins.is_empty() && !floor.builtins.is_empty() {
        // Saying nothing means the patterns that always apply; that must not be lost by adding one.
        redaction.builtins.push(Builtin { patterns: super::redact::ALWAYS.to_vec(), columns: None });
    }
    redaction.builtins.extend(floor.builtins.iter().cloned());
    redaction.patterns.extend(floor.patterns.iter().cloned());
}

/// Every pair of applications, as far as both are the same.
fn common_apps(wanted: &[App], bound: &[App]) -> Vec<App> {
    wanted.iter().flat_map(|wanted| bound.iter().filter_map(|bound| common_app(wanted, bound))).collect()
}

fn common_app(wanted: &App, bound: &App) -> Option<App> {
    let both = |wanted: &[String], bound: &[String]| -> Vec<String> {
        wanted.iter().filter(|name| bound.contains(name)).cloned().collect()
    };
    let processes = both(&wanted.processes, &bound.processes);
    let app_ids = both(&wanted.app_ids, &bound.app_ids);
    if processes.is_empty() && app_ids.is_empty() {
        return None;
    }
    let path = match (&wanted.path, &bound.path) {
        (path, None) | (None, path) => path.clone(),
        (Some(wanted), Some(bound)) => Some(common_path(wanted, bound)?),
    };
    let sites = match (wanted.sites.is_empty(), bound.sites.is_empty()) {
        (_, true) => wanted.sites.clone(),
        (true, _) => bound.sites.clone(),
        _ => common_sites(&wanted.sites, &bound.sites)?,
    };
    Some(App { processes, app_ids, path, sites, at: wanted.at })
}

/// The pages that are in both lists; nothing if there are none, for no list at all would mean every page.
fn common_sites(wanted: &[Site], bound: &[Site]) -> Option<Vec<Site>> {
    let common = |wanted: &Site, bound: &Site| {
        let host = common_host(&wanted.host, &bound.host)?;
        let path = common_path(&wanted.path, &bound.path)?;
        Some(Site { host, path, at: wanted.at })
    };
    let sites: Vec<Site> =
        wanted.iter().flat_map(|wanted| bound.iter().filter_map(move |bound| common(wanted, bound))).collect();
    (!sites.is_empty()).then_some(sites)
}

fn common_host(one: &str, other: &str) -> Option<String> {
    // A pattern is a name like any other to the pattern that contains it: `*.a.b.example` ends with `.b.example`.
    match (one == other || host_fits(one, other), host_fits(other, one)) {
        (true, _) => Some(other.to_owned()),
        (_, true) => Some(one.to_owned()),
        _ => None,
    }
}

/// The narrower of two path globs, where one contains the other for sure: they are equal, or one is a plain beginning and
/// `**`, and the other begins so too.
fn common_path(one: &str, other: &str) -> Option<String> {
    let contains = |wide: &str, narrow: &str| {
        let beginning = wide.strip_suffix("**").filter(|beginning| !beginning.contains(['*', '?']));
        wide == narrow || wide == EVERY_PATH || beginning.is_some_and(|beginning| narrow.starts_with(beginning))
    };
    match (contains(one, other), contains(other, one)) {
        (true, _) => Some(other.to_owned()),
        (_, true) => Some(one.to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d12_the_common_part_of_hosts_and_paths_is_the_narrower_one() {
        assert_eq!(common_host("*.example.org", "a.example.org").as_deref(), Some("a.example.org"));
        assert_eq!(common_host("*.b.example.org", "*.example.org").as_deref(), Some("*.b.example.org"));
        assert_eq!(common_host("*.example.org", "example.org"), None);
        assert_eq!(common_host("*.example.org", "*.xample.org"), None);
        assert_eq!(common_host("a.example.org", "b.example.org"), None);
        assert_eq!(common_path("/**", "/a/*").as_deref(), Some("/a/*"));
        assert_eq!(common_path("/a/b/**", "/a/**").as_deref(), Some("/a/b/**"));
        assert_eq!(common_path("/a/*/c", "/a/**").as_deref(), Some("/a/*/c"));
        assert_eq!(common_path("/a/*/c", "/a/b/*"), None);
        assert_eq!(common_path("/a/**", "/ab/**"), None);
    }
}
