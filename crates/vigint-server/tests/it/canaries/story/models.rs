//! A day with models, whose services repeat the key that they are asked with.

use vigint_testkit::model::{Answer, ModelError, ModelStandIn, ModelVerdict, StandInOptions};

use super::{Customer, Day};

/// The models of both looks, of both services.
const MODELS: [&str; 2] = ["small", "large"];

impl Day {
    /// The server once with each service. It answers some of what it is asked, and fails at the rest with the key in
    /// its error.
    pub(super) fn ask_models(&mut self, customer: &Customer) {
        let folder = self.server_folder.path().to_owned();
        let config_before = std::fs::read(folder.join("config.ini")).unwrap();
        let log = || std::fs::read_to_string(folder.join("server.log")).unwrap();
        for (provider, key) in [("gemini", "GOOGLE_API_KEY"), ("openai", "OPENAI_API_KEY")] {
            let model = ModelStandIn::start_with(StandInOptions {
                api_key: self.secret_of(key),
                gemini_models: MODELS.map(str::to_owned).to_vec(),
                openai_models: MODELS.map(str::to_owned).to_vec(),
                ..StandInOptions::default()
            })
            .unwrap();
            let config = format!(
                "[AI]\nprovider = {provider}\nmotion_gate = false\nscreening_model = small\nconfirmation_model = large\n\
                 gemini_base_url = {}\nopenai_base_url = {}\n[Logging]\nformat = {}\n",
                model.base_url(),
                model.openai_base_url(),
                self.format
            );
            std::fs::write(folder.join("config.ini"), config).unwrap();
            let said_before = log().len();
            let server = self.start_server();
            self.push_a_visit(&server, customer, provider);
            let theft = || Answer::verdict(&ModelVerdict::incident("theft"));
            let echoing = |error: ModelError| Answer::from(error.echoing_key());
            for (answers, status) in [
                ([theft(), theft()], 200),
                ([theft(), echoing(ModelError::new(400, "bad"))], 200),
                (
                    [
                        echoing(ModelError::internal()),
                        echoing(ModelError::invalid_key()),
                    ],
                    503,
                ),
            ] {
                let [screen, second] = answers;
                model.script(MODELS[0], [screen]);
                // A screen that failed is asked for once more.
                let next = if status == 200 { MODELS[1] } else { MODELS[0] };
                model.script(next, [second]);
                let answer = self.analyze(&server, customer, provider);
                assert_eq!(answer.status, status, "{provider}: {}", answer.text());
                assert_eq!(model.answers_left(), 0, "{provider}");
            }
            server.stop();
            let log = log();
            let said = log.get(said_before..).unwrap();
            assert!(said.contains("an analysis failed"), "{provider}");
            // OpenAI's errors have it in their message; Gemini's where nobody looks.
            assert_eq!(said.contains("***"), provider == "openai");
        }
        std::fs::write(folder.join("config.ini"), config_before).unwrap();
    }
}
