//! Everything that was printed, answered and left behind, and what may stand in it.

use std::path::Path;

use super::search::Canaries;

/// What was said, by whom.
#[derive(Default)]
pub(super) struct Transcript(Vec<(String, Vec<u8>)>);

impl Transcript {
    pub(super) fn note(&mut self, who: impl Into<String>, said: impl AsRef<[u8]>) {
        self.0.push((who.into(), said.as_ref().to_vec()));
    }

    /// Every file below a folder, but those that the test itself wrote a secret into.
    pub(super) fn note_files(&mut self, folder: &Path, but: &[&str]) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() {
                self.note_files(&path, but);
            } else if !but.contains(&name) {
                let file = std::fs::read(&path).unwrap();
                self.note(format!("file {}", path.display()), file);
            }
        }
    }

    /// What was said by one.
    pub(super) fn said_by(&self, who: &str) -> String {
        let said = self.0.iter().filter(|(by, _)| by.contains(who));
        said.map(|(_, said)| String::from_utf8_lossy(said))
            .collect()
    }

    /// All leaks: who, which secret, and what stands around it.
    pub(super) fn leaks(&self, canaries: &Canaries) -> Vec<String> {
        let mut leaks = Vec::new();
        for (who, said) in &self.0 {
            for (canary, around) in canaries.found_in(said) {
                if !is_allowed(who, canary) {
                    leaks.push(format!("{canary} in {who}:\n    …{around}…"));
                }
            }
        }
        leaks
    }
}

/// What the server answers a client about its own incidents, and what the client's program shows of it.
const OWN_ANSWERS: [&str; 3] = [
    "own answer",
    "vigint-client run --json",
    "vigint-client incidents",
];

/// Where a secret belongs: a link in the mail and in the answers of its own client; a key's hash in the database.
fn is_allowed(who: &str, canary: &str) -> bool {
    let is_database = [".db", ".db-wal", ".db-shm"]
        .iter()
        .any(|end| who.ends_with(end));
    match canary {
        "link token" => who.ends_with(".eml") || OWN_ANSWERS.iter().any(|own| who.starts_with(own)),
        _ => canary.ends_with("(hash)") && is_database,
    }
}
