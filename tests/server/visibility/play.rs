//! The ways of playing: what lets into one room by one of them lets in by all, and to nothing else.

use super::*;
use futures_util::StreamExt as _;
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest as _};

#[tokio::test]
async fn a_play_token_is_of_one_room_and_publishes_nothing() {
    let home = Home::open().await;
    home.ask_for("password", PASSWORD).await;
    let other = home.house.make_room("other-room");
    let domain = &home.house.services.domain;
    domain.set_access(Actor::Operator, &slug("other-room"), Visibility::Password, PASSWORD).await.expect("set");
    let _encoders = (home.on_air().await, Encoder::start(&home.house, &other).await);
    let mut browser = Browser::new(&home.house);
    browser.post(PATH, &[("do", "password"), ("password", PASSWORD)]).await;
    let token = token_in(&browser.get(PATH).await);
    assert_eq!(home.watches(&format!("/live/my-room.flv?token={token}"), "").await, 200);
    assert_eq!(home.watches(&format!("/live/other-room.flv?token={token}"), "").await, 404, "replayed");
    assert_eq!(home.watches("/live/other-room.flv", &browser.cookie()).await, 404);
    // The same by the other ways of playing.
    assert_eq!(home.plays(&format!("my-room?token={token}")).await, "NetStream.Play.Start");
    for name in ["my-room", "my-room?token=x", &format!("other-room?token={token}")] {
        assert_eq!(home.plays(name).await, "NetStream.Play.StreamNotFound", "{name}");
    }
    assert!(home.over_a_socket("", &browser.cookie(), &home.house.origin()).await.contains(" 101 "));
    assert!(home.over_a_socket("", "", &home.house.origin()).await.contains(" 404 "));
    assert!(
        home.over_a_socket("", &browser.cookie(), "https://evil.example").await.contains(" 404 "),
        "another site's page"
    );
    let forged = home.over_a_socket("?token=x", &browser.cookie(), "https://evil.example").await;
    assert!(forged.contains(" 404 "), "what is no token does not make cookies count");
    let by_token = home.over_a_socket(&format!("?token={token}"), "", "https://elsewhere.example").await;
    assert!(by_token.contains(" 101 "), "a token is for players anywhere");
    // In a frame on another site there is the way to the room's own page and no form.
    let embed = home.house.get("/embed/my-room").await;
    assert!(embed.status == 403 && embed.body.contains("/rooms/my-room") && !embed.body.contains("<form"), "{embed:?}");
    let stem = token.rsplit_once('.').expect("a signature").0;
    for forged in [stem.to_owned(), format!("{stem}.{}", "0".repeat(64)), token.replace("play1", "in1")] {
        assert_eq!(home.watches(&format!("/live/my-room.flv?token={forged}"), "").await, 404, "{forged}");
    }
    // As a cookie it lets nobody in, and as an address the cookie does not.
    let permit = browser.cookie().split("; ").find(|pair| pair.starts_with("madang_in_")).expect("a permit").to_owned();
    let (name, value) = permit.split_once('=').expect("a pair");
    assert_eq!(home.watches(&format!("/live/my-room.flv?token={value}"), "").await, 404);
    let mut thief = Browser::new(&home.house);
    thief.plant(name, &token);
    assert_eq!(thief.get(PATH).await.status, 403);
    for secret in [token.as_str(), value] {
        for app in ["live", "live?token"] {
            let mut client = Client::connect(home.house.addresses.rtmp).await.expect("connects");
            let answer = client.publish(app, secret).await;
            let code = answer.map(|status| status.code).unwrap_or_default();
            assert_ne!(code, "NetStream.Publish.Start", "{app}");
        }
    }
}

#[tokio::test]
async fn whoever_watches_and_chats_is_out_when_their_link_ends() {
    let home = Home::open().await;
    home.ask_for("invitation", "").await;
    let _encoder = home.on_air().await;
    let began = std::time::Instant::now();
    let (_, code) = home.link(Duration::from_secs(10), None).await;
    let mut browser = home.invited(&code).await;
    let page = browser.get(PATH).await;
    let mut watching = Viewer::join_as(&home.house, ROOM, Some(&browser.cookie())).await;
    let by_token = Viewer::join_path(&home.house, &format!("/live/my-room.flv?token={}", token_in(&page)), None).await;
    let mut player = Client::connect(home.house.addresses.rtmp).await.expect("connects");
    assert_eq!(
        player.play(&format!("my-room?token={}", token_in(&page))).await.expect("an answer").code,
        "NetStream.Play.Start"
    );
    let address = format!("ws://{}/live/my-room.flv", home.house.addresses.http);
    let mut request = address.into_client_request().expect("a request");
    request.headers_mut().insert("cookie", browser.cookie().parse().expect("a header"));
    request.headers_mut().insert("origin", home.house.origin().parse().expect("a header"));
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.expect("upgrades");
    let over_socket = tokio::spawn(async move {
        let mut messages = 0;
        while let Some(Ok(Message::Binary(_))) = socket.next().await {
            messages += 1;
        }
        messages
    });
    let mut chatting = browser.socket().await;
    chatting.join(ROOM).await;
    assert!(watching.media().await.is_some());
    ends(watching).await;
    let messages = tokio::time::timeout(PATIENCE, over_socket).await.expect("in time").expect("no panic");
    assert!(messages > 10, "{messages} messages came before the end");
    let over = tokio::time::timeout(PATIENCE, player.status()).await.expect("in time").expect("reads");
    assert_eq!(over.expect("an answer").code, "NetStream.Play.UnpublishNotify");
    assert!(began.elapsed() >= Duration::from_millis(9_900), "not before: {:?}", began.elapsed());
    ends(by_token).await;
    assert_eq!(chatting.close_code().await, Some(4000));
    assert!(began.elapsed() < Duration::from_secs(20), "and not long after: {:?}", began.elapsed());
    assert_eq!(browser.get(PATH).await.status, 403);
    crate::house::until("nobody holds a place but the owner", || home.house.services.permits.held() <= 1).await;
}
