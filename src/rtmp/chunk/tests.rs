use super::*;
use crate::rtmp::tests::rtmp_client::{chunks, pieces};
use proptest::prelude::*;

const LIMITS: ChunkLimits =
    ChunkLimits { media_bytes: 1 << 20, command_bytes: 64 * 1024, chunk_streams: 64, assembly_bytes: 2 << 20 };

fn reader() -> ChunkReader {
    ChunkReader::new(LIMITS)
}

fn read_all(reader: &mut ChunkReader, bytes: &[u8]) -> Result<Vec<Message>, ChunkError> {
    let mut input = BytesMut::from(bytes);
    let mut messages = Vec::new();
    while let Some(message) = reader.next(&mut input)? {
        messages.push(message);
    }
    Ok(messages)
}

fn message(at: u32, kind: u8, stream: u32, body: &[u8]) -> Message {
    Message { at, kind, stream, body: Bytes::copy_from_slice(body) }
}

fn set_chunk_size(size: u32) -> Vec<u8> {
    chunks(2, 0, kind::SET_CHUNK_SIZE, 0, &size.to_be_bytes(), 128)
}

#[test]
fn a_message_in_many_chunks_is_put_together() {
    let body: Vec<u8> = (0..1000).map(|number| (number % 256) as u8).collect();
    let bytes = chunks(4, 77, kind::VIDEO, 1, &body, 128);
    assert_eq!(read_all(&mut reader(), &bytes), Ok(vec![message(77, kind::VIDEO, 1, &body)]));
}

#[test]
fn interleaved_chunk_streams_are_kept_apart() {
    let (audio, video) = ([1; 300], [2; 700]);
    let audio_pieces = pieces(4, 10, kind::AUDIO, 1, &audio, 128);
    let video_pieces = pieces(6, 20, kind::VIDEO, 1, &video, 128);
    let mut bytes = Vec::new();
    for number in 0..video_pieces.len() {
        bytes.extend(video_pieces.get(number).into_iter().flatten());
        bytes.extend(audio_pieces.get(number).into_iter().flatten());
    }
    assert_eq!(
        read_all(&mut reader(), &bytes),
        Ok(vec![message(10, kind::AUDIO, 1, &audio), message(20, kind::VIDEO, 1, &video)])
    );
}

#[test]
fn header_types_1_to_3_build_on_the_earlier_ones() {
    let mut bytes = chunks(4, 1000, kind::AUDIO, 1, &[1, 2], 128);
    bytes.extend([0x44, 0, 0, 23, 0, 0, 3, kind::AUDIO, 3, 3, 3]); // type 1: 23 later, another length
    bytes.extend([0x84, 0, 0, 24, 4, 4, 4]); // type 2: 24 later
    bytes.extend([0xC4, 5, 5, 5]); // type 3: 24 later again
    assert_eq!(
        read_all(&mut reader(), &bytes),
        Ok(vec![
            message(1000, kind::AUDIO, 1, &[1, 2]),
            message(1023, kind::AUDIO, 1, &[3, 3, 3]),
            message(1047, kind::AUDIO, 1, &[4, 4, 4]),
            message(1071, kind::AUDIO, 1, &[5, 5, 5]),
        ])
    );
}

#[test]
fn the_three_forms_of_a_chunk_stream_id() {
    for (basic, id) in [(&[5][..], 5), (&[0, 0], 64), (&[0, 255], 319), (&[1, 0, 0], 64), (&[1, 255, 255], 65_599)] {
        let bytes = [basic, &[0; 11]].concat();
        assert_eq!(Header::read(&bytes).map(|header| (header.id, header.length)), Some((id, basic.len() + 11)));
    }
}

#[test]
fn librtmp_begins_chunk_stream_2_with_a_type_1_header() {
    let bytes = [0x42, 0, 0, 0, 0, 0, 4, 3, 0, 0, 0, 9];
    assert_eq!(read_all(&mut reader(), &bytes), Ok(vec![message(0, 3, 0, &[0, 0, 0, 9])]));
    assert_eq!(read_all(&mut reader(), &[0xC2]), Err(ChunkError::NoEarlierHeader(2)));
}

/// A message with an extended timestamp, whose later chunks repeat what `again` says.
fn extended(at: u32, body: &[u8], again: Option<u32>) -> Vec<u8> {
    let mut bytes = vec![6, 0xFF, 0xFF, 0xFF];
    bytes.extend(&(body.len() as u32).to_be_bytes()[1..]);
    bytes.extend([kind::VIDEO, 1, 0, 0, 0]);
    bytes.extend(at.to_be_bytes());
    for (number, piece) in body.chunks(128).enumerate() {
        if number > 0 {
            bytes.push(0xC6);
            bytes.extend(again.into_iter().flat_map(u32::to_be_bytes));
        }
        bytes.extend(piece);
    }
    bytes
}

