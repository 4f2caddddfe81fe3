//! A hand-made RTMP encoder for tests: every byte it sends is built here, by none of the code under test, so that it can also send
//! what no sane encoder would. Unit tests of `src/rtmp` and integration tests share it.

use std::{io, net::SocketAddr};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

pub const SET_CHUNK_SIZE: u8 = 1;
pub const USER_CONTROL: u8 = 4;
pub const AUDIO: u8 = 8;
pub const VIDEO: u8 = 9;
pub const DATA: u8 = 18;
pub const COMMAND: u8 = 20;

/// The AMF0 values that RTMP commands are made of.
#[derive(Clone, Debug, PartialEq)]
pub enum Amf {
    Number(f64),
    Boolean(bool),
    Text(String),
    Object(Vec<(String, Amf)>),
    /// A strict array.
    List(Vec<Amf>),
    Null,
    Undefined,
    /// Bytes as they are, for values that are broken on purpose.
    Raw(Vec<u8>),
}

pub fn text(text: &str) -> Amf {
    Amf::Text(text.to_owned())
}

pub fn amf(values: &[Amf]) -> Vec<u8> {
    let mut out = Vec::new();
    for value in values {
        write_amf(value, &mut out);
    }
    out
}

fn write_amf(value: &Amf, out: &mut Vec<u8>) {
    let name = |name: &str, out: &mut Vec<u8>| {
        out.extend(u16::try_from(name.len()).expect("a short string").to_be_bytes());
        out.extend(name.as_bytes());
    };
    match value {
        Amf::Number(number) => {
            out.push(0);
            out.extend(number.to_be_bytes());
        }
        Amf::Boolean(truth) => out.extend([1, u8::from(*truth)]),
        Amf::Text(text) => {
            out.push(2);
            name(text, out);
        }
        Amf::Object(fields) => {
            out.push(3);
            for (field, value) in fields {
                name(field, out);
                write_amf(value, out);
            }
            out.extend([0, 0, 9]);
        }
        Amf::List(items) => {
            out.push(10);
            out.extend(u32::try_from(items.len()).expect("a short list").to_be_bytes());
            items.iter().for_each(|item| write_amf(item, out));
        }
        Amf::Null => out.push(5),
        Amf::Undefined => out.push(6),
        Amf::Raw(bytes) => out.extend(bytes),
    }
}

/// Reads what the server writes; anything it does not write is a panic.
pub fn read_amf(mut input: &[u8]) -> Vec<Amf> {
    let mut values = Vec::new();
    while !input.is_empty() {
        values.push(read_value(&mut input));
    }
    values
}

fn read_value(input: &mut &[u8]) -> Amf {
    match take(input, 1)[0] {
        0 => Amf::Number(f64::from_be_bytes(take(input, 8).try_into().expect("8 bytes"))),
        1 => Amf::Boolean(take(input, 1)[0] != 0),
        2 => Amf::Text(read_text(input)),
        3 => {
            let mut fields = Vec::new();
            loop {
                let name = read_text(input);
                if name.is_empty() {
                    assert_eq!(take(input, 1), [9], "an object ends in 0 0 9");
                    return Amf::Object(fields);
                }
                fields.push((name, read_value(input)));
            }
        }
        10 => {
            let count = u32::from_be_bytes(take(input, 4).try_into().expect("4 bytes"));
            Amf::List((0..count).map(|_| read_value(input)).collect())
        }
        5 => Amf::Null,
        6 => Amf::Undefined,
        marker => panic!("the server wrote AMF0 marker {marker}"),
    }
}

fn read_text(input: &mut &[u8]) -> String {
    let length = u16::from_be_bytes(take(input, 2).try_into().expect("2 bytes"));
    String::from_utf8(take(input, length.into()).to_vec()).expect("UTF-8")
}

fn take<'a>(input: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (taken, rest) = input.split_at(count);
    *input = rest;
    taken
}

/// A command message's body.
pub fn command(name: &str, transaction: f64, arguments: &[Amf]) -> Vec<u8> {
    [amf(&[text(name), Amf::Number(transaction)]), amf(arguments)].concat()
}

