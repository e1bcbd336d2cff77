//! What a check found: told as it comes, and the exit code that follows from all of it.

use serde_json::{Map, Value};

use crate::console::{Console, whole};
use crate::exit::Exit;

/// What was found, in the order it was looked at.
pub(super) struct Findings<'a> {
    console: &'a Console,
    json: bool,
    worst: Exit,
}

/// How one thing was found.
#[derive(Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Mark {
    Ok,
    /// It works, and should not stay so.
    Warn,
    Fail,
}

#[derive(serde::Serialize)]
struct Finding<'a> {
    check: &'a str,
    /// Whether it works, as the exit code has it.
    ok: bool,
    mark: Mark,
    message: &'a str,
    /// The same in fields of their own, for programs.
    #[serde(flatten)]
    details: Map<String, Value>,
}

impl<'a> Findings<'a> {
    pub(super) fn new(console: &'a Console, json: bool) -> Self {
        Self {
            console,
            json,
            worst: Exit::Done,
        }
    }

    /// What the program ends with: the first kind of wrong that was found.
    pub(super) fn exit(self) -> Exit {
        self.worst
    }

    pub(super) fn good(&self, check: &str, message: &str) {
        self.tell(check, Mark::Ok, message, Value::Null);
    }

    pub(super) fn warn(&self, check: &str, message: &str) {
        self.tell(check, Mark::Warn, message, Value::Null);
    }

    /// Something is wrong.
    pub(super) fn bad(&mut self, check: &str, message: &str, exit: Exit) {
        self.tell(check, Mark::Fail, message, Value::Null);
        if self.worst == Exit::Done {
            self.worst = exit;
        }
    }

    /// With fields for programs: a JSON object.
    pub(super) fn tell(&self, check: &str, mark: Mark, message: &str, details: Value) {
        let message = &whole(message);
        if self.json {
            self.console.answer_json(&Finding {
                check,
                ok: mark != Mark::Fail,
                mark,
                message,
                details: match details {
                    Value::Object(details) => details,
                    _ => Map::new(),
                },
            });
        }
        let mark = match mark {
            Mark::Ok => "ok  ",
            Mark::Warn => "warn",
            Mark::Fail => "FAIL",
        };
        self.console.say(&format!("{mark}  {check}: {message}"));
    }

    /// A line that belongs to the finding before it; programs have it in its fields.
    pub(super) fn add(&self, line: &str) {
        self.console.say(&format!("      {line}"));
    }
}
