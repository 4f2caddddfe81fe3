//! Chunks to messages, and to tags: ours and `rml_rtmp`'s, on the same bytes.

use crate::{
    micros_each,
    rtmp::{
        chunk::ChunkReader,
        limits::RtmpLimits,
        session::{Action, Session},
    },
    rtmp_client::{self, Amf},
    spread,
};
use anyhow::{Context as _, ensure};
use bytes::BytesMut;
use rml_rtmp::{
    chunk_io::ChunkDeserializer,
    sessions::{ServerSession, ServerSessionConfig, ServerSessionEvent, ServerSessionResult},
};
use std::{
    hint::black_box,
    net::SocketAddr,
    time::{Duration, Instant},
};

/// Bytes of a message, how many there are in a run, and what one may cost, in µs.
const SIZES: [(usize, usize, f64); 3] = [(1_000, 8_000, 0.4), (20_000, 800, 1.0), (200_000, 80, 10.0)];
/// What encoders cut their messages into (librtmp), in bytes.
const CHUNK: usize = 4096;
/// What a read from a socket gives, in bytes.
const PIECE: usize = 16 * 1024;
/// As `rtmp::connection` reads.
const READ_BYTES: usize = 32 * 1024;

pub fn table(runs: usize) -> anyhow::Result<()> {
    println!(
        "Messages of video in chunks of {CHUNK} bytes, in pieces of {PIECE}; medians of {runs} runs a side, in turn.\n"
    );
    println!("| step | message, bytes | madang, µs | rml_rtmp 0.8, µs | of it | goal, µs |\n|---|---|---|---|---|---|");
    for (bytes, count, goal) in SIZES {
        let stream = messages(bytes, count);
        row(
            runs,
            &format!("chunks to messages | {bytes}"),
            "",
            &stream,
            count,
            &mut OurReader::new(),
            &mut TheirReader::new()?,
        )?;
        let (mut ours, mut theirs) = (OurSession::publishing()?, TheirSession::publishing()?);
        row(
            runs,
            &format!("chunks to tags, the whole session | {bytes}"),
            &goal.to_string(),
            &stream,
            count,
            &mut ours,
            &mut theirs,
        )?;
    }
    println!();
    Ok(())
}

/// Something that bytes are put into.
trait Intake {
    /// Takes a piece; how long that took, and how many messages came of it.
    fn take(&mut self, piece: &[u8]) -> anyhow::Result<(Duration, usize)>;
}

fn row(
    runs: usize,
    name: &str,
    goal: &str,
    stream: &[u8],
    count: usize,
    ours: &mut dyn Intake,
    theirs: &mut dyn Intake,
) -> anyhow::Result<()> {
    let mut times = [Vec::new(), Vec::new()];
    for run in 0..=runs {
        let mut sides: [(usize, &mut dyn Intake); 2] = [(0, &mut *ours), (1, &mut *theirs)];
        if run % 2 == 1 {
            sides.reverse();
        }
        for (side, intake) in sides {
            let (mut time, mut seen) = (Duration::ZERO, 0);
            for piece in stream.chunks(PIECE) {
                let (took, came) = intake.take(piece)?;
                time += took;
                seen += came;
            }
            ensure!(seen == count, "{seen} of {count} messages came out");
            // The first run warms caches and buffers.
            if let Some(times) = times.get_mut(side).filter(|_| run > 0) {
                times.push(micros_each(time, count));
            }
        }
    }
    let [ours, theirs] = times;
    let ((ours, our_words), (theirs, their_words)) = (spread(ours, 2), spread(theirs, 2));
    println!("| {name} | {our_words} | {their_words} | {:.2} | {goal} |", ours / theirs);
    Ok(())
}

/// Frames of H.264, each behind a full header.
fn messages(bytes: usize, count: usize) -> Vec<u8> {
    let body: Vec<u8> = [0x27, 1, 0, 0, 0].into_iter().chain((0..bytes - 5).map(|at| (at % 251) as u8)).collect();
    let at = |number: usize| u32::try_from(number).unwrap_or(0) % 1_000;
    (0..count).flat_map(|number| rtmp_client::chunks(6, at(number), rtmp_client::VIDEO, 1, &body, CHUNK)).collect()
}

/// What an encoder says before its media; it waits for an answer after each.
fn opening() -> [Vec<u8>; 4] {
    let call = |name: &str, number: f64, stream: u32, arguments: &[Amf]| {
        let body = rtmp_client::command(name, number, arguments);
        rtmp_client::chunks(3, 0, rtmp_client::COMMAND, stream, &body, CHUNK)
    };
    let size = u32::try_from(CHUNK).unwrap_or(u32::MAX).to_be_bytes();
    let key = rtmp_client::text("sk_bench");
    [
        rtmp_client::chunks(2, 0, rtmp_client::SET_CHUNK_SIZE, 0, &size, 128),
        call("connect", 1.0, 0, &[rtmp_client::connect_object("live")]),
        call("createStream", 2.0, 0, &[Amf::Null]),
        call("publish", 3.0, 1, &[Amf::Null, key, rtmp_client::text("live")]),
    ]
}

/// Our buffer and reader, used as a connection uses them.
struct OurReader {
    input: BytesMut,
    reader: ChunkReader,
}

