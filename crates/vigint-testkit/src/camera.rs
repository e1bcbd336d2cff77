//! Cameras on loopback, in the test's own process, to which a test can do anything: RTSP with H.264 or H.265, or JPEGs
//! over HTTP. Each picture carries its running number, see [`counter`].
//!
//! They must not know who looks at them.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use std::time::Duration;
//! use vigint_testkit::camera::{Camera, Codec, Films, Login, Scheme};
//!
//! let films = Films::make(Codec::H264, 60)?;
//! let login = Login { scheme: Scheme::Digest, user: "viewer".into(), password: "geheim".into() };
//! let camera = Camera::rtsp(films.into(), Some(login))?;
//! // ... what is tested reads `camera.url()` ...
//! camera.reboot(Duration::from_secs(5));
//! camera.wait_until(Duration::from_secs(60), |state| state.viewers == 1).await;
//! # Ok(())
//! # }
//! ```

mod annexb;
pub mod counter;
mod film;
mod garbage;
mod login;
mod mjpeg;
mod picture;
mod request;
mod rtp;
mod rtsp;
mod state;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use vigint_core::clock::UtcTime;

pub use self::film::{AccessUnit, Codec, FRAMES_PER_SECOND, Film};
pub use self::login::{Login, Scheme};
pub use self::picture::PictureSize;
pub use self::rtsp::Films;
pub use self::state::{CameraState, Condition};

use self::state::Shared;

/// Pictures that may be taken for newer than the newest: the clocks of a picture and of its viewer are read one after
/// the other.
const SLACK: u32 = 3;

/// How pictures leave a camera.
#[derive(Clone, Debug)]
enum Way {
    Rtsp(Arc<Films>),
    Mjpeg,
}

/// A running camera. Its port and all its connections are closed when this is dropped.
#[derive(Debug)]
pub struct Camera {
    address: SocketAddr,
    way: Way,
    login: Option<Login>,
    shared: Arc<Shared>,
    tasks: [JoinHandle<()>; 2],
}

impl Camera {
    /// A camera that shows a film over RTSP, on a free port of the loopback. Needs a tokio runtime, which must run for as
    /// long as it shows.
    ///
    /// # Errors
    /// When there is no free port.
    pub fn rtsp(films: Arc<Films>, login: Option<Login>) -> io::Result<Self> {
        Self::start(Way::Rtsp(films), login)
    }

    /// A camera that shows JPEGs over HTTP, the same else.
    ///
    /// # Errors
    /// When there is no free port.
    pub fn mjpeg(login: Option<Login>) -> io::Result<Self> {
        Self::start(Way::Mjpeg, login)
    }

    fn start(way: Way, login: Option<Login>) -> io::Result<Self> {
        let socket = hold((Ipv4Addr::LOCALHOST, 0).into())?;
        let address = socket.local_addr()?;
        let listener = socket.listen(BACKLOG)?;
        let nonce = format!(
            "{:016x}",
            crate::splitmix::SplitMix(address.port().into()).next()
        );
        let shared = Arc::new(Shared::new(login.clone(), nonce));
        let taking = Arc::clone(&shared);
        let tasks = [
            tokio::spawn(async move { taking.take_pictures().await }),
            tokio::spawn(accept(listener, address, way.clone(), Arc::clone(&shared))),
        ];
        Ok(Self {
            address,
            way,
            login,
            shared,
            tasks,
        })
    }

    /// Where it is, without name and password.
    #[must_use]
    pub fn address(&self) -> String {
        self.located("", "")
    }

    /// Where it is, with the name and the password that it had at first.
    #[must_use]
    pub fn url(&self) -> String {
        match &self.login {
            Some(login) if login.scheme == Scheme::Path => {
                self.located("", &format!("/{}", login.as_path()))
            }
            Some(login) => self.located(&format!("{}:{}@", login.user, login.password), ""),
            None => self.address(),
        }
    }

    fn located(&self, login: &str, folder: &str) -> String {
        let (scheme, path) = match self.way {
            Way::Rtsp(_) => ("rtsp", rtsp::PATH),
            Way::Mjpeg => ("http", mjpeg::PATH),
        };
        format!("{scheme}://{login}{}{folder}{path}", self.address)
    }

