//! What the Mozilla Observatory asks of a site's headers, over every page, file and answer of the declaration.

use crate::house::{Answer, House};
use madang::web::{Behind, SURFACE};
use std::collections::HashSet;

/// The sources of one directive; `default-src` where it is not there and falls back.
fn directive<'a>(policy: &'a str, name: &str) -> Option<Vec<&'a str>> {
    policy.split(';').find_map(|part| {
        let mut words = part.split_whitespace();
        (words.next() == Some(name)).then(|| words.collect())
    })
}

fn policy(answer: &Answer) -> &str {
    answer.header("content-security-policy").unwrap_or_default()
}

/// A rule's name, and whether an answer meets it.
type Rule = (&'static str, fn(&Answer) -> bool);

/// The Observatory's tests that a plain answer can meet or miss; HSTS and cookies are in `tls`.
const RULES: [Rule; 9] = [
    ("a policy that begins with nothing", |a| directive(policy(a), "default-src") == Some(vec!["'none'"])),
    ("no unsafe-inline and no unsafe-eval for scripts", |a| {
        directive(policy(a), "script-src")
            .unwrap_or_default()
            .iter()
            .all(|source| matches!(*source, "'self'" | "'wasm-unsafe-eval'") || source.starts_with("'nonce-"))
    }),
    ("no unsafe-inline for styles", |a| {
        directive(policy(a), "style-src").unwrap_or_default().iter().all(|source| *source == "'self'")
    }),
    ("no plugins", |a| directive(policy(a), "object-src").is_none_or(|sources| sources == ["'none'"])),
    ("no other base", |a| directive(policy(a), "base-uri") == Some(vec!["'none'"])),
    ("forms go to this site", |a| {
        matches!(directive(policy(a), "form-action").as_deref(), Some(["'self'"] | ["'none'"]))
    }),
    ("framed by this site at most", |a| {
        matches!(directive(policy(a), "frame-ancestors").as_deref(), Some(["'self'"] | ["'none'"]))
    }),
    ("nosniff, a referrer policy, CORP", |a| {
        a.header("x-content-type-options") == Some("nosniff")
            && a.header("referrer-policy") == Some("strict-origin-when-cross-origin")
            && a.header("cross-origin-resource-policy") == Some("same-origin")
    }),
    ("frames, openers and devices", |a| {
        a.header("x-frame-options") == Some("SAMEORIGIN")
            && a.header("cross-origin-opener-policy") == Some("same-origin")
            && a.header("permissions-policy").is_some_and(|policy| policy.contains("camera=()"))
    }),
];

#[tokio::test]
async fn every_answer_meets_the_observatorys_rules() {
    let house = House::open().await;
    house.make_room("my-room");
    let declared = SURFACE.iter().map(|entry| entry.path.replace("{slug}", "my-room"));
    for path in declared.chain(["/favicon.svg", "/pkg/none.js", "/nowhere", "/rooms/nobody"].map(ToOwned::to_owned)) {
        let answer = house.get(&path).await;
        for (rule, meets) in RULES {
            assert!(meets(&answer), "{path} ({}): {rule}: {}", answer.status, policy(&answer));
        }
    }
}

#[tokio::test]
async fn each_page_has_a_nonce_of_its_own_on_each_inline_script() {
    let house = House::open().await;
    house.make_room("my-room");
    let mut nonces = HashSet::new();
    let pages = SURFACE.iter().filter(|entry| matches!(entry.behind, Behind::Page { .. }));
    for path in pages.map(|entry| entry.path.replace("{slug}", "my-room")) {
        let answer = house.get(&path).await;
        let nonce = policy(&answer).split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).expect("a nonce");
        let scripts: Vec<&str> = answer.body.split("<script").skip(1).collect();
        assert!(!scripts.is_empty());
        for script in scripts {
            let tag = script.split('>').next().expect("a tag");
            assert!(tag.contains(&format!("nonce=\"{nonce}\"")), "{path}: {tag}");
        }
        assert!(!answer.body.contains(" style=\""), "{path}: an inline style would not be applied");
        assert!(nonces.insert(nonce.to_owned()), "{path}: a nonce for two answers");
    }
}
