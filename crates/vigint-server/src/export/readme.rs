//! `README.txt`: what an export is, in its reader's language.

use vigint_core::locale::Locale;
use vigint_db::admin::Exporting;

use super::Export;
use crate::alerts::day_and_minute;

pub(super) fn text(export: &Export, exporting: &Exporting) -> String {
    let client = &exporting.client;
    let at = day_and_minute(export.now, client.locale, &client.time_zone);
    let (name, id, server) = (&client.name, client.id, &export.public_url);
    let version = env!("CARGO_PKG_VERSION");
    match client.locale {
        Locale::English => format!(
            "Everything that Vigint keeps about {name} (client {id})\n\
             \n\
             Made by vigint-server {version} at {server},\n\
             on {at}.\n\
             \n\
             KEEP IT PRIVATE: it holds pictures of people, and mails whose links open films.\n\
             {ENGLISH}"
        ),
        Locale::French => format!(
            "Tout ce que Vigint conserve sur {name} (client {id})\n\
             \n\
             Produit par vigint-server {version} sur {server},\n\
             le {at}.\n\
             \n\
             À GARDER POUR VOUS\u{A0}: on y voit des personnes, et les liens des mails ouvrent des vidéos.\n\
             {FRENCH}"
        ),
    }
}

const ENGLISH: &str = "
manifest.json         every file here with its length and SHA-256, how many rows
                      of each kind there are, what is missing or damaged and why,
                      and what is left out
client.json           your name, address, language, time zone, monthly budget
keys.json             your API keys: name, first letters, from when until when.
                      Neither the keys nor their hashes
sources.json          your cameras
incidents.json        what was seen: type, risk, both looks' words, your notes
clips.json            the film of each incident: state, length, until when
clips/INCIDENT.mp4    the films, and beside each a still picture (.jpg)
clips/INCIDENT/       the pictures of a film that is not made yet
alerts.json           every mail: to whom, about what, when it was tried and
                      what came of it
mails/                the mails that were written as files
usage.jsonl           every use of your keys. A JSON object a line and nothing
                      around them: there may be millions
spending.json         what AI cost for you, by the month
budget_warnings.json  of which shares of the budget you were told
notices.json          what unusual use you were told of within the last hour
audit.json            what was done with your client and your keys, and by whom
unfinished_imports.json  how far an import from an earlier Vigint has come

Times are UTC. Amounts called micros are millionths of the currency. Rows are as
they were at one moment; files were copied after it, and one whose time was over
by then is named as missing.
";

const FRENCH: &str = "
manifest.json         chaque fichier avec sa longueur et son SHA-256, le nombre de
                      lignes de chaque sorte, ce qui manque ou est abîmé et
                      pourquoi, et ce qui est laissé de côté
client.json           votre nom, adresse, langue, fuseau horaire, budget mensuel
keys.json             vos clés d'API\u{A0}: nom, premières lettres, de quand à quand.
                      Ni les clés ni leurs empreintes
sources.json          vos caméras
incidents.json        ce qui a été vu\u{A0}: type, risque, ce qu'ont dit les deux
                      vérifications, vos notes
clips.json            le film de chaque incident\u{A0}: état, durée, date de fin
clips/INCIDENT.mp4    les films, et à côté de chacun une image (.jpg)
clips/INCIDENT/       les images d'un film qui n'est pas encore fait
alerts.json           chaque mail\u{A0}: à qui, à quel sujet, quand il a été tenté et
                      avec quel résultat
mails/                les mails qui ont été écrits en fichiers
usage.jsonl           chaque usage de vos clés. Un objet JSON par ligne et rien
                      autour\u{A0}: il peut y en avoir des millions
spending.json         ce que l'IA a coûté pour vous, par mois
budget_warnings.json  de quelles parts du budget vous avez été averti
notices.json          de quels usages inhabituels vous avez été averti dans la
                      dernière heure
audit.json            ce qui a été fait de votre compte et de vos clés, et par qui
unfinished_imports.json  où en est un import depuis un Vigint antérieur

Les heures sont UTC. Les montants dits micros sont des millionièmes de la devise.
Les lignes sont telles qu'elles étaient à un instant\u{A0}; les fichiers ont été copiés
ensuite, et celui dont le temps était passé est dit manquant.
";

#[cfg(test)]
mod tests {
    use vigint_testkit::french::loose_punctuation;

    #[test]
    fn french_lines_do_not_break_before_punctuation() {
        assert_eq!(loose_punctuation(super::FRENCH), Vec::<String>::new());
    }
}
