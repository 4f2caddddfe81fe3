//! Comma-separated values (RFC 4180) that a spreadsheet shows as they are.

/// What a file begins with, so that spreadsheets read it as UTF-8, whatever the machine's own encoding is.
pub const BYTE_ORDER_MARK: char = '\u{feff}';

/// Appends one row.
pub fn row(out: &mut String, cells: &[&str]) {
    for (index, cell) in cells.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push('"');
        // A cell that begins like a formula would be run by the spreadsheet that opens the file. An apostrophe makes it text.
        if cell.trim_start().starts_with(['=', '+', '-', '@', '\t', '\r']) || cell.starts_with(['\t', '\r', '\n']) {
            out.push('\'');
        }
        for c in cell.chars() {
            match c {
                '"' => out.push_str("\"\""),
                // One line a row, whatever was typed.
                '\r' | '\n' => out.push(' '),
                c => out.push(c),
            }
        }
        out.push('"');
    }
    out.push_str("\r\n");
}

/// `2026-01-01T00:00:00Z` of milliseconds since 1970.
pub fn utc(millis: i64) -> String {
    madang_protocol::UnixMillis(millis).utc()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_formula_is_text() {
        for formula in ["=1+1", "+1", "-1", "@sum(1)", "\t=1", "\r=1", " =cmd|' /C calc'!A0"] {
            let mut out = String::new();
            row(&mut out, &[formula]);
            assert!(out.starts_with("\"'"), "{out}");
        }
        let mut out = String::new();
        row(&mut out, &["Ana", "said \"hi\", twice\nand more", "", "a=b"]);
        assert_eq!(out, "\"Ana\",\"said \"\"hi\"\", twice and more\",\"\",\"a=b\"\r\n");
    }
}
