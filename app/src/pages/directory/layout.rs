//! Which rooms stand where on the directory's page, and what there is to filter by. Pure.

use crate::browse::{Browse, PAGE, on_stage};
use madang_protocol::{
    RoomCard, RoomSlug,
    validation::{CATEGORIES, LANGUAGES},
};

/// One page of the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// What it was made for, its page within those there are.
    pub browse: Browse,
    /// Live and starting rooms, in order.
    pub stage: Vec<RoomSlug>,
    /// The others, in order.
    pub rest: Vec<RoomSlug>,
    /// Rooms that pass the filters, on all pages.
    pub found: usize,
    /// Rooms there are.
    pub total: usize,
    /// Rooms on the air or about to be that pass the filters, on all pages.
    pub live: usize,
    pub pages: usize,
}

impl Layout {
    /// Lays out the page that `browse` asks for, or the last one when there are fewer.
    pub(super) fn new(browse: &Browse, rooms: &[RoomCard], seed: u64) -> Self {
        let arranged = browse.arrange(rooms, seed);
        let pages = arranged.len().div_ceil(PAGE).max(1);
        let page = browse.page.min(pages - 1);
        let on_page = arranged.iter().skip(page * PAGE).take(PAGE);
        let (stage, rest): (Vec<&RoomCard>, Vec<&RoomCard>) = on_page.copied().partition(|room| on_stage(room));
        let slugs = |rooms: Vec<&RoomCard>| rooms.into_iter().map(|room| room.slug.clone()).collect();
        Self {
            browse: Browse { page, ..browse.clone() },
            stage: slugs(stage),
            rest: slugs(rest),
            found: arranged.len(),
            total: rooms.len(),
            live: arranged.iter().filter(|room| on_stage(room)).count(),
            pages,
        }
    }

    /// Rooms on this page that `shown` has not: what a reader would see on letting go.
    pub(super) fn newcomers(&self, shown: &Self) -> usize {
        let has = |slug: &&RoomSlug| shown.stage.contains(slug) || shown.rest.contains(slug);
        self.stage.iter().chain(&self.rest).filter(|slug| !has(slug)).count()
    }
}

/// What the rooms can be filtered by, in the order of the lists they come from. A filter that is set stays, so that it can be taken
/// away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Facets {
    pub categories: Vec<&'static str>,
    /// Tag and the language's own name; empty when all rooms are in one.
    pub languages: Vec<(&'static str, &'static str)>,
}

impl Facets {
    pub(super) fn new(browse: &Browse, rooms: &[RoomCard]) -> Self {
        let categories = CATEGORIES.into_iter();
        let categories = categories.filter(|c| browse.category == *c || rooms.iter().any(|room| room.category == *c));
        let languages = LANGUAGES.into_iter();
        let mut languages: Vec<_> = languages
            .filter(|(tag, _)| browse.language == *tag || rooms.iter().any(|room| room.language == *tag))
            .collect();
        if languages.len() < 2 && browse.language.is_empty() {
            languages.clear();
        }
        Self { categories: categories.collect(), languages }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use madang_protocol::{LiveState, UnixMillis};

    fn rooms(live: usize, offline: usize) -> Vec<RoomCard> {
        (0..live + offline)
            .map(|i| RoomCard {
                slug: RoomSlug::parse(&format!("room-{i:03}")).expect("a valid slug"),
                title: format!("Room {i}"),
                owner: "Ana".to_owned(),
                category: if i % 2 == 0 { "music" } else { "games" }.to_owned(),
                tags: Vec::new(),
                language: "en".to_owned(),
                live: if i < live { LiveState::Live { since: UnixMillis(1) } } else { LiveState::Never },
                watching: 0,
            })
            .collect()
    }

    #[test]
    fn pages_go_on_where_the_last_one_ended() {
        let rooms = rooms(20, 40);
        let page = |page| Layout::new(&Browse { page, ..Browse::default() }, &rooms, 0);
        let (first, second, beyond) = (page(0), page(1), page(99));
        assert_eq!((first.stage.len(), first.rest.len()), (20, 4));
        assert_eq!((second.stage.len(), second.rest.len()), (0, 24));
        assert_eq!((beyond.browse.page, beyond.rest.len()), (2, 12));
        assert_eq!((first.found, first.total, first.live, first.pages), (60, 60, 20, 3));
        assert!(!first.rest.contains(&second.rest[0]));
    }

    #[test]
    fn an_empty_directory_has_one_page() {
        let layout = Layout::new(&Browse { page: 5, ..Browse::default() }, &[], 0);
        assert_eq!((layout.pages, layout.browse.page, layout.found), (1, 0, 0));
    }

    #[test]
    fn newcomers_are_those_not_yet_on_the_page() {
        let (before, after) = (rooms(2, 1), rooms(4, 1));
        let browse = Browse::default();
        let shown = Layout::new(&browse, &before, 0);
        assert_eq!(Layout::new(&browse, &after, 0).newcomers(&shown), 2);
        assert_eq!(shown.newcomers(&shown), 0);
    }

    #[test]
    fn filters_are_those_that_would_find_something_and_those_that_are_set() {
        let rooms = rooms(2, 0);
        assert_eq!(Facets::new(&Browse::default(), &rooms).categories, ["games", "music"]);
        assert_eq!(Facets::new(&Browse::default(), &rooms).languages, []);
        let browse = Browse { category: "food".into(), language: "ko".into(), ..Browse::default() };
        let facets = Facets::new(&browse, &rooms);
        assert_eq!(facets.categories, ["games", "music", "food"]);
        assert_eq!(facets.languages, [("en", "English"), ("ko", "한국어")]);
    }
}
