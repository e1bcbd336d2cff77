//! What can be said of a JPEG without decoding it: that it is whole, its size, where it ends.
//!
//! [`inspect`] stands on the hot path of every frame that comes in: it walks the markers of ITU-T T.81
//! (annex B) up to the coded picture, and looks for the end marker where it belongs: at the end. Only when it is not
//! there is the coded picture searched for it. It knows nothing of pixels.

use memchr::{memchr, memchr_iter};

/// What [`inspect`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JpegInfo {
    /// Width in pixels, at least 1.
    pub width: u16,
    /// Height in pixels, at least 1.
    pub height: u16,
    /// Bytes up to and including the end marker: what lies behind is no part of the picture.
    pub len: usize,
}

/// Why a body is not a JPEG that can be used. The texts are for the one who sent it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JpegError {
    /// Does not begin as a JPEG does.
    #[error("this is not a JPEG picture: it does not begin with the bytes FF D8 FF")]
    NotJpeg,
    /// Ends before its end marker.
    #[error("the JPEG picture is cut off: its end marker (FF D9) is missing; send the whole file")]
    Truncated,
    /// Nothing to see in it.
    #[error("the JPEG picture has no size: its width or height is missing or zero")]
    NoSize,
    /// Its parts contradict each other.
    #[error("the JPEG picture is damaged: {0}")]
    Damaged(&'static str),
    /// A JPEG, but of a kind that cameras do not make and Vigint does not decode.
    #[error(
        "this kind of JPEG is not supported: {0}; send an 8-bit baseline or progressive JPEG, grey or colour"
    )]
    Unsupported(&'static str),
    /// More pixels than allowed.
    #[error(
        "the picture is too large: {width}x{height} is more than {max} pixels; send a smaller one"
    )]
    TooManyPixels {
        /// Width in pixels.
        width: u16,
        /// Height in pixels.
        height: u16,
        /// Pixels allowed.
        max: u64,
    },
}

/// Checks that `data` begins with a whole JPEG of at most `max_pixels` pixels, without decoding it.
///
/// Bytes behind the end marker are allowed; [`JpegInfo::len`] says where to cut. Another picture behind this one is
/// not told from it, since it ends as this one should; decoders do not read on to it. That the picture can really
/// be decoded is known only after decoding it.
///
/// # Errors
/// [`JpegError`], in words for the sender.
pub fn inspect(data: &[u8], max_pixels: u64) -> Result<JpegInfo, JpegError> {
    if !data.starts_with(&[0xFF, marker::SOI, 0xFF]) {
        return Err(JpegError::NotJpeg);
    }
    let mut walk = Walk { data, at: 2 };
    let mut size = None;
    let mut scans = 0_u32;
    loop {
        match walk.next_marker()? {
            marker::EOI if size.is_none() => return Err(JpegError::NoSize),
            marker::EOI if scans == 0 => {
                return Err(JpegError::Damaged("it holds no picture data"));
            }
            marker::EOI => break,
            // Where another picture begins, this one has ended without saying so.
            marker::SOI => return Err(JpegError::Truncated),
            marker::TEM | marker::RST0..=marker::RST7 => {}
            code if marker::is_frame_header(code) => {
                if size.is_some() {
                    return Err(JpegError::Damaged("it has two frame headers"));
                }
                size = Some(frame_header(code, walk.segment()?, max_pixels)?);
            }
            marker::SOS => {
                if size.is_none() {
                    return Err(JpegError::NoSize);
                }
                walk.segment()?;
                scans += 1;
                if data.ends_with(&[0xFF, marker::EOI]) {
                    walk.at = data.len();
                    break;
                }
                walk.skip_coded_data()?;
            }
            _ => {
                walk.segment()?;
            }
        }
    }
    let (width, height) = size.ok_or(JpegError::NoSize)?;
    Ok(JpegInfo {
        width,
        height,
        len: walk.at,
    })
}

