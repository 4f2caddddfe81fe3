//! The init segment: `ftyp` and a `moov` without samples (ISO/IEC 14496-12 §8.2, §8.8.1).

use bytes::{Bytes, BytesMut};

use super::boxes::{Put, put_box, put_full_box, put_plain};
use super::{Codec, TooLong, Track};

/// The unity matrix of `mvhd` and `tkhd` (§8.2.2.2).
const MATRIX: [u32; 9] = [0x0001_0000, 0, 0, 0, 0x0001_0000, 0, 0, 0, 0x4000_0000];

/// An init segment for one or more tracks.
///
/// # Errors
/// [`TooLong`] when a codec configuration does not fit.
pub fn init_segment(tracks: &[Track]) -> Result<Bytes, TooLong> {
    let mut out = BytesMut::with_capacity(1024);
    put_box(&mut out, b"ftyp", |out| {
        out.put_slice(b"iso6\0\0\0\x01iso6isommp41");
        Ok(())
    })?;
    put_box(&mut out, b"moov", |out| {
        put_mvhd(out, tracks)?;
        for track in tracks {
            put_trak(out, track)?;
        }
        put_box(out, b"mvex", |out| {
            for track in tracks {
                put_full_box(out, b"trex", 0, 0, |out| {
                    out.put_u32(track.id);
                    out.put_u32(1); // default_sample_description_index
                    out.put_bytes(0, 12); // defaults of duration, size, flags: each fragment states its own
                    Ok(())
                })?;
            }
            Ok(())
        })
    })?;
    Ok(out.freeze())
}

fn put_mvhd(out: &mut BytesMut, tracks: &[Track]) -> Result<(), TooLong> {
    put_full_box(out, b"mvhd", 0, 0, |out| {
        out.put_bytes(0, 8); // creation and modification time
        out.put_u32(1000); // timescale
        out.put_u32(0); // duration: unknown, fragments follow
        out.put_u32(0x0001_0000); // rate 1.0
        out.put_u16(0x0100); // volume 1.0
        out.put_bytes(0, 10);
        MATRIX.iter().for_each(|field| out.put_u32(*field));
        out.put_bytes(0, 24);
        let last_id = tracks.iter().map(|track| track.id).max().unwrap_or(0);
        out.put_u32(last_id.saturating_add(1)); // next_track_ID
        Ok(())
    })
}

fn put_trak(out: &mut BytesMut, track: &Track) -> Result<(), TooLong> {
    put_box(out, b"trak", |out| {
        put_tkhd(out, track)?;
        put_box(out, b"mdia", |out| {
            put_full_box(out, b"mdhd", 0, 0, |out| {
                out.put_bytes(0, 8); // creation and modification time
                out.put_u32(track.timescale);
                out.put_u32(0); // duration
                out.put_u16(0x55c4); // language "und"
                out.put_u16(0);
                Ok(())
            })?;
            put_full_box(out, b"hdlr", 0, 0, |out| {
                out.put_u32(0);
                let (handler, name): (&[u8; 4], &[u8]) = match track.codec {
                    Codec::Video { .. } => (b"vide", b"video\0"),
                    Codec::Audio { .. } => (b"soun", b"sound\0"),
                };
                out.put_slice(handler);
                out.put_bytes(0, 12);
                out.put_slice(name);
                Ok(())
            })?;
            put_minf(out, track)
        })
    })
}

fn put_tkhd(out: &mut BytesMut, track: &Track) -> Result<(), TooLong> {
    // Flags: the track is enabled and part of the presentation (§8.3.2.3).
    put_full_box(out, b"tkhd", 0, 3, |out| {
        out.put_bytes(0, 8); // creation and modification time
        out.put_u32(track.id);
        out.put_bytes(0, 4 + 4 + 8 + 2 + 2); // duration, layer, alternate group
        let (volume, width, height) = match track.codec {
            Codec::Video { width, height, sar: (across, down), .. } => {
                // 16.16 fixed point, scaled to square pixels; a width beyond 16 bits keeps its samples' width.
                let scaled = (u64::from(width) << 16).saturating_mul(u64::from(across)).checked_div(u64::from(down));
                let plain = u32::from(width) << 16;
                (0, scaled.and_then(|wide| u32::try_from(wide).ok()).unwrap_or(plain), u32::from(height) << 16)
            }
            Codec::Audio { .. } => (0x0100, 0, 0),
        };
        out.put_u16(volume);
        out.put_u16(0);
        MATRIX.iter().for_each(|field| out.put_u32(*field));
        out.put_u32(width);
        out.put_u32(height);
        Ok(())
    })
}

