use bytes::BytesMut;
use proptest::prelude::*;

use super::*;

fn bytes_of(value: &Value) -> BytesMut {
    let mut out = BytesMut::new();
    write(value, &mut out);
    out
}

fn one(mut input: &[u8]) -> Result<Value, Amf0Error> {
    read(&mut input, &Limits::default())
}

#[test]
fn every_type_reads() {
    let cases: Vec<(&[u8], Value)> = vec![
        (b"\x00\x3f\xf0\0\0\0\0\0\0", Value::Number(1.0)),
        (b"\x01\x01", Value::Boolean(true)),
        (b"\x02\0\x02hi", "hi".into()),
        (b"\x03\0\x01a\x05\0\0\x09", Value::Object(vec![("a".into(), Value::Null)])),
        (b"\x05", Value::Null),
        (b"\x06", Value::Undefined),
        (b"\x08\0\0\0\0\0\x01a\x01\0\0\0\x09", Value::EcmaArray(vec![("a".into(), false.into())])),
        (b"\x0a\0\0\0\x02\x05\x06", Value::StrictArray(vec![Value::Null, Value::Undefined])),
        (b"\x0b\x3f\xf0\0\0\0\0\0\0\xff\xc4", Value::Date { ms: 1.0, zone: -60 }),
        (b"\x0c\0\0\0\x02hi", Value::LongString("hi".into())),
        (b"\x0d", Value::Unsupported),
        (b"\x0f\0\0\0\x04<a/>", Value::Xml("<a/>".into())),
        (
            b"\x10\0\x01C\0\x01a\x05\0\0\x09",
            Value::Typed { class: "C".into(), fields: vec![("a".into(), Value::Null)] },
        ),
    ];
    for (bytes, value) in cases {
        assert_eq!(one(bytes).as_ref(), Ok(&value));
        for cut in 0..bytes.len() {
            assert_eq!(one(&bytes[..cut]), Err(Amf0Error::Truncated), "{value:?} cut at {cut}");
        }
    }
}

#[test]
fn what_is_not_supported_says_so() {
    assert_eq!(one(b"\x07\0\x03"), Err(Amf0Error::Reference(3)));
    for marker in [0x04, 0x09, 0x0e, 0x11, 0x12, 0xff] {
        assert_eq!(one(&[marker, 0, 0, 0, 0]), Err(Amf0Error::Marker(marker)));
    }
    assert_eq!(one(b"\x03\0\0\x05"), Err(Amf0Error::NoObjectEnd));
}

#[test]
fn nesting_of_10_000_is_an_error_not_a_stack_overflow() {
    // What aborts a process that reads with rml_amf0 0.3.
    let objects: Vec<u8> = b"\x03\0\x01a".repeat(10_000);
    assert_eq!(one(&objects), Err(Amf0Error::TooDeep));
    let arrays: Vec<u8> = b"\x0a\0\0\0\x01".repeat(10_000);
    assert_eq!(one(&arrays), Err(Amf0Error::TooDeep));
    let maps: Vec<u8> = b"\x08\0\0\0\x01\0\x01a".repeat(10_000);
    assert_eq!(one(&maps), Err(Amf0Error::TooDeep));
    let typed: Vec<u8> = b"\x10\0\x01C\0\x01a".repeat(10_000);
    assert_eq!(one(&typed), Err(Amf0Error::TooDeep));
}

#[test]
fn sixteen_levels_are_read_and_written_and_no_more() {
    let nest = |levels: usize| (0..levels).fold(Value::Null, |inner, _| Value::StrictArray(vec![inner]));
    assert_eq!(one(&bytes_of(&nest(16))), Ok(nest(16)));
    assert_eq!(one(&b"\x0a\0\0\0\x01".repeat(17)), Err(Amf0Error::TooDeep));
    assert_eq!(one(&bytes_of(&nest(17))), Ok(nest(16)), "the deepest container became null");
}

#[test]
fn a_large_count_reserves_nothing() {
    assert_eq!(one(b"\x0a\xff\xff\xff\xff\x05\x05"), Err(Amf0Error::Truncated));
    let mut many = b"\x0a\xff\xff\xff\xff".to_vec();
    many.resize(10_000, 0x05);
    assert_eq!(one(&many), Err(Amf0Error::TooMany));
}

