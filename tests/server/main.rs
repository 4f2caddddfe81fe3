//! The whole server from outside, on port 0.

#[path = "../support/house.rs"]
mod house;
#[path = "../support/rtmp_client.rs"]
mod rtmp_client;

mod pages;
mod realtime;
mod stream;
mod surface;
