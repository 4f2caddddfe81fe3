//! What the Mozilla Observatory asks of a site, as a table, over everything that is declared and what no route answers. What it asks
//! of TLS (redirection, HSTS) is asked where TLS is.

use crate::{
    house::{Answer, House, request},
    program::Program,
};
use madang::web::{Behind, SURFACE};

/// The reader's side of a Content Security Policy.
struct Policy(Vec<(String, Vec<String>)>);

impl Policy {
    fn of(answer: &Answer) -> Self {
        let header = answer.header("content-security-policy").unwrap_or_default();
        let directives = header.split(';').filter_map(|directive| {
            let mut words = directive.split_whitespace().map(ToOwned::to_owned);
            Some((words.next()?, words.collect()))
        });
        Self(directives.collect())
    }

    /// The sources of a directive, or of what stands in for it.
    fn sources(&self, name: &str) -> Option<&[String]> {
        let find = |name: &str| self.0.iter().find(|(is, _)| is == name).map(|(_, sources)| sources.as_slice());
        find(name).or_else(|| name.ends_with("-src").then(|| find("default-src")).flatten())
    }

    fn is(&self, name: &str, sources: &[&str]) -> bool {
        self.sources(name).is_some_and(|found| found == sources)
    }

    fn allows(&self, name: &str, source: &str) -> bool {
        self.sources(name).is_none_or(|sources| sources.iter().any(|found| found == source))
    }

    /// Every source of the whole policy.
    fn all(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|(_, sources)| sources.iter().map(String::as_str))
    }
}

struct Rule {
    /// The Observatory's name for the test.
    name: &'static str,
    is_kept: fn(&Answer, &Policy) -> bool,
}

/// Each is the best result that the Observatory has for its test; what is left out is about TLS.
const RULES: &[Rule] = &[
    Rule { name: "csp-implemented", is_kept: |_, policy| !policy.0.is_empty() },
    Rule { name: "csp-default-src-none", is_kept: |_, policy| policy.is("default-src", &["'none'"]) },
    Rule {
        name: "csp-not-unsafe-inline-nor-eval",
        is_kept: |_, policy| {
            !policy.all().any(|source| matches!(source, "'unsafe-inline'" | "'unsafe-eval'" | "'unsafe-hashes'"))
        },
    },
    Rule {
        name: "csp-not-unsafe-sources",
        is_kept: |_, policy| {
            !["script-src", "object-src", "style-src"].iter().any(|name| {
                ["*", "http:", "https:", "data:", "blob:", "ftp:"].iter().any(|source| policy.allows(name, source))
            })
        },
    },
    Rule { name: "csp-object-src-none", is_kept: |_, policy| policy.is("object-src", &["'none'"]) },
    Rule { name: "csp-base-uri-none", is_kept: |_, policy| policy.is("base-uri", &["'none'"]) },
    Rule {
        name: "csp-form-action-restricted",
        is_kept: |_, policy| policy.is("form-action", &["'self'"]) || policy.is("form-action", &["'none'"]),
    },
    Rule {
        name: "x-frame-options-implemented-via-csp",
        is_kept: |answer, policy| {
            let own = policy.is("frame-ancestors", &["'self'"]);
            // What is made for others' frames, and has nothing on it to be clicked that changes anything.
            let embed = policy.is("frame-ancestors", &["*"]) && answer.body.contains("embed-page");
            (own && answer.header("x-frame-options") == Some("SAMEORIGIN"))
                || (embed && answer.header("x-frame-options").is_none())
        },
    },
    Rule {
        name: "x-content-type-options-nosniff",
        is_kept: |answer, _| answer.header("x-content-type-options") == Some("nosniff"),
    },
    Rule {
        name: "referrer-policy-private",
        is_kept: |answer, _| {
            let private = ["no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"];
            answer.header("referrer-policy").is_some_and(|policy| private.contains(&policy))
        },
    },
    Rule {
        name: "cross-origin-resource-sharing-not-implemented",
        is_kept: |answer, _| answer.header("access-control-allow-origin").is_none(),
    },
    Rule {
        name: "cross-origin-resource-policy-implemented",
        is_kept: |answer, _| {
            matches!(answer.header("cross-origin-resource-policy"), Some("same-origin" | "cross-origin"))
        },
    },
    Rule {
        name: "cookies-httponly-samesite",
        is_kept: |answer, _| {
            answer.header("set-cookie").is_none_or(|cookie| cookie.contains("HttpOnly") && cookie.contains("SameSite="))
        },
    },
    Rule {
        name: "sri-not-needed-all-scripts-same-origin",
        is_kept: |answer, _| attributes(&answer.body, "src").chain(attributes(&answer.body, "href")).all(is_ours),
    },
    // Not the Observatory's, but what its rules are worth nothing without.
    Rule {
        name: "scripts-in-the-page-carry-the-nonce",
        is_kept: |answer, policy| {
            let nonces: Vec<&str> =
                policy.all().filter_map(|s| s.strip_prefix("'nonce-")?.strip_suffix('\'')).collect();
            let scripts = answer.body.split("<script").skip(1).map(|rest| rest.split('>').next().unwrap_or_default());
            scripts.into_iter().all(|tag| attributes(tag, "nonce").any(|nonce| nonces == [nonce]))
        },
    },
    Rule {
        name: "no-style-or-handler-in-an-attribute",
        is_kept: |answer, _| {
            let tags = answer.body.split('<').skip(1).map(|rest| rest.split('>').next().unwrap_or_default());
            !is_page(answer)
                || !tags
                    .into_iter()
                    .any(|tag| [" style=", " onclick=", " onload=", " onerror="].iter().any(|a| tag.contains(a)))
        },
    },
    Rule {
        name: "permissions-are-the-players",
        is_kept: |answer, _| {
            // What is no page may load nothing, and so asks for nothing.
            !is_page(answer)
                || answer.header("permissions-policy").is_some_and(|policy| {
                    ["autoplay=(self)", "fullscreen=(self)", "camera=()", "microphone=()", "geolocation=()"]
                        .iter()
                        .all(|p| policy.contains(p))
                })
        },
    },
    Rule {
        name: "opener-policy-same-origin",
        is_kept: |answer, _| answer.header("cross-origin-opener-policy") == Some("same-origin"),
    },
];