#[test]
fn limits_are_the_callers() {
    let limits = Limits { depth: 1, values: 3, string_bytes: 2 };
    assert_eq!(read_all(b"\x05\x05\x05", &limits).map(|values| values.len()), Ok(3));
    assert_eq!(read_all(b"\x05\x05\x05\x05", &limits), Err(Amf0Error::TooMany));
    assert_eq!(read_all(b"\x02\0\x03abc", &limits), Err(Amf0Error::StringTooLong(3)));
    assert_eq!(read_all(b"\x0a\0\0\0\x01\x0a\0\0\0\0", &limits), Err(Amf0Error::TooDeep));
    assert_eq!(read_all(b"", &limits), Ok(vec![]), "a message of nothing is no value, not an error");
}

#[test]
fn the_input_moves_past_what_was_read_and_no_further() {
    let mut input: &[u8] = b"\x05\x06\x07";
    assert_eq!(read(&mut input, &Limits::default()), Ok(Value::Null));
    assert_eq!(read(&mut input, &Limits::default()), Ok(Value::Undefined));
    assert!(read(&mut input, &Limits::default()).is_err());
    assert_eq!(input, b"\x07");
}

#[test]
fn strings_that_are_not_utf8_are_read() {
    assert_eq!(one(b"\x02\0\x03a\xe9b"), Ok("a\u{fffd}b".into()));
}

#[test]
fn long_text_is_written_as_a_long_string() {
    let text = "x".repeat(70_000);
    let limits = Limits { string_bytes: 100_000, ..Limits::default() };
    let bytes = bytes_of(&Value::String(text.clone()));
    assert_eq!(read(&mut &bytes[..], &limits), Ok(Value::LongString(text)));
}

#[test]
fn a_long_name_is_cut_at_a_character() {
    let name = "ㅁ".repeat(30_000);
    let bytes = bytes_of(&Value::Object(vec![(name, Value::Null), (String::new(), Value::Null)]));
    let Ok(Value::Object(fields)) = one(&bytes) else { panic!("not an object") };
    assert_eq!(fields, [("ㅁ".repeat(21_845), Value::Null)]);
}

#[test]
fn fields_are_found_by_name() {
    let value = Value::EcmaArray(vec![("fps".into(), 30.0.into()), ("encoder".into(), "x".into())]);
    assert_eq!(value.get("fps").and_then(Value::as_f64), Some(30.0));
    assert_eq!(value.get("encoder").and_then(Value::as_str), Some("x"));
    assert_eq!(value.get("stereo").and_then(Value::as_bool), None);
    assert_eq!(Value::Null.get("x"), None);
}

fn any_value() -> impl Strategy<Value = Value> {
    let number = any::<f64>().prop_filter("NaN is not equal to itself", |number| !number.is_nan());
    let leaf = prop_oneof![
        number.clone().prop_map(Value::Number),
        any::<bool>().prop_map(Value::Boolean),
        ".{0,12}".prop_map(Value::String),
        Just(Value::Null),
        Just(Value::Undefined),
        Just(Value::Unsupported),
        (number, any::<i16>()).prop_map(|(ms, zone)| Value::Date { ms, zone }),
        ".{0,12}".prop_map(Value::LongString),
        ".{0,12}".prop_map(Value::Xml),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        let fields = prop::collection::vec((".{1,6}", inner.clone()), 0..6);
        prop_oneof![
            fields.clone().prop_map(Value::Object),
            fields.clone().prop_map(Value::EcmaArray),
            prop::collection::vec(inner, 0..6).prop_map(Value::StrictArray),
            (".{0,6}", fields).prop_map(|(class, fields)| Value::Typed { class, fields }),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(values in prop::collection::vec(any_value(), 0..4)) {
        let mut out = BytesMut::new();
        for value in &values {
            write(value, &mut out);
        }
        prop_assert_eq!(read_all(&out, &Limits::default()), Ok(values));
    }

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_all(&bytes, &Limits::default());
    }

    #[test]
    fn damaged_values_are_answered(value in any_value(), at: prop::sample::Index, byte: u8) {
        let mut bytes = bytes_of(&value);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = read_all(&bytes, &Limits::default());
    }
}
