//! Server functions: what pages ask of the server, under `/fn`. Each is one call on the domain.

#[cfg(feature = "hydrate")]
pub mod ask;
pub mod directory;
pub mod locale;
pub mod moderation;
pub mod rooms;
pub mod studio;
