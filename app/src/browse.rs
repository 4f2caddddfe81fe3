//! What the directory shows: the reader's filters (as they stand in the address), and which rooms pass them in which order.
//! Pure; the page draws it.

use crate::{letters::lower_case, route::decode};
use madang_protocol::{LiveState, RoomCard, RoomSlug};
use std::cmp::{Ordering, Reverse};

/// Rooms on a page of the directory.
pub const PAGE: usize = 24;
/// Longest search that is read, in bytes.
const SEARCH_MAX: usize = 200;

/// The order of rooms. Whatever it is, live rooms come first, then starting ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    Watching,
    Newest,
    Smallest,
    Random,
}

impl Sort {
    pub const ALL: [Self; 4] = [Self::Watching, Self::Newest, Self::Smallest, Self::Random];

    /// The word in the address.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Watching => "watching",
            Self::Newest => "newest",
            Self::Smallest => "smallest",
            Self::Random => "random",
        }
    }
}

/// One of the filters, for saying which to drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Query,
    Tag,
    Category,
    Language,
}

/// The reader's filters. An empty text is no filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Browse {
    /// Words that each have to be in the title, the owner's name, the address or a tag.
    pub query: String,
    pub tag: String,
    pub category: String,
    pub language: String,
    pub sort: Sort,
    /// From 0; in the address from 1.
    pub page: usize,
}

impl Browse {
    /// Reads the query part of an address, with or without `?`. What it does not know it passes over.
    pub fn from_search(search: &str) -> Self {
        let mut browse = Self::default();
        for pair in search.trim_start_matches('?').split('&').take(16) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = decode(value.get(..SEARCH_MAX * 3).unwrap_or(value));
            let value = value.trim();
            match name {
                "q" => browse.query = cut(value).to_owned(),
                "tag" => browse.tag = lower_case(cut(value)),
                "category" => browse.category = cut(value).to_owned(),
                "language" => browse.language = cut(value).to_owned(),
                "sort" => browse.sort = Sort::ALL.into_iter().find(|s| s.as_str() == value).unwrap_or_default(),
                "page" => browse.page = value.parse::<usize>().unwrap_or(1).saturating_sub(1),
                _ => {}
            }
        }
        browse
    }

    /// The address that shows this.
    pub fn href(&self) -> String {
        let mut out = String::from("/");
        let page = if self.page > 0 { (self.page + 1).to_string() } else { String::new() };
        let sort = if self.sort == Sort::default() { "" } else { self.sort.as_str() };
        let pairs = [
            ("q", self.query.as_str()),
            ("tag", &self.tag),
            ("category", &self.category),
            ("language", &self.language),
            ("sort", sort),
            ("page", &page),
        ];
        for (name, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
            out.push(if out.len() == 1 { '?' } else { '&' });
            out.push_str(name);
            out.push('=');
            encode(value, &mut out);
        }
        out
    }

    /// The same filters with a change, from their first page.
    pub fn with(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut changed = Self { page: 0, ..self.clone() };
        change(&mut changed);
        changed
    }

    /// The same without one filter.
    pub fn without(&self, part: Part) -> Self {
        self.with(|browse| match part {
            Part::Query => browse.query.clear(),
            Part::Tag => browse.tag.clear(),
            Part::Category => browse.category.clear(),
            Part::Language => browse.language.clear(),
        })
    }

    /// The same without any filter; the order stays.
    pub fn cleared(&self) -> Self {
        Self { sort: self.sort, ..Self::default() }
    }

    /// The filters that are set.
    pub fn parts(&self) -> Vec<Part> {
        let set = [
            (Part::Query, &self.query),
            (Part::Tag, &self.tag),
            (Part::Category, &self.category),
            (Part::Language, &self.language),
        ];
        set.into_iter().filter(|(_, text)| !text.is_empty()).map(|(part, _)| part).collect()
    }

    /// The rooms that pass, in order. `seed` decides the random order, and stays the same for as long as that should.
    pub fn arrange<'a>(&self, rooms: &'a [RoomCard], seed: u64) -> Vec<&'a RoomCard> {
        let words: Vec<String> = lower_case(&self.query).split_whitespace().map(str::to_owned).collect();
        let mut found: Vec<&RoomCard> = rooms.iter().filter(|room| self.passes(room, &words)).collect();
        found.sort_by(|a, b| self.order(a, b, seed));
        found
    }

    /// The filters that hide everything: dropping one of these alone brings rooms back, that many.
    pub fn blockers(&self, rooms: &[RoomCard]) -> Vec<(Part, usize)> {
        let parts = self.parts().into_iter();
        parts.map(|part| (part, self.without(part).arrange(rooms, 0).len())).filter(|(_, found)| *found > 0).collect()
    }

    fn passes(&self, room: &RoomCard, words: &[String]) -> bool {
        (self.category.is_empty() || room.category == self.category)
            && (self.language.is_empty() || room.language == self.language)
            && (self.tag.is_empty() || room.tags.contains(&self.tag))
            && (words.is_empty() || contains_all(room, words))
    }

    fn order(&self, a: &RoomCard, b: &RoomCard, seed: u64) -> Ordering {
        let by_sort = match self.sort {
            Sort::Watching => b.watching.cmp(&a.watching),
            Sort::Newest => Ordering::Equal,
            Sort::Smallest => a.watching.cmp(&b.watching),
            Sort::Random => shuffled(&a.slug, seed).cmp(&shuffled(&b.slug, seed)),
        };
        // Whoever is equal so far: the newest first, then by address, so that the order never depends on how rooms arrived.
        let newest = |room: &RoomCard| Reverse(room.live.since());
        rank(a).cmp(&rank(b)).then(by_sort).then_with(|| newest(a).cmp(&newest(b))).then_with(|| a.slug.cmp(&b.slug))
    }
}

