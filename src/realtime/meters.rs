//! The counters of the live channel, looked up once: each is a handle to an atomic number.

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
    describe_counter!("madang_chat_messages_total", "Messages that people sent to a chat, taken or not");
    describe_counter!("madang_ws_frames_total", "Frames of events written to connections");
    describe_counter!("madang_ws_resumed_total", "Connections closed because they did not keep up");
}
