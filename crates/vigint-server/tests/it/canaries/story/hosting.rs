//! Films handed over to a hosting service that repeats the key it is called with.

use std::time::Duration;

use vigint_testkit::hosting::{HostingAnswer, HostingStandIn};
use vigint_testkit::programs::wait_for;

use super::{Customer, Day, secret};

impl Day {
    /// One film fails with the key in the service's words, is tried again, and is hosted under a private link.
    pub(super) fn host_films(&mut self, customer: &Customer) {
        let key = secret("SPARSE_AI_API_KEY");
        let token = secret("hosted").replace(|c: char| !c.is_ascii_alphanumeric(), "");
        self.canaries.add("SPARSE_AI_API_KEY", &key);
        let service = HostingStandIn::start_with_key(&key).unwrap();
        let link = format!("https://sparse.example.com/v/1?token={token}");
        service.script([HostingAnswer::Status(500), HostingAnswer::Link(link)]);
        let before = self.environment.len();
        self.environment.push(("SPARSE_AI_API_KEY", key));
        self.environment
            .push(("SPARSE_AI_BASE_URL", service.base_url()));
        let log_file = self.server_folder.path().join("server.log");
        let log = || std::fs::read_to_string(&log_file).unwrap();
        let said_before = log().len();
        let server = self.start_server();
        self.push_a_visit(&server, customer, "hosted");
        let answer = self.analyze(&server, customer, "hosted");
        assert!(answer.json()["incident"].is_object(), "{}", answer.text());
        let said = wait_for(Duration::from_secs(60), || {
            let log = log();
            let said = log.get(said_before..).unwrap();
            said.contains("a film is hosted").then(|| said.to_owned())
        });
        let said = said.expect("no film was hosted");
        server.stop();
        self.environment.truncate(before);
        assert!(said.contains("the key was ***"), "{said}");
        assert!(!said.contains(&token), "the link is in the log");
    }
}