fn is_page(answer: &Answer) -> bool {
    answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html"))
}

/// Values of an attribute, wherever it stands.
fn attributes<'a>(text: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let start = format!(" {name}=\"");
    let values: Vec<&str> = text.split(start.as_str()).skip(1).filter_map(|rest| rest.split('"').next()).collect();
    values.into_iter()
}

/// An address of this site: a path, or a place in the page.
fn is_ours(address: &str) -> bool {
    (address.starts_with('/') && !address.starts_with("//"))
        || address.starts_with(['#', '?'])
        || address.starts_with("http://127.0.0.1")
}

fn broken(name: &str, answer: &Answer) -> Vec<String> {
    let policy = Policy::of(answer);
    let rules = RULES.iter().filter(|rule| !(rule.is_kept)(answer, &policy));
    rules.map(|rule| format!("{name} ({}): {}", answer.status, rule.name)).collect()
}

#[tokio::test]
async fn every_answer_keeps_the_observatorys_rules() {
    let house = House::open().await;
    let (_key, cookie) = house.own_room("my-room").await;
    let (own, stranger) = ([("cookie", cookie.as_str())], []);
    let mut wrong = Vec::new();
    let mut pages = 0;
    // Media say what they are by themselves.
    for entry in SURFACE.iter().filter(|entry| entry.behind != Behind::Media) {
        let path = entry.path.replace("{slug}", "my-room");
        for headers in [&own[..], &stranger[..]] {
            let answer = match entry.behind {
                Behind::ServerFn => {
                    let json = [headers, &[("content-type", "application/json")]].concat();
                    house.request("POST", &path, &json, "{}").await
                }
                _ => house.request("GET", &path, headers, "").await,
            };
            if matches!(entry.behind, Behind::Page { .. } | Behind::Plain) && !(300..400).contains(&answer.status) {
                pages += 1;
                assert!(is_page(&answer), "{path}");
                let runs = Policy::of(&answer).allows("script-src", "'wasm-unsafe-eval'");
                assert_eq!(runs, entry.behind != Behind::Plain, "{path}: its program may run, where it has one");
            }
            wrong.extend(broken(&path, &answer));
        }
    }
    assert!(pages >= 12, "the pages of the surface, as their owner and as a stranger");
    // What no route answers, and what is refused before a route is asked.
    let form = [("content-type", "application/x-www-form-urlencoded"), ("accept", "text/html")];
    let foreign = [form[0], form[1], ("origin", "https://evil.example")];
    for (name, answer) in [
        ("not found", house.request("GET", "/nowhere", &[("accept", "text/html")], "").await),
        ("no file", house.get("/nothing.png").await),
        ("another site's form", house.request("POST", "/rooms/new", &foreign, "title=x").await),
        ("too long", house.request("POST", "/rooms/new", &form, &"x".repeat(200 * 1024)).await),
        ("malformed", house.request("POST", "/rooms/my-room/studio", &form, "do=format-disk").await),
        ("wrong method", house.request("DELETE", "/", &[], "").await),
        ("unknown function", house.request("POST", "/fn/drop_tables", &[], "").await),
        ("no room of that name", house.get("/api/v1/rooms/nobody-here").await),
    ] {
        assert!(answer.status >= 400, "{name}: {}", answer.status);
        wrong.extend(broken(name, &answer));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn a_nonce_is_for_one_answer() {
    let house = House::open().await;
    let nonce = |answer: &Answer| {
        Policy::of(answer).all().find(|source| source.starts_with("'nonce-")).map(ToOwned::to_owned).expect("a nonce")
    };
    let (one, other) = (house.get("/").await, house.get("/").await);
    assert_ne!(nonce(&one), nonce(&other));
    assert!(nonce(&one).len() >= "'nonce-'".len() + 22, "128 bits");
}

#[tokio::test]
async fn who_may_frame_pages_is_configured() {
    let framed = async |sources: &str| {
        let house = House::open_with(|config| config.security.frame_ancestors = sources.to_owned()).await;
        let page = house.get("/").await;
        let ancestors = Policy::of(&page).sources("frame-ancestors").map(|sources| sources.join(" "));
        (ancestors, page.header("x-frame-options").map(ToOwned::to_owned))
    };
    assert_eq!(framed("'none'").await, (Some("'none'".into()), Some("DENY".into())));
    let house = House::open_with(|config| config.security.embed_ancestors = "https://club.example.org".into()).await;
    house.make_room("my-room");
    let embed = house.get("/embed/my-room").await;
    assert!(Policy::of(&embed).is("frame-ancestors", &["https://club.example.org"]));
    let nothing = house.get("/embed/nobody-here").await;
    assert!(nothing.status == 404 && Policy::of(&nothing).is("frame-ancestors", &["https://club.example.org"]));
    let club = "'self' https://club.example.org";
    assert_eq!(framed(club).await, (Some(club.into()), None));
}

#[tokio::test]
async fn what_is_for_other_sites_says_so_and_nothing_else_does() {
    let house = House::open().await;
    house.make_room("my-room");
    for (path, expected) in [
        ("/", "same-origin"),
        ("/robots.txt", "same-origin"),
        ("/rooms/my-room", "same-origin"),
        ("/metrics", "same-origin"),
        ("/api/v1/rooms", "cross-origin"),
        ("/api/v1/rooms/my-room", "cross-origin"),
        ("/live/my-room.flv", "cross-origin"),
    ] {
        assert_eq!(house.get(path).await.header("cross-origin-resource-policy"), Some(expected), "{path}");
    }
}

#[tokio::test]
async fn parts_of_pages_are_no_documents_and_a_development_build_may_reload_itself() {
    let data = tempfile::TempDir::new().expect("a data directory");
    let site = data.path().join("site");
    std::fs::create_dir_all(site.join("pkg")).expect("made");
    for name in ["madang.css", "madang.js", "madang.wasm"] {
        std::fs::write(site.join("pkg").join(name), "").expect("written");
    }
    let root = site.to_string_lossy();
    let watched = [("LEPTOS_SITE_ROOT", root.as_ref()), ("LEPTOS_WATCH", "1"), ("LEPTOS_RELOAD_PORT", "3456")];
    let program = Program::start(data.path(), &watched);
    let page = request(program.http, "GET", "/", &[], "").await;
    assert!(page.body.contains("/live_reload"), "the script that reloads the page is in it");
    let policy = Policy::of(&page);
    assert!(policy.allows("connect-src", "ws://*:3456") && policy.allows("connect-src", "wss://*:3456"));
    assert_eq!(broken("/", &page), Vec::<String>::new(), "and carries the nonce");
    let parts: Vec<&str> = attributes(&page.body, "href").filter(|path| path.starts_with("/pkg/")).collect();
    for end in [".css", ".js", ".wasm"] {
        let path = parts.iter().find(|path| path.ends_with(end)).expect("the page names it");
        let part = request(program.http, "GET", path, &[], "").await;
        assert_eq!(part.status, 200, "{path}");
        assert_eq!(part.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(part.header("cross-origin-resource-policy"), Some("same-origin"), "{path}");
        assert_eq!(part.header("content-security-policy"), None, "{path}: each byte is downloaded");
    }
}
