//! Many analyses at once: who waits for whom.

use super::*;

#[test]
fn a_client_has_two_analyses_at_a_time_and_others_do_not_wait_for_them() {
    let scene = Scene::gemini("");
    let busy = scene.server.customer("Busy");
    for source in ["a", "b", "c"] {
        scene.push(&busy, source, &pictures(5));
    }
    let other = scene.customer("Other");
    let gate = scene.model.hold();
    for _ in 0..2 {
        scene.screens(clear().behind(&gate));
    }
    std::thread::scope(|scope| {
        let busy = &busy;
        let waiting: Vec<_> = ["a", "b", "c"]
            .map(|source| scope.spawn(move || analyze_source(busy, source).status))
            .into_iter()
            .collect();
        assert!(scene.model.wait_for_requests(2, PATIENCE));
        // Another's is answered while all of the busy one's hang; its third one waits its turn.
        assert_eq!(judged(&other)["verdict"], "clear");
        assert_eq!(other.push("source_id=till", &pictures(1)[0]).status, 200);
        assert_eq!(scene.model.request_count(), 3);
        gate.release();
        for asked in waiting {
            assert_eq!(asked.join().unwrap(), 200);
        }
    });
    assert_eq!(scene.model.request_count(), 4);
}