/// Whether a room stands among the live ones: it is, or is about to be.
pub const fn on_stage(room: &RoomCard) -> bool {
    matches!(room.live, LiveState::Live { .. } | LiveState::Starting { .. })
}

fn rank(room: &RoomCard) -> u8 {
    match room.live {
        LiveState::Live { .. } => 0,
        LiveState::Starting { .. } => 1,
        LiveState::Offline { .. } => 2,
        LiveState::Never => 3,
    }
}

fn contains_all(room: &RoomCard, words: &[String]) -> bool {
    let mut text = lower_case(&format!("{}\n{}\n{}", room.title, room.owner, room.slug));
    for tag in &room.tags {
        text.push('\n');
        text.push_str(tag);
    }
    words.iter().all(|word| text.contains(word.trim_start_matches('#')))
}

/// A number that looks random and is the same for the same room and seed (FNV-1a, then mixed).
fn shuffled(slug: &RoomSlug, seed: u64) -> u64 {
    let hash = slug
        .as_str()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325 ^ seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    (hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

fn cut(text: &str) -> &str {
    let end = (0..=SEARCH_MAX.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

/// Percent-encodes all but the unreserved characters (RFC 3986 §2.3).
fn encode(text: &str, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use madang_protocol::UnixMillis;

    fn room(slug: &str, watching: u32, live: LiveState) -> RoomCard {
        RoomCard {
            slug: RoomSlug::parse(slug).expect("a valid slug"),
            title: format!("Title of {slug}"),
            owner: "도현".to_owned(),
            category: "games".to_owned(),
            tags: vec!["rust".to_owned()],
            language: "ko".to_owned(),
            live,
            watching,
        }
    }

    fn live(since: i64) -> LiveState {
        LiveState::Live { since: UnixMillis(since) }
    }

    fn slugs(browse: &Browse, rooms: &[RoomCard]) -> Vec<String> {
        browse.arrange(rooms, 7).iter().map(|r| r.slug.to_string()).collect()
    }

    fn some_rooms() -> Vec<RoomCard> {
        vec![
            room("never", 0, LiveState::Never),
            room("small", 1, live(10)),
            room("older-off", 0, LiveState::Offline { since: UnixMillis(5) }),
            room("big", 90, live(20)),
            room("newer-off", 0, LiveState::Offline { since: UnixMillis(9) }),
            room("soon", 0, LiveState::Starting { since: UnixMillis(30) }),
        ]
    }

    #[test]
    fn live_comes_first_in_every_order() {
        let sorted = |sort| slugs(&Browse { sort, ..Browse::default() }, &some_rooms());
        assert_eq!(sorted(Sort::Watching), ["big", "small", "soon", "newer-off", "older-off", "never"]);
        assert_eq!(sorted(Sort::Smallest), ["small", "big", "soon", "newer-off", "older-off", "never"]);
        assert_eq!(sorted(Sort::Newest), ["big", "small", "soon", "newer-off", "older-off", "never"]);
        let random = sorted(Sort::Random);
        assert!(random[..2].contains(&"big".to_owned()) && random[2] == "soon", "{random:?}");
    }

    #[test]
    fn the_random_order_holds_for_a_seed_and_differs_between_seeds() {
        let rooms: Vec<RoomCard> = (0..12).map(|i| room(&format!("room-{i}"), 0, live(1))).collect();
        let browse = Browse { sort: Sort::Random, ..Browse::default() };
        let order = |seed| browse.arrange(&rooms, seed).iter().map(|r| r.slug.to_string()).collect::<Vec<_>>();
        assert_eq!(order(1), order(1));
        assert_ne!(order(1), order(2));
    }

    #[test]
    fn every_word_of_a_search_has_to_be_somewhere() {
        let rooms = [room("night-coding", 1, live(1))];
        let found = |query: &str| !slugs(&Browse { query: query.to_owned(), ..Browse::default() }, &rooms).is_empty();
        for query in ["", "TITLE", "도현", "#rust night", "night-cod", "title rust 도현"] {
            assert!(found(query), "{query}");
        }
        assert!(!found("title jazz"));
    }

    #[test]
    fn an_address_survives_a_round_trip() {
        let browse = Browse {
            query: "밤새 100% & more?".to_owned(),
            tag: "c++".to_owned(),
            category: "games".to_owned(),
            language: "ko".to_owned(),
            sort: Sort::Newest,
            page: 2,
        };
        let href = browse.href();
        assert_eq!(Browse::from_search(href.strip_prefix('/').expect("is absolute")), browse);
        assert_eq!(Browse::default().href(), "/");
        assert_eq!(
            Browse::from_search("?q=a+b&page=0&sort=best&x=1"),
            Browse { query: "a b".into(), ..Browse::default() }
        );
    }

    #[test]
    fn a_hostile_address_is_read_without_harm() {
        let long = format!("?q={}", "%ed%95%9c".repeat(10_000));
        assert!(Browse::from_search(&long).query.len() <= SEARCH_MAX);
        for odd in ["?q=%", "?q=%f", "?q=%zz", "?page=99999999999999999999999", "?&&==&q", "?q=%ff%fe", "?q=한국"] {
            let _ = Browse::from_search(odd).href();
        }
        assert_eq!(Browse::from_search("?q=%zz%41").query, "%zzA");
    }

    #[test]
    fn the_filters_in_the_way_are_named() {
        let rooms = some_rooms();
        let browse = Browse { query: "big".into(), category: "music".into(), ..Browse::default() };
        assert!(browse.arrange(&rooms, 0).is_empty());
        assert_eq!(browse.blockers(&rooms), [(Part::Category, 1)]);
        let hopeless = Browse { query: "jazz".into(), category: "music".into(), ..Browse::default() };
        assert_eq!(hopeless.blockers(&rooms), []);
    }

    #[test]
    fn changing_a_filter_goes_to_the_first_page() {
        let browse = Browse { page: 3, sort: Sort::Random, tag: "rust".into(), ..Browse::default() };
        assert_eq!(browse.with(|b| b.category = "music".into()).href(), "/?tag=rust&category=music&sort=random");
        assert_eq!(browse.cleared().href(), "/?sort=random");
    }
}
