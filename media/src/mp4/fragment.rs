//! A fragment: `moof` and `mdat` (ISO/IEC 14496-12 §8.8.4 to §8.8.12).

use bytes::{BufMut, Bytes, BytesMut};

use super::TooLong;
use super::boxes::{put_box, put_full_box, put_plain};

/// Bytes of a fragment besides its samples' data and their rows in the `trun`.
const OVERHEAD: usize = 8 + 16 + 8 + 16 + 20 + 20 + 8;
/// Bytes of a row: duration, size, flags, composition offset.
const ROW: usize = 16;
/// Where the number of rows stands, after the heads of `moof`, `traf` and `trun` and the boxes between them.
const COUNT_AT: usize = 8 + 16 + 8 + 16 + 20 + 12;

/// One sample: an access unit or an audio frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Ticks up to the next sample's decoding time.
    pub duration: u32,
    /// Presentation minus decoding time in ticks.
    pub composition: i32,
    /// Decoding can start here.
    pub sync: bool,
    /// No other sample is decoded from this one.
    pub disposable: bool,
    /// The coded data.
    pub data: Bytes,
}

impl Sample {
    /// Sample flags (§8.8.3.1): sample_depends_on, sample_is_depended_on, sample_is_non_sync_sample.
    const fn flags(&self) -> u32 {
        let depends = if self.sync { 2 << 24 } else { (1 << 24) | (1 << 16) };
        depends | if self.disposable { 2 << 22 } else { 0 }
    }
}

/// A fragment of one track: samples one after the other, the first to be decoded at `decode_time` ticks.
///
/// `sequence` counts fragments from 1. The data of each sample are copied once.
///
/// # Errors
/// [`TooLong`] for more than 4 GiB.
pub fn fragment(track_id: u32, sequence: u32, decode_time: u64, samples: &[Sample]) -> Result<Bytes, TooLong> {
    let rows = samples.len().saturating_mul(ROW);
    let data = samples.iter().fold(0usize, |sum, sample| sum.saturating_add(sample.data.len()));
    let data_start = OVERHEAD.saturating_add(rows);
    let size = data_start.saturating_add(data);
    u32::try_from(size).map_err(|_| TooLong)?;
    let mut out = BytesMut::with_capacity(size);
    put_box(&mut out, b"moof", |out| {
        put_plain(out, b"mfhd", 0, 0, &sequence.to_be_bytes())?;
        put_box(out, b"traf", |out| {
            put_plain(out, b"tfhd", 0, 0x02_0000, &track_id.to_be_bytes())?; // default-base-is-moof
            put_plain(out, b"tfdt", 1, 0, &decode_time.to_be_bytes())?;
            // Version 1 for signed composition offsets; data offset, and per sample all four fields.
            put_full_box(out, b"trun", 1, 0x00_0f01, |out| {
                out.put_u32(u32::try_from(samples.len()).map_err(|_| TooLong)?);
                out.put_u32(u32::try_from(data_start).map_err(|_| TooLong)?);
                for sample in samples {
                    out.put_u32(sample.duration);
                    out.put_u32(u32::try_from(sample.data.len()).map_err(|_| TooLong)?);
                    out.put_u32(sample.flags());
                    out.put_i32(sample.composition);
                }
                Ok(())
            })
        })
    })?;
    put_box(&mut out, b"mdat", |out| {
        samples.iter().for_each(|sample| out.put_slice(&sample.data));
        Ok(())
    })?;
    Ok(out.freeze())
}

/// The coded data of a fragment that [`fragment`] made of one sample, without a copy; `None` of more samples or less than a fragment.
pub fn only_sample(fragment: &Bytes) -> Option<Bytes> {
    let count = fragment.get(COUNT_AT..COUNT_AT + 4)?;
    (*count == 1_u32.to_be_bytes() && fragment.len() >= OVERHEAD + ROW).then(|| fragment.slice(OVERHEAD + ROW..))
}
