//! The server's own [`Outlet`]: a lease on a room of `live`.

use super::gate::{Attention, Outlet};
use crate::live::{Cut, Publisher};
use madang_media::flv::Tag;
use madang_protocol::RoomId;

impl Outlet for Publisher {
    fn push(&mut self, tag: Tag) -> Result<(), Cut> {
        Publisher::push(self, tag)
    }

    fn room(&self) -> Option<RoomId> {
        Some(Publisher::room(self))
    }

    fn flush(&mut self) {
        Publisher::flush(self);
    }

    async fn attention(&mut self) -> Attention {
        tokio::select! {
            cut = self.cut() => Attention::Cut(cut),
            () = self.due() => Attention::Due,
        }
    }
}
