//! What a mail says about a camera that fell silent, or came back: to the client, in its language and time zone.

use vigint_core::clock::UtcTime;
use vigint_core::locale::Locale;
use vigint_core::text::{clean_line, sentence};
use vigint_db::clients::ClientRow;

use super::{Meanings, Texts};
use crate::alerts::compose::{keep_safe, subject_part};
use crate::alerts::mailer::MailError;
use crate::alerts::message::{Composed, Fact, Frame, MailHead, Step, day_and_second, in_words};

/// What a mail is made from.
pub(in crate::alerts) struct CameraMail<'a> {
    pub(in crate::alerts) head: MailHead<'a>,
    pub(in crate::alerts) client: &'a ClientRow,
    pub(in crate::alerts) news: &'a CameraNews,
}

/// What became of a camera. It is called by its name, or by its id if it has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::alerts) enum CameraNews {
    /// Nothing has come from it since.
    Silent { camera: String, since: UtcTime },
    /// It was silent, and sends again.
    Back {
        camera: String,
        silent_since: UtcTime,
        back_at: UtcTime,
    },
}

impl CameraMail<'_> {
    /// The mail, ready to be handed over.
    ///
    /// # Errors
    /// When the recipient is no mail address.
    pub(in crate::alerts) fn compose(&self) -> Result<Composed, MailError> {
        let words = words(self.client.locale);
        let texts = match self.news {
            CameraNews::Silent { camera, since } => self.silent(words, camera, *since),
            CameraNews::Back {
                camera,
                silent_since,
                back_at,
            } => self.back(words, camera, *silent_since, *back_at),
        };
        texts.compose(&self.head, &self.subject(words))
    }

    fn subject(&self, words: &Words) -> String {
        match self.news {
            CameraNews::Silent { camera, .. } => {
                format!(
                    "{}{}",
                    words.alert,
                    (words.is_silent)(&subject_part(camera))
                )
            }
            CameraNews::Back { camera, .. } => sentence(&(words.is_back)(&subject_part(camera))),
        }
    }

    fn silent(&self, words: &'static Words, camera: &str, since: UtcTime) -> Texts {
        let camera = clean_line(camera);
        let [_, emergency] = keep_safe(self.client.locale);
        let steps = words.steps_when_silent.into_iter().chain([emergency]);
        Texts {
            frame: self.frame(words, words.alert_kicker, &(words.is_silent)(&camera)),
            happened: words.happened_when_silent.to_owned(),
            facts: vec![
                Fact::new(words.camera, camera),
                Fact::new(words.place, clean_line(&self.client.name)),
                Fact::new(words.last_picture, self.time(since)),
            ],
            meanings: Some(Meanings {
                intro: words.can_mean,
                each: words.meanings.to_vec(),
            }),
            to_do: words.to_check,
            steps: steps.map(Step::new).collect(),
        }
    }

    fn back(&self, words: &'static Words, camera: &str, from: UtcTime, to: UtcTime) -> Texts {
        let camera = clean_line(camera);
        let gap = in_words(to.since(from), self.client.locale);
        Texts {
            frame: self.frame(words, words.kicker, &(words.is_back)(&camera)),
            happened: (words.happened_when_back)(&gap),
            facts: vec![
                Fact::new(words.camera, camera),
                Fact::new(words.place, clean_line(&self.client.name)),
                Fact::new(words.silent_since, self.time(from)),
                Fact::new(words.back_since, self.time(to)),
            ],
            meanings: None,
            to_do: words.to_do,
            steps: words.steps_when_back.into_iter().map(Step::new).collect(),
        }
    }

    fn frame(&self, words: &Words, kicker: &str, heading: &str) -> Frame {
        let footer = vec![words.automatic.to_owned()];
        Frame::new(self.client.locale, kicker, sentence(heading), footer)
    }

    fn time(&self, at: UtcTime) -> String {
        day_and_second(at, self.client.locale, &self.client.time_zone)
    }
}

