//! The server's own database, for commands that work beside a server.

use vigint_config::Settings;
use vigint_db::{DatabaseUrl, Db};

/// Opens it. It must be there: what is said about an empty database that was made just now would be of no use.
pub(super) fn open_existing(settings: &Settings) -> anyhow::Result<Db> {
    let url = settings.database.database_url.parse::<DatabaseUrl>()?;
    let cure = "run this in the server's folder, or name its configuration with --config";
    if let Some(path) = url.sqlite_path()
        && !path.try_exists()?
    {
        anyhow::bail!("there is no database {}: {cure}", path.display());
    }
    let db = Db::open(&url, 1)?;
    if !db.is_set_up()? {
        anyhow::bail!("the database {url} is empty: {cure}");
    }
    Ok(db)
}