/// Reads a frame header (SOFn): the size, after checking that the coding is one that is decoded here.
fn frame_header(code: u8, segment: &[u8], max_pixels: u64) -> Result<(u16, u16), JpegError> {
    match code {
        marker::SOF0..=marker::SOF2 => {}
        marker::SOF3 => return Err(JpegError::Unsupported("it is coded lossless")),
        marker::SOF9..=marker::SOF15 => {
            return Err(JpegError::Unsupported("it uses arithmetic coding"));
        }
        _ => return Err(JpegError::Unsupported("it is coded hierarchically")),
    }
    let [precision, h1, h0, w1, w0, count, components @ ..] = segment else {
        return Err(JpegError::Damaged("its frame header is too short"));
    };
    if *precision != 8 {
        return Err(JpegError::Unsupported("it has not 8 bits a sample"));
    }
    let (width, height) = (
        u16::from_be_bytes([*w1, *w0]),
        u16::from_be_bytes([*h1, *h0]),
    );
    if width == 0 || height == 0 {
        return Err(JpegError::NoSize);
    }
    if !matches!(count, 1 | 3) {
        return Err(JpegError::Unsupported(
            "it has neither one nor three colour components",
        ));
    }
    if components.len() != usize::from(*count) * 3 {
        return Err(JpegError::Damaged("its frame header has the wrong length"));
    }
    if u64::from(width) * u64::from(height) > max_pixels {
        return Err(JpegError::TooManyPixels {
            width,
            height,
            max: max_pixels,
        });
    }
    Ok((width, height))
}

/// A position in the bytes that only goes forward.
struct Walk<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Walk<'a> {
    fn rest(&self) -> Result<&'a [u8], JpegError> {
        self.data.get(self.at..).ok_or(JpegError::Truncated)
    }

    /// Goes behind the next marker and returns its code. As decoders do, forgives fill bytes (FF) and
    /// stray bytes before it.
    fn next_marker(&mut self) -> Result<u8, JpegError> {
        loop {
            self.at += memchr(0xFF, self.rest()?).ok_or(JpegError::Truncated)? + 1;
            match *self.rest()?.first().ok_or(JpegError::Truncated)? {
                0x00 => self.at += 1,
                0xFF => {}
                code => {
                    self.at += 1;
                    return Ok(code);
                }
            }
        }
    }

    /// Goes behind the segment that begins here with its length, and returns what it holds.
    fn segment(&mut self) -> Result<&'a [u8], JpegError> {
        let rest = self.rest()?;
        let [high, low, ..] = rest else {
            return Err(JpegError::Truncated);
        };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        if length < 2 {
            return Err(JpegError::Damaged("a segment has an impossible length"));
        }
        let content = rest.get(2..length).ok_or(JpegError::Truncated)?;
        self.at += length;
        Ok(content)
    }

    /// Goes to the marker that ends this scan. In coded data FF is followed by 00 or a restart marker,
    /// and by anything else only at its end.
    fn skip_coded_data(&mut self) -> Result<(), JpegError> {
        let rest = self.rest()?;
        for at in memchr_iter(0xFF, rest) {
            match *rest.get(at + 1).ok_or(JpegError::Truncated)? {
                // A second FF may begin the marker.
                0x00 | marker::RST0..=marker::RST7 | 0xFF => {}
                _ => {
                    self.at += at;
                    return Ok(());
                }
            }
        }
        Err(JpegError::Truncated)
    }
}

/// The second bytes of the markers (T.81, table B.1).
pub(crate) mod marker {
    pub(super) const TEM: u8 = 0x01;
    pub(crate) const SOF0: u8 = 0xC0;
    pub(crate) const SOF1: u8 = 0xC1;
    pub(super) const SOF2: u8 = 0xC2;
    pub(super) const SOF3: u8 = 0xC3;
    pub(super) const SOF9: u8 = 0xC9;
    pub(super) const SOF15: u8 = 0xCF;
    pub(crate) const DHT: u8 = 0xC4;
    const JPG: u8 = 0xC8;
    const DAC: u8 = 0xCC;
    pub(crate) const RST0: u8 = 0xD0;
    pub(crate) const RST7: u8 = 0xD7;
    pub(crate) const SOI: u8 = 0xD8;
    pub(crate) const EOI: u8 = 0xD9;
    pub(crate) const SOS: u8 = 0xDA;
    pub(crate) const DQT: u8 = 0xDB;
    pub(crate) const DRI: u8 = 0xDD;
    pub(crate) const APP14: u8 = 0xEE;

    /// Whether this code is one of the frame headers: C0 to CF, without the tables and the reserved one.
    pub(crate) fn is_frame_header(code: u8) -> bool {
        matches!(code, SOF0..=SOF15) && !matches!(code, DHT | JPG | DAC)
    }
}
