//! `madang room …`: with the operator's authority, beside a running server.

use anyhow::{Context as _, bail};
use clap::{
    Args, Subcommand,
    builder::{PossibleValue, PossibleValuesParser},
};
use madang_domain::{Actor, Domain, Error, Room};
use madang_protocol::{
    KeyId, RoomSlug, Visibility,
    rooms::RoomForm,
    validation::{CATEGORIES, LANGUAGES},
};
use serde_json::json;

#[derive(Debug, Subcommand)]
pub enum RoomCommand {
    /// Make a room; prints {"slug":…,"stream_key":…}, the only time that the key is shown
    Create {
        /// An account's login, or a name for a new guest
        #[arg(long, value_name = "NAME")]
        owner: String,
        /// The room's name in its address: 3 to 40 of a-z, 0-9 and -
        #[arg(long, value_name = "SLUG")]
        slug: String,
        /// The room's title
        #[arg(long, value_name = "TEXT")]
        title: String,
        /// A few lines under the picture
        #[arg(long, value_name = "TEXT", default_value = "")]
        description: String,
        /// What the room is about
        #[arg(long, default_value = "other", value_parser = categories())]
        category: String,
        /// Up to five tags with commas between them
        #[arg(long, value_name = "TAGS", default_value = "")]
        tags: String,
        /// The language that is spoken there
        #[arg(long, default_value = "en", value_parser = languages())]
        language: String,
        /// Keep the room out of the directory
        #[arg(long)]
        unlisted: bool,
    },
    /// List every room, oldest first, a line each: slug, visibility, owner, title
    List,
    /// Change what is given of a room and leave the rest; viewers see it at once
    Edit {
        /// The room's name in its address
        slug: String,
        #[command(flatten)]
        changes: Changes,
    },
    /// Delete a room with its keys; a running stream is cut by the server
    Delete {
        /// The room's name in its address
        slug: String,
    },
    /// List a room's keys, a line each: id, name, whether in force, last use
    Keys {
        /// The room's name in its address
        slug: String,
    },
    /// Make another key; prints {"key":…,"stream_key":…}
    NewKey {
        /// The room's name in its address
        slug: String,
        /// What to call the key, such as laptop or phone
        name: String,
    },
    /// Replace a key by a new one of the same name; prints {"key":…,"stream_key":…}
    RotateKey {
        /// The room's name in its address
        slug: String,
        /// The key's id, as `room keys` lists it
        key: String,
    },
    /// Revoke a key for ever; who streams with it is cut
    RevokeKey {
        /// The room's name in its address
        slug: String,
        /// The key's id, as `room keys` lists it
        key: String,
    },
}

/// What `room edit` may change; at least one of it.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct Changes {
    /// Another title
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// Other lines under the picture; empty takes them away
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Another category
    #[arg(long, value_parser = categories())]
    category: Option<String>,
    /// Other tags with commas between them; empty takes them away
    #[arg(long, value_name = "TAGS")]
    tags: Option<String>,
    /// Another language
    #[arg(long, value_parser = languages())]
    language: Option<String>,
    /// Whether the directory lists it
    #[arg(long, value_parser = PossibleValuesParser::new([Visibility::Public, Visibility::Unlisted].map(Visibility::as_str)))]
    visibility: Option<String>,
    /// Another name in its address; the old address is free then
    #[arg(long = "slug", value_name = "SLUG")]
    new_slug: Option<String>,
}

impl Changes {
    /// The room's form with the changes in it.
    fn of(self, room: Room) -> RoomForm {
        RoomForm {
            owner_name: room.owner_name,
            slug: self.new_slug.unwrap_or_else(|| room.slug.to_string()),
            title: self.title.unwrap_or(room.title),
            description: self.description.unwrap_or(room.description),
            category: self.category.unwrap_or(room.category),
            tags: self.tags.unwrap_or_else(|| room.tags.join(",")),
            language: self.language.unwrap_or(room.language),
            visibility: self.visibility.unwrap_or_else(|| room.visibility.as_str().to_owned()),
        }
    }
}

fn categories() -> PossibleValuesParser {
    PossibleValuesParser::new(CATEGORIES)
}

fn languages() -> PossibleValuesParser {
    PossibleValuesParser::new(LANGUAGES.map(|(tag, name)| PossibleValue::new(tag).help(name)))
}

