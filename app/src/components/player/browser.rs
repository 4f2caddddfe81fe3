//! The browser's side of a [`Deck`]: makes and drops `madang_player`'s player as the room comes and goes, carries out commands, and
//! reads the video's, the screen's and the storage's state into signals. Compiled for the browser only; runs in effects and handlers.

use super::{
    deck::{Ask, Command, Deck, Panel, Use, command_of_key},
    extra::player_extra,
    frames::player_frames,
    scene::{BUFFERING_AFTER_MS, Delay, Fault, Feed},
};
use crate::{
    clock::{browser_now, server_ahead_ms},
    components::keys::is_taken,
    feature::{call, get, method},
    listen::{after, on_window},
    reactive::{Kept, Var, effect, memo},
    route::use_place,
};
use leptos::prelude::*;
use madang_player::{Failure, PlayerEvent, web};
use madang_protocol::{LiveState, UnixMillis};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Element, HtmlVideoElement, KeyboardEvent, Storage};

/// Controls hide this long after the last movement.
const IDLE_AFTER_MS: i64 = 3_000;
/// A press of an arrow key, in per cent.
const VOLUME_STEP: u8 = 10;

/// Where preferences are kept.
const VOLUME: &str = "madang.volume";
const MUTED: &str = "madang.muted";
const DELAY: &str = "madang.delay";
const THEATRE: &str = "madang.theatre";
const IN_STEP: &str = "madang.step";

/// What is not state to be shown.
#[derive(Clone, Copy)]
pub struct Machine {
    player: Kept<Option<web::Player>>,
    /// The broadcast that the player was last started for.
    served: Kept<Option<UnixMillis>>,
    /// Counts state events, so that a late timer knows it is late.
    turn: Kept<u32>,
    /// When somebody last moved, and whether a timer watches it.
    moved: Kept<(UnixMillis, bool)>,
    /// Whether `extra` has been asked for.
    asked: Kept<bool>,
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            player: Kept::new(None),
            served: Kept::new(None),
            turn: Kept::new(0),
            moved: Kept::new((UnixMillis(0), false)),
            asked: Kept::new(false),
        }
    }
}

/// Wakes the deck up once its video is in the page, and lets go of everything when the owner is cleaned up.
pub fn run(deck: Deck, url: String) {
    let wanted = Delay::parse(&use_place().query("delay"));
    let live = memo(move || match deck.room.get() {
        Some(LiveState::Live { since }) => Some(since),
        _ => None,
    });
    let awake = Kept::new(false);
    effect(move || {
        let Some(video) = deck.video.get() else { return };
        if awake.try_update_value(|awake| !std::mem::replace(awake, true)) == Some(true) {
            restore(deck, &video, wanted);
        }
        follow(deck, &video, &url, live.get());
    });
    if deck.usage == Use::Watch {
        on_window("keydown", move |event| pressed(deck, event.unchecked_ref()));
    }
    on_cleanup(move || stop(deck));
}

/// Starts, restarts or drops the player as the room and what the player last said ask for.
fn follow(deck: Deck, video: &HtmlVideoElement, url: &str, live: Option<UnixMillis>) {
    let (quiet, too_old) = deck.feed.with(|feed| {
        let busy = matches!(feed, Feed::Connecting | Feed::Playing | Feed::Buffering | Feed::Away { .. });
        (!busy, *feed == Feed::Failed(Fault::TooOld))
    });
    let runs = deck.machine.player.with_value(Option::is_some);
    match live {
        Some(_) if !runs && !too_old => {
            deck.machine.served.set_value(live);
            start(deck, video, url);
        }
        // The streamer is back, and the player has nothing to show any more: do not wait for its own next attempt.
        Some(_) if runs && quiet && deck.machine.served.try_get_value() != Some(live) => {
            deck.machine.served.set_value(live);
            with_player(deck, web::Player::restart);
        }
        // The channel will say when the room is live again; until then nothing is asked of the server.
        None if runs && quiet => {
            stop(deck);
            // What the stream was is over; what the room is, is known.
            deck.feed.set(Feed::Idle);
        }
        _ => {}
    }
}

fn start(deck: Deck, video: &HtmlVideoElement, url: &str) {
    let delay = player_delay(deck.delay.get_untracked());
    match web::Player::new(video.clone(), url.to_owned(), delay, server_ahead_ms(), move |event| heard(deck, event)) {
        Ok(player) => {
            deck.machine.player.set_value(Some(player));
            offer_frames(deck);
        }
        Err(_) => deck.feed.set(Feed::Failed(Fault::TooOld)),
    }
}

