//! The command line from outside, beside a running server.

use crate::house::House;
use std::process::Output;

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test]
async fn the_doctor_finds_nothing_wrong_with_a_server_that_runs() {
    let house = House::open().await;
    let (http, rtmp) = (house.addresses.http.to_string(), house.addresses.rtmp.to_string());
    let mut doctor = house.program(&["doctor", "--http", &http, "--rtmp", &rtmp]);
    let output = tokio::task::spawn_blocking(move || doctor.output().expect("it runs")).await.expect("no panic");
    let said = text(&output);
    assert!(said.contains("ok    http address") && said.contains("ok    rtmp address"), "{said}");
    // Open files are this machine's matter.
    assert!(output.status.success() || said.contains("look  open files"), "{said}");
}

#[tokio::test]
async fn the_doctor_finds_another_program_on_our_address() {
    let house = House::open().await;
    let other = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let (http, rtmp) = (other.local_addr().expect("bound").to_string(), house.addresses.rtmp.to_string());
    let mut doctor = house.program(&["doctor", "--http", &http, "--rtmp", &rtmp]);
    let output = tokio::task::spawn_blocking(move || doctor.output().expect("it runs")).await.expect("no panic");
    let said = text(&output);
    assert!(!output.status.success() && said.contains("look  http address") && said.contains("look  rtmp"), "{said}");
}
