use proptest::prelude::*;

use super::*;
use crate::Millis;
use crate::flv::{self, TAG_OVERHEAD};

fn drain(reader: &mut Reader) -> Result<Vec<Item>, FlvError> {
    let mut items = Vec::new();
    while let Some(item) = reader.next()? {
        items.push(item);
    }
    Ok(items)
}

fn file(tags: &[Tag]) -> Vec<u8> {
    let mut out = BytesMut::from(&flv::header(true, true)[..]);
    for tag in tags {
        tag.write(&mut out);
    }
    out.to_vec()
}

fn tag(kind: TagKind, at: i64, body: &'static [u8]) -> Tag {
    Tag { kind, at: Millis(at), body: Bytes::from_static(body) }
}

#[test]
fn a_tag_comes_with_its_last_byte() {
    let bytes = file(&[tag(TagKind::Video, 7, b"body")]);
    let mut reader = Reader::new();
    reader.push(&bytes[..bytes.len() - 5]);
    assert_eq!(drain(&mut reader).unwrap().len(), 1, "only the header is whole");
    reader.push(&bytes[bytes.len() - 5..bytes.len() - 4]);
    assert_eq!(drain(&mut reader).unwrap(), [Item::Tag(tag(TagKind::Video, 7, b"body"))]);
}

#[test]
fn bodies_are_slices_of_the_chunk_they_lie_in() {
    let body: &[u8] = &[5; 4096];
    let tags: Vec<_> =
        (0..4).map(|at| Tag { kind: TagKind::Video, at: Millis(at), body: body.to_vec().into() }).collect();
    let bytes = Bytes::from(file(&tags));
    let range = bytes.as_ptr() as usize..bytes.as_ptr() as usize + bytes.len();
    let mut reader = Reader::new();
    reader.push(bytes.clone());
    for item in drain(&mut reader).unwrap() {
        if let Item::Tag(tag) = item {
            assert!(range.contains(&(tag.body.as_ptr() as usize)), "the body was copied");
        }
    }
}

#[test]
fn a_longer_header_is_passed_over() {
    let mut bytes = b"FLV\x01\x05\0\0\0\x0bxx\0\0\0\0".to_vec();
    bytes.extend_from_slice(&file(&[tag(TagKind::Audio, 1, b"a")])[13..]);
    let mut reader = Reader::new();
    reader.push(bytes);
    assert_eq!(
        drain(&mut reader).unwrap(),
        [Item::Header { has_audio: true, has_video: true }, Item::Tag(tag(TagKind::Audio, 1, b"a"))]
    );
}

#[test]
fn errors_stay() {
    let cases: [(&[u8], FlvError); 4] = [
        (b"GIF89a.........", FlvError::NotFlv),
        (b"FLV\x01\x05\0\0\0\x08....", FlvError::HeaderLength(8)),
        (b"FLV\x01\x05\0\0\0\x09\0\0\0\0\x07..........", FlvError::UnknownTag(7)),
        (b"FLV\x01\x05\0\0\0\x09\0\0\0\0\x29..........", FlvError::Encrypted),
    ];
    for (bytes, error) in cases {
        let mut reader = Reader::new();
        reader.push(bytes);
        assert_eq!(drain(&mut reader), Err(error));
        reader.push(&file(&[])[..]);
        assert_eq!(reader.next(), Err(error));
        assert_eq!(reader.buffered(), 0);
    }
}

#[test]
fn the_limit_is_the_readers() {
    let bytes = file(&[tag(TagKind::Audio, 0, b"12345678"), tag(TagKind::Audio, 0, b"123456789")]);
    let mut reader = Reader::with_limit(8);
    reader.push(&bytes);
    assert!(matches!(reader.next(), Ok(Some(Item::Header { .. }))));
    assert!(matches!(reader.next(), Ok(Some(Item::Tag(_)))));
    assert_eq!(reader.next(), Err(FlvError::TooLarge { size: 9, limit: 8 }));
}

#[test]
fn metadata_stamped_zero_does_not_move_the_media() {
    let late = 3_000_000_000;
    let bytes =
        file(&[tag(TagKind::Video, late, b"v"), tag(TagKind::Script, 0, b"s"), tag(TagKind::Video, late + 40, b"v")]);
    let mut reader = Reader::new();
    reader.push(bytes);
    let stamps: Vec<_> = drain(&mut reader)
        .unwrap()
        .into_iter()
        .filter_map(|item| match item {
            Item::Tag(tag) if tag.kind == TagKind::Video => Some(tag.at.0),
            _ => None,
        })
        .collect();
    assert_eq!(stamps, [late, late + 40]);
}

#[test]
fn single_bytes_are_cheap() {
    // 1 MB a byte at a time: with quadratic buffering this would take minutes.
    let body = Bytes::from(vec![1; 1_000_000]);
    let bytes = file(&[Tag { kind: TagKind::Video, at: Millis(1), body: body.clone() }]);
    let mut reader = Reader::new();
    let mut found = 0;
    for byte in &bytes {
        reader.push(std::slice::from_ref(byte));
        while let Some(item) = reader.next().unwrap() {
            found += usize::from(matches!(item, Item::Tag(tag) if tag.body == body));
        }
    }
    assert_eq!(found, 1);
    assert_eq!(bytes.len(), 13 + TAG_OVERHEAD + body.len());
}

prop_compose! {
    fn any_tag()(
        kind in prop::sample::select(vec![TagKind::Audio, TagKind::Video, TagKind::Script]),
        at in 0i64..1 << 31,
        body in prop_oneof![
            4 => prop::collection::vec(any::<u8>(), 0..64),
            1 => prop::collection::vec(any::<u8>(), 900..5000),
        ],
    ) -> Tag {
        Tag { kind, at: Millis(at), body: body.into() }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_whatever_the_split(
        tags in prop::collection::vec(any_tag(), 0..12),
        cuts in prop::collection::vec((1usize..3000, any::<bool>(), any::<bool>()), 1..40),
    ) {
        // Stamps within half the 32-bit range of each other need no extension, so they come back as they were.
        let bytes = Bytes::from(file(&tags));
        let mut reader = Reader::new();
        let mut items = Vec::new();
        let mut rest = bytes;
        for (size, shared, drained) in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let chunk = rest.split_to((*size).min(rest.len()));
            if *shared { reader.push(chunk) } else { reader.push(&chunk[..]) }
            if *drained {
                items.extend(drain(&mut reader).unwrap());
            }
        }
        items.extend(drain(&mut reader).unwrap());
        let mut expected = vec![Item::Header { has_audio: true, has_video: true }];
        expected.extend(tags.into_iter().map(Item::Tag));
        prop_assert_eq!(items, expected);
    }

    #[test]
    fn any_bytes_give_the_same_answer_whatever_the_split(
        start in any::<bool>(),
        noise in prop::collection::vec(any::<u8>(), 0..400),
        size in 1usize..50,
    ) {
        let mut bytes = if start { flv::header(true, false).to_vec() } else { Vec::new() };
        bytes.extend_from_slice(&noise);
        let read = |size: usize| {
            let mut reader = Reader::with_limit(256);
            let mut items = Vec::new();
            for chunk in bytes.chunks(size) {
                reader.push(chunk);
                loop {
                    match reader.next() {
                        Ok(Some(item)) => items.push(item),
                        Ok(None) => break,
                        Err(error) => return (items, Some(error)),
                    }
                }
            }
            (items, None)
        };
        prop_assert_eq!(read(size), read(usize::MAX));
    }
}