/// Ends the request and frees what the player holds.
fn stop(deck: Deck) {
    let player = deck.machine.player.try_update_value(Option::take).flatten();
    drop(player);
    deck.behind_ms.set(None);
}

fn with_player(deck: Deck, act: impl FnOnce(&web::Player)) {
    deck.machine.player.try_with_value(|player| player.as_ref().map(act));
}

fn player_delay(delay: Delay) -> madang_player::Delay {
    madang_player::Delay::from_name(delay.as_str()).unwrap_or_default()
}

/// Takes in what the player says. The player may be gone by then, and its signals with it.
fn heard(deck: Deck, event: PlayerEvent) {
    let say = |feed: Feed| {
        let _ = deck.machine.turn.try_update_value(|turn| *turn = turn.wrapping_add(1));
        deck.feed.set_if_new(feed);
    };
    match event {
        PlayerEvent::Connecting => say(Feed::Connecting),
        PlayerEvent::Playing => {
            say(Feed::Playing);
            fetch_extra(deck);
            deck.seen.set_if_new(true);
        }
        PlayerEvent::Buffering => {
            let turn = deck.machine.turn.try_get_value();
            let late = move || {
                if deck.machine.turn.try_get_value() == turn {
                    deck.feed.set(Feed::Buffering);
                }
            };
            after(BUFFERING_AFTER_MS as i32, late);
        }
        PlayerEvent::Away { left_s } => say(Feed::Away { left_s }),
        PlayerEvent::Waiting { attempt, .. } => say(Feed::Waiting { attempt }),
        PlayerEvent::NotLive { .. } => say(Feed::NotLive),
        PlayerEvent::NotFound => say(Feed::NotFound),
        PlayerEvent::Ended => say(Feed::Ended),
        PlayerEvent::Failed(Failure::CodecNotPlayable { mime }) => {
            say(Feed::Failed(Fault::Codec(mime)));
            // The streamer is told.
            fetch_extra(deck);
        }
        PlayerEvent::Failed(Failure::Decoder) => say(Feed::Failed(Fault::Broken)),
        PlayerEvent::NeedsUnmute if deck.usage == Use::Watch => deck.ask.set(Some(Ask::Unmute)),
        PlayerEvent::NeedsUnmute => {}
        PlayerEvent::NeedsTap => deck.ask.set(Some(Ask::Play)),
        PlayerEvent::Delay { behind_ms } => deck.behind_ms.set(Some(behind_ms)),
        PlayerEvent::AudioOnly(sound_only) => deck.sound_only.set(sound_only),
        PlayerEvent::Size { .. } => {}
    }
}

/// Carries out a command. Called within the viewer's gesture, which sound, full screen and the like need.
pub fn obey(deck: Deck, command: Command) {
    let Some(video) = deck.video.get_untracked() else { return };
    match command {
        Command::TogglePlay if deck.machine.player.with_value(Option::is_none) => {}
        Command::TogglePlay if video.paused() => play(&video),
        Command::TogglePlay => with_player(deck, web::Player::pause),
        Command::ToggleMute if video.muted() || video.volume() == 0.0 => {
            if video.volume() == 0.0 {
                set_volume(deck, &video, 50);
            }
            set_muted(deck, &video, false);
        }
        Command::ToggleMute => set_muted(deck, &video, true),
        Command::Unmute => {
            deck.ask.set(None);
            set_muted(deck, &video, false);
            play(&video);
        }
        Command::SetVolume(volume) => {
            set_volume(deck, &video, volume);
            set_muted(deck, &video, volume == 0);
        }
        Command::VolumeUp => {
            let volume = deck.volume.get_untracked().saturating_add(VOLUME_STEP).min(100);
            set_volume(deck, &video, volume);
            set_muted(deck, &video, false);
        }
        Command::VolumeDown => set_volume(deck, &video, deck.volume.get_untracked().saturating_sub(VOLUME_STEP)),
        Command::GoLive => with_player(deck, web::Player::go_live),
        Command::Rewind(by_ms) => with_player(deck, |player| player.rewind(f64::from(by_ms) / 1000.0)),
        Command::SetDelay(delay) => {
            deck.delay.set(delay);
            keep(DELAY, delay.as_str());
            with_player(deck, |player| player.set_delay(player_delay(delay)));
            offer_frames(deck);
        }
        Command::ToggleFullscreen if deck.usage == Use::Watch => toggle_fullscreen(deck, &video),
        Command::ToggleFullscreen => {}
        // A frame on another site is no theatre.
        Command::ToggleTheatre if video.closest(".watch").ok().flatten().is_none() => {}
        Command::ToggleTheatre => switch(deck, deck.theatre, THEATRE),
        Command::ToggleInStep => switch(deck, deck.in_step, IN_STEP),
        Command::TogglePictureInPicture => toggle_picture_in_picture(&video),
        Command::ToggleStats => {
            fetch_extra(deck);
            deck.stats_open.update(|open| *open = !*open);
        }
        Command::ToggleSettings => toggle_panel(deck, Panel::Settings),
        Command::ToggleShortcuts => toggle_panel(deck, Panel::Shortcuts),
        Command::ClosePanel if deck.panel.with_untracked(Option::is_none) && deck.theatre.get_untracked() => {
            switch(deck, deck.theatre, THEATRE);
        }
        Command::ClosePanel => deck.panel.set(None),
        Command::Again => with_player(deck, web::Player::restart),
        Command::Wake => woken(deck),
        Command::Look => look(deck, &video),
    }
}

