//! `--with-ai`: three cameras show the same film, and a stand-in of an AI service takes it for something else at each.

use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use vigint_core::verdict::Verdict;
use vigint_core::wire::AnalysisResponse;
use vigint_testkit::mailbox;
use vigint_testkit::model::{Answer, ModelRequest, ModelStandIn, ModelVerdict};
use vigint_testkit::programs::{ServerProcess, command};

use super::camera::{self, Source};
use super::stage::Customer;
use super::{MAIL_LIMIT, new_folder};
use crate::say;

/// The models of the server's defaults.
const CONFIRMATION_MODEL: &str = "gemini-3.8-flash";
/// Each camera, and what both looks together make of it.
const CAMERAS: [(&str, Verdict); 3] = [
    ("entrance", Verdict::Clear),
    ("shelf", Verdict::Confirmed),
    ("stockroom", Verdict::Vetoed),
];

pub(super) fn run(programs: &Path, folder: &Path, source: &Source) -> anyhow::Result<()> {
    let Source::File(film) = source else {
        bail!("only a film can be shown by several cameras");
    };
    say::step("Starting a stand-in of Gemini on this machine, and vigint-server that asks it");
    let model = ModelStandIn::start().context("the stand-in does not start")?;
    model.decide(answer);
    let server_folder = new_folder(folder, "server")?;
    let config = format!(
        "[AI]\ngemini_api_key = {}\ngemini_base_url = {}\nlanguage = en\n",
        model.api_key(),
        model.base_url()
    );
    std::fs::write(server_folder.join("config.ini"), config)?;
    let server =
        ServerProcess::start_program(&programs.join("vigint-server"), &server_folder, &["serve"])?;

    say::step(
        "Making a client, and running vigint-client on three cameras that show the same film",
    );
    let client_folder = new_folder(folder, "client")?;
    let customer = Customer::create(&programs.join("vigint-admin"), &server)?;
    customer.write_env_file(&client_folder, server.url())?;
    let names = CAMERAS.map(|(name, _)| name);
    let program = programs.join("vigint-client");
    let analyses = camera::watch_films(&program, &client_folder, &names, film)?;

    say::step("What became of it");
    for (name, expected) in CAMERAS {
        show(name, expected, &analyses)?;
    }
    let vetoed = customer.count_vetoed(server.url())?;
    ensure!(vetoed > 0, "nothing vetoed is kept for review");
    say::line(&format!("kept for review, and nobody was woken: {vetoed}"));
    let mail = mailbox::first_mail(server.folder(), MAIL_LIMIT)?;
    say::line(&format!("mail         {}", mail.path.display()));
    say::line(&format!("subject      {}", mail.subject));
    ensure!(
        mail.subject.contains("shelf"),
        "the mail is about another camera"
    );
    say::line(&spent(programs, &server)?);
    say::line(&format!("calls of the model: {}", model.request_count()));
    let status = server.stop();
    ensure!(
        status.success(),
        "the server did not stop cleanly: {status}"
    );
    Ok(())
}

/// What the model says: it goes by the camera that it is told of, and by which of the two looks it is asked for.
fn answer(request: &ModelRequest) -> Answer {
    let is_careful = request.model == CONFIRMATION_MODEL;
    let is_of = |camera: &str| request.user_text.contains(&format!("\"{camera}\""));
    let says_incident = is_of("shelf") || (is_of("stockroom") && !is_careful);
    Answer::verdict(&if says_incident {
        ModelVerdict::incident("shoplifting")
    } else {
        ModelVerdict::clear()
    })
}

/// One camera's looks, and that they came to what was expected.
fn show(camera: &str, expected: Verdict, analyses: &[AnalysisResponse]) -> anyhow::Result<()> {
    let was_asked =
        |analysis: &&AnalysisResponse| analysis.source_id == camera && !analysis.stages.is_empty();
    let looks: Vec<_> = analyses.iter().filter(was_asked).collect();
    let as_expected = looks.iter().find(|analysis| analysis.verdict == expected);
    let analysis = as_expected
        .with_context(|| format!("no analysis of {camera} came to {expected}: {looks:?}"))?;
    let stages: Vec<_> = analysis
        .stages
        .iter()
        .map(|stage| format!("{} {} says {}", stage.stage, stage.analyzer, stage.verdict))
        .collect();
    say::line(&format!(
        "{camera:<10} {:<10} {}; {} tokens in, {} out",
        analysis.verdict.as_str(),
        stages.join(", "),
        analysis.usage.prompt_tokens,
        analysis.usage.completion_tokens
    ));
    Ok(())
}

/// What the operator is told that it cost.
fn spent(programs: &Path, server: &ServerProcess) -> anyhow::Result<String> {
    let output = command(&programs.join("vigint-admin"), server.folder())
        .args(["budget", "--client-id", "1"])
        .output()
        .context("cannot run vigint-admin")?;
    ensure!(output.status.success(), "vigint-admin budget failed");
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
