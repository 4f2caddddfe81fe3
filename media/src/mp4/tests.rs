use super::*;

/// The content of the box at a path of types.
fn find<'a>(mut bytes: &'a [u8], path: &[&[u8; 4]]) -> Option<&'a [u8]> {
    let (kind, rest) = path.split_first()?;
    while let Some((size, after)) = bytes.split_first_chunk::<4>() {
        let size = u32::from_be_bytes(*size) as usize;
        let content = &bytes[8..size];
        if after.starts_with(*kind) {
            return if rest.is_empty() { Some(content) } else { find(content, rest) };
        }
        bytes = &bytes[size..];
    }
    None
}

fn video() -> Track {
    let record = Bytes::from_static(b"record");
    Track {
        id: 1,
        timescale: VIDEO_TIMESCALE,
        codec: Codec::Video { codec: VideoCodec::Avc, record, width: 720, height: 576, sar: (64, 45) },
    }
}

fn audio() -> Track {
    let record = Bytes::from(vec![7; 200]);
    let codec = Codec::Audio { codec: AudioCodec::Aac, record, sample_rate_hz: 96_000, channels: 6 };
    Track { id: 2, timescale: 96_000, codec }
}

#[test]
fn an_init_segment_of_both_tracks() {
    let init = init_segment(&[video(), audio()]).unwrap();
    assert_eq!(&find(&init, &[b"ftyp"]).unwrap()[..4], b"iso6");
    let tkhd = find(&init, &[b"moov", b"trak", b"tkhd"]).unwrap();
    assert_eq!(tkhd.len(), 84);
    assert_eq!(tkhd[76..], [4, 0, 0, 0, 2, 64, 0, 0], "1024 by 576 on the screen");
    let stsd = find(&init, &[b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd"]).unwrap();
    let avc1 = find(&stsd[8..], &[b"avc1"]).unwrap();
    assert_eq!(avc1[24..28], [2, 208, 2, 64], "720 by 576 samples");
    assert_eq!(find(&avc1[78..], &[b"avcC"]).unwrap(), b"record");
    assert_eq!(find(&avc1[78..], &[b"pasp"]).unwrap(), [0, 0, 0, 64, 0, 0, 0, 45]);
    let mvex = find(&init, &[b"moov", b"mvex"]).unwrap();
    assert_eq!(mvex.len(), 2 * 32, "one trex for each track");
}

#[test]
fn a_configuration_over_127_bytes_has_a_longer_length() {
    let init = init_segment(&[audio()]).unwrap();
    let stsd = find(&init, &[b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd"]).unwrap();
    let mp4a = find(&stsd[8..], &[b"mp4a"]).unwrap();
    assert_eq!(mp4a[16..18], [0, 6], "channels");
    assert_eq!(mp4a[24..28], [0; 4], "96 kHz do not fit");
    let esds = find(&mp4a[28..], &[b"esds"]).unwrap();
    let decoder_specific = &esds[4 + 8 + 18..];
    assert_eq!(decoder_specific[..6], [5, 0x80, 0x80, 0x81, 0x48, 7]);
}

#[test]
fn square_pixels_need_no_pasp() {
    let Track { codec: Codec::Video { codec, record, width, height, .. }, .. } = video() else { panic!("not video") };
    let codec = Codec::Video { codec, record, width, height, sar: (1, 1) };
    let init = init_segment(&[Track { codec, ..video() }]).unwrap();
    assert!(!init.windows(4).any(|four| four == b"pasp"));
}

#[test]
fn a_fragment_byte_for_byte() {
    let key = Sample { duration: 40, composition: 80, sync: true, disposable: false, data: Bytes::from_static(b"key") };
    let inter =
        Sample { duration: 41, composition: -40, sync: false, disposable: true, data: Bytes::from_static(b"b") };
    let bytes = fragment(1, 9, 0x1_0000_0000, &[key, inter]).unwrap();
    let moof_size = 8 + 16 + 8 + 16 + 20 + 20 + 2 * 16;
    assert_eq!(bytes.len(), moof_size + 8 + 4);
    assert_eq!(find(&bytes, &[b"moof", b"mfhd"]).unwrap(), [0, 0, 0, 0, 0, 0, 0, 9]);
    assert_eq!(find(&bytes, &[b"moof", b"traf", b"tfhd"]).unwrap(), [0, 2, 0, 0, 0, 0, 0, 1]);
    assert_eq!(find(&bytes, &[b"moof", b"traf", b"tfdt"]).unwrap(), [1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
    let trun = find(&bytes, &[b"moof", b"traf", b"trun"]).unwrap();
    assert_eq!(trun[..12], [1, 0, 0x0f, 1, 0, 0, 0, 2, 0, 0, 0, moof_size as u8 + 8]);
    assert_eq!(trun[12..28], [0, 0, 0, 40, 0, 0, 0, 3, 2, 0, 0, 0, 0, 0, 0, 80]);
    assert_eq!(trun[28..], [0, 0, 0, 41, 0, 0, 0, 1, 1, 0x81, 0, 0, 0xff, 0xff, 0xff, 0xd8]);
    assert_eq!(find(&bytes, &[b"mdat"]).unwrap(), b"keyb");
    assert_eq!(&bytes[moof_size + 8..moof_size + 11], b"key", "where the data offset points");
}

#[test]
fn the_only_sample_of_a_fragment_is_found_again() {
    let sample = |data: &'static [u8]| Sample {
        duration: 40,
        composition: -1,
        sync: true,
        disposable: false,
        data: Bytes::from_static(data),
    };
    for data in [&b"frame"[..], b""] {
        let one = fragment(1, 1, 7, &[sample(data)]).unwrap();
        assert_eq!(only_sample(&one).as_deref(), Some(data));
        assert_eq!(only_sample(&one.slice(..one.len() - data.len() - 1)), None, "cut short");
    }
    assert_eq!(only_sample(&fragment(1, 1, 7, &[sample(b"a"), sample(b"b")]).unwrap()), None);
    assert_eq!(only_sample(&Bytes::new()), None);
}