pub async fn run(domain: &Domain, command: RoomCommand) -> anyhow::Result<()> {
    match command {
        RoomCommand::Create { owner, slug, title, description, category, tags, language, unlisted } => {
            let visibility = if unlisted { Visibility::Unlisted } else { Visibility::Public }.as_str().to_owned();
            let form =
                RoomForm { owner_name: owner.clone(), slug, title, description, category, tags, language, visibility };
            let draft = form.check().map_err(|issues| anyhow::Error::msg(words(&issues)))?;
            let person = domain.person_named(&owner).await.map_err(explain)?;
            let (room, key) = domain.create_room(person.id, draft).await.map_err(explain)?;
            println!("{}", json!({ "slug": room.slug, "stream_key": key.expose() }));
        }
        RoomCommand::List => {
            for room in domain.rooms().await.map_err(explain)? {
                println!("{}\t{}\t{}\t{}", room.slug, room.visibility.as_str(), room.owner_name, room.title);
            }
        }
        RoomCommand::Edit { slug, changes } => {
            let slug = parsed(&slug)?;
            let room = domain.room(&slug).await.and_then(|room| room.ok_or(Error::NotFound)).map_err(explain)?;
            let draft = changes.of(room).check().map_err(|issues| anyhow::Error::msg(words(&issues)))?;
            domain.edit_room(Actor::Operator, &slug, draft).await.map_err(explain)?;
        }
        RoomCommand::Delete { slug } => domain.delete_room(Actor::Operator, &parsed(&slug)?).await.map_err(explain)?,
        RoomCommand::Keys { slug } => {
            let (_, keys, _) = domain.studio(Actor::Operator, &parsed(&slug)?, None).await.map_err(explain)?;
            for key in keys {
                let state = if key.revoked.is_some() { "revoked" } else { "in force" };
                let used = key.last_use.map_or_else(
                    || "never used".to_owned(),
                    |used| format!("used from {} by {}", used.from, used.encoder),
                );
                println!("{}\t{}\t{state}\t{used}", key.id, key.name);
            }
        }
        RoomCommand::NewKey { slug, name } => {
            let (info, key) = domain.create_key(Actor::Operator, &parsed(&slug)?, &name).await.map_err(explain)?;
            println!("{}", json!({ "key": info.id, "stream_key": key.expose() }));
        }
        RoomCommand::RotateKey { slug, key } => {
            let (info, key) =
                domain.rotate_key(Actor::Operator, &parsed(&slug)?, key_id(&key)?).await.map_err(explain)?;
            println!("{}", json!({ "key": info.id, "stream_key": key.expose() }));
        }
        RoomCommand::RevokeKey { slug, key } => {
            domain.revoke_key(Actor::Operator, &parsed(&slug)?, key_id(&key)?).await.map_err(explain)?;
        }
    }
    Ok(())
}

fn parsed(slug: &str) -> anyhow::Result<RoomSlug> {
    RoomSlug::parse(slug).map_err(|issue| anyhow::Error::msg(words(&[issue])))
}

fn key_id(text: &str) -> anyhow::Result<KeyId> {
    text.parse().with_context(|| format!("{text} is not a key's id; `madang room keys SLUG` lists them"))
}

/// What is wrong, field by field, in words that the terminal can print without the message files.
pub fn words(issues: &[madang_protocol::FieldIssue]) -> String {
    use madang_protocol::Problem;
    let say = |problem: Problem| match problem {
        Problem::Empty => "is empty".to_owned(),
        Problem::TooShort { min } => format!("needs at least {min} characters"),
        Problem::TooLong { max } => format!("has more than {max} characters"),
        Problem::Characters => "has characters that do not go there".to_owned(),
        Problem::TooMany { max } => format!("has more than {max} items"),
        Problem::Taken => "is taken".to_owned(),
        Problem::Reserved => "is a word that the site keeps for itself".to_owned(),
        Problem::NotAChoice => "is not one of the choices".to_owned(),
        Problem::Wrong => "is wrong".to_owned(),
    };
    let line = |issue: &madang_protocol::FieldIssue| format!("{:?} {}", issue.field, say(issue.problem)).to_lowercase();
    issues.iter().map(line).collect::<Vec<_>>().join("; ")
}

/// A domain's error in a sentence.
pub fn explain(error: Error) -> anyhow::Error {
    match error {
        Error::Invalid(issues) => anyhow::Error::msg(words(&issues)),
        Error::NotFound => anyhow::Error::msg("there is no such room or key"),
        other => other.into(),
    }
}

/// Refuses an empty standard input early, with words.
pub fn must_not_be_empty(text: &str, what: &str) -> anyhow::Result<()> {
    if text.is_empty() {
        bail!("{what} is empty");
    }
    Ok(())
}
