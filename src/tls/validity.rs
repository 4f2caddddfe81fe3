//! When a certificate begins and ends.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Tags of DER (X.690 §8.1.2) that stand before the end of a certificate's validity (RFC 5280 §4.1).
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// From when to when a certificate holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    pub begins: SystemTime,
    pub ends: SystemTime,
}

impl Validity {
    /// Of a certificate in DER form; `None` for what is none.
    pub fn of(certificate: &[u8]) -> Option<Self> {
        let (certificate, _) = value_of(certificate, SEQUENCE)?;
        let (body, _) = value_of(certificate, SEQUENCE)?;
        let mut rest = body;
        if rest.first() == Some(&VERSION) {
            rest = element(rest)?.rest;
        }
        // The serial number, the signature's algorithm and the issuer.
        for _ in 0..3 {
            rest = element(rest)?.rest;
        }
        let (validity, _) = value_of(rest, SEQUENCE)?;
        let begins = element(validity)?;
        let ends = element(begins.rest)?;
        Some(Self { begins: time(&begins)?, ends: time(&ends)? })
    }

    /// When to have it renewed: after two thirds of its time, so that a third is left for what goes wrong.
    pub fn renew(&self) -> SystemTime {
        let life = self.ends.duration_since(self.begins).unwrap_or_default();
        self.ends.checked_sub(life / 3).unwrap_or(self.ends)
    }

    /// Whether it is time for that.
    pub fn is_due(&self, now: SystemTime) -> bool {
        self.renew() <= now
    }

    /// Time left; none for one that has ended.
    pub fn left(&self, now: SystemTime) -> Duration {
        self.ends.duration_since(now).unwrap_or_default()
    }
}

struct Element<'a> {
    tag: u8,
    value: &'a [u8],
    rest: &'a [u8],
}

/// The first element (X.690 §8.1).
fn element(bytes: &[u8]) -> Option<Element<'_>> {
    let (&tag, bytes) = bytes.split_first()?;
    let (&first, bytes) = bytes.split_first()?;
    let (length, bytes) = match usize::from(first) {
        short @ ..0x80 => (short, bytes),
        // More than four bytes of length would be more than any certificate has.
        long => {
            let (digits, bytes) =
                bytes.split_at_checked(long - 0x80).filter(|(digits, _)| (1..=4).contains(&digits.len()))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), bytes)
        }
    };
    let (value, rest) = bytes.split_at_checked(length)?;
    Some(Element { tag, value, rest })
}

/// The value of the first element, if it has this tag, and what follows.
fn value_of(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    element(bytes).filter(|element| element.tag == tag).map(|element| (element.value, element.rest))
}

/// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ` (RFC 5280 §4.1.2.5).
fn time(element: &Element<'_>) -> Option<SystemTime> {
    let text = std::str::from_utf8(element.value).ok()?.strip_suffix('Z')?;
    let (year, rest) = match element.tag {
        UTC_TIME => text.split_at_checked(2).and_then(|(year, rest)| {
            let year: u64 = year.parse().ok()?;
            Some((if year < 50 { 2000 + year } else { 1900 + year }, rest))
        })?,
        GENERALIZED_TIME => text.split_at_checked(4).and_then(|(year, rest)| Some((year.parse().ok()?, rest)))?,
        _ => return None,
    };
    let pair = |at: usize| rest.get(at..at + 2)?.parse::<u64>().ok();
    let (month, day) = (pair(0)?, pair(2)?);
    let (hours, minutes, seconds) = (pair(4)?, pair(6)?, pair(8)?);
    if year < 1970 || rest.len() != 10 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let days = days_before(year, month) + day - 1;
    Some(UNIX_EPOCH + Duration::from_secs(((days * 24 + hours) * 60 + minutes) * 60 + seconds))
}

/// Days from the epoch to the first of the month, by years that begin in March: leap days are at their end.
fn days_before(year: u64, month: u64) -> u64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5;
    // 719468 days from the first of March of the year 0 to the epoch.
    days - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(begins: (i32, u8, u8), ends: (i32, u8, u8)) -> Vec<u8> {
        let mut params = rcgen::CertificateParams::new(["localhost".to_owned()]).expect("a name");
        params.not_before = rcgen::date_time_ymd(begins.0, begins.1, begins.2);
        params.not_after = rcgen::date_time_ymd(ends.0, ends.1, ends.2);
        let key = rcgen::KeyPair::generate().expect("a key");
        params.self_signed(&key).expect("a certificate").der().to_vec()
    }

    fn unix(time: SystemTime) -> u64 {
        time.duration_since(UNIX_EPOCH).expect("after it").as_secs()
    }

    #[test]
    fn the_end_of_a_certificate_is_read() {
        // `date --utc --date=2026-03-01 +%s` and so on; years from 2050 on have the other form.
        let validity = Validity::of(&made((2026, 3, 1), (2026, 5, 30))).expect("a certificate");
        assert_eq!((unix(validity.begins), unix(validity.ends)), (1_772_323_200, 1_780_099_200));
        assert_eq!(unix(validity.renew()), 1_780_099_200 - 30 * 24 * 60 * 60);
        assert_eq!(unix(Validity::of(&made((2024, 2, 29), (2100, 12, 31))).expect("one").ends), 4_133_894_400);
        assert_eq!(validity.left(validity.ends + Duration::from_secs(1)), Duration::ZERO);
    }

    #[test]
    fn what_is_no_certificate_has_no_end() {
        let whole = made((2026, 3, 1), (2026, 5, 30));
        // What follows the validity is not looked at.
        for cut in (0..whole.len()).step_by(7) {
            assert_eq!(Validity::of(&whole[..cut]), None, "{cut}");
        }
        for junk in [&b""[..], b"0", b"\x30\x84\xff\xff\xff\xff", b"\x30\x80\x00", &[0x30; 64]] {
            assert_eq!(Validity::of(junk), None);
        }
    }
}
