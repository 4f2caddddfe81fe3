//! Identifiers and the one clock type that cross the wire.

use crate::wire::Wire;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// An identifier text that is not sixteen lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an identifier is sixteen lower-case hexadecimal digits")]
pub struct BadId;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// 63 random bits, unique across nodes; written as sixteen hexadecimal digits, so that JavaScript never rounds it.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Wire)]
        #[serde(into = "String", try_from = "String")]
        pub struct $name(i64);

        impl $name {
            /// Takes 64 random bits; the sign bit is dropped so that the number fits any database's integer.
            pub const fn from_random(bits: u64) -> Self {
                Self((bits >> 1) as i64)
            }

            /// The number as it is stored.
            pub const fn get(self) -> i64 {
                self.0
            }

            /// Reads a stored number back. A negative one was never handed out and is refused.
            pub const fn from_stored(number: i64) -> Option<Self> {
                if number < 0 { None } else { Some(Self(number)) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:016x}", self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:016x})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                let plain = text.len() == 16 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
                let number = if plain { i64::from_str_radix(text, 16).ok() } else { None };
                number.and_then(Self::from_stored).ok_or(BadId)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;

            fn try_from(text: String) -> Result<Self, BadId> {
                text.parse()
            }
        }
    };
}

id! {
    /// A person: an account, or a guest known by a signed cookie.
    PersonId
}
id! {
    /// A room, for as long as it exists; its slug may change, this does not.
    RoomId
}
id! {
    /// A stream key's record. Says nothing about the key itself.
    KeyId
}
id! {
    /// One life of a room's chat log. Another one means that what was known of the log is void.
    EpochId
}
id! {
    /// Something a moderator did.
    ActionId
}

id! {
    /// A browser that is logged in to an account. Says nothing about what it shows.
    SessionId
}
id! {
    /// An invitation to register. Says nothing about its code.
    InvitationId
}
id! {
    /// A link by which people are let into a room. Says nothing about its code.
    LinkId
}
id! {
    /// A room's password for as long as it is that one: a new password is another. Says nothing about it.
    PasswordId
}

/// Milliseconds since 1970-01-01T00:00:00Z by the server's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Wire)]
pub struct UnixMillis(pub i64);

impl UnixMillis {
    /// Milliseconds from `earlier` to here; 0 when the clock went back.
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0).max(0)
    }

    /// `2026-01-01T00:00:00Z` (days to civil date, Howard Hinnant's algorithm).
    pub fn utc(self) -> String {
        let seconds = self.0.div_euclid(1000);
        let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_index = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_index + 2) / 5 + 1;
        let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", of_day / 3600, of_day / 60 % 60, of_day % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_what_it_wrote_and_nothing_else() {
        let id = RoomId::from_random(u64::MAX);
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in ["", "1", "ffffffffffffffff", "00000000000000G0", "+000000000000001", "00000000000000001"] {
            assert_eq!(bad.parse::<RoomId>(), Err(BadId), "{bad}");
        }
    }

    #[test]
    fn times_are_written_in_utc() {
        let utc = |millis| UnixMillis(millis).utc();
        assert_eq!(utc(0), "1970-01-01T00:00:00Z");
        assert_eq!(utc(1_709_210_096_789), "2024-02-29T12:34:56Z");
        assert_eq!(utc(-1), "1969-12-31T23:59:59Z");
    }

    #[test]
    fn an_id_is_text_in_json() {
        let json = serde_json::to_string(&KeyId::from_random(20)).expect("serializes");
        assert_eq!(json, "\"000000000000000a\"");
        assert_eq!(serde_json::from_str::<KeyId>(&json).expect("parses"), KeyId::from_random(20));
    }
}
