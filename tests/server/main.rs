//! The whole server from outside, on port 0.

#[path = "../support/house.rs"]
mod house;
#[path = "../support/rtmp_client.rs"]
#[allow(dead_code, reason = "the unit tests of src/rtmp use the rest of it")]
mod rtmp_client;

mod accounts;
mod acme;
mod admin;
mod attempts;
mod chat;
mod churn;
mod commands;
mod crash;
mod limits;
mod pages;
mod permissions;
mod playing;
mod policy;
mod presence;
mod program;
mod quality;
mod realtime;
mod refusals;
mod returning;
mod secrets;
mod slow_line;
mod stills;
mod stream;
mod studio;
mod surface;
mod tls;
mod tls_media;
mod visibility;
