//! FLV to tags and tags to fragments: what the browser does with a stream, natively.

use crate::{micros_each, spread};
use anyhow::ensure;
use bytes::Bytes;
use madang_media::{
    flv::{Item, Reader, Tag},
    remux::{Options, Output, Remuxer},
};
use std::{
    hint::black_box,
    time::{Duration, Instant},
};

/// What a browser's fetch gives at once, in bytes.
const PIECE: usize = 16 * 1024;

pub fn table(runs: usize, file: &[u8]) -> anyhow::Result<()> {
    let pieces: Vec<Bytes> = file.chunks(PIECE).map(Bytes::copy_from_slice).collect();
    let tags = read(&pieces)?.1;
    ensure!(!tags.is_empty(), "the file has no tags");
    let size = file.len() / tags.len();
    println!(
        "A minute of 720p at a constant bitrate, {} tags of {size} bytes on average, in pieces of {PIECE}; medians of {runs} runs.\n",
        tags.len()
    );
    println!("| step | µs a tag | GB of FLV a second |\n|---|---|---|");
    let (mut reading, mut remuxing) = (Vec::new(), Vec::new());
    for run in 0..=runs {
        let (read, remuxed) = (read(&pieces)?.0, remux(&tags)?);
        // The first run warms caches.
        if run > 0 {
            reading.push(read);
            remuxing.push(remuxed);
        }
    }
    for (step, times) in [("FLV to tags", reading), ("tags to fragments", remuxing)] {
        let each = spread(times.iter().map(|time| micros_each(*time, tags.len())).collect(), 2).1;
        let speed = spread(times.iter().map(|time| file.len() as f64 / 1e9 / time.as_secs_f64()).collect(), 2).1;
        println!("| {step} | {each} | {speed} |");
    }
    Ok(())
}

fn read(pieces: &[Bytes]) -> anyhow::Result<(Duration, Vec<Tag>)> {
    let mut tags = Vec::with_capacity(8_192);
    let (start, mut reader) = (Instant::now(), Reader::new());
    for piece in pieces {
        reader.push(piece.clone());
        while let Some(item) = reader.next()? {
            if let Item::Tag(tag) = item {
                tags.push(tag);
            }
        }
    }
    Ok((start.elapsed(), tags))
}

fn remux(tags: &[Tag]) -> anyhow::Result<Duration> {
    let (start, mut remuxer, mut fragments) = (Instant::now(), Remuxer::new(Options::default()), 0);
    for tag in tags {
        remuxer.push(tag)?;
        while let Some(output) = remuxer.poll() {
            fragments += usize::from(matches!(black_box(&output), Output::Fragment { .. }));
        }
    }
    let time = start.elapsed();
    ensure!(fragments + 10 > tags.len(), "{fragments} fragments of {} tags", tags.len());
    Ok(time)
}
