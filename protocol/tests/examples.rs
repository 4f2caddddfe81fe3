//! docs/PROTOCOL.md shows every message as it is on the wire: as the server reads and writes it, and as the browser does.

use madang_protocol::{
    chat::{Act, ChatRefusal, SystemLine, What, Whom},
    realtime::{ClientMessage, Refusal, ServerEvent},
    rooms::LiveState,
    wire::{self, Wire},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::{collections::BTreeSet, fmt::Debug};

const PAGE: &str = include_str!("../../docs/PROTOCOL.md");

/// The page's sections by their headings.
fn sections() -> Vec<(&'static str, &'static str)> {
    PAGE.split("\n## ").filter_map(|section| section.split_once('\n')).collect()
}

/// The examples of a section: every value in its blocks of JSON.
fn examples(section: &str) -> Vec<Value> {
    let blocks = section.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default());
    let values = blocks.flat_map(|block| serde_json::Deserializer::from_str(block).into_iter::<Value>());
    values.map(|value| value.unwrap_or_else(|error| panic!("{error} in {section}"))).collect()
}

fn examples_of(heading: &str) -> Vec<Value> {
    let found = sections().into_iter().find(|(title, _)| *title == heading);
    examples(found.unwrap_or_else(|| panic!("no section {heading}")).1)
}

/// Each example is read by both sides' code as the same, and written by both as it stands here.
fn go_both_ways<T: Wire + Serialize + DeserializeOwned + PartialEq + Debug>(all: &[Value]) {
    for example in all {
        let text = example.to_string();
        let by_server: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let by_browser: T = wire::from_text(&text).unwrap_or_else(|| panic!("the browser cannot read {text}"));
        assert_eq!(by_server, by_browser);
        assert_eq!(serde_json::to_value(&by_server).expect("JSON"), *example);
        let written: Value = serde_json::from_str(&wire::to_text(&by_server)).expect("JSON");
        assert_eq!(written, *example);
    }
}

/// The names of an enum's variants, as serde lists them when it is given another.
fn variants<T: DeserializeOwned + Debug>(unknown: &str) -> BTreeSet<String> {
    let error = serde_json::from_str::<T>(unknown).expect_err("there is no such variant").to_string();
    let (_, expected) = error.split_once("expected").unwrap_or_else(|| panic!("{error}"));
    let names: BTreeSet<String> = expected.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    assert!(!names.is_empty(), "{error}");
    names
}

fn types(all: &[Value]) -> BTreeSet<String> {
    all.iter().filter_map(|example| example["type"].as_str()).map(str::to_owned).collect()
}

/// Every word in the examples: names of members, and texts.
fn words(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => drop(into.insert(text.clone())),
        Value::Array(all) => all.iter().for_each(|one| words(one, into)),
        Value::Object(members) => {
            for (name, value) in members {
                into.insert(name.clone());
                words(value, into);
            }
        }
        _ => {}
    }
}

#[test]
fn what_browsers_send_is_as_documented() {
    let all = examples_of("From the browser");
    go_both_ways::<ClientMessage>(&all);
    assert_eq!(types(&all), variants::<ClientMessage>(r#"{"type":"?"}"#));
}

#[test]
fn what_the_server_sends_is_as_documented() {
    let all = examples_of("From the server");
    go_both_ways::<ServerEvent>(&all);
    assert_eq!(types(&all), variants::<ServerEvent>(r#"{"type":"?"}"#));
}

#[test]
fn every_kind_of_what_they_hold_is_shown() {
    let mut shown = BTreeSet::new();
    for heading in ["From the browser", "From the server"] {
        examples_of(heading).iter().for_each(|example| words(example, &mut shown));
    }
    for kinds in [
        variants::<Act>(r#""?""#),
        variants::<Whom>(r#""?""#),
        variants::<What>(r#""?""#),
        variants::<SystemLine>(r#""?""#),
        variants::<LiveState>(r#"{"state":"?"}"#),
    ] {
        assert!(kinds.is_subset(&shown), "{:?}", kinds.difference(&shown));
    }
    for reason in variants::<ChatRefusal>(r#""?""#).iter().chain(&variants::<Refusal>(r#""?""#)) {
        assert!(PAGE.contains(&format!("`{reason}`")), "{reason} is not explained");
    }
}

#[test]
fn no_example_stands_where_nothing_reads_it() {
    for (heading, section) in sections() {
        let is_read = ["From the browser", "From the server"].contains(&heading);
        assert!(is_read || examples(section).is_empty(), "{heading}");
    }
}
