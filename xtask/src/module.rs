//! A WebAssembly module with other names for what it imports and exports (WebAssembly core specification §5.5).

/// Section ids (§5.5.2).
const IMPORTS: u8 = 2;
const EXPORTS: u8 = 7;
/// The magic number and the version (§5.5.16).
const HEAD: usize = 8;

/// The module with each import's and export's name as `name` gives it, without the exports for which it gives `None`. `None` for what is
/// no module, or has a form that is not known here.
pub fn renamed(module: &[u8], name: &dyn Fn(&[u8]) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    let mut out = module.get(..HEAD)?.to_vec();
    let mut rest = Bytes(module.get(HEAD..)?);
    while !rest.0.is_empty() {
        let id = rest.byte()?;
        let length = rest.number()?;
        let section = rest.take(length)?;
        let section = match id {
            IMPORTS => imports(Bytes(section), name)?,
            EXPORTS => exports(Bytes(section), name)?,
            _ => section.to_vec(),
        };
        out.push(id);
        put(&mut out, section.len());
        out.extend(section);
    }
    Some(out)
}

fn imports(mut section: Bytes, name: &dyn Fn(&[u8]) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let count = section.number()?;
    put(&mut out, count);
    for _ in 0..count {
        put_text(&mut out, section.text()?);
        put_text(&mut out, &name(section.text()?)?);
        let before = section.0;
        match section.byte()? {
            // A function: its type.
            0 => drop(section.number()?),
            // A table: what is in it, and its limits.
            1 => {
                section.byte()?;
                section.limits()?;
            }
            2 => section.limits()?,
            // A global: its type, and whether it changes.
            3 => drop(section.take(2)?),
            _ => return None,
        }
        out.extend(before.get(..before.len() - section.0.len())?);
    }
    section.0.is_empty().then_some(out)
}

fn exports(mut section: Bytes, name: &dyn Fn(&[u8]) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    let (mut kept, mut out) = (0, Vec::new());
    for _ in 0..section.number()? {
        let text = section.text()?;
        let (kind, index) = (section.byte()?, section.number()?);
        if let Some(name) = name(text) {
            kept += 1;
            put_text(&mut out, &name);
            out.push(kind);
            put(&mut out, index);
        }
    }
    let mut whole = Vec::new();
    put(&mut whole, kept);
    whole.extend(out);
    section.0.is_empty().then_some(whole)
}

/// What is left to be read.
struct Bytes<'b>(&'b [u8]);

impl<'b> Bytes<'b> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// An unsigned number of up to 32 bits (LEB128, §5.2.2).
    fn number(&mut self) -> Option<usize> {
        let mut number = 0;
        for shift in (0..35).step_by(7) {
            let byte = self.byte()?;
            number |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn text(&mut self) -> Option<&'b [u8]> {
        let length = self.number()?;
        self.take(length)
    }

    /// The least size, and the greatest where the first byte says that there is one.
    fn limits(&mut self) -> Option<()> {
        let bounded = self.byte()? & 1 == 1;
        self.number()?;
        if bounded {
            self.number()?;
        }
        Some(())
    }
}

fn put(out: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_text(out: &mut Vec<u8>, text: &[u8]) {
    put(out, text.len());
    out.extend(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two imports (a function and a memory), two exports, and a section that is not looked at.
    fn module() -> Vec<u8> {
        let mut module = b"\0asm\x01\0\0\0".to_vec();
        module.extend(b"\x02\x19\x02\x01m\x05a_far\x00\x05\x01m\x06memory\x02\x01\x01\x90\x4e");
        module.extend(b"\x07\x0e\x02\x04kept\x00\x01\x03out\x00\x02");
        module.extend(b"\x0b\x01\x00");
        module
    }

    #[test]
    fn names_change_and_the_rest_stays() {
        assert_eq!(renamed(&module(), &|name| Some(name.to_vec())).as_deref(), Some(&module()[..]));
        let name = |name: &[u8]| match name {
            b"a_far" => Some(b"$0".to_vec()),
            b"out" => None,
            other => Some(other.to_vec()),
        };
        let mut wanted = b"\0asm\x01\0\0\0".to_vec();
        wanted.extend(b"\x02\x16\x02\x01m\x02$0\x00\x05\x01m\x06memory\x02\x01\x01\x90\x4e");
        wanted.extend(b"\x07\x08\x01\x04kept\x00\x01");
        wanted.extend(b"\x0b\x01\x00");
        assert_eq!(renamed(&module(), &name), Some(wanted));
    }

    #[test]
    fn what_is_no_module_is_left_alone() {
        for end in 0..module().len() {
            let _ = renamed(&module()[..end], &|name| Some(name.to_vec()));
        }
        assert_eq!(renamed(b"\0asm", &|name| Some(name.to_vec())), None);
    }
}