    /// Its state, at each change.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<CameraState> {
        self.shared.state.subscribe()
    }

    /// Waits until its state is so. False when it is not within `limit`.
    pub async fn wait_until(
        &self,
        limit: Duration,
        is_so: impl FnMut(&CameraState) -> bool,
    ) -> bool {
        timeout(limit, self.watch().wait_for(is_so)).await.is_ok()
    }

    /// Cuts all connections and closes its port; after this time it is well again.
    pub fn reboot(&self, down_for: Duration) {
        self.shared.cut(|state| {
            state.condition = Condition::Down;
            state.down_for = Some(down_for);
        });
    }

    /// Cuts all connections and closes its port.
    pub fn refuse(&self) {
        self.shared.cut(|state| state.condition = Condition::Down);
    }

    /// Connections stay, and no byte comes.
    pub fn freeze(&self) {
        self.become_so(Condition::Frozen);
    }

    /// Sends random bytes in place of pictures.
    pub fn garbage(&self) {
        self.become_so(Condition::Garbage);
    }

    /// Sends far too many pictures.
    pub fn flood(&self) {
        self.become_so(Condition::Flooding);
    }

    /// Cuts all connections and knows no such stream.
    pub fn not_found(&self) {
        self.shared
            .cut(|state| state.condition = Condition::NotFound);
    }

    /// Cuts all connections and demands this password.
    ///
    /// # Panics
    /// When it demands none at all.
    pub fn change_password(&self, password: &str) {
        let mut login = self.shared.login();
        login.as_mut().expect("it demands a password").password = password.to_owned();
        drop(login);
        self.shared.cut(|_| {});
    }

    /// From now on its pictures have the other size.
    pub fn change_resolution(&self) {
        self.shared.state.send_modify(|state| {
            state.size = if state.size == PictureSize::USUAL {
                PictureSize::OTHER
            } else {
                PictureSize::USUAL
            };
        });
    }

    /// Makes all as it was at first: well, its password, its resolution. Connections stay.
    pub fn cure(&self) {
        (*self.shared.login()).clone_from(&self.login);
        self.shared.state.send_modify(become_well);
    }

    /// The same, and cuts all connections, as a reboot in no time.
    pub fn cure_by_cut(&self) {
        (*self.shared.login()).clone_from(&self.login);
        self.shared.cut(become_well);
    }

    /// The number, from the camera's first picture on, of the newest picture at this time. `None` before the first, and
    /// when that is long ago.
    #[must_use]
    pub fn number_at(&self, at: UtcTime) -> Option<u32> {
        self.shared.number_at(at)
    }

    /// Its next picture has the number after this one: so that its pictures are told from those of other cameras. To be
    /// said before anybody looks.
    pub fn count_from(&self, number: u32) {
        self.shared.count_from(number);
    }

    /// When a picture was taken, by its number as [`Self::running_number`] has it. `None` of one that is to come, and of
    /// one that was taken long ago.
    #[must_use]
    pub fn taken_at(&self, number: u32) -> Option<UtcTime> {
        self.shared.taken_at(number)
    }

    /// How many pictures it has shown to viewers after the one time and up to the other, over the last half hour.
    #[must_use]
    pub fn shown(&self, after: UtcTime, until: UtcTime) -> usize {
        self.shared.shown(after, until)
    }

    /// Which picture, from the camera's first on, had `seen` drawn into it and had reached somebody at this time: a film
    /// shows the same number in each round. `None` where [`Self::number_at`] is.
    #[must_use]
    pub fn running_number(&self, seen: u32, by: UtcTime) -> Option<u32> {
        let newest = self.number_at(by)? + SLACK;
        let round = match &self.way {
            Way::Rtsp(films) => films.pictures(),
            Way::Mjpeg => counter::NUMBERS,
        };
        // As many rounds as there can have been.
        newest.checked_sub((newest % round + round - seen % round) % round)
    }

    fn become_so(&self, condition: Condition) {
        self.shared.state.send_modify(|state| {
            state.condition = condition;
            state.down_for = None;
        });
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

fn become_well(state: &mut CameraState) {
    state.condition = Condition::Well;
    state.size = PictureSize::USUAL;
    state.down_for = None;
}

const BACKLOG: u32 = 64;

/// A port of our own at which nobody listens: who connects is refused, and nobody else can take it.
fn hold(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

async fn accept(mut listener: TcpListener, address: SocketAddr, way: Way, shared: Arc<Shared>) {
    let mut state = shared.state.subscribe();
    loop {
        take_connections(listener, &way, &shared, &mut state).await;
        let socket = hold(address).expect("the port of a camera stays its own");
        shared.state.send_modify(|state| state.listens = false);
        let down_for = state.borrow_and_update().down_for;
        let is_up = state.wait_for(|state| state.condition != Condition::Down);
        let waited = match down_for {
            Some(limit) => timeout(limit, is_up).await.is_ok(),
            None => is_up.await.is_ok(),
        };
        listener = socket
            .listen(BACKLOG)
            .expect("the port of a camera stays its own");
        shared.state.send_modify(|state| {
            state.listens = true;
            if !waited {
                state.condition = Condition::Well;
            }
        });
    }
}

/// Serves all who come, until the camera goes down.
async fn take_connections(
    listener: TcpListener,
    way: &Way,
    shared: &Arc<Shared>,
    state: &mut watch::Receiver<CameraState>,
) {
    let mut connections = JoinSet::new();
    let CameraState {
        condition,
        mut cuts,
        ..
    } = *state.borrow_and_update();
    if condition == Condition::Down {
        return;
    }
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let (way, shared) = (way.clone(), Arc::clone(shared));
                connections.spawn(async move {
                    // How a viewer ends its connection is its own affair.
                    drop(match way {
                        Way::Rtsp(films) => rtsp::serve(&shared, &films, stream).await,
                        Way::Mjpeg => mjpeg::serve(&shared, stream).await,
                    });
                });
            }
            Some(_) = connections.join_next() => {}
            changed = state.changed() => {
                let now = *state.borrow_and_update();
                if now.cuts != cuts {
                    cuts = now.cuts;
                    connections.shutdown().await;
                }
                if now.condition == Condition::Down || changed.is_err() {
                    return;
                }
            }
        }
    }
}
