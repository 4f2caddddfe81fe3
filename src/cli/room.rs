//! `madang room …`: with the operator's authority, beside a running server.

use anyhow::{Context as _, bail};
use clap::Subcommand;
use madang_domain::{Actor, Domain, Error};
use madang_protocol::{KeyId, RoomSlug, Visibility, rooms::RoomForm};
use serde_json::json;

#[derive(Debug, Subcommand)]
pub enum RoomCommand {
    /// Make a room; prints {"slug":…,"stream_key":…}, the only time that the key is shown
    Create {
        /// An account's login, or a name for a new guest
        #[arg(long, value_name = "NAME")]
        owner: String,
        /// The room's name in its address: 3 to 40 of a-z, 0-9 and -
        #[arg(long, value_name = "S")]
        slug: String,
        /// The room's title
        #[arg(long, value_name = "T")]
        title: String,
        #[arg(long, default_value = "")]
        description: String,
        #[arg(long, default_value = "other")]
        category: String,
        /// Tags with commas between them
        #[arg(long, default_value = "")]
        tags: String,
        /// A language tag such as en or ko
        #[arg(long, default_value = "en")]
        language: String,
        /// Keep the room out of the directory
        #[arg(long)]
        unlisted: bool,
    },
    /// List the rooms of the directory, a line each: address, state, title
    List,
    /// Delete a room with its keys; a running stream is cut by the server
    Delete { slug: String },
    /// List a room's keys: id, name, last use
    Keys { slug: String },
    /// Make another key; prints {"key":…,"stream_key":…}
    NewKey { slug: String, name: String },
    /// Replace a key by a new one of the same name; prints {"key":…,"stream_key":…}
    RotateKey { slug: String, key: String },
    /// Revoke a key for ever
    RevokeKey { slug: String, key: String },
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
            for card in domain.directory().await.map_err(explain)? {
                println!("{}\t{}\t{}", card.slug, card.live.as_str(), card.title);
            }
        }
        RoomCommand::Delete { slug } => domain.delete_room(Actor::Operator, &parsed(&slug)?).await.map_err(explain)?,
        RoomCommand::Keys { slug } => {
            let (_, keys, _) = domain.studio(Actor::Operator, &parsed(&slug)?).await.map_err(explain)?;
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
