//! The whole server from outside, on port 0.

#[path = "../support/house.rs"]
mod house;

mod pages;
mod realtime;
mod surface;
