//! H.264 configuration: the AVCDecoderConfigurationRecord of ISO/IEC 14496-15 §5.3.3.1, as FLV and MP4 carry it, and
//! the walk over length-prefixed NAL units.

mod sps;

use bytes::Bytes;

use crate::bytes_in::BytesIn;
pub(crate) use sps::without_emulation_prevention;
pub use sps::{Crop, Sps};

/// Why bytes are not a usable H.264 configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AvcError {
    /// The record or the parameter set ends before its last field.
    #[error("the H.264 configuration is cut short")]
    Truncated,
    /// configurationVersion is not 1.
    #[error("version {0} of the H.264 configuration record does not exist")]
    Version(u8),
    /// NAL unit lengths of 3 bytes do not exist.
    #[error("the H.264 configuration states NAL unit lengths of 3 bytes")]
    LengthSize,
    /// No sequence parameter set in the record.
    #[error("the H.264 configuration holds no sequence parameter set")]
    NoSps,
    /// The NAL unit is not a sequence parameter set.
    #[error("a NAL unit of type {0} is no sequence parameter set")]
    NotSps(u8),
    /// A field of the parameter set is outside what the standard allows.
    #[error("the H.264 sequence parameter set states an impossible {0}")]
    Field(&'static str),
}

/// An AVCDecoderConfigurationRecord and its first sequence parameter set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecoderConfig {
    /// The record as it came, for the `avcC` box.
    pub record: Bytes,
    /// AVCProfileIndication: profile_idc.
    pub profile: u8,
    /// profile_compatibility: the constraint flags.
    pub compatibility: u8,
    /// AVCLevelIndication: ten times the level.
    pub level: u8,
    /// Bytes of the length before each NAL unit: 1, 2 or 4.
    pub nal_length_size: u8,
    /// Sequence parameter sets (NAL units with header), slices of the record.
    pub sps: Vec<Bytes>,
    /// Picture parameter sets, slices of the record.
    pub pps: Vec<Bytes>,
    /// The first sequence parameter set, read.
    pub parameters: Sps,
}

impl DecoderConfig {
    /// Reads a record. The extension for high profiles and bytes after it are passed over.
    ///
    /// # Errors
    /// See [`AvcError`].
    pub fn parse(record: &Bytes) -> Result<Self, AvcError> {
        let mut input = BytesIn::new(record);
        let mut byte = || input.u8().ok_or(AvcError::Truncated);
        let version = byte()?;
        if version != 1 {
            return Err(AvcError::Version(version));
        }
        let (profile, compatibility, level) = (byte()?, byte()?, byte()?);
        let nal_length_size = (byte()? & 3).saturating_add(1);
        if nal_length_size == 3 {
            return Err(AvcError::LengthSize);
        }
        let sps_count = byte()? & 0x1f;
        let sps = parameter_sets(record, &mut input, sps_count)?;
        let pps_count = input.u8().ok_or(AvcError::Truncated)?;
        let pps = parameter_sets(record, &mut input, pps_count)?;
        let parameters = Sps::parse(sps.first().ok_or(AvcError::NoSps)?)?;
        Ok(Self { record: record.clone(), profile, compatibility, level, nal_length_size, sps, pps, parameters })
    }

    /// The codec for a MIME type (RFC 6381 §3.3): `avc1.` and profile, constraints and level in hexadecimal.
    pub fn codec_string(&self) -> String {
        format!("avc1.{:02x}{:02x}{:02x}", self.profile, self.compatibility, self.level)
    }

    /// The NAL units of an access unit.
    pub fn nal_units<'a>(&self, access_unit: &'a [u8]) -> NalUnits<'a> {
        nal_units(access_unit, self.nal_length_size)
    }
}

/// The NAL units of an access unit, each after `length_size` bytes of length.
pub(crate) fn nal_units(access_unit: &[u8], length_size: u8) -> NalUnits<'_> {
    NalUnits { rest: Some(BytesIn::new(access_unit)), length_size }
}

/// Whether a key frame is that of an open GOP: no IDR picture (ITU-T H.264 §7.4.1.2.4), so pictures after it may refer to pictures before it,
/// and not every decoder begins there. What is broken or has no slices is not.
pub fn is_open(key_frame: &[u8], nal_length_size: u8) -> bool {
    const SLICE: u8 = 1;
    const SLICE_PARTITION_A: u8 = 2;
    const IDR_SLICE: u8 = 5;
    let mut open = false;
    for unit in nal_units(key_frame, nal_length_size) {
        match unit.map(|unit| unit.first().map(|head| head & 0x1f)) {
            Ok(Some(SLICE | SLICE_PARTITION_A)) => open = true,
            Ok(Some(IDR_SLICE)) | Err(BadNalLength) => return false,
            Ok(_) => {}
        }
    }
    open
}

fn parameter_sets(record: &Bytes, input: &mut BytesIn<'_>, count: u8) -> Result<Vec<Bytes>, AvcError> {
    (0..count)
        .map(|_| {
            let length = input.u16().ok_or(AvcError::Truncated)?;
            let unit = input.take(usize::from(length)).ok_or(AvcError::Truncated)?;
            Ok(record.slice_ref(unit))
        })
        .collect()
}

/// A length in an access unit that runs past its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a NAL unit's length runs past the end of its frame")]
pub struct BadNalLength;

/// An iterator over NAL units, each with its header byte; it ends after the first error.
#[derive(Clone, Debug)]
pub struct NalUnits<'a> {
    rest: Option<BytesIn<'a>>,
    length_size: u8,
}

impl<'a> Iterator for NalUnits<'a> {
    type Item = Result<&'a [u8], BadNalLength>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut input = self.rest.take()?;
        if input.rest().is_empty() {
            return None;
        }
        let unit = (|| {
            let prefix = input.take(usize::from(self.length_size))?;
            let length = prefix.iter().fold(0u32, |sum, byte| (sum << 8) | u32::from(*byte));
            input.take(usize::try_from(length).ok()?)
        })();
        let Some(unit) = unit else { return Some(Err(BadNalLength)) };
        self.rest = Some(input);
        Some(Ok(unit))
    }
}

#[cfg(test)]
#[path = "avc/tests.rs"]
mod tests;