impl OurReader {
    fn new() -> Self {
        let mut reader = Self { input: BytesMut::new(), reader: ChunkReader::new(RtmpLimits::default().publisher()) };
        let size = u32::try_from(CHUNK).unwrap_or(u32::MAX).to_be_bytes();
        reader.input.extend_from_slice(&rtmp_client::chunks(2, 0, rtmp_client::SET_CHUNK_SIZE, 0, &size, 128));
        // Obeyed, and not given out.
        let _ = reader.reader.next(&mut reader.input);
        reader
    }

    /// Puts the piece into the buffer as the kernel would, and has `work` done with what is there.
    fn feed(
        &mut self,
        piece: &[u8],
        mut work: impl FnMut(&mut Self) -> anyhow::Result<usize>,
    ) -> anyhow::Result<(Duration, usize)> {
        let (mut rest, mut time, mut seen) = (piece, Duration::ZERO, 0);
        while !rest.is_empty() {
            let start = Instant::now();
            if self.input.capacity() - self.input.len() < READ_BYTES / 4 {
                self.input.reserve(READ_BYTES);
            }
            time += start.elapsed();
            let (now, later) = rest.split_at(rest.len().min(self.input.capacity() - self.input.len()));
            self.input.extend_from_slice(now);
            rest = later;
            let start = Instant::now();
            seen += work(self)?;
            time += start.elapsed();
        }
        Ok((time, seen))
    }
}

impl Intake for OurReader {
    fn take(&mut self, piece: &[u8]) -> anyhow::Result<(Duration, usize)> {
        self.feed(piece, |this| {
            let mut seen = 0;
            while let Some(message) = this.reader.next(&mut this.input)? {
                black_box(&message);
                seen += 1;
            }
            Ok(seen)
        })
    }
}

struct OurSession {
    reader: OurReader,
    session: Session,
}

impl OurSession {
    fn publishing() -> anyhow::Result<Self> {
        let now = Instant::now();
        let session = Session::new(SocketAddr::from(([127, 0, 0, 1], 1)), &RtmpLimits::default(), now);
        let mut ours = Self { reader: OurReader::new(), session };
        ours.reader.input.extend_from_slice(&opening().concat());
        while let Some(message) = ours.reader.reader.next(&mut ours.reader.input)? {
            ours.session.receive(message, now).map_err(|end| anyhow::anyhow!("{end}"))?;
        }
        let asked = ours.session.next_action();
        ensure!(matches!(asked, Some(Action::Ask(_))), "the session did not ask: {asked:?}");
        ours.session.granted();
        ours.session.take_output();
        Ok(ours)
    }
}

impl Intake for OurSession {
    fn take(&mut self, piece: &[u8]) -> anyhow::Result<(Duration, usize)> {
        let session = &mut self.session;
        self.reader.feed(piece, |this| {
            let (mut seen, now) = (0, Instant::now());
            while let Some(message) = this.reader.next(&mut this.input)? {
                session.receive(message, now).map_err(|end| anyhow::anyhow!("{end}"))?;
                while let Some(action) = session.next_action() {
                    seen += usize::from(matches!(black_box(&action), Action::Tag(_)));
                }
            }
            Ok(seen)
        })
    }
}

struct TheirReader(ChunkDeserializer);

impl TheirReader {
    fn new() -> anyhow::Result<Self> {
        let mut reader = ChunkDeserializer::new();
        reader.set_max_chunk_size(CHUNK).map_err(|error| anyhow::anyhow!("{error:?}"))?;
        Ok(Self(reader))
    }
}

impl Intake for TheirReader {
    fn take(&mut self, piece: &[u8]) -> anyhow::Result<(Duration, usize)> {
        let (start, mut seen, mut piece) = (Instant::now(), 0, piece);
        while let Some(message) = self.0.get_next_message(piece).map_err(|error| anyhow::anyhow!("{error:?}"))? {
            black_box(&message);
            seen += 1;
            piece = &[];
        }
        Ok((start.elapsed(), seen))
    }
}

struct TheirSession(ServerSession);

impl TheirSession {
    fn publishing() -> anyhow::Result<Self> {
        let (session, _) =
            ServerSession::new(ServerSessionConfig::new()).map_err(|error| anyhow::anyhow!("{error:?}"))?;
        let (mut theirs, mut published) = (Self(session), false);
        for said in opening() {
            let results = theirs.0.handle_input(&said).map_err(|error| anyhow::anyhow!("{error:?}"))?;
            for result in results {
                let ServerSessionResult::RaisedEvent(event) = result else { continue };
                let request = match event {
                    ServerSessionEvent::ConnectionRequested { request_id, .. } => request_id,
                    ServerSessionEvent::PublishStreamRequested { request_id, .. } => {
                        published = true;
                        request_id
                    }
                    _ => continue,
                };
                theirs.0.accept_request(request).map_err(|error| anyhow::anyhow!("{error:?}"))?;
            }
        }
        published.then_some(theirs).context("rml_rtmp's session was not asked to publish")
    }
}

impl Intake for TheirSession {
    fn take(&mut self, piece: &[u8]) -> anyhow::Result<(Duration, usize)> {
        let start = Instant::now();
        let results = self.0.handle_input(piece).map_err(|error| anyhow::anyhow!("{error:?}"))?;
        let is_video = |result: &&ServerSessionResult| {
            matches!(result, ServerSessionResult::RaisedEvent(ServerSessionEvent::VideoDataReceived { .. }))
        };
        let seen = results.iter().filter(is_video).count();
        drop(black_box(results));
        Ok((start.elapsed(), seen))
    }
}