#[test]
fn extended_timestamps_are_read_whether_type_3_repeats_them_or_not() {
    let body: Vec<u8> = (0..400).map(|number| (number % 7) as u8).collect();
    let at = 0x0100_0005;
    for again in [Some(at), None] {
        let bytes = [extended(at, &body, again), extended(at + 40, &body, again.map(|at| at + 40))].concat();
        let expected = vec![message(at, kind::VIDEO, 1, &body), message(at + 40, kind::VIDEO, 1, &body)];
        assert_eq!(read_all(&mut reader(), &bytes), Ok(expected));
    }
}

#[test]
fn a_short_last_chunk_is_not_waited_on_once_the_encoder_is_known_to_repeat_nothing() {
    let body = [7; 258]; // 128 + 128 + 2
    let bytes = extended(0x0100_0005, &body, None);
    assert_eq!(read_all(&mut reader(), &bytes).map(|messages| messages.len()), Ok(1));
}

#[test]
fn deltas_wrap_with_the_clock() {
    let mut bytes = chunks(4, u32::MAX - 5, kind::AUDIO, 1, &[1], 128);
    bytes.extend([0x84, 0, 0, 23, 2]);
    let stamps = read_all(&mut reader(), &bytes).map(|messages| messages.iter().map(|m| m.at).collect::<Vec<_>>());
    assert_eq!(stamps, Ok(vec![u32::MAX - 5, 17]));
}

#[test]
fn an_aborted_message_is_forgotten() {
    let mut bytes = pieces(6, 0, kind::VIDEO, 1, &[1; 500], 128).into_iter().take(2).flatten().collect::<Vec<_>>();
    bytes.extend(chunks(2, 0, kind::ABORT, 0, &6_u32.to_be_bytes(), 128));
    bytes.extend(chunks(6, 40, kind::VIDEO, 1, &[2; 500], 128));
    let mut reader = reader();
    assert_eq!(read_all(&mut reader, &bytes), Ok(vec![message(40, kind::VIDEO, 1, &[2; 500])]));
    assert_eq!(reader.assembling, 0);
}

#[test]
fn the_chunk_size_holds_from_the_next_chunk_on() {
    let mut bytes = chunks(4, 0, kind::AUDIO, 1, &[1; 300], 128);
    bytes.extend(set_chunk_size(4096));
    bytes.extend(chunks(4, 1, kind::AUDIO, 1, &[2; 5000], 4096));
    bytes.extend(set_chunk_size(1));
    bytes.extend(chunks(4, 2, kind::AUDIO, 1, &[3; 50], 1));
    bytes.extend(chunks(2, 0, kind::SET_CHUNK_SIZE, 0, &i32::MAX.to_be_bytes(), 1));
    bytes.extend(chunks(4, 3, kind::AUDIO, 1, &[4; 100_000], 1 << 24));
    let messages = read_all(&mut reader(), &bytes).expect("sound input");
    assert_eq!(messages.iter().map(|message| message.body.len()).collect::<Vec<_>>(), [300, 5000, 50, 100_000]);
}

#[test]
fn forbidden_chunk_sizes_end_the_connection() {
    assert_eq!(read_all(&mut reader(), &set_chunk_size(0)), Err(ChunkError::ChunkSize(0)));
    assert_eq!(read_all(&mut reader(), &set_chunk_size(1 << 31)), Err(ChunkError::ChunkSize(1 << 31)));
    let short = chunks(2, 0, kind::SET_CHUNK_SIZE, 0, &[1, 2], 128);
    assert_eq!(
        read_all(&mut reader(), &short),
        Err(ChunkError::ControlLength { kind: kind::SET_CHUNK_SIZE, bytes: 2 })
    );
}

#[test]
fn announced_lengths_are_bounded_before_anything_is_kept() {
    let mut huge = vec![3, 0, 0, 0, 0xFF, 0xFF, 0xFF, kind::COMMAND_AMF0, 0, 0, 0, 0];
    let too_long = |kind, limit| Err(ChunkError::MessageTooLong { kind, bytes: 0xFF_FFFF, limit });
    assert_eq!(read_all(&mut reader(), &huge), too_long(kind::COMMAND_AMF0, LIMITS.command_bytes));
    huge[7] = kind::VIDEO;
    assert_eq!(read_all(&mut reader(), &huge), too_long(kind::VIDEO, LIMITS.media_bytes));
}

