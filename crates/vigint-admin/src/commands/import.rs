//! `import`: brings over the database of an earlier Python Vigint, or counts what would come.

use std::io;

use vigint_config::{LoadFrom, Overrides};
use vigint_core::clock::{Clock as _, SystemClock};
use vigint_core::wire::{CostInfo, ImportResponse, SkippedRow};
use vigint_db::import::{self, ImportOptions, ImportReport, Target};
use vigint_db::{DatabaseUrl, Db};

use crate::cli::Common;
use crate::console;
use crate::failure::Failure;
use crate::reach::{Chosen, operator};

pub(super) fn run(common: &Common, from: &str, dry_run: bool) -> Result<(), Failure> {
    if common.server_url.is_some() {
        return Err(Failure::Usage(
            "import works on the server's own database: run it on the server's machine, without --server-url",
        ));
    }
    let from: DatabaseUrl = from.parse().map_err(Failure::ImportUrl)?;
    let chosen = Chosen::load(&LoadFrom::process(
        common.config.clone(),
        Overrides::default(),
    ))?;
    // Before ours is opened, which would make it, or turn the earlier one to WAL if it is the same.
    import::check(&from, &chosen.url)?;
    let report = if dry_run {
        count(&from, &chosen)?
    } else {
        let db = chosen.open(true)?;
        import::import(&from, Target::Into(&db), &operator(), &options(&chosen)).inspect_err(
            |_| {
                console::say(
                    "The import stopped. What came over stays; the same import, run again, brings the rest.",
                );
            },
        )?
    };
    show(common.json, report)
}

fn options(chosen: &Chosen) -> ImportOptions<'_> {
    ImportOptions {
        actor: &chosen.actor,
        default_locale: chosen.default_locale,
        now: SystemClock::new().now(),
    }
}

/// A dry run makes no database where none is.
fn count(from: &DatabaseUrl, chosen: &Chosen) -> Result<ImportReport, Failure> {
    let db = match chosen.missing_file() {
        Some(_) => None,
        None => {
            let db = Db::open(&chosen.url, 1)?;
            db.is_set_up()?.then_some(db)
        }
    };
    chosen.say(if db.is_some() {
        ""
    } else {
        " (new, not made yet)"
    });
    let target = Target::DryRun(db.as_ref());
    Ok(import::import(from, target, &operator(), &options(chosen))?)
}

fn show(json: bool, report: ImportReport) -> Result<(), Failure> {
    let answer = response(report);
    if json {
        console::answer_json(&answer)?;
    } else {
        print(&answer)?;
    }
    Ok(())
}

fn response(report: ImportReport) -> ImportResponse {
    ImportResponse {
        success: true,
        dry_run: report.dry_run,
        clients: report.clients,
        api_keys: report.keys,
        inactive_api_keys: report.inactive_keys,
        resumed_api_keys: report.resumed_keys,
        usage_rows: report.usage_rows,
        total_cost: CostInfo::euros(report.total_cost),
        currency: "EUR".to_owned(),
        skipped_clients: report.skipped_clients,
        skipped_api_keys: report.skipped_keys,
        skipped_usage_rows: report.skipped_usage_rows,
        skipped: report
            .skipped
            .into_iter()
            .map(|row| SkippedRow {
                kind: row.kind.as_str().to_owned(),
                id: row.id,
                name: row.name,
                reason: row.reason,
                api_keys: row.keys,
                usage_rows: row.usage_rows,
            })
            .collect(),
        payment_details_left: report.payment_details_left,
    }
}

fn print(answer: &ImportResponse) -> io::Result<()> {
    if !answer.skipped.is_empty() {
        let header = ["LEFT OUT", "ID", "NAME", "WITH", "WHY"];
        console::answer_table(&header, answer.skipped.iter().map(skipped_line))?;
        console::answer_line("")?;
    }
    let (brought, rest) = if answer.dry_run {
        ("Would bring in", "would be left out")
    } else {
        ("Brought in", "left out")
    };
    console::answer_line(&format!(
        "{brought}: {}, {} ({} of them inactive: revoked for good), {}, {:.6} {}",
        counted(answer.clients, "client"),
        counted(answer.api_keys, "key"),
        answer.inactive_api_keys,
        counted(answer.usage_rows, "usage row"),
        answer.total_cost,
        answer.currency,
    ))?;
    console::answer_line(&format!(
        "{}, {}, {} {rest}.",
        counted(answer.skipped_clients, "client"),
        counted(answer.skipped_api_keys, "key"),
        counted(answer.skipped_usage_rows, "usage row"),
    ))?;
    if answer.resumed_api_keys > 0 {
        console::say(&format!(
            "The usage of {} was left unfinished by an earlier import, and was gone on with.",
            counted(answer.resumed_api_keys, "key")
        ));
    }
    if answer.payment_details_left {
        console::say(
            "The table payment_details was left where it is: Vigint keeps no payment details.",
        );
    }
    if answer.dry_run {
        console::say("Nothing was changed.");
    }
    Ok(())
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

fn skipped_line(row: &SkippedRow) -> Vec<String> {
    let with = match (row.kind.as_str(), row.api_keys, row.usage_rows) {
        ("client", keys, rows) => {
            format!("{}, {}", counted(keys, "key"), counted(rows, "usage row"))
        }
        ("usage", _, _) => String::new(),
        (_, _, rows) => counted(rows, "usage row"),
    };
    vec![
        row.kind.replace('_', " "),
        row.id.map_or_else(|| "-".to_owned(), |id| id.to_string()),
        row.name.clone(),
        with,
        row.reason.clone(),
    ]
}
