//! The cameras of a soak: of every kind that a client reads, each with a password of its own.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use vigint_core::random::{Random as _, SystemRandom};
use vigint_testkit::camera::{Camera, Codec, FRAMES_PER_SECOND, Films, Login, Scheme};

use super::schedule::Fault;
use super::secrets::Secrets;
use crate::cargo;

/// How long a film is before it begins again.
const FILM_SECONDS: u32 = 60;
/// Pictures of a film.
pub(super) const FILM_PICTURES: u32 = FILM_SECONDS * FRAMES_PER_SECOND;
/// Each camera's pictures begin so many after those of the one before it, also where a film's numbers come again after 600:
/// a picture under another camera's id is then one of long ago, or of the future.
const FIRST_APART: u32 = 1110;
const USER: &str = "viewer";

/// One camera, or a film that takes its place.
pub(super) struct Post {
    pub(super) id: String,
    /// What a person calls its kind.
    pub(super) kind: &'static str,
    source: String,
    login: Option<Login>,
    /// None of a film: nothing can be done to it.
    pub(super) camera: Option<Camera>,
}

/// All of them.
pub(super) struct Fleet {
    pub(super) posts: Vec<Post>,
}

/// In this order, and again from the first; of six the last is a film.
const KINDS: [Kind; 6] = [
    Kind::H264,
    Kind::Mjpeg,
    Kind::H265,
    Kind::H264,
    Kind::Recorder,
    Kind::Film,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    H264,
    H265,
    Mjpeg,
    /// The same with name and password in the path.
    Recorder,
    Film,
}

impl Fleet {
    /// Draws the films and starts the cameras; `film` is where the file goes that one of them is.
    pub(super) async fn start(cameras: usize, film: &Path) -> anyhow::Result<Self> {
        let kinds: Vec<Kind> = KINDS.into_iter().cycle().take(cameras).collect();
        let h264 = Arc::new(films(Codec::H264).await?);
        let h265 = if kinds.contains(&Kind::H265) {
            Arc::new(films(Codec::H265).await?)
        } else {
            Arc::clone(&h264)
        };
        if kinds.contains(&Kind::Film) {
            write_film(&h264, film).await?;
        }
        let mut posts = Vec::new();
        for (index, kind) in kinds.into_iter().enumerate() {
            let number = index + 1;
            let (name, login) = match kind {
                Kind::H264 => ("RTSP, H.264, Digest", Some(login(Scheme::Digest))),
                Kind::H265 => ("RTSP, H.265, Basic", Some(login(Scheme::Basic))),
                Kind::Mjpeg => ("HTTP, MJPEG, Basic", Some(login(Scheme::Basic))),
                Kind::Recorder => ("HTTP, MJPEG, by path", Some(login(Scheme::Path))),
                Kind::Film => ("looped file", None),
            };
            let shown = login.clone();
            let camera = match kind {
                Kind::H264 => Some(Camera::rtsp(Arc::clone(&h264), shown)?),
                Kind::H265 => Some(Camera::rtsp(Arc::clone(&h265), shown)?),
                Kind::Mjpeg | Kind::Recorder => Some(Camera::mjpeg(shown)?),
                Kind::Film => None,
            };
            if let Some(camera) = &camera {
                camera.count_from(FIRST_APART * u32::try_from(index).unwrap_or(0));
            }
            let source = camera
                .as_ref()
                .map_or_else(|| film.display().to_string(), Camera::url);
            posts.push(Post {
                id: format!("camera-{number}"),
                kind: name,
                source,
                login,
                camera,
            });
        }
        Ok(Self { posts })
    }

    /// The places of those that can be broken.
    pub(super) fn breakable(&self) -> Vec<usize> {
        let posts = self.posts.iter().enumerate();
        let cameras = posts.filter(|(_, post)| post.camera.is_some());
        cameras.map(|(index, _)| index).collect()
    }

    /// What `vigint-client --sources` reads.
    pub(super) fn sources_file(&self) -> String {
        let table = |post: &Post| {
            format!(
                "[[camera]]\nid = '{}'\nsource = '{}'\n",
                post.id, post.source
            )
        };
        self.posts.iter().map(table).collect()
    }

    /// The passwords in it.
    pub(super) fn add_to(&self, secrets: &Secrets) {
        for post in &self.posts {
            if let Some(login) = &post.login {
                let name = format!("the password of {}", post.id);
                secrets.add_login(&name, &login.user, &login.password);
            }
        }
    }
}

impl Post {
    /// Breaks it; says with what it demands from now on.
    pub(super) fn break_by(&self, fault: Fault, salt: u64) -> Option<String> {
        let camera = self.camera.as_ref()?;
        match fault {
            Fault::Reboot => camera.refuse(),
            Fault::Freeze => camera.freeze(),
            Fault::Garbage => camera.garbage(),
            Fault::Resolution => camera.change_resolution(),
            Fault::Flood => camera.flood(),
            Fault::Password => {
                let password = format!("changed{salt:016x}");
                camera.change_password(&password);
                return Some(password);
            }
            Fault::Start
            | Fault::End
            | Fault::ServerKilled
            | Fault::ServerStalled
            | Fault::ServerSlow => {}
        }
        None
    }

    /// Cures it; `is_cut`: by cutting its connections, as a reboot does.
    pub(super) fn cure(&self, is_cut: bool) {
        match &self.camera {
            Some(camera) if is_cut => camera.cure_by_cut(),
            Some(camera) => camera.cure(),
            None => {}
        }
    }
}

async fn films(codec: Codec) -> anyhow::Result<Films> {
    let made = tokio::task::spawn_blocking(move || Films::make(codec, FILM_SECONDS));
    made.await?.context("cannot make the films of the cameras")
}

/// The film as a file.
async fn write_film(films: &Arc<Films>, path: &Path) -> anyhow::Result<()> {
    let raw = path.with_extension("h264");
    tokio::fs::write(&raw, films.byte_stream()).await?;
    let mut ffmpeg = cargo::command(
        "ffmpeg",
        &["-v", "error", "-nostdin", "-y", "-framerate", "10", "-i"],
    );
    ffmpeg.arg(&raw).args(["-c", "copy"]).arg(path);
    let status = tokio::task::spawn_blocking(move || ffmpeg.status()).await??;
    ensure!(
        status.success(),
        "ffmpeg could not write {}",
        path.display()
    );
    tokio::fs::remove_file(&raw).await?;
    Ok(())
}

fn login(scheme: Scheme) -> Login {
    let mut bytes = [0; 12];
    SystemRandom.fill(&mut bytes);
    Login {
        scheme,
        user: USER.to_owned(),
        password: bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}
