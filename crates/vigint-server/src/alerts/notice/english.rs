//! The sentences in English.

use vigint_core::locale::Locale;
use vigint_core::text::{clean_line, sentence};

use super::{
    Meanings, Texts, Told, list, megabytes, money, raise_budget, revoke, rotate, short_name,
};
use crate::alerts::message::{Fact, Frame, Step};
use crate::notices::{Notice, NoticedKey, SeenKey};

const LOCALE: Locale = Locale::English;

pub(super) fn texts(told: &Told<'_>) -> Texts {
    Texts {
        frame: Frame::new(
            LOCALE,
            "Vigint",
            heading(told),
            vec![footer(told.notice).to_owned()],
        ),
        happened: happened(told.notice),
        facts: facts(told),
        meanings: meanings(told.notice),
        to_do: "What to do",
        steps: if told.is_for_operator() {
            steps_of_operator(told)
        } else {
            steps_of_client(told.notice)
        },
    }
}

const fn footer(notice: &Notice) -> &'static str {
    match notice {
        Notice::BudgetReached { .. } => "Automatic message from Vigint.",
        _ => "Automatic message from Vigint, about the same thing at most once an hour.",
    }
}

fn heading(told: &Told<'_>) -> String {
    let whose = |key: &NoticedKey| {
        let key = short_name(key);
        if told.is_for_operator() {
            format!("{}: key {key}", told.client_name())
        } else {
            format!("Your key {key}")
        }
    };
    match told.notice {
        Notice::KeyInUrl { seen } => format!("{} was sent in a web address", whose(&seen.key)),
        Notice::RevokedKeyUsed { seen, .. } => {
            format!("{} is revoked and still in use", whose(&seen.key))
        }
        Notice::ExpiredKeyUsed { seen, .. } => {
            format!("{} has ended and is still in use", whose(&seen.key))
        }
        Notice::UnusualRate { key, .. } => format!("{} is used far more than usual", whose(key)),
        Notice::RefusedKeys {
            address, is_admin, ..
        } if *is_admin => format!("Many wrong admin keys from {address}"),
        Notice::RefusedKeys { address, .. } => format!("Many refused keys from {address}"),
        Notice::BudgetReached { reached } => {
            let whose = match (reached.is_of_all, told.is_for_operator()) {
                (true, _) => "All clients: ".to_owned(),
                (false, true) => format!("{}: ", told.client_name()),
                (false, false) => String::new(),
            };
            let spent = if reached.is_spent() {
                "this month's AI budget is spent".to_owned()
            } else {
                format!("{}% of this month's AI budget is spent", reached.percent)
            };
            sentence(&format!("{whose}{spent}"))
        }
        Notice::DiskNearlyFull { .. } => "The disk is nearly full: no clips are kept".to_owned(),
        Notice::DiskHasRoom { .. } => "The disk has room again: clips are kept".to_owned(),
    }
}

fn happened(notice: &Notice) -> String {
    match notice {
        Notice::KeyInUrl { .. } => {
            "A program sent this key in a web address (behind the question mark) instead of in a header. The \
             request was refused. But web addresses are written down on their way, by proxies, browsers and in \
             logs: others may know the key by now. It goes on working until it is replaced or revoked."
        }
        Notice::RevokedKeyUsed { .. } => {
            "A request came with a key that was revoked. It was refused: nobody gets in with this key."
        }
        Notice::ExpiredKeyUsed { .. } => {
            "A request came with a key whose time is over, as had been set, for instance when another took its \
             place. It was refused: nobody gets in with this key."
        }
        Notice::UnusualRate { .. } => {
            "Within one minute this key made at least ten times as many requests as in a usual one. They were \
             answered as always, within the limits."
        }
        Notice::RefusedKeys { allowed, is_admin, .. } => {
            let whose = if *is_admin {
                " for the admin API"
            } else {
                ""
            };
            return format!(
                "More than {allowed} keys{whose} were refused from this address within a minute. For the time being, \
                 further wrong keys from there are only told to wait; right keys from there go on working."
            );
        }
        Notice::BudgetReached { reached } if reached.is_spent() => {
            "What the AI may cost in this calendar month is spent. Until the month ends (UTC), or the budget is raised, \
             the built-in motion detection judges instead. It sees that something moves, and not what people do: \
             expect more messages about harmless things, and no second look that sorts them out. Pictures, videos \
             and messages go on as always."
        }
        Notice::BudgetReached { .. } => {
            "Most of what the AI may cost in this calendar month is spent. Nothing has changed yet. When all of it is \
             spent, the built-in motion detection judges instead until the month ends (UTC): it sees that something \
             moves, and not what people do."
        }
        Notice::DiskNearlyFull { .. } => {
            "The disk on which the clips of incidents are kept is nearly full. So that the database and the mails \
             still have room, no new clips are kept: incidents are judged, written down and mailed as always, but \
             without a film. Clips that are there already can be watched, and go when their time is over. Once there \
             is room again, new incidents have clips without anybody doing anything."
        }
        Notice::DiskHasRoom { .. } => {
            "The disk on which the clips of incidents are kept was nearly full, and has room again. Incidents from now \
             on have a clip. Those of the meantime have none, unless their frames were kept before."
        }
    }
    .to_owned()
}