struct Words {
    /// How the subject of a bad one begins.
    alert: &'static str,
    kicker: &'static str,
    alert_kicker: &'static str,
    is_silent: fn(&str) -> String,
    is_back: fn(&str) -> String,
    camera: &'static str,
    place: &'static str,
    last_picture: &'static str,
    silent_since: &'static str,
    back_since: &'static str,
    happened_when_silent: &'static str,
    /// With the length of the gap.
    happened_when_back: fn(&str) -> String,
    can_mean: &'static str,
    meanings: [&'static str; 4],
    to_check: &'static str,
    steps_when_silent: [&'static str; 5],
    to_do: &'static str,
    steps_when_back: [&'static str; 2],
    automatic: &'static str,
}

const FRENCH: Words = Words {
    alert: "Alerte : ",
    kicker: "Vigint",
    alert_kicker: "Alerte Vigint",
    is_silent: |camera| format!("la caméra {camera} ne transmet plus"),
    is_back: |camera| format!("la caméra {camera} transmet de nouveau"),
    camera: "Caméra",
    place: "Lieu",
    last_picture: "Dernière image reçue",
    silent_since: "Muette depuis",
    back_since: "De retour",
    happened_when_silent: "Le serveur ne reçoit plus d'images de cette caméra. Tant que cela dure, personne ne \
                           surveille ce qu'elle voit : il n'y aura ni alerte ni vidéo. Un autre message vous dira \
                           quand elle transmettra de nouveau.",
    happened_when_back: |gap| {
        format!(
            "Elle n'a rien transmis pendant {gap}. De cette période il n'y a ni image, ni vidéo, ni alerte. Elle est \
             de nouveau surveillée."
        )
    },
    can_mean: "Cela peut vouloir dire\u{A0}:",
    meanings: [
        "La caméra n'a plus de courant, ou son câble est débranché ou coupé, par accident ou exprès.",
        "Le réseau ou la connexion à Internet du lieu est en panne.",
        "L'ordinateur où fonctionne le programme de la caméra est éteint, en veille ou en panne de courant.",
        "Le programme s'est arrêté.",
    ],
    to_check: "Que vérifier, dans cet ordre",
    steps_when_silent: [
        "Les autres caméras du lieu transmettent-elles\u{A0}? Si toutes se taisent, cherchez du côté du courant, \
         d'Internet ou de l'ordinateur\u{A0}; si une seule se tait, du côté de la caméra et de son câble.",
        "La caméra : a-t-elle du courant, son câble est-il branché et intact, n'est-elle ni couverte ni déplacée\u{A0}?",
        "Le réseau : la box et les commutateurs sont-ils allumés, Internet fonctionne-t-il sur place\u{A0}?",
        "L'ordinateur : est-il allumé\u{A0}? Le programme fonctionne-t-il\u{A0}? La commande vigint-client check dit ce qui \
         ne va pas.",
        "Si vous soupçonnez une coupure volontaire, n'y allez pas seul.",
    ],
    to_do: "Que faire",
    steps_when_back: [
        "Si vous ne savez pas pourquoi elle s'est tue, cherchez-le : cela peut recommencer.",
        "Voyez si tout est en ordre à cet endroit, puisque personne ne le surveillait.",
    ],
    automatic: "Message automatique de Vigint.",
};

const ENGLISH: Words = Words {
    alert: "Alert: ",
    kicker: "Vigint",
    alert_kicker: "Vigint alert",
    is_silent: |camera| format!("camera {camera} has gone silent"),
    is_back: |camera| format!("camera {camera} is sending again"),
    camera: "Camera",
    place: "Place",
    last_picture: "Last picture",
    silent_since: "Silent since",
    back_since: "Back",
    happened_when_silent: "The server no longer gets pictures from this camera. While this lasts nobody watches what \
                           it sees: there will be no alerts and no videos. Another message will tell you when it \
                           sends again.",
    happened_when_back: |gap| {
        format!(
            "It sent nothing for {gap}. Of this time there are no pictures, no videos and no alerts. It is watched \
             again."
        )
    },
    can_mean: "It can mean:",
    meanings: [
        "The camera has no power, or its cable is unplugged or cut, by accident or on purpose.",
        "The network there, or its connection to the Internet, is down.",
        "The computer that runs the camera's program is off, asleep or without power.",
        "The program has stopped.",
    ],
    to_check: "What to check, in this order",
    steps_when_silent: [
        "Do the other cameras there still send? If all are silent, look at the power, the Internet or the computer; \
         if it is only this one, at the camera and its cable.",
        "The camera: does it have power, is its cable plugged in and whole, is it neither covered nor moved?",
        "The network: are the router and the switches on, does the Internet work there?",
        "The computer: is it on? Does the program run? The command vigint-client check says what is wrong.",
        "If you suspect that it was cut on purpose, do not go there alone.",
    ],
    to_do: "What to do",
    steps_when_back: [
        "If you do not know why it was silent, find out: it can happen again.",
        "See whether all is well there, for nobody was watching.",
    ],
    automatic: "Automatic message from Vigint.",
};

const fn words(locale: Locale) -> &'static Words {
    match locale {
        Locale::French => &FRENCH,
        Locale::English => &ENGLISH,
    }
}
