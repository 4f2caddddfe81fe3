//! The counters of the live channel, looked up once: each is a handle to an atomic number.

use super::{hub::Hub, limits::Connections};
use madang_domain::Domain;
use metrics::{Counter, Gauge, counter, gauge};

/// Cheap to clone.
#[derive(Clone)]
pub struct Meters {
    /// Connections in a chat, once for each room.
    pub members: Gauge,
    /// Messages that people sent to a chat, taken or not.
    pub messages: Counter,
    /// Frames of events written to connections.
    pub frames: Counter,
    /// Connections closed because they did not keep up.
    pub resumed: Counter,
}

impl Default for Meters {
    /// After the recorder is installed.
    fn default() -> Self {
        describe();
        Self {
            members: gauge!("madang_chat_members"),
            messages: counter!("madang_chat_messages_total"),
            frames: counter!("madang_ws_frames_total"),
            resumed: counter!("madang_ws_resumed_total"),
        }
    }
}

impl Meters {
    /// Sets the gauges of what is counted elsewhere; called when somebody asks for them. What stands in them after everyone has
    /// gone was left behind.
    pub fn measure(&self, domain: &Domain, hub: &Hub, sockets: &Connections) {
        let (seated, chats) = (hub.seated(), domain.chat_totals());
        let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
        for (name, count) in [
            ("madang_chat_rooms", chats.rooms),
            ("madang_ws_addresses", sockets.addresses()),
            ("madang_hub_directory", seated.directory),
            ("madang_hub_rooms", seated.rooms),
            ("madang_hub_members", seated.members),
            ("madang_tasks", tasks),
        ] {
            gauge!(name).set(count as f64);
        }
        gauge!("madang_chat_people").set(chats.people as f64);
        gauge!("madang_chat_window_seconds").set(chats.window.as_secs_f64());
        counter!("madang_chat_batches_total").absolute(chats.batches);
        counter!("madang_chat_deliveries_total").absolute(chats.deliveries);
    }
}

/// A connection in a chat; dropping it is leaving.
pub struct Counted(Gauge);

impl Counted {
    pub fn new(meters: &Meters) -> Self {
        meters.members.increment(1);
        Self(meters.members.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}

fn describe() {
    use metrics::{describe_counter, describe_gauge};
    describe_gauge!("madang_chat_rooms", "Rooms whose chat has a task");
    describe_gauge!("madang_chat_window_seconds", "The longest that any room gathers messages now");
    describe_counter!("madang_chat_batches_total", "Times that entries were sent to a room");
    describe_counter!("madang_chat_deliveries_total", "Entries times the connections that each was sent to");
    describe_gauge!("madang_chat_members", "Connections in a chat, once for each room");
    describe_gauge!("madang_chat_people", "Distinct people in a chat, once for each room");
    describe_gauge!("madang_ws_connections", "Open sockets of the live channel");
    describe_gauge!("madang_ws_addresses", "Addresses that have one");
    describe_gauge!("madang_hub_directory", "Connections that are told the directory");
    describe_gauge!("madang_hub_rooms", "Rooms that somebody is told about");
    describe_gauge!("madang_hub_members", "Connections that are told about a room, once for each");
    describe_gauge!("madang_tasks", "Tasks of the process that have not ended");
    describe_counter!("madang_chat_messages_total", "Messages that people sent to a chat, taken or not");
    describe_counter!("madang_ws_frames_total", "Frames of events written to connections");
    describe_counter!("madang_ws_resumed_total", "Connections closed because they did not keep up");
}