/// Fetches what comes after the first picture. What is open by then is shown when it is there.
fn fetch_extra(deck: Deck) {
    let asked = deck.machine.asked.try_update_value(|asked| std::mem::replace(asked, true));
    if deck.usage == Use::Watch && asked == Some(false) {
        spawn_local(async move {
            if player_extra::PART.load().await.is_ok()
                && let Some(extra) = player_extra()
            {
                deck.extra.set(Some(extra));
            } else {
                // Nothing is open, and the next press tries again.
                deck.panel.set(None);
                deck.stats_open.set(false);
                deck.machine.asked.set_value(false);
            }
        });
    }
}

/// For the lowest delay frames are shown one by one, in browsers that can.
fn offer_frames(deck: Deck) {
    if deck.delay.get_untracked() == Delay::Lowest && web::frames::possible() {
        spawn_local(async move {
            // What cannot be fetched is done without.
            if player_frames::PART.load().await.is_ok()
                && let Some(opening) = player_frames()
            {
                with_player(deck, |player| player.offer(opening));
            }
        });
    }
}

fn toggle_panel(deck: Deck, panel: Panel) {
    fetch_extra(deck);
    deck.panel.update(|open| *open = if *open == Some(panel) { None } else { Some(panel) });
}

/// Turns a preference over, and keeps it.
fn switch(deck: Deck, preference: Var<bool>, name: &str) {
    if deck.usage == Use::Watch {
        let on = !preference.get_untracked();
        preference.set(on);
        keep(name, if on { "yes" } else { "no" });
    }
}

fn set_volume(deck: Deck, video: &HtmlVideoElement, volume: u8) {
    video.set_volume(f64::from(volume) / 100.0);
    deck.volume.set(volume);
    if deck.usage == Use::Watch {
        keep(VOLUME, &volume.to_string());
    }
}

fn set_muted(deck: Deck, video: &HtmlVideoElement, muted: bool) {
    video.set_muted(muted);
    deck.muted.set(muted);
    if deck.usage == Use::Watch {
        keep(MUTED, if muted { "yes" } else { "no" });
    }
}

/// A refusal is the player's to report, and nothing for the console.
fn play(video: &HtmlVideoElement) {
    if let Ok(promise) = video.play() {
        spawn_local(async move { drop(JsFuture::from(promise).await) });
    }
}

/// Reads what the video and the screen are doing now.
fn look(deck: Deck, video: &HtmlVideoElement) {
    deck.paused.set_if_new(video.paused());
    deck.muted.set_if_new(video.muted());
    deck.volume.set_if_new((video.volume() * 100.0).round() as u8);
    deck.fullscreen.set_if_new(document().fullscreen_element().is_some());
    if !video.muted() && deck.ask.get_untracked() == Some(Ask::Unmute) {
        deck.ask.set(None);
    }
    if !video.paused() && deck.ask.get_untracked() == Some(Ask::Play) {
        deck.ask.set(None);
    }
}

