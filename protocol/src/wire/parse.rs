//! RFC 8259, as far as our own server writes it: numbers beyond 2^53 and exponents are not exact.

use super::Json;

/// How deep values may lie in one another. Ours lie six deep.
const DEPTH_MAX: u32 = 32;

/// Reads one value and nothing after it; `None` for what is no JSON.
pub fn parse(text: &str) -> Option<Json> {
    let mut reader = Reader { rest: text };
    let value = reader.value(0)?;
    reader.space();
    reader.rest.is_empty().then_some(value)
}

struct Reader<'t> {
    rest: &'t str,
}

impl<'t> Reader<'t> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\n', '\r', '\t']);
    }

    /// Takes `token`, if it comes next.
    fn takes(&mut self, token: &str) -> bool {
        let after = self.rest.strip_prefix(token);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    /// As [`Self::takes`], with white space around it.
    fn takes_mark(&mut self, mark: &str) -> bool {
        self.space();
        let taken = self.takes(mark);
        self.space();
        taken
    }

    fn value(&mut self, depth: u32) -> Option<Json> {
        if depth > DEPTH_MAX {
            return None;
        }
        self.space();
        Some(match self.rest.bytes().next()? {
            b'n' if self.takes("null") => Json::Null,
            b't' if self.takes("true") => Json::Bool(true),
            b'f' if self.takes("false") => Json::Bool(false),
            b'"' => Json::Text(self.text()?),
            b'[' => {
                let mut items = Vec::new();
                self.takes("[");
                if !self.takes_mark("]") {
                    loop {
                        items.push(self.value(depth + 1)?);
                        if !self.takes_mark(",") {
                            break;
                        }
                    }
                    self.takes("]").then_some(())?;
                }
                Json::List(items)
            }
            b'{' => {
                let mut members = Vec::new();
                self.takes("{");
                if !self.takes_mark("}") {
                    loop {
                        let name = self.text()?;
                        self.takes_mark(":").then_some(())?;
                        members.push((name, self.value(depth + 1)?));
                        if !self.takes_mark(",") {
                            break;
                        }
                    }
                    self.takes("}").then_some(())?;
                }
                Json::Object(members)
            }
            _ => Json::Number(self.number()?),
        })
    }

    /// By hand, since `str::parse::<f64>` brings tables of ten kilobytes.
    fn number(&mut self) -> Option<f64> {
        let negative = self.takes("-");
        let (mut number, digits) = self.digits();
        (digits > 0).then_some(())?;
        if self.takes(".") {
            let (fraction, digits) = self.digits();
            number += fraction / power_of_ten(digits);
        }
        if self.takes("e") || self.takes("E") {
            let down = self.takes("-");
            let _ = self.takes("+");
            let power = power_of_ten(self.digits().0 as usize);
            number = if down { number / power } else { number * power };
        }
        Some(if negative { -number } else { number })
    }

    /// The digits that come next, as a number, and how many they were.
    fn digits(&mut self) -> (f64, usize) {
        let end = self.rest.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        (digits.bytes().fold(0.0, |number, digit| number * 10.0 + f64::from(digit - b'0')), end)
    }

    fn text(&mut self) -> Option<String> {
        self.takes("\"").then_some(())?;
        let mut text = String::new();
        loop {
            let end = self.rest.bytes().position(|b| matches!(b, b'"' | b'\\'))?;
            let (plain, rest) = self.rest.split_at_checked(end)?;
            text.push_str(plain);
            self.rest = rest;
            if self.takes("\"") {
                return Some(text);
            }
            self.takes("\\");
            text.push(self.escaped()?);
        }
    }

    /// What stands after a backslash.
    fn escaped(&mut self) -> Option<char> {
        let mark = self.rest.chars().next()?;
        self.takes(mark.encode_utf8(&mut [0; 4]));
        Some(match mark {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let first = self.unit()?;
                if !(0xd800..0xdc00).contains(&first) {
                    return char::from_u32(first);
                }
                self.takes("\\u").then_some(())?;
                let second = self.unit()?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
                char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + second)?
            }
            other => other,
        })
    }

    /// Four hexadecimal digits.
    fn unit(&mut self) -> Option<u32> {
        let (digits, rest) = self.rest.split_at_checked(4)?;
        self.rest = rest;
        u32::from_str_radix(digits, 16).ok()
    }
}

fn power_of_ten(power: usize) -> f64 {
    10_f64.powi(i32::try_from(power).unwrap_or(i32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same value as serde_json has it.
    fn known(json: &Json) -> serde_json::Value {
        match json {
            Json::Null => serde_json::Value::Null,
            Json::Bool(b) => (*b).into(),
            Json::Number(n) if n.fract() == 0.0 => (*n as i64).into(),
            Json::Number(n) => (*n).into(),
            Json::Text(t) => t.clone().into(),
            Json::List(items) => items.iter().map(known).collect(),
            Json::Object(members) => members.iter().map(|(n, v)| (n.clone(), known(v))).collect(),
        }
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for bad in ["", "{", "[1,]", "[1 2]", "{\"a\"}", "\"a", "\"\\u12\"", "\"\\ud800\"", "tru", "1 2", "-", "{a:1}"]
        {
            assert_eq!(parse(bad), None, "{bad}");
        }
        assert_eq!(parse(&"[".repeat(10_000)), None);
    }

    #[test]
    fn escapes_and_numbers_are_read() {
        let text = r#" { "a" : "\u0041\ud83d\ude00\n\"\\\/" , "b":[ -1.5, 20, 1e3, null, true ] } "#;
        let expected: serde_json::Value = serde_json::from_str(text).expect("is JSON");
        let mut read = known(&parse(text).expect("is JSON"));
        read["b"][2] = 1e3.into();
        assert_eq!(read, expected);
    }

    proptest! {
        #[test]
        fn every_text_reads_back(text in ".*") {
            let json = serde_json::to_string(&text).expect("serializes");
            prop_assert_eq!(parse(&json), Some(Json::Text(text)));
        }

        #[test]
        fn no_input_panics(text in r#"[\[\]{}",:\\u0-9a-f. -]*"#) {
            let _ = parse(&text);
        }
    }
}
