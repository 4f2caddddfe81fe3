use proptest::prelude::*;

use super::*;

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn config(hex: &str) -> DecoderConfig {
    DecoderConfig::parse(&Bytes::from(unhex(hex))).unwrap()
}

const FULL_HD: &str =
    "0164002affe1001b6764002aacd940780227e5c044000003000400000301e03c60c65801000668ebe3cb22c0fdf8f800";

/// Records written by libx264; what they say is ffprobe's word for the same files.
#[test]
fn records_of_a_real_encoder() {
    struct Expected {
        record: &'static str,
        codec: &'static str,
        size: (u32, u32),
        sar: (u16, u16),
        fps: (u64, u64),
        chroma_format: u8,
        bit_depth: u8,
        progressive: bool,
    }
    let plain = Expected {
        record: FULL_HD,
        codec: "avc1.64002a",
        size: (1920, 1080),
        sar: (1, 1),
        fps: (60, 1),
        chroma_format: 1,
        bit_depth: 8,
        progressive: true,
    };
    let cases = [
        Expected {
            record: "01640028ffe1001a67640028acd94078044fde0220000003002000000643e2c5b2c001000668fba3cb22c0fdf8f800",
            codec: "avc1.640028",
            fps: (25, 1),
            progressive: false,
            ..plain
        },
        // Scaling lists (cqm=jvt), 4:4:4, odd cropping.
        Expected {
            record: "01f4001effe1001a67f4001e919b281485fc7cf80880000003008000001e078b16cb01000868ebe3c44c000440fff8f800",
            codec: "avc1.f4001e",
            size: (642, 362),
            fps: (30, 1),
            chroma_format: 3,
            ..plain
        },
        // Ten bits, 4:2:2, interlaced, an extended sample aspect ratio.
        Expected {
            record: "017a001fffe1001f677a001fb6cd940b824f11ffe0080005a2000003000200000300643e2c5b2c01000668fba3cb22c0fefafa00",
            codec: "avc1.7a001f",
            size: (722, 576),
            sar: (64, 45),
            fps: (25, 1),
            chroma_format: 2,
            bit_depth: 10,
            progressive: false,
        },
        Expected {
            record: "014d401effe10016674d401eeca0501ed808800001f480007530078b16cb01000568ebe3cb20",
            codec: "avc1.4d401e",
            size: (640, 480),
            fps: (30_000, 1001),
            ..plain
        },
        // Colour description and chroma sample location stand before the timing.
        Expected {
            record: "0164001effe1001d6764001eacd940a03db016a0202028000003000800000301e078b16cb001000668ebe3cb22c0fdf8f800",
            codec: "avc1.64001e",
            size: (640, 480),
            fps: (30, 1),
            ..plain
        },
        // Grey: cropping counts in luma samples.
        Expected {
            record: "01640015ffe1001967640015f3650582deef016c80000003008000001e078b16cb01000668ebe3cb22c0fcf8f800",
            codec: "avc1.640015",
            size: (350, 350),
            fps: (30, 1),
            chroma_format: 0,
            ..plain
        },
        plain,
    ];
    for case in cases {
        let config = config(case.record);
        let sps = config.parameters;
        assert_eq!(config.codec_string(), case.codec);
        assert_eq!((sps.width(), sps.height()), case.size, "{}", case.codec);
        assert_eq!(sps.sar, case.sar, "{}", case.codec);
        let (frames, seconds) = sps.frame_rate.unwrap();
        assert_eq!(frames * case.fps.1, seconds * case.fps.0, "{}", case.codec);
        assert_eq!((sps.chroma_format, sps.bit_depth), (case.chroma_format, case.bit_depth));
        assert_eq!(sps.progressive, case.progressive, "{}", case.codec);
        assert_eq!((sps.profile, sps.constraints, sps.level), (config.profile, config.compatibility, config.level));
        assert_eq!((config.nal_length_size, config.sps.len(), config.pps.len()), (4, 1, 1));
    }
}

#[test]
fn sizes_coded_cropped_and_displayed() {
    let hd = config(FULL_HD).parameters;
    assert_eq!((hd.coded_width, hd.coded_height), (1920, 1088));
    assert_eq!(hd.crop, Crop { bottom: 8, ..Crop::default() });
    assert_eq!(hd.display_size(), (1920, 1080));
    assert_eq!(hd.fps(), Some(60.0));
    let anamorphic = Sps { sar: (64, 45), coded_width: 720, coded_height: 576, crop: Crop::default(), ..hd };
    assert_eq!(anamorphic.display_size(), (1024, 576));
}

#[test]
fn a_cut_vui_costs_the_vui_only() {
    let record = unhex(FULL_HD);
    let sps = &record[8..8 + 27];
    assert_eq!(Sps::parse(sps).unwrap().fps(), Some(60.0));
    let cut = Sps::parse(&sps[..14]).unwrap();
    assert_eq!((cut.width(), cut.height(), cut.frame_rate), (1920, 1080, None));
    for length in 0..8 {
        assert_eq!(Sps::parse(&sps[..length]), Err(AvcError::Truncated));
    }
}

#[test]
fn what_is_wrong_has_a_name() {
    let parse = |bytes: Vec<u8>| DecoderConfig::parse(&bytes.into());
    let record = unhex(FULL_HD);
    let with = |at: usize, byte: u8| {
        let mut bytes = record.clone();
        bytes[at] = byte;
        parse(bytes)
    };
    assert_eq!(parse(vec![]), Err(AvcError::Truncated));
    assert_eq!(with(0, 0), Err(AvcError::Version(0)));
    assert_eq!(with(4, 0xfe), Err(AvcError::LengthSize));
    assert_eq!(with(5, 0xe2), Err(AvcError::Truncated));
    assert_eq!(with(8, 0x68), Err(AvcError::NotSps(8)));
    assert_eq!(parse(vec![1, 100, 0, 31, 0xff, 0xe0, 0]), Err(AvcError::NoSps));
    // Width of 2^31 macroblocks: profile 66, parameter set 0, then codes of 0 up to the width.
    let huge = [0x67, 66, 0, 30, 0b1111_0100, 0, 0, 0, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff];
    assert_eq!(Sps::parse(&huge), Err(AvcError::Field("width")));
}

#[test]
fn nal_units_are_walked_by_their_lengths() {
    let config = config(FULL_HD);
    let units: Vec<_> = config.nal_units(&[0, 0, 0, 1, 9, 0, 0, 0, 0, 0, 0, 0, 2, 5, 6]).collect();
    assert_eq!(units, [Ok(&[9][..]), Ok(&[][..]), Ok(&[5, 6][..])]);
    let units: Vec<_> = config.nal_units(&[0, 0, 0, 1, 9, 0, 0, 0, 2, 5]).collect();
    assert_eq!(units, [Ok(&[9][..]), Err(BadNalLength)]);
    assert_eq!(config.nal_units(&[0, 0]).collect::<Vec<_>>(), [Err(BadNalLength)]);
    assert_eq!(config.nal_units(&[]).count(), 0);
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = Sps::parse(&bytes);
        let _ = DecoderConfig::parse(&bytes.into());
    }

    #[test]
    fn damaged_records_are_answered(changes in prop::collection::vec((0usize..48, any::<u8>()), 1..6)) {
        let mut record = unhex(FULL_HD);
        for (at, byte) in changes {
            let at = at % record.len();
            record[at] = byte;
        }
        if let Ok(config) = DecoderConfig::parse(&record.into()) {
            let (width, height) = config.parameters.display_size();
            prop_assert!(width > 0 && height > 0 && config.parameters.width() <= 16_384);
        }
    }
}
