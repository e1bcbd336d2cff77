//! Access units as RTP packets (RFC 3550): H.264 (RFC 6184) and H.265 (RFC 7798), each NAL unit in a packet of its own,
//! or in fragments where it is too long; framed for RTSP's own connection (RFC 2326, 10.12).

use super::film::{AccessUnit, Codec};

/// The payload type in the session's description.
pub(crate) const PAYLOAD_TYPE: u8 = 96;
/// Ticks of RTP's clock a second.
pub(crate) const CLOCK_RATE: u32 = 90_000;

/// A packet's payload is no longer.
const MAX_PAYLOAD: usize = 1400;
const MARKER: u8 = 0x80;

/// Numbers packets.
#[derive(Debug)]
pub(crate) struct Packetizer {
    codec: Codec,
    channel: u8,
    sequence: u16,
    source: u32,
}

impl Packetizer {
    pub(crate) fn new(codec: Codec, channel: u8) -> Self {
        Self {
            codec,
            channel,
            sequence: 1,
            source: 0x5649_4749,
        }
    }

    /// The packets of one picture, framed, one behind the other.
    pub(crate) fn packets(&mut self, unit: &AccessUnit, timestamp: u32) -> Vec<u8> {
        let mut framed = Vec::new();
        let last = unit.nals.len().saturating_sub(1);
        for (index, nal) in unit.nals.iter().enumerate() {
            let payloads = payloads(self.codec, nal);
            let last_payload = payloads.len().saturating_sub(1);
            for (part, payload) in payloads.iter().enumerate() {
                let ends_picture = index == last && part == last_payload;
                self.frame(payload, timestamp, ends_picture, &mut framed);
            }
        }
        framed
    }

    fn frame(&mut self, payload: &[u8], timestamp: u32, ends_picture: bool, framed: &mut Vec<u8>) {
        let length = u16::try_from(12 + payload.len()).expect("a payload is short");
        let marker = if ends_picture { MARKER } else { 0 };
        framed.extend([b'$', self.channel]);
        framed.extend(length.to_be_bytes());
        framed.extend([0x80, marker | PAYLOAD_TYPE]);
        framed.extend(self.sequence.to_be_bytes());
        framed.extend(timestamp.to_be_bytes());
        framed.extend(self.source.to_be_bytes());
        framed.extend(payload);
        self.sequence = self.sequence.wrapping_add(1);
    }
}

fn payloads(codec: Codec, nal: &[u8]) -> Vec<Vec<u8>> {
    if nal.len() <= MAX_PAYLOAD {
        return vec![nal.to_vec()];
    }
    let (header, body) = match codec {
        Codec::H264 => nal.split_at(1),
        Codec::H265 => nal.split_at(2),
    };
    let chunks: Vec<&[u8]> = body.chunks(MAX_PAYLOAD - 3).collect();
    let last = chunks.len() - 1;
    let fragment = |(index, chunk): (usize, &&[u8])| {
        let place = match index {
            0 => 0x80,
            index if index == last => 0x40,
            _ => 0,
        };
        let mut payload = match codec {
            // FU-A: importance and 28; start, end and the unit's type.
            Codec::H264 => vec![header[0] & 0xe0 | 28, place | header[0] & 0x1f],
            // Type 49 with the unit's layers; start, end and the unit's type.
            Codec::H265 => vec![
                header[0] & 0x81 | 49 << 1,
                header[1],
                place | (header[0] >> 1) & 0x3f,
            ],
        };
        payload.extend(*chunk);
        payload
    };
    chunks.iter().enumerate().map(fragment).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(nals: Vec<Vec<u8>>) -> AccessUnit {
        AccessUnit { is_key: true, nals }
    }

    /// The packets out of their frames.
    fn unframed(mut framed: &[u8]) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        while let [b'$', 4, high, low, rest @ ..] = framed {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            packets.push(rest[..length].to_vec());
            framed = &rest[length..];
        }
        assert!(framed.is_empty());
        packets
    }

    #[test]
    fn short_units_go_alone_and_only_the_last_packet_of_a_picture_is_marked() {
        let mut packetizer = Packetizer::new(Codec::H264, 4);
        let framed = packetizer.packets(&unit(vec![vec![0x67, 1], vec![0x65, 2]]), 9000);
        let packets = unframed(&framed);
        assert_eq!(packets.len(), 2);
        assert_eq!(packets[0][..8], [0x80, 96, 0, 1, 0, 0, 0x23, 0x28]);
        assert_eq!(packets[0][12..], [0x67, 1]);
        assert_eq!(packets[1][..4], [0x80, 0x80 | 96, 0, 2]);
    }

    #[test]
    fn fragments_of_a_long_unit_together_are_the_unit() {
        let nal: Vec<u8> = [0x65]
            .into_iter()
            .chain((0..=250).cycle().take(4000))
            .collect();
        let mut packetizer = Packetizer::new(Codec::H264, 4);
        let packets = unframed(&packetizer.packets(&unit(vec![nal.clone()]), 0));
        assert_eq!(packets.len(), 3);
        let places: Vec<u8> = packets.iter().map(|packet| packet[13] & 0xc0).collect();
        assert_eq!(places, [0x80, 0, 0x40]);
        let mut joined = vec![packets[0][12] & 0xe0 | packets[0][13] & 0x1f];
        joined.extend(packets.iter().flat_map(|packet| &packet[14..]));
        assert_eq!(joined, nal);

        let nal: Vec<u8> = [0x26, 1]
            .into_iter()
            .chain((0..=250).cycle().take(2000))
            .collect();
        let mut packetizer = Packetizer::new(Codec::H265, 4);
        let packets = unframed(&packetizer.packets(&unit(vec![nal.clone()]), 0));
        let kind = packets[0][14] & 0x3f;
        let mut joined = vec![packets[0][12] & 0x81 | kind << 1, packets[0][13]];
        joined.extend(packets.iter().flat_map(|packet| &packet[15..]));
        assert_eq!(joined, nal);
    }
}