fn put_minf(out: &mut BytesMut, track: &Track) -> Result<(), TooLong> {
    put_box(out, b"minf", |out| {
        match track.codec {
            Codec::Video { .. } => put_plain(out, b"vmhd", 0, 1, &[0; 8])?,
            Codec::Audio { .. } => put_plain(out, b"smhd", 0, 0, &[0; 4])?,
        }
        put_box(out, b"dinf", |out| {
            put_full_box(out, b"dref", 0, 0, |out| {
                out.put_u32(1);
                put_plain(out, b"url ", 0, 1, &[]) // the media are in this stream
            })
        })?;
        put_box(out, b"stbl", |out| {
            put_full_box(out, b"stsd", 0, 0, |out| {
                out.put_u32(1);
                put_sample_entry(out, &track.codec)
            })?;
            put_plain(out, b"stts", 0, 0, &[0; 4])?;
            put_plain(out, b"stsc", 0, 0, &[0; 4])?;
            put_plain(out, b"stsz", 0, 0, &[0; 8])?;
            put_plain(out, b"stco", 0, 0, &[0; 4])
        })
    })
}

fn put_sample_entry(out: &mut BytesMut, codec: &Codec) -> Result<(), TooLong> {
    match codec {
        Codec::Video { codec, record, width, height, sar } => {
            let (entry, config) = codec.boxes();
            put_box(out, &entry, |out| {
                out.put_bytes(0, 6);
                out.put_u16(1); // data_reference_index
                out.put_bytes(0, 16);
                out.put_u16(*width);
                out.put_u16(*height);
                out.put_u32(0x0048_0000); // 72 dpi
                out.put_u32(0x0048_0000);
                out.put_u32(0);
                out.put_u16(1); // frame_count
                out.put_bytes(0, 32); // compressorname
                out.put_u16(0x0018); // depth
                out.put_i16(-1);
                put_box(out, &config, |out| {
                    out.put_slice(record);
                    Ok(())
                })?;
                if sar.0 == sar.1 {
                    return Ok(());
                }
                put_box(out, b"pasp", |out| {
                    out.put_u32(u32::from(sar.0));
                    out.put_u32(u32::from(sar.1));
                    Ok(())
                })
            })
        }
        Codec::Audio { codec, record, sample_rate_hz, channels } => {
            let (entry, config) = codec.boxes();
            put_box(out, &entry, |out| {
                out.put_bytes(0, 6);
                out.put_u16(1); // data_reference_index
                out.put_bytes(0, 8);
                out.put_u16(u16::from(*channels));
                out.put_u16(16); // samplesize
                out.put_bytes(0, 4);
                // 16.16; a rate over 65,535 Hz has no representation, and the configuration states it anyway.
                out.put_u32(u32::from(u16::try_from(*sample_rate_hz).unwrap_or(0)) << 16);
                if &config == b"esds" {
                    return put_full_box(out, &config, 0, 0, |out| put_es_descriptor(out, record));
                }
                put_box(out, &config, |out| {
                    out.put_slice(record);
                    Ok(())
                })
            })
        }
    }
}

/// ES_Descriptor (ISO/IEC 14496-1 §7.2.6.5) around an AudioSpecificConfig; without one it is MP3.
fn put_es_descriptor(out: &mut BytesMut, config: &[u8]) -> Result<(), TooLong> {
    put_descriptor(out, 0x03, |out| {
        out.put_u16(0); // ES_ID: 0 in a file (ISO/IEC 14496-14 §3.1)
        out.put_u8(0); // no dependency, URL or clock
        put_descriptor(out, 0x04, |out| {
            out.put_u8(if config.is_empty() { 0x6b } else { 0x40 }); // MPEG-1 audio, MPEG-4 audio
            out.put_u8(0x15); // audio stream
            out.put_bytes(0, 3 + 4 + 4); // buffer size, highest and average bit rate: unknown
            if config.is_empty() {
                return Ok(());
            }
            put_descriptor(out, 0x05, |out| {
                out.put_slice(config);
                Ok(())
            })
        })?;
        put_descriptor(out, 0x06, |out| {
            out.put_u8(2); // SLConfigDescriptor as MP4 files have it
            Ok(())
        })
    })
}

/// A descriptor with its length in the four-byte form (ISO/IEC 14496-1 §8.3.3).
fn put_descriptor(
    out: &mut BytesMut,
    tag: u8,
    content: impl FnOnce(&mut BytesMut) -> Result<(), TooLong>,
) -> Result<(), TooLong> {
    let mut inner = BytesMut::new();
    content(&mut inner)?;
    let length = u32::try_from(inner.len()).ok().filter(|length| *length < 1 << 28).ok_or(TooLong)?;
    out.put_u8(tag);
    for shift in [21, 14, 7] {
        out.put_u8(u8::try_from((length >> shift) & 0x7f).unwrap_or(0) | 0x80);
    }
    out.put_u8(u8::try_from(length & 0x7f).unwrap_or(0));
    out.put_slice(&inner);
    Ok(())
}