fn facts(told: &Told<'_>) -> Vec<Fact> {
    let fact = |name, value: String| Fact::new(name, value);
    let mut facts = Vec::new();
    if let Some((id, _)) = told.client.filter(|_| told.is_for_operator()) {
        facts.push(fact(
            "Client",
            format!("{} (number {id})", told.client_name()),
        ));
    }
    if let Some(key) = told.notice.key() {
        facts.push(fact(
            "Key",
            format!("{} (number {})", short_name(key), key.id),
        ));
    }
    let mut came = |seen: &SeenKey| {
        facts.push(fact("Came", told.seen(seen, LOCALE)));
        facts.push(fact("From address", seen.address.to_string()));
    };
    match told.notice {
        Notice::KeyInUrl { seen } => came(seen),
        Notice::RevokedKeyUsed { seen, revoked_at } => {
            came(seen);
            if let Some(at) = revoked_at {
                facts.push(fact("Revoked", told.time(*at, LOCALE)));
            }
        }
        Notice::ExpiredKeyUsed { seen, expired_at } => {
            came(seen);
            facts.push(fact("Ended", told.time(*expired_at, LOCALE)));
        }
        Notice::UnusualRate {
            minute,
            requests,
            usual,
            ..
        } => {
            facts.push(fact("Minute", told.time(*minute, LOCALE)));
            facts.push(fact("Requests", requests.to_string()));
            facts.push(fact(
                "Usual",
                format!("{usual} a minute in the last seven days"),
            ));
        }
        Notice::RefusedKeys { at, .. } => facts.push(fact("Time", told.time(*at, LOCALE))),
        Notice::BudgetReached { reached } => {
            let amount = |amount| money(amount, &reached.currency, LOCALE);
            facts.push(fact("Spent", amount(reached.spent)));
            facts.push(fact("Budget", amount(reached.most)));
        }
        Notice::DiskNearlyFull { disk } | Notice::DiskHasRoom { disk } => {
            let amount = |bytes| format!("{}\u{A0}MB", megabytes(bytes));
            facts.push(fact("Folder", clean_line(&disk.path)));
            facts.push(fact("Free", amount(disk.free)));
            facts.push(fact("Needed", amount(disk.needed)));
        }
    }
    facts
}

fn meanings(notice: &Notice) -> Option<Meanings> {
    let each = match notice {
        Notice::KeyInUrl { .. }
        | Notice::BudgetReached { .. }
        | Notice::DiskNearlyFull { .. }
        | Notice::DiskHasRoom { .. } => return None,
        Notice::RevokedKeyUsed { .. } | Notice::ExpiredKeyUsed { .. } => vec![
            "An old copy of the program still runs with it, on a computer where the new key was never put in. \
             Then nobody watches its cameras. Right after a change of keys this is normal for some seconds.",
            "Somebody else has the key and tries it.",
        ],
        Notice::UnusualRate { .. } => vec![
            "There are new cameras, or a program sends faster, or again and again because of a fault.",
            "Somebody else uses the key.",
        ],
        Notice::RefusedKeys { is_admin, .. } if *is_admin => vec![
            "A program or a bookmark has an old or mistyped admin key.",
            "Somebody guesses at it. It is too long to be guessed.",
        ],
        Notice::RefusedKeys { .. } => vec![
            "A program with a mistyped, revoked or expired key goes on asking.",
            "Somebody guesses at keys. Those that Vigint makes are too long to be guessed.",
        ],
    };
    Some(Meanings {
        intro: "It can mean one of two things:",
        each,
    })
}

