//! What is being typed: the word before the caret, and what could stand in its place. Pure.

use super::emoji;
use madang_protocol::chat::{Author, Verb};

/// Most choices offered at once.
const CHOICES_MAX: usize = 8;

/// One thing that could be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What is shown.
    pub label: String,
    /// What is put in the word's place, with a space after it.
    pub text: String,
}

/// What could stand for the word that ends at the caret, `before` being all text up to it. The first number is where that word
/// begins, in bytes.
pub fn choices(before: &str, people: &[Author], guest: &str, moderates: bool) -> (usize, Vec<Choice>) {
    let at = before
        .rfind(char::is_whitespace)
        .map_or(0, |at| at + before.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8));
    let word = before.get(at..).unwrap_or_default();
    let in_command = before.starts_with('/') && !before.starts_with("//");
    let found = match word.chars().next() {
        Some('/') if at == 0 && in_command => commands(word, moderates),
        Some('@') => mentions(word.get(1..).unwrap_or_default(), people, guest, if in_command { whom } else { spoken }),
        Some(':') if word.len() >= 3 => {
            let signs = emoji::matching(&word.get(1..).unwrap_or_default().to_ascii_lowercase(), CHOICES_MAX);
            let choice = |(name, sign)| Choice { label: format!("{sign} {name}"), text: String::from(sign) };
            signs.into_iter().map(choice).collect()
        }
        _ => Vec::new(),
    };
    (at, found)
}

fn commands(word: &str, moderates: bool) -> Vec<Choice> {
    let typed = word.get(1..).unwrap_or_default();
    let fits = |verb: &Verb| (moderates || !verb.moderates()) && verb.word().starts_with(typed);
    let choice = |verb: Verb| Choice { label: verb.usage().to_owned(), text: format!("/{}", verb.word()) };
    Verb::ALL.into_iter().filter(fits).map(choice).collect()
}

/// Those whose mention begins so, as they are written where the caret is.
fn mentions(typed: &str, people: &[Author], guest: &str, written: Written) -> Vec<Choice> {
    let starts = |name: &str| name.get(..typed.len()).is_some_and(|start| start.eq_ignore_ascii_case(typed));
    let fits = people.iter().filter(|author| starts(mention(author, guest).get(1..).unwrap_or_default()));
    let texts = fits.filter_map(|author| written(author, guest)).take(CHOICES_MAX);
    texts.map(|text| Choice { label: text.clone(), text }).collect()
}

/// How somebody is written; `None` where they cannot be.
type Written = fn(&Author, &str) -> Option<String>;

/// In a message.
fn spoken(author: &Author, guest: &str) -> Option<String> {
    Some(mention(author, guest))
}

/// In a command, where the whole name counts: in quotes where a mention ends sooner. Part of a name could be somebody else's.
fn whom(author: &Author, guest: &str) -> Option<String> {
    if author.name.chars().all(in_name) {
        return spoken(author, guest);
    }
    let sign = if author.tag.is_empty() { "" } else { "#" };
    (!author.name.contains('"')).then(|| format!("\"{}{sign}{}\"", author.name, author.tag))
}

/// How somebody is mentioned: `@ana`, or `@ana#4f2` for a guest. A name is mentioned by its first word.
pub fn mention(author: &Author, guest: &str) -> String {
    let name = if author.name.is_empty() { guest } else { author.name.as_str() };
    let word: String = name.chars().take_while(|c| in_name(*c)).collect();
    if author.tag.is_empty() { format!("@{word}") } else { format!("@{word}#{}", author.tag) }
}

/// As the server reads names in mentions, without its tables: all that is beyond ASCII counts as a letter, except punctuation
/// of the common blocks.
pub fn in_name(c: char) -> bool {
    match c {
        '\0'..='\x7f' => c.is_ascii_alphanumeric() || c == '_' || c == '-',
        '\u{80}'..='\u{bf}' | '\u{2000}'..='\u{206f}' | '\u{3000}'..='\u{303f}' | '\u{ff00}'..='\u{ff0f}' => false,
        _ => !matches!(c, '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use madang_protocol::{PersonId, chat::Role};

    fn person(name: &str, tag: &str) -> Author {
        Author { id: PersonId::from_random(2), name: name.into(), tag: tag.into(), role: Role::Viewer }
    }

    fn texts(before: &str, moderates: bool) -> (usize, Vec<String>) {
        let people = [person("Ana", "4f2"), person("도현", ""), person("Anton Berg", ""), person("", "9ac")];
        let (at, found) = choices(before, &people, "Guest", moderates);
        (at, found.into_iter().map(|choice| choice.text).collect())
    }

    #[test]
    fn names_are_completed_at_the_caret() {
        assert_eq!(texts("hi @an", false), (3, vec!["@Ana#4f2".into(), "@Anton".into()]));
        assert_eq!(texts("@도", false), (0, vec!["@도현".into()]));
        assert_eq!(texts("@gue", false), (0, vec!["@Guest#9ac".into()]));
        assert_eq!(texts("mail@an", false).1, Vec::<String>::new());
        // In a command it is the whole name that counts.
        assert_eq!(texts("/ban @ant", true), (5, vec!["\"Anton Berg\"".into()]));
        assert_eq!(texts("/ban @ana", true), (5, vec!["@Ana#4f2".into()]));
        assert_eq!(texts("//ban @ant", true).1, ["@Anton"]);
    }

    #[test]
    fn emoji_need_two_letters_and_commands_the_start() {
        assert_eq!(texts("so :j", false).1, Vec::<String>::new());
        assert_eq!(texts("so :joy", false), (3, vec!["😂".into()]));
        assert_eq!(texts("/n", false).1, ["/name"]);
        assert_eq!(texts("/s", false).1, Vec::<String>::new());
        assert_eq!(texts("/s", true).1, ["/slow"]);
        assert_eq!(texts("a /s", true).1, Vec::<String>::new());
        assert_eq!(texts("//s", true).1, Vec::<String>::new());
    }

    #[test]
    fn what_guests_without_a_name_are_called_is_understood_in_commands() {
        use crate::i18n::{Locale, Messages};
        let called = [Locale::En, Locale::Ko].map(|locale| Messages::new(locale).chat_guest());
        assert_eq!(called, madang_protocol::chat::NAMELESS);
    }
}