/// The argument of `connect`.
pub fn connect_object(app: &str) -> Amf {
    Amf::Object(vec![
        ("app".into(), text(app)),
        ("type".into(), text("nonprivate")),
        ("flashVer".into(), text("FMLE/3.0 (compatible; TestEncoder)")),
        ("tcUrl".into(), text("rtmp://127.0.0.1/live")),
    ])
}

/// `connect` with an object in an object, 10,000 deep: some 40 kB that overflow the stack of a naive reader.
pub fn nested_connect() -> Vec<u8> {
    let mut body = amf(&[text("connect"), Amf::Number(1.0)]);
    for _ in 0..10_000 {
        body.extend([3, 0, 1, b'a']);
    }
    body
}

/// One message in chunks: a type 0 header, then type 3.
pub fn chunks(chunk_stream: u8, at: u32, kind: u8, stream: u32, body: &[u8], chunk_size: usize) -> Vec<u8> {
    pieces(chunk_stream, at, kind, stream, body, chunk_size).concat()
}

/// The same, chunk by chunk, for interleaving.
pub fn pieces(chunk_stream: u8, at: u32, kind: u8, stream: u32, body: &[u8], chunk_size: usize) -> Vec<Vec<u8>> {
    assert!((2..64).contains(&chunk_stream), "one-byte basic headers only");
    let extended = at >= 0xFF_FFFF;
    let mut first = vec![chunk_stream];
    first.extend(&at.min(0xFF_FFFF).to_be_bytes()[1..]);
    first.extend(&u32::try_from(body.len()).expect("a short message").to_be_bytes()[1..]);
    first.push(kind);
    first.extend(stream.to_le_bytes());
    let mut bodies = body.chunks(chunk_size);
    let mut all = Vec::new();
    for number in 0.. {
        let Some(piece) = bodies.next().or((number == 0).then_some(&[])) else { break };
        let mut chunk = if number == 0 { first.clone() } else { vec![0xC0 | chunk_stream] };
        if extended {
            chunk.extend(at.to_be_bytes());
        }
        chunk.extend(piece);
        all.push(chunk);
    }
    all
}

/// A message from the server.
#[derive(Clone, Debug)]
pub struct Received {
    pub kind: u8,
    pub stream: u32,
    /// The stamp, in ms.
    pub at: u32,
    pub body: Vec<u8>,
}

/// An answer that an encoder would act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// `onStatus`, `_error` or `_result`.
    pub name: String,
    pub level: String,
    pub code: String,
    pub description: String,
}

pub struct Client {
    pub socket: TcpStream,
    chunk_size: usize,
    server_chunk_size: usize,
}

