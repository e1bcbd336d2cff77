//! The server's own folder of clips, for commands that work beside a server.

use vigint_config::Settings;
use vigint_server::clips::ClipStore;

/// Opens it, to look at it. It must be there.
pub(super) fn open_clips(settings: &Settings) -> anyhow::Result<ClipStore> {
    let directory = &settings.clips.directory;
    ClipStore::of_server(directory, settings.video_analysis.max_frame_bytes).map_err(|error| {
        let directory = directory.display();
        anyhow::anyhow!(
            "[Clips] directory: the folder of clips {directory} cannot be read: {error}. Is its disk mounted, and is this run \
             in the server's folder? A server that starts makes the folder where there is none"
        )
    })
}