/// Takes over the viewer's preferences, and finds out what this browser can do.
fn restore(deck: Deck, video: &HtmlVideoElement, wanted: Option<Delay>) {
    let kept_delay = kept(DELAY).and_then(|d| Delay::parse(&d));
    deck.delay.set(wanted.or(kept_delay).unwrap_or_default());
    if deck.usage == Use::Watch {
        let volume = kept(VOLUME).and_then(|v| v.parse::<u8>().ok()).unwrap_or(100).min(100);
        video.set_volume(f64::from(volume) / 100.0);
        video.set_muted(kept(MUTED).as_deref() == Some("yes") || use_place().query("muted") == "1");
        deck.theatre.set(kept(THEATRE).as_deref() == Some("yes"));
        deck.in_step.set(kept(IN_STEP).as_deref() == Some("yes"));
    } else {
        video.set_muted(true);
    }
    look(deck, video);
    deck.can_fullscreen.set(document().fullscreen_enabled() || method(video, "webkitEnterFullscreen").is_some());
    let allowed = get(&document(), "pictureInPictureEnabled");
    deck.can_pip.set(allowed.is_some() && method(video, "requestPictureInPicture").is_some());
}

fn toggle_fullscreen(deck: Deck, video: &HtmlVideoElement) {
    let document = document();
    if document.fullscreen_element().is_some() {
        document.exit_fullscreen();
    } else if document.fullscreen_enabled() {
        if let Some(stage) = deck.stage.get_untracked() {
            // Refused without a gesture: then the picture stays as it is.
            let _ = stage.request_fullscreen();
        }
    } else {
        // iPhones know full screen for the video alone.
        call(video, "webkitEnterFullscreen");
    }
}

fn toggle_picture_in_picture(video: &HtmlVideoElement) {
    let document = document();
    if get(&document, "pictureInPictureElement").is_some() {
        call(&document, "exitPictureInPicture");
    } else {
        call(video, "requestPictureInPicture");
    }
}

/// A key, unless it is meant for something else on the page.
fn pressed(deck: Deck, event: &KeyboardEvent) {
    let key = event.key();
    let Some(command) = command_of_key(&key) else { return };
    let moves = matches!(command, Command::VolumeUp | Command::VolumeDown | Command::Rewind(_));
    // Where nothing plays, these keys scroll the page.
    let scrolls = (moves || matches!(command, Command::TogglePlay | Command::GoLive))
        && deck.machine.player.with_value(Option::is_none);
    if scrolls || is_taken(event) || (key == " " && is_pressed_by_space(event)) {
        return;
    }
    if command != Command::ClosePanel {
        event.prevent_default();
    }
    // A switch that is held down would be turned over and over.
    if event.repeat() && !moves {
        return;
    }
    // What a key does is seen on the controls.
    woken(deck);
    deck.send(command);
}

/// Whether the space bar is for the focused element itself.
fn is_pressed_by_space(event: &KeyboardEvent) -> bool {
    let target = event.target().and_then(|t| t.dyn_into::<Element>().ok());
    target.is_some_and(|element| matches!(element.tag_name().as_str(), "BUTTON" | "A" | "SUMMARY"))
}

/// Shows the controls, and hides them once nobody has moved for a while. One timer at a time, however much somebody moves.
fn woken(deck: Deck) {
    deck.idle.set_if_new(false);
    let watched = deck.machine.moved.with_value(|(_, watched)| *watched);
    deck.machine.moved.set_value((browser_now(), true));
    if !watched {
        rest_later(deck, IDLE_AFTER_MS);
    }
}

fn rest_later(deck: Deck, after_ms: i64) {
    let check = move || {
        let Some((moved, _)) = deck.machine.moved.try_get_value() else { return };
        let left_ms = IDLE_AFTER_MS - browser_now().since(moved);
        if left_ms > 0 {
            rest_later(deck, left_ms);
        } else {
            let _ = deck.machine.moved.try_update_value(|(_, watched)| *watched = false);
            deck.idle.set(true);
        }
    };
    after(i32::try_from(after_ms).unwrap_or(0), check);
}

/// The player's figures; `None` without a player.
pub fn read_stats(deck: Deck) -> Option<madang_player::Stats> {
    deck.machine.player.try_with_value(|player| player.as_ref().map(web::Player::stats)).flatten()
}

/// What one can go back to: its length in seconds, and how far into it the picture is; below zero where it was paused before that.
pub fn reach(deck: Deck) -> Option<(f64, f64)> {
    deck.machine.player.try_with_value(|player| player.as_ref().and_then(web::Player::reach)).flatten()
}

/// The browser's storage; some browsers refuse it.
fn storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}

fn kept(key: &str) -> Option<String> {
    storage()?.get_item(key).ok().flatten()
}

fn keep(key: &str, value: &str) {
    if let Some(storage) = storage() {
        // A full or forbidden storage costs a preference, nothing else.
        let _ = storage.set_item(key, value);
    }
}
