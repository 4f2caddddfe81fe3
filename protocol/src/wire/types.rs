//! What types are made of.

use super::{Json, Object, Wire, write::text};

macro_rules! whole_number {
    ($($type:ty),*) => {$(
        impl Wire for $type {
            fn read(json: &Json) -> Option<Self> {
                let number = whole(json)?;
                number.try_into().ok()
            }

            fn write(&self, out: &mut String) {
                out.push_str(&self.to_string());
            }
        }
    )*};
}

whole_number!(u8, u16, u32, u64, i64, usize);

/// A number without a fraction.
fn whole(json: &Json) -> Option<i64> {
    match json {
        Json::Number(number) if *number as i64 as f64 == *number => Some(*number as i64),
        _ => None,
    }
}

impl Wire for bool {
    fn read(json: &Json) -> Option<Self> {
        if let Json::Bool(value) = json { Some(*value) } else { None }
    }

    fn write(&self, out: &mut String) {
        out.push_str(if *self { "true" } else { "false" });
    }
}

impl Wire for String {
    fn read(json: &Json) -> Option<Self> {
        if let Json::Text(text) = json { Some(text.clone()) } else { None }
    }

    fn write(&self, out: &mut String) {
        text(out, self);
    }
}

impl Wire for () {
    fn read(json: &Json) -> Option<Self> {
        (*json == Json::Null).then_some(())
    }

    fn write(&self, out: &mut String) {
        out.push_str("null");
    }
}

impl<T: Wire> Wire for Option<T> {
    fn read(json: &Json) -> Option<Self> {
        if matches!(json, Json::Null) { Some(None) } else { T::read(json).map(Some) }
    }

    fn write(&self, out: &mut String) {
        match self {
            Some(value) => value.write(out),
            None => out.push_str("null"),
        }
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn read(json: &Json) -> Option<Self> {
        if let Json::List(items) = json { items.iter().map(T::read).collect() } else { None }
    }

    fn write(&self, out: &mut String) {
        out.push('[');
        for (index, item) in self.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            item.write(out);
        }
        out.push(']');
    }
}

impl<T: Wire, E: Wire> Wire for Result<T, E> {
    fn read(json: &Json) -> Option<Self> {
        match json.variant() {
            ("Ok", value) => T::read(value).map(Ok),
            ("Err", error) => E::read(error).map(Err),
            _ => None,
        }
    }

    fn write(&self, out: &mut String) {
        let mut object = Object::begin(out);
        match self {
            Ok(value) => object.field("Ok", value),
            Err(error) => object.field("Err", error),
        }
        object.end();
    }
}