#[test]
fn unfinished_messages_are_bounded_together() {
    let bytes: Vec<u8> = (4..8)
        .flat_map(|id| pieces(id, 0, kind::VIDEO, 1, &vec![0; 1 << 20], 128).into_iter().take(1).flatten())
        .collect();
    assert_eq!(read_all(&mut reader(), &bytes), Err(ChunkError::TooMuchUnfinished(LIMITS.assembly_bytes)));
}

#[test]
fn chunk_streams_are_bounded() {
    let mut bytes = Vec::new();
    for id in 64..65_000_u32 {
        let [low, high, ..] = (id - 64).to_le_bytes();
        bytes.extend([1, low, high, 0, 0, 0, 0, 0, 1, kind::AUDIO, 1, 0, 0, 0, 9]);
    }
    let mut reader = reader();
    assert_eq!(read_all(&mut reader, &bytes), Err(ChunkError::TooManyChunkStreams(64)));
    assert_eq!(reader.streams.len(), 64);
}

#[test]
fn a_message_inside_another_of_its_chunk_stream_is_an_error() {
    let mut bytes: Vec<u8> = pieces(6, 0, kind::VIDEO, 1, &[1; 500], 128).into_iter().take(2).flatten().collect();
    bytes.extend(chunks(6, 40, kind::VIDEO, 1, &[2; 500], 128));
    assert_eq!(read_all(&mut reader(), &bytes), Err(ChunkError::MessageInterrupted(6)));
}

#[test]
fn a_message_in_one_chunk_is_not_copied() {
    let mut input = BytesMut::from(&chunks(4, 0, kind::AUDIO, 1, &[9; 100], 128)[..]);
    let body_at = input.as_ptr().wrapping_add(12);
    let message = reader().next(&mut input).expect("sound input").expect("a whole message");
    assert_eq!(message.body.as_ptr(), body_at);
}

fn any_messages() -> impl Strategy<Value = (Vec<Message>, usize)> {
    let kinds = prop_oneof![Just(kind::AUDIO), Just(kind::VIDEO), Just(kind::DATA_AMF0), Just(kind::COMMAND_AMF0)];
    let body = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..20),
        (any::<u8>(), 0..3000_usize).prop_map(|(byte, length)| vec![byte; length]),
    ];
    let one =
        (any::<u32>(), kinds, 0..3_u32, body).prop_map(|(at, kind, stream, body)| message(at, kind, stream, &body));
    (prop::collection::vec(one, 1..8), prop_oneof![Just(128_usize), Just(1), Just(4096), 1..2000_usize])
}

proptest! {
    #[test]
    fn any_split_of_the_input_gives_the_same_messages(
        (messages, chunk_size) in any_messages(),
        cuts in prop::collection::vec(1..400_usize, 1..40),
    ) {
        let mut bytes = set_chunk_size(u32::try_from(chunk_size).expect("a small number"));
        for (number, message) in messages.iter().enumerate() {
            let id = 3 + u8::try_from(number % 3).expect("a small number");
            bytes.extend(chunks(id, message.at, message.kind, message.stream, &message.body, chunk_size));
        }
        let mut reader = reader();
        let mut input = BytesMut::new();
        let (mut found, mut rest) = (Vec::new(), &bytes[..]);
        for cut in cuts.iter().cycle() {
            let (piece, after) = rest.split_at((*cut).min(rest.len()));
            rest = after;
            input.extend_from_slice(piece);
            while let Some(message) = reader.next(&mut input).expect("sound input") {
                found.push(message);
            }
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(found, messages);
        prop_assert_eq!(reader.assembling, 0);
    }

    #[test]
    fn random_bytes_give_messages_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..4000)) {
        let mut reader = reader();
        let whole = read_all(&mut reader, &bytes);
        prop_assert!(reader.assembling <= LIMITS.assembly_bytes);
        // A byte at a time comes to the same.
        let mut slow = ChunkReader::new(LIMITS);
        let mut input = BytesMut::new();
        let mut found = Vec::new();
        let mut failed = None;
        'bytes: for byte in bytes {
            input.extend_from_slice(&[byte]);
            loop {
                match slow.next(&mut input) {
                    Ok(Some(message)) => found.push(message),
                    Ok(None) => break,
                    Err(error) => {
                        failed = Some(error);
                        break 'bytes;
                    }
                }
            }
        }
        match whole {
            Ok(messages) => prop_assert_eq!((messages, None), (found, failed)),
            Err(error) => prop_assert_eq!(Some(error), failed),
        }
    }
}
