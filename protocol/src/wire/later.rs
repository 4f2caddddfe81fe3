//! A value that is read when it is asked for.

use super::{Json, Wire};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser};

/// A value inside an event that few browsers are sent: [`Wire`] leaves it as it came, so that the first download of every browser does
/// without the code that reads it. On the server, and to serde, it is the value itself.
#[derive(Clone, Debug)]
pub enum Later<T> {
    Known(T),
    /// As it came. Never on the server.
    Came(Json),
}

impl<T: Wire + Clone> Later<T> {
    /// The value; `None` where what came is not that type's.
    pub fn read(&self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value.clone()),
            Self::Came(json) => T::read(json),
        }
    }
}

impl<T> From<T> for Later<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

impl<T: Wire + Clone + PartialEq> PartialEq for Later<T> {
    fn eq(&self, other: &Self) -> bool {
        self.read() == other.read()
    }
}

impl<T: Wire + Clone + Eq> Eq for Later<T> {}

impl<T: Wire> Wire for Later<T> {
    fn read(json: &Json) -> Option<Self> {
        Some(Self::Came(json.clone()))
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Known(value) => value.write(out),
            // Nobody sends on what came.
            Self::Came(_) => out.push_str("null"),
        }
    }
}

impl<T: Serialize> Serialize for Later<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Known(value) => value.serialize(serializer),
            Self::Came(_) => Err(ser::Error::custom("what came is not sent on")),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Later<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::Known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{from_text, to_text};

    #[test]
    fn what_came_is_read_when_it_is_asked_for() {
        let sent = Later::from(vec![1_u32, 2]);
        let came: Later<Vec<u32>> = from_text(&to_text(&sent)).expect("is read");
        assert!(matches!(came, Later::Came(_)));
        assert_eq!(came.read(), Some(vec![1, 2]));
        assert_eq!(came, sent);
        assert_eq!(from_text::<Later<u32>>("\"x\"").expect("is kept").read(), None);
    }
}
