use vigint_core::ids::ClipsFolderId;
use vigint_core::random::SystemRandom;
use vigint_db::clips_folder::{self, ClipsFolderRow};
use vigint_db::{clients, erasures};

use crate::fixture::{ADMIN, at};

on_each_database! {
    fn the_folder_of_clips_is_named_once(fixture) {
        let fixture = fixture.migrated();
        let known = || fixture.read(|conn| clips_folder::get(conn, &ADMIN)).unwrap();
        let name = |id| fixture.write(|conn| clips_folder::name(conn, &ADMIN, id)).unwrap();
        let mark = |now| fixture.write(|conn| clips_folder::note_marked(conn, &ADMIN, now)).unwrap();
        assert_eq!(known(), None);
        mark(at(0));
        assert_eq!(known(), None);
        let id = ClipsFolderId::generate(&SystemRandom);
        assert_eq!(name(id), id);
        assert_eq!(name(ClipsFolderId::generate(&SystemRandom)), id, "the first stays");
        assert_eq!(known(), Some(ClipsFolderRow { id, is_marked: false }));
        mark(at(1));
        assert_eq!(known(), Some(ClipsFolderRow { id, is_marked: true }));
    }

    fn who_is_there_and_who_was_erased_is_known(fixture) {
        let fixture = fixture.migrated();
        let (gone, stays) = (fixture.customer("gone"), fixture.customer("stays"));
        let ids = || fixture.read(|conn| clients::ids(conn, &ADMIN)).unwrap();
        let erased = || fixture.read(|conn| erasures::clients(conn, &ADMIN)).unwrap();
        assert_eq!(ids(), [gone.row.id, stays.row.id].into());
        assert!(erased().is_empty());
        fixture.write(|conn| clients::delete(conn, &ADMIN, &gone.tenant, at(9))).unwrap();
        assert_eq!((ids(), erased()), ([stays.row.id].into(), [gone.row.id].into()));
    }
}