impl Client {
    /// Connects and shakes hands in the plain way of RTMP 1.0 §5.2.
    pub async fn connect(server: SocketAddr) -> io::Result<Self> {
        let mut client = Self { socket: TcpStream::connect(server).await?, chunk_size: 128, server_chunk_size: 128 };
        client.socket.set_nodelay(true)?;
        let mut hello = vec![3];
        hello.extend([0; 8]);
        hello.extend((0..1528).map(|number| (number % 251) as u8));
        client.send(&hello).await?;
        let mut answer = vec![0; 1 + 1536 + 1536];
        client.socket.read_exact(&mut answer).await?;
        assert_eq!(answer[0], 3, "S0 is version 3");
        assert_eq!(answer[1537..], hello[1..], "S2 is a copy of C1");
        client.send(&answer[1..1537]).await?;
        Ok(client)
    }

    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.socket.write_all(bytes).await
    }

    pub async fn message(&mut self, chunk_stream: u8, at: u32, kind: u8, stream: u32, body: &[u8]) -> io::Result<()> {
        let bytes = chunks(chunk_stream, at, kind, stream, body, self.chunk_size);
        self.send(&bytes).await
    }

    /// Announces and uses another chunk size.
    pub async fn set_chunk_size(&mut self, size: u32) -> io::Result<()> {
        self.message(2, 0, SET_CHUNK_SIZE, 0, &size.to_be_bytes()).await?;
        self.chunk_size = size as usize;
        Ok(())
    }

    pub async fn call(&mut self, name: &str, transaction: f64, stream: u32, arguments: &[Amf]) -> io::Result<()> {
        self.message(3, 0, COMMAND, stream, &command(name, transaction, arguments)).await
    }

    /// `connect`; gives the server's answer.
    pub async fn open(&mut self, app: &str) -> io::Result<Status> {
        self.call("connect", 1.0, 0, &[connect_object(app)]).await?;
        self.status().await?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// All that an encoder says until it may send media, as OBS says it; gives the last answer.
    pub async fn publish(&mut self, app: &str, key: &str) -> io::Result<Status> {
        let answer = self.open(app).await?;
        if answer.code != "NetConnection.Connect.Success" {
            return Ok(answer);
        }
        self.set_chunk_size(4096).await?;
        self.call("releaseStream", 2.0, 0, &[Amf::Null, text(key)]).await?;
        self.call("FCPublish", 3.0, 0, &[Amf::Null, text(key)]).await?;
        self.call("createStream", 4.0, 0, &[Amf::Null]).await?;
        self.call("publish", 5.0, 1, &[Amf::Null, text(key), text("live")]).await?;
        self.status().await?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// All that a player says until it may watch; gives the last answer.
    pub async fn play(&mut self, room: &str) -> io::Result<Status> {
        self.open("live").await?;
        self.call("createStream", 2.0, 0, &[Amf::Null]).await?;
        self.call("play", 0.0, 1, &[Amf::Null, text(room), Amf::Number(-2000.0)]).await?;
        self.status().await?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// The next picture or sound; `None` when the server has closed.
    pub async fn media(&mut self) -> io::Result<Option<Received>> {
        loop {
            match self.next().await? {
                Some(message) if !matches!(message.kind, AUDIO | VIDEO) => {}
                media => return Ok(media),
            }
        }
    }

    pub async fn audio(&mut self, at: u32, body: &[u8]) -> io::Result<()> {
        self.message(4, at, AUDIO, 1, body).await
    }

    pub async fn video(&mut self, at: u32, body: &[u8]) -> io::Result<()> {
        self.message(6, at, VIDEO, 1, body).await
    }

    /// The next message; `None` when the server has closed.
    pub async fn next(&mut self) -> io::Result<Option<Received>> {
        let mut body = Vec::new();
        let (mut length, mut kind, mut stream, mut at) = (0, 0, 0, 0);
        loop {
            let mut basic = [0];
            if self.socket.read(&mut basic).await? == 0 {
                return Ok(None);
            }
            match basic[0] >> 6 {
                0 => {
                    let mut header = [0; 11];
                    self.socket.read_exact(&mut header).await?;
                    length = u32::from_be_bytes([0, header[3], header[4], header[5]]) as usize;
                    kind = header[6];
                    stream = u32::from_le_bytes([header[7], header[8], header[9], header[10]]);
                    at = u32::from_be_bytes([0, header[0], header[1], header[2]]);
                }
                3 => {}
                other => panic!("the server wrote a type {other} header"),
            }
            let mut piece = vec![0; self.server_chunk_size.min(length - body.len())];
            self.socket.read_exact(&mut piece).await?;
            body.extend(piece);
            if body.len() == length {
                break;
            }
        }
        if kind == SET_CHUNK_SIZE {
            self.server_chunk_size = u32::from_be_bytes(body[..4].try_into().expect("4 bytes")) as usize;
        }
        Ok(Some(Received { kind, stream, at, body }))
    }

    /// The next answer with a code; others are passed over. `None` when the server has closed.
    pub async fn status(&mut self) -> io::Result<Option<Status>> {
        while let Some(message) = self.next().await? {
            if message.kind != COMMAND {
                continue;
            }
            let values = read_amf(&message.body);
            let Some(Amf::Object(fields)) = values.get(3) else { continue };
            let field = |wanted: &str| {
                let found = fields.iter().find(|(name, _)| name == wanted);
                match found {
                    Some((_, Amf::Text(text))) => text.clone(),
                    _ => String::new(),
                }
            };
            let Some(Amf::Text(name)) = values.first() else { continue };
            return Ok(Some(Status {
                name: name.clone(),
                level: field("level"),
                code: field("code"),
                description: field("description"),
            }));
        }
        Ok(None)
    }

    /// Reads until the server closes.
    pub async fn closed(&mut self) -> io::Result<()> {
        let mut scrap = [0; 4096];
        loop {
            match self.socket.read(&mut scrap).await {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }
}
