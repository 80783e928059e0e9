//! What a URL says without naming the case: its host, and its path with ids replaced.

use std::collections::HashMap;

/// How many URLs are remembered before all are forgotten; a log visits few pages often.
const REMEMBERED_MAX: usize = 4_096;

/// URLs longer than this are not remembered, so that memory stays bounded.
const REMEMBERED_BYTES_MAX: usize = 1_024;

/// Host and template of URLs, remembered.
#[derive(Default)]
pub(super) struct Urls {
    known: HashMap<String, UrlParts>,
    last: (String, UrlParts),
}

/// What is kept of a URL besides the URL itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct UrlParts {
    /// The host in lower case, without port; empty if there is none.
    pub(super) host: String,
    /// Origin and path; ids replaced by `{id}`, query and fragment dropped.
    pub(super) template: String,
}

impl Urls {
    /// The parts of a URL.
    pub(super) fn parts(&mut self, url: &str) -> &UrlParts {
        if self.last.0 != url {
            self.last = (url.to_owned(), self.recall(url));
        }
        &self.last.1
    }

    fn recall(&mut self, url: &str) -> UrlParts {
        if let Some(parts) = self.known.get(url) {
            return parts.clone();
        }
        let parts = split(url);
        if self.known.len() >= REMEMBERED_MAX {
            self.known.clear();
        }
        if url.len() <= REMEMBERED_BYTES_MAX {
            self.known.insert(url.to_owned(), parts.clone());
        }
        parts
    }
}

fn split(url: &str) -> UrlParts {
    let url = &url[..url.find(['?', '#']).unwrap_or(url.len())];
    let (scheme, rest) = url.split_once("://").map_or(("", url), |(scheme, rest)| (scheme, rest));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    // Names and passwords do not belong into a column that is not personal.
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host).to_lowercase();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => &authority,
    };
    let path: Vec<&str> = path.split('/').map(|part| if is_id(part) { "{id}" } else { part }).collect();
    let origin = if scheme.is_empty() { authority.clone() } else { format!("{scheme}://{authority}") };
    UrlParts { host: host.to_owned(), template: format!("{origin}{}", path.join("/")) }
}

/// Whether a part of a path names one thing rather than a kind of things.
///
/// Parts with a digit in them are ids unless they are short words with a number behind, such as `v2` or `page10`; parts
/// with an `@` and parts longer than 40 characters are too.
fn is_id(part: &str) -> bool {
    if part.len() > 40 || part.contains('@') {
        return true;
    }
    let digits = part.bytes().filter(u8::is_ascii_digit).count();
    let is_numbered_word = digits <= 2
        && part.len() > digits
        && part
            .trim_end_matches(|character: char| character.is_ascii_digit())
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic());
    digits > 0 && !is_numbered_word && !is_file_name(part)
}

/// Whether a part is a file of an application, such as `index2.html`, whose name says what it does.
fn is_file_name(part: &str) -> bool {
    part.rsplit_once('.').is_some_and(|(name, extension)| {
        matches!(extension, "html" | "htm" | "php" | "asp" | "aspx" | "jsp" | "do") && !is_id(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, host: &str, template: &str) {
        let expected = UrlParts { host: host.to_owned(), template: template.to_owned() };
        assert_eq!(*Urls::default().parts(url), expected, "{url}");
    }

    #[test]
    fn ids_are_replaced_and_queries_dropped() {
        check(
            "https://CRM.example:8443/api/v2/orders/4711/items?page=3#top",
            "crm.example",
            "https://crm.example:8443/api/v2/orders/{id}/items",
        );
        check("https://form.jotform.com/200477494954062", "form.jotform.com", "https://form.jotform.com/{id}");
        check(
            "https://x.example/u/3f2a9c1e-77b0-4e0b-8f2e-6a1bc9d840f3/jane@x.example/",
            "x.example",
            "https://x.example/u/{id}/{id}/",
        );
        check("https://x.example/index.html", "x.example", "https://x.example/index.html");
        check("https://x.example/invoice-2024-17.pdf", "x.example", "https://x.example/{id}");
    }

    #[test]
    fn a_password_does_not_leave_the_url() {
        check("https://jane:secret@x.example/a", "x.example", "https://x.example/a");
    }

    #[test]
    fn what_is_hardly_a_url_is_still_something() {
        check("www.webpage.com", "www.webpage.com", "www.webpage.com");
        check("chrome://newtab/", "newtab", "chrome://newtab/");
        check("about:blank", "about:blank", "about:blank");
        check("", "", "");
    }

    #[test]
    fn many_urls_do_not_fill_the_memory() {
        let mut urls = Urls::default();
        for number in 0..3 * REMEMBERED_MAX {
            urls.parts(&format!("https://x.example/{number}"));
        }
        assert!(urls.known.len() <= REMEMBERED_MAX);
    }
}