fn steps_of_client(notice: &Notice) -> Vec<Step> {
    match notice {
        Notice::KeyInUrl { seen } => vec![
            Step::new(format!(
                "Ask whoever runs Vigint for you for a new key in the place of key number {}.",
                seen.key.id
            )),
            Step::new(
                "Have whoever set up the program that sends your pictures put the new key into it. It must not send a \
                 key in a web address, but in a header, as vigint-client does by itself.",
            ),
            Step::new("Then ask for the old key to be revoked."),
        ],
        Notice::RevokedKeyUsed { .. } | Notice::ExpiredKeyUsed { .. } => vec![
            Step::new(
                "See whether the address above is one of yours. If it is, put your new key into the program \
                 that runs there. If you have none, ask whoever runs Vigint for you.",
            ),
            Step::new(
                "If it is not, tell whoever runs Vigint for you, and think of where this key was kept: a key \
                 that was kept in the same place should be replaced, too.",
            ),
        ],
        Notice::UnusualRate { key, .. } => vec![
            Step::new(
                "If you know the reason, there is nothing to do: it counts as usual before long.",
            ),
            Step::new(format!(
                "If you do not, ask whoever runs Vigint for you to revoke key number {} and to give you a new one.",
                key.id
            )),
        ],
        // These are the operator's business.
        Notice::RefusedKeys { .. } | Notice::DiskNearlyFull { .. } | Notice::DiskHasRoom { .. } => {
            Vec::new()
        }
        Notice::BudgetReached { .. } => vec![Step::new(
            "To have the AI go on, ask whoever runs Vigint for you to raise the budget.",
        )],
    }
}

fn steps_of_operator(told: &Told<'_>) -> Vec<Step> {
    match told.notice {
        Notice::KeyInUrl { seen } => vec![
            Step::with(
                "Give the client a new key. The old one lives on for a day, so that no camera goes unwatched:",
                rotate(told.client, seen.key.id),
            ),
            Step::with(
                "If the key may be in wrong hands, revoke it at once; what runs with it stands still until it has \
                 another:",
                revoke(seen.key.id),
            ),
        ],
        Notice::RevokedKeyUsed { seen, .. } | Notice::ExpiredKeyUsed { seen, .. } => vec![
            Step::new("Ask the client whether the address is one of theirs: they were told, too."),
            end_for_good(seen, told.notice),
            Step::with(
                "If the address is not theirs, other keys may have been kept in the same place. This lists the client's \
                 keys; the command above revokes each by its number:",
                list(told.client),
            ),
        ],
        Notice::UnusualRate { key, .. } => vec![
            Step::new("Ask the client whether they know the reason: they were told, too."),
            Step::with(
                "If they do not, revoke the key; what runs with it stands still until it has another:",
                revoke(key.id),
            ),
        ],
        Notice::RefusedKeys { .. } => vec![
            Step::with("See what else was noted:", "vigint-admin audit".to_owned()),
            Step::new(
                "If it goes on and you do not know the address, shut it out in your firewall.",
            ),
        ],
        Notice::BudgetReached { reached } if reached.is_of_all => vec![
            Step::with(
                "See whose cameras need so much:",
                "vigint-admin list".to_owned(),
            ),
            Step::new(
                "To have the AI go on, raise [AI] monthly_budget in config.ini and start the server again.",
            ),
        ],
        Notice::BudgetReached { .. } => vec![Step::with(
            "To have the AI go on, raise the budget (0 takes it away). The client was told, too:",
            raise_budget(told.client),
        )],
        Notice::DiskNearlyFull { .. } => vec![
            Step::new("Remove what is not needed from that disk, or give it more room."),
            Step::with(
                "See whether files of clips are left over; with --repair they are removed:",
                "vigint-server storage check".to_owned(),
            ),
            Step::new(
                "If clips themselves fill it: keep them for less time ([Clips] retention_hours), let each client have \
                 fewer (max_bytes_per_client), or keep them on a larger disk (directory); then start the server again.",
            ),
        ],
        Notice::DiskHasRoom { .. } => vec![Step::new("There is nothing to do.")],
    }
}

fn end_for_good(seen: &SeenKey, notice: &Notice) -> Step {
    let say = match notice {
        Notice::RevokedKeyUsed {
            revoked_at: Some(_),
            ..
        } => "It is revoked for good: nothing is left to do. This is how a key is revoked:",
        _ => "It is refused already. To revoke it for good:",
    };
    Step::with(say, revoke(seen.key.id))
}
