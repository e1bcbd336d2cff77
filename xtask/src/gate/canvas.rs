//! A picture to draw on, for embedded-graphics, and the PNG of it.

use std::convert::Infallible;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use anyhow::Context as _;
use embedded_graphics::mono_font::MonoTextStyle;
use embedded_graphics::mono_font::ascii::FONT_7X13;
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{PrimitiveStyle, Rectangle};
use embedded_graphics::text::{Alignment, Baseline, Text, TextStyleBuilder};

/// How wide and high a letter is, in pixels.
pub(super) const LETTER: (i32, i32) = (7, 13);
/// Of what is written.
pub(super) const INK: Rgb888 = Rgb888::new(30, 30, 34);

/// A picture, white at first.
pub(super) struct Canvas {
    size: Size,
    rgb: Vec<u8>,
}

impl Canvas {
    pub(super) fn new(width: u32, height: u32) -> Self {
        let size = Size::new(width, height);
        let pixels = usize::try_from(u64::from(width) * u64::from(height)).unwrap_or(0);
        Self {
            size,
            rgb: vec![255; pixels * 3],
        }
    }

    /// Writes a line of ASCII with its upper edge here.
    pub(super) fn write(&mut self, text: &str, (x, y): (i32, i32), alignment: Alignment) {
        let letters = MonoTextStyle::new(&FONT_7X13, INK);
        let style = TextStyleBuilder::new()
            .alignment(alignment)
            .baseline(Baseline::Top)
            .build();
        let text = Text::with_text_style(text, Point::new(x, y), letters, style);
        let Ok(_) = text.draw(self);
    }

    /// Fills a rectangle: left, top, right and bottom, the last two not included.
    pub(super) fn fill(&mut self, (left, top, right, bottom): Place, colour: Rgb888) {
        let Ok(()) = self.fill_solid(&rectangle((left, top, right, bottom)), colour);
    }

    /// Draws the outline of a rectangle.
    pub(super) fn frame(&mut self, place: Place, colour: Rgb888) {
        let style = PrimitiveStyle::with_stroke(colour, 1);
        let Ok(()) = rectangle(place).into_styled(style).draw(self);
    }

    /// Puts rows of RGB pixels here.
    pub(super) fn put(&mut self, rgb: &[u8], width: u32, (left, top): (i32, i32)) {
        let rows = u32::try_from(rgb.len()).unwrap_or(0) / 3 / width.max(1);
        let area = Rectangle::new(Point::new(left, top), Size::new(width, rows));
        let (pixels, _) = rgb.as_chunks::<3>();
        let colours = pixels.iter().map(|[r, g, b]| Rgb888::new(*r, *g, *b));
        let Ok(()) = self.fill_contiguous(&area, colours);
    }

    /// Writes it as a PNG.
    pub(super) fn save(&self, file: &Path) -> anyhow::Result<()> {
        let cannot = || format!("cannot write {}", file.display());
        let output = BufWriter::new(File::create(file).with_context(cannot)?);
        let mut encoder = png::Encoder::new(output, self.size.width, self.size.height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::Fast);
        let mut writer = encoder.write_header().with_context(cannot)?;
        writer.write_image_data(&self.rgb).with_context(cannot)?;
        writer.finish().with_context(cannot)
    }
}

/// Left, top, right and bottom in pixels, the last two not included.
pub(super) type Place = (i32, i32, i32, i32);

fn rectangle((left, top, right, bottom): Place) -> Rectangle {
    let side = |from: i32, to: i32| u32::try_from(to - from).unwrap_or(0);
    Rectangle::new(
        Point::new(left, top),
        Size::new(side(left, right), side(top, bottom)),
    )
}

impl OriginDimensions for Canvas {
    fn size(&self) -> Size {
        self.size
    }
}

impl DrawTarget for Canvas {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(
        &mut self,
        pixels: I,
    ) -> Result<(), Infallible> {
        let bounds = self.bounding_box();
        for Pixel(at, colour) in pixels.into_iter().filter(|pixel| bounds.contains(pixel.0)) {
            let (Ok(x), Ok(y)) = (u64::try_from(at.x), u64::try_from(at.y)) else {
                continue;
            };
            let first =
                usize::try_from((y * u64::from(self.size.width) + x) * 3).unwrap_or(usize::MAX);
            if let Some(pixel) = self.rgb.get_mut(first..first.saturating_add(3)) {
                pixel.copy_from_slice(&[colour.r(), colour.g(), colour.b()]);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_is_in_the_file() {
        let file = tempfile::Builder::new().suffix(".png").tempfile().unwrap();
        let mut canvas = Canvas::new(20, 10);
        let red = Rgb888::new(200, 10, 20);
        canvas.fill((2, 3, 4, 5), red);
        canvas.fill((15, 8, 99, 99), red);
        canvas.put(&[1, 2, 3, 4, 5, 6], 1, (0, 0));
        canvas.save(file.path()).unwrap();
        let decoder = png::Decoder::new(std::io::BufReader::new(File::open(file.path()).unwrap()));
        let mut reader = decoder.read_info().unwrap();
        let mut rgb = vec![0; 20 * 10 * 3];
        reader.next_frame(&mut rgb).unwrap();
        let pixel = |x: usize, y: usize| &rgb[(y * 20 + x) * 3..][..3];
        assert_eq!(pixel(3, 4), [200, 10, 20]);
        assert_eq!(pixel(4, 4), [255, 255, 255]);
        assert_eq!(pixel(19, 9), [200, 10, 20]);
        assert_eq!(pixel(0, 1), [4, 5, 6]);
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named() {
        let error = Canvas::new(1, 1)
            .save(Path::new("no/such/folder.png"))
            .unwrap_err();
        assert_eq!(error.to_string(), "cannot write no/such/folder.png");
    }
}
