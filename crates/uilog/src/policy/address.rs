//! What a URL says: scheme, host, path; and its template, in which ids are replaced and the query is gone.
//!
//! Addresses are taken apart by hand, not by the rules of browsers: what is hardly a URL still gives something, and what
//! gives a wrong host is matched against nothing but patterns that people wrote.

use std::borrow::Cow;

use crate::event::Event;

/// A URL, taken apart; pieces of the text it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address<'a> {
    /// The scheme; empty if there is none.
    pub(super) scheme: &'a str,
    /// The host with its port, in lower case, without user and password.
    pub(super) authority: Cow<'a, str>,
    /// The path, without query and fragment; begins with `/` unless it is empty.
    pub(super) path: &'a str,
}

impl<'a> Address<'a> {
    pub(super) fn of(url: &'a str) -> Self {
        let url = &url[..url.find(['?', '#']).unwrap_or(url.len())];
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        // Some browsers read a backslash as a slash; a host must not reach beyond it.
        let (authority, path) = rest.split_at(rest.find(['/', '\\']).unwrap_or(rest.len()));
        let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let is_lower = !authority.chars().any(char::is_uppercase);
        let authority = if is_lower { Cow::Borrowed(authority) } else { Cow::Owned(authority.to_lowercase()) };
        Address { scheme, authority, path }
    }

    /// The host without port.
    pub(super) fn host(&self) -> &str {
        match self.authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => &self.authority,
        }
    }

    /// Whether it is a page of the web: only these can be allowed as sites.
    pub(super) fn is_web(&self) -> bool {
        self.scheme.eq_ignore_ascii_case("http") || self.scheme.eq_ignore_ascii_case("https")
    }

    /// Origin and path, with `{id}` in place of each part that names one thing rather than a kind of things.
    pub(super) fn template(&self) -> String {
        let mut template = String::with_capacity(self.scheme.len() + self.authority.len() + self.path.len() + 3);
        if !self.scheme.is_empty() {
            template.push_str(self.scheme);
            template.push_str("://");
        }
        template.push_str(&self.authority);
        for (position, part) in self.path.split('/').enumerate() {
            if position > 0 {
                template.push('/');
            }
            template.push_str(if is_id(part) { ID } else { part });
        }
        template
    }
}

/// What stands in a template for a part that names one thing.
pub(super) const ID: &str = "{id}";

/// Gives an event with a URL its host and template, where it has none.
pub(super) fn fill(event: &mut Event) {
    let Some(url) = &event.url else { return };
    if event.url_host.is_some() && event.url_template.is_some() {
        return;
    }
    let address = Address::of(url);
    let (host, template) = (address.host().to_owned(), address.template());
    event.url_host.get_or_insert(host);
    event.url_template.get_or_insert(template);
}

/// Parts with a digit in them are ids unless they are short words with a number behind, such as `v2`, or files of an
/// application, such as `index2.html`; so are parts with an `@`, and parts longer than 40 characters.
fn is_id(part: &str) -> bool {
    if part == ID {
        return false;
    }
    if part.len() > 40 || part.contains('@') {
        return true;
    }
    let digits = part.bytes().filter(u8::is_ascii_digit).count();
    let word = part.trim_end_matches(|character: char| character.is_ascii_digit());
    let is_numbered_word = digits <= 2 && part.len() > digits && word.bytes().all(|byte| byte.is_ascii_alphabetic());
    digits > 0 && !is_numbered_word && !is_file_name(part)
}

fn is_file_name(part: &str) -> bool {
    part.rsplit_once('.').is_some_and(|(name, extension)| {
        matches!(extension, "html" | "htm" | "php" | "asp" | "aspx" | "jsp" | "do") && !is_id(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_templates_name_no_single_thing() {
        for (url, host, template) in [
            (
                "https://CRM.example:8443/api/v2/orders/4711?page=3#top",
                "crm.example",
                "https://crm.example:8443/api/v2/orders/{id}",
            ),
            ("https://jane:secret@x.example/u/jane@x.example/", "x.example", "https://x.example/u/{id}/"),
            ("https://x.example/index2.html", "x.example", "https://x.example/index2.html"),
            ("https://a.example\\@b.example/", "a.example", "https://a.example{id}/"),
            ("about:blank", "about:blank", "about:blank"),
        ] {
            let address = Address::of(url);
            assert_eq!((address.host(), address.template().as_str()), (host, template));
        }
    }

    #[test]
    fn a_template_is_its_own_template() {
        for url in ["https://x.example/a/17/b?q=1", "https://x.example/", "x"] {
            let template = Address::of(url).template();
            assert_eq!(Address::of(&template).template(), template);
        }
    }
}
