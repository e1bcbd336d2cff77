//! Films, frame by frame, through ffmpeg: as a camera would have sent them.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

/// Quality of the JPEGs, as cameras have it.
const JPEG_QUALITY: u8 = 80;

/// Why a film cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FootageError {
    /// There is no such file.
    #[error("{}: no such file", .0.display())]
    Missing(PathBuf),
    /// It is there, but ffmpeg is not, or cannot be started.
    #[error(
        "cannot run ffmpeg, which reads the film ({0}); on Debian: sudo apt-get install -y ffmpeg"
    )]
    NoFfmpeg(io::Error),
    /// ffmpeg finds no pictures in it, and says why.
    #[error("{}: not a film that ffmpeg can read: {why}", .film.display())]
    Unreadable {
        /// The film.
        film: PathBuf,
        /// The last that ffmpeg said.
        why: String,
    },
}

/// One picture of a film.
#[derive(Debug, Clone)]
pub struct FootageFrame {
    /// When, in milliseconds from the first one.
    pub at_millis: i64,
    /// Width in pixels.
    pub width: u16,
    /// Height in pixels.
    pub height: u16,
    /// The pixels, row by row, three bytes each.
    pub rgb: Vec<u8>,
}

impl FootageFrame {
    /// The picture as a baseline JPEG of quality 80 with 4:2:0 colour.
    ///
    /// # Panics
    /// When `rgb` has not the size that `width` and `height` say.
    #[must_use]
    pub fn jpeg(&self) -> Vec<u8> {
        let mut jpeg = Vec::new();
        let mut encoder = Encoder::new(&mut jpeg, JPEG_QUALITY);
        encoder.set_sampling_factor(SamplingFactor::F_2_2);
        encoder
            .encode(&self.rgb, self.width, self.height, ColorType::Rgb)
            .expect("a picture of this size fits into a JPEG, and a Vec takes it");
        jpeg
    }
}

/// A film being read. Dropping it stops ffmpeg.
#[derive(Debug)]
pub struct Footage {
    film: PathBuf,
    ffmpeg: Child,
    /// What ffmpeg complains of. A file, not a pipe: nobody reads a pipe while pictures are read, and ffmpeg
    /// would stop when it is full.
    complaints: File,
    pictures: BufReader<ChildStdout>,
    frames_per_second: u32,
    read: i64,
    is_over: bool,
}

impl Footage {
    /// Begins to read a film, so many frames a second. Each is the newest that the film has at its time, as
    /// with a camera that is asked.
    ///
    /// # Errors
    /// [`FootageError::Missing`] and [`FootageError::NoFfmpeg`].
    pub fn open(film: &Path, frames_per_second: u32) -> Result<Self, FootageError> {
        if !film.is_file() {
            return Err(FootageError::Missing(film.to_owned()));
        }
        let complaints = tempfile::tempfile().map_err(FootageError::NoFfmpeg)?;
        let errors = complaints.try_clone().map_err(FootageError::NoFfmpeg)?;
        let mut ffmpeg = Command::new("ffmpeg")
            .args(["-v", "error", "-nostdin", "-i"])
            .arg(film)
            .args(["-an", "-vf", &format!("fps={frames_per_second}:round=up")])
            .args(["-c:v", "ppm", "-f", "image2pipe", "-"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .map_err(FootageError::NoFfmpeg)?;
        let output = ffmpeg.stdout.take().expect("it was asked for");
        Ok(Self {
            film: film.to_owned(),
            ffmpeg,
            complaints,
            pictures: BufReader::with_capacity(1 << 20, output),
            frames_per_second,
            read: 0,
            is_over: false,
        })
    }

    /// One picture in the portable pixmap format (PPM P6), as ffmpeg writes it: three lines of text, then
    /// the pixels. `None` at the end.
    fn read_picture(&mut self) -> io::Result<Option<FootageFrame>> {
        let mut header = String::new();
        for _ in 0..3 {
            self.pictures.read_line(&mut header)?;
        }
        if header.is_empty() {
            return Ok(None);
        }
        let bad = || {
            io::Error::new(
                io::ErrorKind::InvalidData,
                format!("no picture: {header:?}"),
            )
        };
        let mut words = header.split_whitespace();
        let (magic, width, height) = (words.next(), words.next(), words.next());
        let side = |word: Option<&str>| word.and_then(|word| word.parse::<u16>().ok());
        let (Some("P6"), Some(width), Some(height)) = (magic, side(width), side(height)) else {
            return Err(bad());
        };
        let mut rgb = vec![0; usize::from(width) * usize::from(height) * 3];
        self.pictures.read_exact(&mut rgb)?;
        let at_millis = self.read * 1000 / i64::from(self.frames_per_second);
        self.read += 1;
        Ok(Some(FootageFrame {
            at_millis,
            width,
            height,
            rgb,
        }))
    }

    /// What ffmpeg had to say about a film that it cannot read.
    fn complaint(&mut self) -> Option<FootageError> {
        let is_fine = self.ffmpeg.wait().is_ok_and(|status| status.success());
        let mut said = String::new();
        drop(self.complaints.rewind());
        drop(self.complaints.read_to_string(&mut said));
        (!is_fine || self.read == 0).then(|| FootageError::Unreadable {
            film: self.film.clone(),
            why: said
                .lines()
                .last()
                .unwrap_or("it has no pictures")
                .to_owned(),
        })
    }
}

impl Iterator for Footage {
    type Item = Result<FootageFrame, FootageError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        match self.read_picture() {
            Ok(Some(frame)) => Some(Ok(frame)),
            Ok(None) | Err(_) => {
                self.is_over = true;
                self.complaint().map(Err)
            }
        }
    }
}

impl Drop for Footage {
    fn drop(&mut self) {
        // It may have ended by itself: then there is nothing to do.
        drop(self.ffmpeg.kill());
        drop(self.ffmpeg.wait());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_film_that_is_not_there_is_named() {
        let error = Footage::open(Path::new("no-such.mp4"), 5).unwrap_err();
        assert_eq!(error.to_string(), "no-such.mp4: no such file");
    }

    #[test]
    fn what_is_no_film_is_an_error_and_not_an_empty_film() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("letter.txt");
        std::fs::write(&file, "Dear all,").unwrap();
        match Footage::open(&file, 5) {
            Ok(mut film) => {
                let error = film.next().unwrap().unwrap_err().to_string();
                assert!(error.contains("letter.txt: not a film"), "{error}");
                assert!(film.next().is_none());
            }
            Err(error) => eprintln!("SKIPPED: {error}"),
        }
    }
}
